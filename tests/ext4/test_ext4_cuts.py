# SPDX-License-Identifier: MIT
"""test_ext4_cuts.py - what the ext4 service has written when the power is cut at some request to the disk: the image is clean,
what was synced is there, and nobody's bytes show.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

from testlib import Suite, check

from tests.ext4.test_ext4_service import LIMIT_S, PROGRAM, fill_up, folder, judge, make_image, pattern, pieces_of, serve

suite = Suite("ext4 cuts")

POWER_CUT = 42


def cut(image: Path, base: Path, number: int, lines: list[str], *options: str, ends: int = 0) -> str | None:
    """Cuts the power after `number` requests to the disk, on a copy of an image, which e2fsck judges after its journal was
    replayed; what was answered until then. None: the service ended before, with `ends`."""
    image.write_bytes(base.read_bytes())
    done = subprocess.run([str(PROGRAM), "-s", str(number), "-c", str(number), *options, str(image)], text=True,
                          input="\n".join(lines) + "\n", capture_output=True, timeout=LIMIT_S)
    if done.returncode != POWER_CUT:
        check(done.returncode == ends, f"cut {number}: ended with {done.returncode}: {(done.stdout + done.stderr)[-500:]}")
        return None
    serve(image)
    judge(image)
    return done.stdout


def cut_again_and_again(cut_one: Callable[[Path, Path, int], bool], numbers: range) -> None:
    for size in (4096, 1024):
        with folder() as at:
            make_image(at / "base", "-t", "ext4", "-b", str(size), size="16M")
            count = sum(cut_one(at, at / "base", number) for number in numbers)
            check(count >= 8, f"only {count} cuts came before the end")


def cut_and_judge(at: Path, base: Path, number: int) -> bool:
    """Cuts the power after `number` requests; what was synced before must be there. False: it ended before."""
    image = at / "image"
    lines = []
    for i in range(12):
        lines += [f"fill file-{i} {20000 + 9000 * i} {i}", f"fsync file-{i}", f"stat file-{i}", f"mkdir dir-{i}",
                  f"mv file-{i} dir-{i}/moved", f"fill temporary 150000 {i}", "rm temporary", "sync", f"readlink x{i}"]
    said = cut(image, base, number, lines, ends=3)
    if said is None:
        return False
    stats, moved = said.count(" bytes, "), said.count("readlink: ")
    for i in range(stats):
        (at / f"out-{i}").unlink(missing_ok=True)
    paths = [f"get {path} {at}/out-{i}" for i in range(stats)
             for path in ([f"dir-{i}/moved"] if i < moved else [f"dir-{i}/moved", f"file-{i}"])]
    serve(image, *paths, options=("-k",), expect=None)  # of the two names of one there is one
    for i in range(stats):
        check((at / f"out-{i}").exists(), f"cut {number}: file {i}, which was synced, is not there")
        check((at / f"out-{i}").read_bytes() == pattern(20000 + 9000 * i, i), f"cut {number}: file {i}, which was synced, has other bytes")
    return True


@suite.test("after a power cut at any request the image is clean, and what was synced is there")
def cuts() -> None:
    with folder() as at:
        for size in (4096, 1024):
            make_image(at / "base", "-t", "ext4", "-b", str(size), size="16M")
            count = sum(cut_and_judge(at, at / "base", number) for number in range(3, 300, 12))
            check(count >= 20, f"only {count} cuts came before the end")


def strange_bytes(data: bytes, own: bytes) -> list[int]:
    """Where neither its own byte is nor zero."""
    wrong, step = [], 4096
    for at in range(0, len(data), step):
        found, wanted = data[at:at + step], own[at:at + step]
        if found not in (wanted, bytes(len(found))):
            wrong += [at + k for k, (byte, its) in enumerate(zip(found, wanted)) if byte not in (its, 0)]
    return wrong


def cut_beside(at: Path, base: Path, number: int) -> bool:
    """Files become shorter, and go, while a commit that gave them blocks is on its way; then the power is cut. The blocks
    held something of others before. False: it ended before."""
    image = at / "image"
    lines, size = [], 160_000
    for i in range(1, 5):
        lines += [f"fill other {2 * size} 200", "sync", "rm other", "sync", f"fill a{i} {size} {i}", f"fill b{i} {size} {i}",
                  f"fsync-beside a{i}", f"truncate a{i} {4096 * i}", f"rm b{i}", f"fill c{i} {size} {i}", "joined"]
    if cut(image, base, number, lines, "-p", "420") is None:
        return False
    names = [f"{letter}{i}" for i in range(1, 5) for letter in "abc"]
    for name in names:
        (at / name).unlink(missing_ok=True)
    serve(image, *(f"get {name} {at / name}" for name in names), options=("-k",), expect=None)
    for name in names:
        data = (at / name).read_bytes() if (at / name).exists() else b""
        wrong = strange_bytes(data, pattern(len(data), int(name[1:])))
        check(not wrong, f"cut {number}: {name} has bytes of another file from {wrong[:1]} on, of {len(data)}")
    return True


@suite.test("what a commit gave blocks to is written, whatever becomes of the file meanwhile: nobody's bytes show")
def beside_a_commit() -> None:
    cut_again_and_again(cut_beside, range(5, 220, 16))


def cut_tails(at: Path, base: Path, number: int) -> bool:
    """Files become shorter and longer again, and the power is cut: what was cut off is not there again. A directory that
    is made afterwards says that both are durable, as it is in the same transaction or a later one."""
    image = at / "image"
    lines, size, kept = [], 5000, 1001
    for i in range(1, 9):
        lines += [f"fill f{i} {size} {i}", f"fsync f{i}", f"truncate f{i} {kept}", f"truncate f{i} {size}", f"mkdir d{i}",
                  "wait 6" if i % 2 else f"fsync f{i}"]
    if cut(image, base, number, lines) is None:
        return False
    names = serve(image, "ls .", options=("-k",)).split()[1::2]
    durable = [i for i in range(1, 9) if f"d{i}" in names]
    serve(image, *(f"get f{i} {at / f'f{i}'}" for i in durable), options=("-k",))
    for i in durable:
        check((at / f"f{i}").read_bytes() == pattern(kept, i) + bytes(size - kept),
              f"cut {number}: what was cut off of f{i} is there again")
    return True


@suite.test("what was cut off is not there again when the file becomes longer, whenever the power is cut")
def tails() -> None:
    cut_again_and_again(cut_tails, range(9, 200, 11))


@suite.test("the power fails while blocks become nodes of the tree: the file is as before, or has the hole")
def full_and_cut() -> None:
    with folder() as at:
        base, image = at / "base", at / "image"
        fill_up(base, 4096, *pieces_of(4, 131072, 40960))
        serve(base, f"get pieces {at / 'before'}", options=("-k",))
        before = (at / "before").read_bytes()
        after = before[:8192] + bytes(12288) + before[20480:]
        seen = set()
        for number in range(1, 60):
            if cut(image, base, number, ("allocate pieces 8192 12288 2", "fsync pieces")) is None:
                break
            serve(image, f"get pieces {at / 'found'}")
            judge(image)
            found = (at / "found").read_bytes()
            check(found in (before, after), f"cut {number}: neither the file before nor the one with the hole")
            seen.add(found == after)
        check(seen == {False, True}, f"only one of both was seen: {seen}")
