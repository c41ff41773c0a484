# SPDX-License-Identifier: MIT
"""test_fat_service.py - the FAT service as it is, on an image of this machine, over a disk that answers late, in any order,
and loses what was not flushed when its power is cut. mkfs.fat and mkfs.exfat make the images, fsck.fat and fsck.exfat
judge what was written, mtools read and write beside it.
"""

import os
import random
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from qemu import BUILD
from testlib import Suite, check

from tests.fat.images import HARMLESS, KINDS, LIMIT_S, get, judge, make, put, run, tool

suite = Suite("fat service")

PROGRAM = BUILD / "fat/service"
POWER_CUT = 42
FATS = ("fat12", "fat16", "fat32")
SIZES = {"fat12": 8, "fat16": 32, "fat32": 40, "exfat": 32}


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def serve(image: Path, *lines: str, options: tuple[str, ...] = (), expect: int | None = 0) -> str:
    done = subprocess.run([str(PROGRAM), *options, str(image)], input="\n".join(lines) + "\n", text=True,
                          errors="replace", capture_output=True, timeout=LIMIT_S)
    if expect is not None:
        check(done.returncode == expect,
              f"{lines[:2]} {options}: ended with {done.returncode}: {(done.stderr + done.stdout)[-900:]}")
    check("Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr[-2000:])
    return done.stdout


def written(kind: str, size: int, mkfs: tuple[str, ...]) -> None:
    with folder() as at:
        image, data = at / "image", random.Random(size).randbytes(1_234_567)
        (at / "data").write_bytes(data)
        make(image, kind, size, mkfs)
        serve(image, "mkdir dir", f"put {at / 'data'} dir/data", "append dir/data more", "mkdir dir/sub",
              "many dir/sub 400", "mv dir/sub/name-7 Moved.Longer-Name", "rm dir/sub/name-8", "fill short 100000 3",
              "truncate short 1001", "truncate short 300000", "fsync dir/data", "fill gone 500000 1", "rm gone",
              "mkdir äöü€𝄞", "fill äöü€𝄞/ß 10 1", "mv dir/sub äöü€𝄞/inside", "mkdir x", "rmdir x", "mv short SHORT", "sync")
        judge(image, kind)
        out = serve(image, f"get DIR/DATA {at / 'out'}", "ls .", "stat SHORT", options=("-k",))
        check((at / "out").read_bytes() == data + b"more", "the file has other bytes after a mount")
        check("Moved.Longer-Name" in out and "äöü€𝄞" in out and "SHORT" in out and "300000 bytes" in out, out)
        if kind == "exfat":
            return
        check(get(image, "dir/data") == data + b"more", "mtools read other bytes")
        check(len(run("mdir", "-b", "-i", image, "::äöü€/inside", status=(0, 1)).splitlines()) in (0, 398),
              "mtools list another number of names")


for made in KINDS:
    suite.test(f"what is written to {made[0]} {made[1]} MiB {' '.join(made[2])} is there, and fsck finds nothing wrong")(
        lambda made=made: written(*made))


@suite.test("what mtools wrote is read whole, and nothing is changed on a volume that is mounted to read only")
def others() -> None:
    for kind in FATS:
        with folder() as at:
            image, files = at / "image", {}
            make(image, kind, SIZES[kind])
            for i, size in enumerate((0, 1, 511, 512, 513, 65536, 700_001)):
                files[f"A_file_of_{size}_bytes.data"] = random.Random(i).randbytes(size)
            for name, data in files.items():
                (at / "data").write_bytes(data)
                put(image, at / "data", name)
            before = image.read_bytes()
            listed = serve(image, "ls .", "mkdir new", *(f"get {n} {at}/{n}" for n in files), options=("-R",), expect=3)
            check(all(name in listed for name in files) and "mkdir: ERR_DENIED" in listed, listed)
            for name, data in files.items():
                check((at / name).read_bytes() == data, f"{name} has other bytes")
            check(image.read_bytes() == before, "an image that is mounted to read only was changed")


@suite.test("times are what was set, in steps of the format, of directories too, and writing sets them again")
def times() -> None:
    second = 1_000_000_000
    for kind in SIZES:
        with folder() as at:
            image = at / "image"
            make(image, kind, SIZES[kind], ())
            serve(image, "mkdir dir", "many dir 300", "fill file 3000 1", "fill old 3000 1", "fill again 3000 1", "sync",
                  f"set-time file {1_000_000_001 * second + 5}", "set-time old -7", f"set-time again {second}",
                  "write again 0 10 1", f"set-time dir {1_100_000_000 * second}")
            judge(image, kind)
            out = serve(image, "times file", "times old", "times again", "times dir", "stat dir/name-299")
            got = [int(line.split()[3]) for line in out.splitlines() if "modified" in line]
            first = 1_000_000_001 if kind == "exfat" else 1_000_000_000
            wanted = [first, 315_532_800, 1_700_000_000, 1_100_000_000]
            check([ns // second for ns in got] == wanted, f"{kind}: {got}")
            check(all(ns % second == 0 for ns in got) or kind == "exfat", f"{kind}: {got}")
            check("1 links" in out, f"{kind}: a name of the directory is not there: {out}")
            serve(image, "set-time . 0", expect=3)


@suite.test("a date that mtools wrote is read, and one that was set is what mtools list")
def mtools_dates() -> None:
    written, read = 1_305_296_828, 1_100_000_000  # 2011-05-13 14:27:08, 2004-11-09 11:33:20
    utc = ("env", "TZ=UTC", "MTOOLS_DATE_STRING=yyyy-mm-dd")
    for kind in FATS:
        with folder() as at:
            image, data = at / "image", at / "data"
            make(image, kind, SIZES[kind])
            data.write_text("text")
            os.utime(data, (written, written))
            run(*utc, "mcopy", "-m", "-i", image, data, "::file")
            said = serve(image, "times file", f"set-time file {read}000000000")
            check(f"modified {written}000000000" in said, f"{kind}: {said}")
            listed = run(*utc, "mdir", "-i", image, "::file")
            check(re.search(r"2004-11-09 +11:33", listed) is not None, f"{kind}: {listed}")


def exfat_file(image: bytearray, size: int) -> int:
    """Where the one file of so many bytes has its set of entries."""
    found = [at for at in range(0, len(image) - 63, 32) if image[at] == 0x85 and image[at + 32] == 0xC0
             and int.from_bytes(image[at + 56 : at + 64], "little") == size]
    check(len(found) == 1, f"{len(found)} files have {size} bytes")
    return found[0]


def sign(image: bytearray, at: int) -> None:
    """The sum of a set of entries (exFAT file system specification, 6.3.3)."""
    total = 0
    for i in range((image[at + 1] + 1) * 32):
        if i not in (2, 3):
            total = ((total << 15 | total >> 1) + image[at + i]) & 0xFFFF
    image[at + 2 : at + 4] = total.to_bytes(2, "little")


@suite.test("dates of exFAT are by the UTC offset that their entries say, and are written in UTC")
def offsets() -> None:
    stamp = 31 << 25 | 5 << 21 | 13 << 16 | 14 << 11 | 27 << 5 | 4  # 2011-05-13 14:27:08
    as_utc = 1_305_296_828_000_000_000
    hour = 3_600_000_000_000
    with folder() as at:
        image = at / "image"
        make(image, "exfat", SIZES["exfat"], ())
        serve(image, "fill file 3001 1")
        for offset, modified in ((0x88, as_utc - 2 * hour), (0xEC, as_utc + 5 * hour), (0x08, as_utc), (0x80, as_utc)):
            content = bytearray(image.read_bytes())
            entry = exfat_file(content, 3001)
            content[entry + 8 : entry + 25] = stamp.to_bytes(4, "little") * 3 + bytes((7, 157, 0xC1, offset, offset))
            sign(content, entry)
            image.write_bytes(content)
            judge(image, "exfat")
            said = serve(image, "times file")
            check(f"modified {modified + 1_570_000_000}" in " ".join(said.split()), f"{offset:#x}: {said}")
        serve(image, f"set-time file {as_utc + 1_230_000_000}")
        judge(image, "exfat")
        content = bytearray(image.read_bytes())
        entry = exfat_file(content, 3001)
        check(content[entry + 8 : entry + 12] == stamp.to_bytes(4, "little") and content[entry + 20] == 7
              and content[entry + 22] == 0xC1, "when it was made has changed")
        check(content[entry + 12 : entry + 16] == stamp.to_bytes(4, "little") and content[entry + 21] == 123
              and content[entry + 23] == content[entry + 24] == 0x80,
              f"it is not written in UTC: {content[entry : entry + 32].hex()}")


def directory_sizes(image: bytes) -> list[tuple[int, int]]:
    """Of exFAT, the length and the valid length that each entry of a directory says."""
    streams = [image[at + 32 : at + 64] for at in range(0, len(image) - 63, 32)
               if image[at] == 0x85 and image[at + 32] == 0xC0 and image[at + 4] & 0x10]
    return [(int.from_bytes(stream[24:32], "little"), int.from_bytes(stream[8:16], "little")) for stream in streams]


@suite.test("a directory of exFAT that has grown is valid as a whole, also when its entry is written anew or moved")
def grown() -> None:
    for change in ("set-time dir 1100000000000000000", "mv dir other/dir"):  # fsck.exfat does not look at it
        with folder() as at:
            image = at / "image"
            make(image, "exfat", SIZES["exfat"], ())
            serve(image, "mkdir dir", "mkdir other", "many dir 300", change)
            judge(image, "exfat")
            sizes = directory_sizes(image.read_bytes())
            check(len({size for size, _ in sizes}) == len(sizes) == 2, f"it has not grown: {sizes}")
            check(all(size == valid for size, valid in sizes), f"{change}: {sizes}")


@suite.test("what FAT has not is refused, as are names that it does not allow")
def refused() -> None:
    with folder() as at:
        make(at / "image", "fat32", 40)
        said = serve(at / "image", "fill file 10 1", "ln file other", "symlink file other", "mkdir a:b", "mkdir a\\b",
                     "mkdir dot.", "fill FILE/x 1 1", "mkdir con?", "mkdir " + "n" * 255, "mkdir " + "n" * 256,
                     "truncate file 4294967296", "mv file file/x", "mkdir d", "mv d d/x", "rm d", "rmdir file", expect=3)
        for line in ("ln: ERR_DENIED", "symlink: ERR_DENIED", "truncate: ERR_SIZE", "rm: ERR_DIRECTORY",
                     "rmdir: ERR_NOT_DIRECTORY"):
            check(line in said, f"not said: {line}\n{said}")
        check(said.count("mkdir: ERR_ARGUMENT") == 4 and said.count("mkdir: ERR_SIZE") == 1, said)
        judge(at / "image", "fat32")


@suite.test("who locks bytes of a file keeps others from it, who waits gets them, and closing gives them up")
def locks() -> None:
    for kind in (*FATS, "exfat"):
        with folder() as at:
            make(at / "image", kind, SIZES[kind])
            serve(at / "image", "locks file", "mkdir dir", "mv file dir/file", "locks dir/file")
            judge(at / "image", kind)


@suite.test("a full volume says so, and has room again when something is removed")
def full() -> None:
    for kind in (*FATS, "exfat"):
        with folder() as at:
            size = SIZES[kind] << 20
            make(at / "image", kind, SIZES[kind])
            said = serve(at / "image", f"fill one {size // 2} 1", f"fill two {size} 2", "stat one", "rm two",
                         f"fill three {size // 4} 3", "many . 40", expect=3)
            check("fill: ERR_FULL" in said and f"{size // 2} bytes" in said and said.count("ERR") == 1, said)
            judge(at / "image", kind)


@suite.test("several clients at once find what they wrote, on disks that reorder, with little memory")
def clients() -> None:
    for kind in (*FATS, "exfat"):
        for seed in (1, 2):
            with folder() as at:
                make(at / "image", kind, SIZES[kind])
                serve(at / "image", f"random {seed} 1000", options=("-s", str(seed), "-p", "96"))
                judge(at / "image", kind)


@suite.test("requests of any form are answered, and the image stays clean")
def hostile() -> None:
    for seed, kind in enumerate((*FATS, "exfat"), 1):
        with folder() as at:
            make(at / "image", kind, SIZES[kind])
            serve(at / "image", "mkdir a", "mkdir a/b", f"hostile {seed} 6000", options=("-s", str(seed), "-p", "96"))
            judge(at / "image", kind)


@suite.test("errors of the disk are told; writing errors end all changes")
def failing() -> None:
    for kind in ("fat16", "exfat"):
        with folder() as at:
            image = at / "image"
            make(image, kind, SIZES[kind])
            serve(image, "mkdir dir", "many dir 300", "fill big 700000 1")
            for seed in range(1, 7):
                serve(image, "ls dir", "cat big", "stat dir", options=("-k", "-R", "-r", "4", "-s", str(seed)), expect=None)
            said = ""
            for seed, odds in ((2, 3), (4, 6), (6, 12)):
                said += serve(image, "mkdir d", "fill a 300000 1", "fsync a", "fill b 300000 1", "sync", "append a x",
                              "fsync a", "rm b", "sync", options=("-k", "-w", str(odds), "-s", str(seed)), expect=3)
            check("ERR_DEVICE" in said, f"no error was told: {said}")
            said = serve(image, "fill lost 300000 1", "fsync lost", "fsync lost", "sync", options=("-k", "-w", "1"), expect=3)
            check(said.count("sync: ERR_DEVICE") == 3, f"bytes that were not written are said to be safe: {said}")


@suite.test("damaged images are refused or served, and end in no fault")
def damaged() -> None:
    for kind in (*FATS, "exfat"):
        with folder() as at:
            make(at / "base", kind, SIZES[kind])
            serve(at / "base", "mkdir a", "mkdir a/longer_name_of_a_directory", "many a 60", "fill a/file 70000 1",
                  "fill b 300000 2", "fill c 5 3")
            base = (at / "base").read_bytes()
            used = [i for i in range(0, len(base), 512) if base[i:i + 512] != bytes(512)][:200]
            for seed in range(12):
                chance = random.Random(seed)
                image = bytearray(base)
                for _ in range(chance.choice((1, 3, 20, 200))):
                    image[chance.choice(used[:chance.choice((1, 8, 200))]) + chance.randrange(512)] = chance.randrange(256)
                (at / "image").write_bytes(image)
                done = subprocess.run([str(PROGRAM), "-s", str(seed), str(at / "image")], timeout=LIMIT_S, text=True,
                                      input="ls .\nls a\ncat b\nrm b\nfill d 90000 1\nmkdir e\nmv a e/a\nrm c\nsync\ndf\n",
                                      capture_output=True, errors="replace")
                check(done.returncode in (0, 2, 3), f"{kind} {seed}: {done.returncode}\n{done.stderr[-2000:]}")
                check("Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr[-2000:])


@suite.test("an entry of exFAT whose checksum is wrong hides itself, and nothing behind it")
def checksum() -> None:
    with folder() as at:
        image = at / "image"
        make(image, "exfat", SIZES["exfat"])
        serve(image, "fill one 10 1", "fill two 20 2", "fill three 30 3", "mkdir directory")
        content = bytearray(image.read_bytes())
        first = content.index("two".encode("utf-16-le")) - 2 - 64
        content[first + 12] ^= 0xFF  # the time of its last change
        image.write_bytes(content)
        said = serve(image, "ls .", "stat three", "ls directory", "stat two", expect=3)
        check("two" not in said.split("stat: ERR_NOT_FOUND")[0] and "f three" in said and "30 bytes" in said, said)


COUNT = 10


def cut_and_judge(at: Path, base: Path, kind: str, number: int) -> bool:
    """Cuts the power after `number` requests; what was synced before must be there. False: it ended before."""
    image = at / "image"
    image.write_bytes(base.read_bytes())
    lines = []
    for i in range(COUNT):
        lines += [f"fill file-{i} {20000 + 9000 * i} {i}", f"fsync file-{i}", f"stat file-{i}", f"mkdir a longer name {i}",
                  f"fill temporary-{i} 150000 {i}", f"fill dir-{i} 3000 {i}", f"rm temporary-{i}", "sync",
                  f"truncate file-{i} {10000 + i}", f"mv dir-{i} moved-{i}", f"readlink x{i}", "many . 3" if i == 0 else ""]
    done = subprocess.run([str(PROGRAM), "-s", str(number), "-c", str(number), str(image)], text=True,
                          input="\n".join(lines) + "\n", capture_output=True, timeout=LIMIT_S)
    if done.returncode != POWER_CUT:
        check(done.returncode == 3, f"cut {number}: ended with {done.returncode}: {done.stderr[-500:]}")
        return False
    moved = done.stdout.count("readlink: ")
    judge_after_cut(image, kind, number, moved)
    look(at, image, kind, number, done.stdout.count(" bytes, "), moved)
    if kind != "exfat":
        run(tool("fsck.fat"), "-a", image, status=(0, 1))
        judge(image, kind)
    return True


def judge_after_cut(image: Path, kind: str, number: int, moved: int) -> None:
    """Between the two steps of a rename there are two names, and that is all that may be wrong beside what is harmless."""
    pair = (f"dir-{moved}", f"moved-{moved}")
    if kind == "exfat":
        said = run(tool("fsck.exfat"), "-n", image, status=(0, 4))
        both = any(re.search(f"ERROR: /{name}: cluster is already allocated for the other file", said) for name in pair)
        check("clean" in said or (both and "files corrupted 1," in said), f"cut {number}: {said}")
        return
    said = run(tool("fsck.fat"), "-n", image, status=(0, 1))
    both = "|".join(f"/{one}  and\n/{other}\n  share clusters." for one, other in (pair, pair[::-1]))
    if re.search(both, said, re.IGNORECASE):
        said = re.sub("  share clusters.|  Truncating second.*|.*cluster chain length is 0 bytes.", "", said)
    wrong = [line for line in said.splitlines() if not HARMLESS.search(line)]
    check(not wrong, f"cut {number}: {said}")


@cache
def expected_of(i: int) -> bytes:
    return bytes(((k * 31 + i + (k >> 12)) & 0xFF) for k in range(20000 + 9000 * i))


def look(at: Path, image: Path, kind: str, number: int, stats: int, moved: int) -> None:
    for i in range(stats):
        (at / f"out-{i}").unlink(missing_ok=True)
    serve(image, *(f"get file-{i} {at}/out-{i}" for i in range(stats)), *(f"stat moved-{i}" for i in range(moved)),
          options=("-k",))
    for i in range(stats):
        expected = expected_of(i)
        found = (at / f"out-{i}").read_bytes()
        shorter = expected[:10000 + i]
        check(found == expected or found == shorter, f"cut {number}: file {i}, which was synced, has other bytes")


@suite.test("after a power cut at any request what was synced is there, and nothing but lost clusters is wrong")
def cuts() -> None:
    with folder() as at:
        for kind in (*FATS, "exfat"):
            make(at / "base", kind, SIZES[kind])
            count = sum(cut_and_judge(at, at / "base", kind, number) for number in range(3, 300, 14))
            check(count >= 12, f"only {count} cuts came before the end on {kind}")
