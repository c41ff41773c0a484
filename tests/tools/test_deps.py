# SPDX-License-Identifier: MIT
"""test_deps.py - third-party files come by name and hash, once; any other file is refused. apt is a stand-in."""

import fcntl
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from qemu import ROOT
from testlib import HANG_S, Suite, check

suite = Suite("tools")

GOOD = b"what the lock names\n"
HASH = hashlib.sha256(GOOD).hexdigest()
OTHER = hashlib.sha256(b"another\n").hexdigest()

# A mirror with two versions of one package; the older has what the lock names. dpkg-deb "unpacks" a package by
# writing the version's text.
APT = {
    "apt-get": """case "$*" in
        *indextargets*) echo "file:/mirror/ bookworm" ;;
        *update*) [ ! -e "$OFFLINE" ] ;;
        *download*) version=${*##*=}; echo >>"$TARBALL.downloads"; touch "package_${version##* }.deb" ;;
        *print-uris*) echo "'file:/mirror/thing.tar' thing.tar 0 SHA256:$WANTED" ;;
        esac""",
    "apt-cache": """case "$*" in
        *madison*) printf 'thing | 2 | file:/mirror Packages\\nthing | 1 | file:/mirror Packages\\n' ;;
        *showsrc*) printf 'Version: 1\\nChecksums-Sha256:\\n %s 1 thing.tar\\n' "$WANTED" ;;
        esac""",
    "dpkg-deb": """[ "$1" != -f ] || { echo 3.1; exit; }; mkdir -p "$3/usr"; case "$2" in *_1.deb) printf 'what the lock names\\n' ;; *) echo another ;; esac >"$3/usr/file" """,
    "apt-helper": """cp "$TARBALL" "$4" """,
}


class Place:
    """A folder with a lock, a cache, and an apt that is no apt."""

    def __init__(self, folder: str, lock: str) -> None:
        self.root = Path(folder)
        (self.root / "bin").mkdir()
        for name, text in APT.items():
            self.add(name, text)
        (self.root / "deps.lock").write_text(lock)

    def add(self, name: str, text: str) -> None:
        (self.root / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.root / "bin" / name).chmod(0o755)

    def start(self, wanted: str = HASH) -> subprocess.Popen:
        env = os.environ | {
            "PATH": f"{self.root}/bin:{os.environ['PATH']}", "MNOS_DEPS": f"{self.root}/cache", "WANTED": wanted,
            "OFFLINE": f"{self.root}/offline", "TARBALL": f"{self.root}/thing.tar", "APT_HELPER": f"{self.root}/bin/apt-helper"}
        return subprocess.Popen([ROOT / "tools/deps.sh", "deps.lock", "out"], cwd=self.root, env=env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, wanted: str = HASH) -> subprocess.CompletedProcess:
        process = self.start(wanted)
        out, errors = process.communicate(timeout=HANG_S)
        return subprocess.CompletedProcess(process.args, process.returncode, out, errors)

    def pack(self, *folders: str, wanted: str = "") -> str:
        """A tarball with a file in each folder of a source, and a lock that names it and of it what is `wanted`; its hash."""
        for name in folders:
            (self.root / "thing-1" / name).mkdir(parents=True)
            (self.root / "thing-1" / name / "a.c").write_text("int a;\n")
        subprocess.run(["tar", "cf", "thing.tar", "thing-1"], cwd=self.root, check=True)
        digest = hashlib.sha256((self.root / "thing.tar").read_bytes()).hexdigest()
        (self.root / "deps.lock").write_text(f"source thing thing.tar {digest}{wanted}\n")
        return digest

    def must_work(self) -> None:
        done = self.run()
        check(done.returncode == 0, f"exit code {done.returncode}:\n{done.stdout}{done.stderr}")

    def must_fail(self, *words: str) -> None:
        done = self.run()
        check(done.returncode != 0, "the file was accepted")
        check(all(word in done.stderr for word in words), f"not all of {words} are said:\n{done.stderr}")


@suite.test("a file of a package is found by its hash in any version, and needs no network afterwards")
def package() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, f"# comment\n\ndeb thing usr/file {HASH}\n")
        place.must_work()
        (place.root / "offline").touch()
        (place.root / "out/thing/usr/file").unlink()
        place.must_work()
        check((place.root / "out/thing/usr/file").read_bytes() == GOOD, "another file was unpacked")


@suite.test("a package of which several files are wanted is downloaded once")
def one_download() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, "")
        second = hashlib.sha256(b"beside it\n").hexdigest()
        place.add("dpkg-deb", 'mkdir -p "$3/usr"; printf "what the lock names\\n" >"$3/usr/file"; echo beside it >"$3/usr/second"')
        (place.root / "deps.lock").write_text(f"deb thing usr/file {HASH}\ndeb thing usr/second {second}\n")
        place.must_work()
        check((place.root / "thing.tar.downloads").read_text() == "\n", "the package was downloaded again for its second file")


@suite.test("a run that has to fetch waits for another that is fetching into the same cache, and then needs nothing")
def one_at_a_time() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, f"deb thing usr/file {HASH}\n")
        (place.root / "cache/files").mkdir(parents=True)
        with open(place.root / "cache/lock", "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            waiting = place.start()
            check("waiting for another build" in waiting.stdout.readline(), "it did not say that it waits")
            (place.root / "cache/files" / HASH).write_bytes(GOOD)
        check(waiting.wait(60) == 0, waiting.stderr.read())
        check(not (place.root / "thing.tar.downloads").exists(), "it downloaded what the other had fetched")


@suite.test("a package that is used whole has its version beside it, and needs no network afterwards")
def whole_package() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, "deb thing *\n")
        place.must_work()
        (place.root / "offline").touch()
        (place.root / "out/thing/usr/file").unlink()
        place.must_work()
        check((place.root / "out/thing/usr/file").is_file(), "the package was not unpacked")
        check((place.root / "out/thing/.version").read_text() == "3.1\n", "its version is not there")
        (place.root / "deps.lock").write_text(f"deb thing * {HASH}\n")
        place.must_fail("has no hash")
        (place.root / "deps.lock").write_text("deb ../thing *\n")
        place.must_fail("leads elsewhere")


@suite.test("a damaged file of the cache is fetched again, and offline refused")
def damaged() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, f"deb thing usr/file {HASH}\n")
        place.must_work()
        kept = place.root / "cache/files" / HASH
        kept.write_bytes(b"damaged")
        place.must_work()
        check(kept.read_bytes() == GOOD, "the cache keeps a damaged file")
        kept.write_bytes(b"damaged")
        (place.root / "offline").touch()
        place.must_fail("without network", "cache/files")


@suite.test("a file that changed is refused with both hashes")
def changed() -> None:
    with tempfile.TemporaryDirectory() as folder:
        wanted = hashlib.sha256(b"a third").hexdigest()
        Place(folder, f"deb thing usr/file {wanted}\n").must_fail(wanted, HASH, OTHER)


@suite.test("a source is unpacked by its tarball's hash, and another tarball is refused")
def source() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, "")
        digest = place.pack(".")
        done = place.run(digest)
        check(done.returncode == 0, done.stderr)
        check((place.root / "out/thing/a.c").read_text() == "int a;\n", "the source was not unpacked")
        (place.root / "deps.lock").write_text(f"source thing thing.tar {HASH}\n")
        place.must_fail("thing.tar", HASH)


@suite.test("of a source one folder is unpacked, when the lock names it")
def folder_of_source() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, "")
        digest = place.pack("lib/one", "lib/two", wanted=" lib/two")
        done = place.run(digest)
        check(done.returncode == 0, done.stderr)
        check(sorted(p.name for p in (place.root / "out/thing/lib").iterdir()) == ["two"], "another folder was unpacked")


@suite.test("a source is changed by the patches beside the lock, in order, and one that does not fit is refused")
def patches() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, "")
        digest = place.pack(".")
        (place.root / "thing").mkdir()
        for name, old, new in (("10-b.patch", "int a;", "int b;"), ("20-c.patch", "int b;", "int c;")):
            (place.root / "thing" / name).write_text(f"--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-{old}\n+{new}\n")
        for _ in range(2):  # the second begins with the source as it came
            done = place.run(digest)
            check(done.returncode == 0, done.stderr)
            check((place.root / "out/thing/a.c").read_text() == "int c;\n", "the source was not changed")
        (place.root / "thing/10-b.patch").unlink()
        place.must_fail("20-c.patch", "does not fit")


@suite.test("a line of the lock that is wrong is named")
def wrong_lines() -> None:
    for line, words in ((f"npm thing file {HASH}", "neither source nor deb"), ("deb thing usr/file abc", "no SHA256"),
                        (f"deb thing ../../etc/passwd {HASH}", "leads elsewhere"),
                        (f"source thing file {HASH} ../..", "leads elsewhere"),
                        (f"source thing file {HASH} lib more", "more than a line has"),
                        (f"deb thing usr/file {HASH} more", "more than a line has")):
        with tempfile.TemporaryDirectory() as folder:
            Place(folder, f"# first\n{line}\n").must_fail("deps.lock:2", words)
