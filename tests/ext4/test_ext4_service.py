# SPDX-License-Identifier: MIT
"""test_ext4_service.py - the ext4 service as it is, on an image of this machine, over a disk that answers late, in any
order, and loses what was not flushed when its power is cut. mke2fs makes the images, e2fsck judges what was written,
debugfs reads it.
"""

import random
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from qemu import BUILD
from testlib import Suite, check

suite = Suite("ext4 service")

PROGRAM = BUILD / "ext4/service"
LIMIT_S = 300
POWER_CUT = 42
BLOCK_SIZES = (1024, 2048, 4096)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def make_image(path: Path, *options: str, size: str = "32M", content: Path | None = None) -> None:
    with_content = ("-d", str(content)) if content else ()
    subprocess.run(["mke2fs", "-q", "-F", *options, *with_content, str(path), size], check=True, timeout=LIMIT_S,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def serve(image: Path, *lines: str, options: tuple[str, ...] = (), expect: int | None = 0) -> str:
    done = subprocess.run([str(PROGRAM), *options, str(image)], input="\n".join(lines) + "\n", text=True,
                          errors="replace", capture_output=True, timeout=LIMIT_S)
    if expect is not None:
        check(done.returncode == expect,
              f"{lines[:2]} {options}: ended with {done.returncode}: {(done.stderr + done.stdout)[-600:]}")
    return done.stdout


def judge(image: Path) -> None:
    done = subprocess.run(["e2fsck", "-fn", str(image)], capture_output=True, text=True, timeout=LIMIT_S)
    check(done.returncode == 0, f"e2fsck: {done.stdout[-800:]}")


def make_content(at: Path) -> dict[str, bytes]:
    """Files of several kinds; returns what regular ones hold."""
    chosen = random.Random(5)
    files = {"empty": b"", "hello": b"hello\n", "big": chosen.randbytes(700_001), "dir/sub/deep": b"deep\n"}
    files |= {f"dir/many/a-name-of-some-length-{i}": str(i).encode() for i in range(700)}
    for name, data in files.items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_bytes(data)
    (at / "link").symlink_to("dir/sub")
    (at / "long").symlink_to("dir/" + "./" * 60 + "sub/deep")
    return files


def check_content(image: Path, files: dict[str, bytes], at: Path) -> None:
    chosen = list(files.items())[:20]
    serve(image, *(f"get {name} {at / 'out'}-{i}" for i, (name, _) in enumerate(chosen)), options=("-k",))
    for i, (name, data) in enumerate(chosen):
        check((at / f"out-{i}").read_bytes() == data, f"{name} has other bytes")


def read_everything(options: tuple[str, ...]) -> None:
    with folder() as at:
        (at / "content").mkdir()
        files = make_content(at / "content")
        make_image(at / "image", *options, content=at / "content")
        before = (at / "image").read_bytes()
        check_content(at / "image", files, at)
        listed = serve(at / "image", "ls dir/many", options=("-k",)).split()
        check(sorted(listed[1::2]) == sorted(Path(n).name for n in files if n.startswith("dir/many/")), "names")
        said = serve(at / "image", "cat link/deep", "cat long", "readlink link", options=("-k",))
        check(said == "deep\ndeep\ndir/sub\n", f"links: {said}")
        serve(at / "image", "mkdir new", options=("-R",), expect=3)
        check((at / "image").read_bytes() == before, "an image that is mounted to read only was changed")


KINDS = [("-t", kind, "-b", str(size)) for kind in ("ext4", "ext2", "ext3") for size in BLOCK_SIZES]
KINDS += [("-t", "ext4", "-O", features) for features in ("^metadata_csum", "^64bit", "^dir_index", "^extra_isize")]
for kind in KINDS:
    suite.test(f"what mke2fs {' '.join(kind)} made is read whole")(lambda kind=kind: read_everything(kind))


@suite.test("what is written is there after the next mount, for e2fsck and for debugfs")
def written() -> None:
    for size in BLOCK_SIZES:
        with folder() as at:
            image = at / "image"
            data = random.Random(size).randbytes(1_234_567)
            (at / "data").write_bytes(data)
            make_image(image, "-t", "ext4", "-b", str(size))
            serve(image, "mkdir dir", f"put {at / 'data'} dir/data", "append dir/data more", "mkdir dir/sub",
                  "symlink data dir/link", "ln dir/data hard", "many dir/sub 1500", "mv dir/sub/name-7 moved",
                  "rm dir/sub/name-8", "fill short 100000 3", "truncate short 1001", "truncate short 300000",
                  "fsync dir/data", "fill gone 500000 1", "rm gone", "rmdir lost+found", "sync")
            judge(image)
            serve(image, f"get hard {at / 'out'}")
            check((at / "out").read_bytes() == data + b"more", "the file has other bytes after a mount")
            subprocess.run(["debugfs", "-R", f"dump /dir/data {at / 'dumped'}", str(image)], check=True,
                           capture_output=True, timeout=LIMIT_S)
            check((at / "dumped").read_bytes() == data + b"more", "debugfs reads other bytes")
            check("moved" in serve(image, "ls ."), "a name that was moved is not there")


@suite.test("a full disk is told before anything changes, and has room again")
def full() -> None:
    with folder() as at:
        image = at / "image"
        make_image(image, "-t", "ext4", "-b", "4096", size="16M")
        said = serve(image, "fill one 8000000 1", "fill two 20000000 2", "stat one", "rm two", "fill three 2000000 3",
                     expect=3)
        check("fill: ERR_FULL" in said and "8000000 bytes" in said, f"said: {said}")
        check(said.count("ERR") == 1, f"there is no room after removing: {said}")
        judge(image)


def extents_of(image: Path, path: str) -> list[tuple[int, int, bool]]:
    """First block, last block, and whether it was never written, as debugfs reads them."""
    said = subprocess.run(["debugfs", "-R", f"dump_extents -l {path}", str(image)], capture_output=True, text=True,
                          timeout=LIMIT_S, check=True).stdout
    return [(int(found[1]), int(found[2]), bool(found[3])) for line in said.splitlines()
            if (found := re.match(r" *\d+/ *\d+ +\d+/ *\d+ +(\d+) - +(\d+) +\d+ - +\d+ +\d+ *(Uninit)?", line))]


@suite.test("room set aside is there and reads as zeros, what is taken out is a hole, for debugfs and e2fsck as well")
def space() -> None:
    for size in BLOCK_SIZES:
        with folder() as at:
            image = at / "image"
            make_image(image, "-t", "ext4", "-b", str(size))
            said = serve(image, "allocate aside 0 1000000 0", "stat aside", "seek aside", f"get aside {at / 'aside'}",
                         f"write aside 0 {8 * 4096} 1", f"write aside {8 * 4096} {8 * 4096} 1", "fsync aside",
                         "write aside 500000 5000 1", "seek aside", "allocate kept 0 300000 1", "stat kept",
                         "fill full 400000 2", "allocate full 40960 81920 2", "allocate full 10 5 2",
                         "allocate full 200001 20000 2", "allocate full 380000 99999999 2", "stat full", "seek full",
                         f"get full {at / 'full'}", "fill tree 10 1", "truncate tree 4096000",
                         *(f"write tree {k * 8192} 4096 3" for k in range(500)),
                         *(f"allocate tree {k * 8192} 8192 2" for k in range(0, 500, 2)), "allocate tree 0 3900000 2",
                         "stat tree", "seek tree", f"get tree {at / 'tree'}")
            lines = [line for line in said.splitlines() if line]
            check(lines[0].startswith("f 1000000 bytes, "), f"{size}: {lines[0]}")
            check(int(lines[0].split()[3]) >= 1000000, f"{size}: no room was set aside: {lines[0]}")
            check((at / "aside").read_bytes() == bytes(1000000), f"{size}: what was set aside is not zeros")
            first, last = 500000 // size * size, -(-505000 // size) * size
            check(lines[1].strip() == f"data 0-{16 * 4096} data {first}-{last}", f"{size}: {lines[1]}")
            check(lines[2].startswith("f 0 bytes, ") and int(lines[2].split()[3]) >= 300000, f"{size}: {lines[2]}")
            expected = bytearray(pattern(400000, 2))
            for begin, end in ((40960, 122880), (10, 15), (200001, 220001), (380000, 400000)):
                expected[begin:end] = bytes(end - begin)
            check((at / "full").read_bytes() == expected, f"{size}: what was taken out is not zeros, or more was")
            check(lines[3].startswith("f 400000 bytes, "), f"{size}: {lines[3]}")
            check("data 0-40960 data 122880-" in lines[4], f"{size}: {lines[4]}")
            tree = bytearray(4096000)
            for k in range(500):
                if k * 8192 >= 3900000:
                    tree[k * 8192:k * 8192 + 4096] = pattern(k * 8192 + 4096, 3)[k * 8192:]
            for k in range(0, 500, 2):
                tree[k * 8192:(k + 1) * 8192] = bytes(8192)
            check((at / "tree").read_bytes() == tree, f"{size}: the file in many pieces")
            judge(image)
            found = extents_of(image, "/aside")
            check(found[0] == (0, 16 * 4096 // size - 1, False) and found[1][2], f"{size}: extents {found}")
            check(all(unwritten for _, _, unwritten in extents_of(image, "/kept")), f"{size}: kept")


@suite.test("several clients at once find what they wrote, on disks that reorder, with little memory")
def clients() -> None:
    for size in BLOCK_SIZES:
        for seed in (1, 2):
            with folder() as at:
                make_image(at / "image", "-t", "ext4", "-b", str(size))
                serve(at / "image", f"random {seed} 1200", options=("-s", str(seed), "-p", "420"))
                judge(at / "image")


@suite.test("the service dies at any moment, and its clients find what they wrote, and each request done once")
def deaths() -> None:
    for size, odds in zip(BLOCK_SIZES, (60, 100, 40)):
        with folder() as at:
            make_image(at / "image", "-t", "ext4", "-b", str(size))
            said = serve(at / "image", f"random {odds} 500", options=("-s", "7", "-p", "420", "-d", str(odds)))
            found = re.search(r"(\d+) deaths, (\d+) of them in a request", said)
            check(found and int(found[1]) >= 5 and int(found[2]) >= 1, f"{size}, one of {odds}: {said}")
            judge(at / "image")


@suite.test("damaged memory of a dead run is not used: the journal is replayed, and what was synced is there")
def damaged_memory() -> None:
    for what, reason in enumerate(("E2", "E3", "C5")):
        with folder() as at:
            image = at / "image"
            make_image(image, "-t", "ext4")
            said = serve(image, "mkdir d", "fill d/synced 300000 1", "sync", "fill other 200000 2", f"break {what}",
                         f"get d/synced {at / 'out'}", "mkdir after", "fill after/more 100000 3", "sync")
            check(f"refused: {reason}: " in said, f"{reason}: {said}")
            expected = bytes(((k * 31 + 1 + (k >> 12)) & 0xFF) for k in range(300000))
            check((at / "out").read_bytes() == expected, "a file that was synced has other bytes")
            judge(image)


@suite.test("a client whose window the next run cannot have is told that its session is lost, and gets another")
def lost_windows() -> None:
    with folder() as at:
        image = at / "image"
        make_image(image, "-t", "ext4")
        serve(image, "fill synced 300000 1", "sync", "lose-windows", f"get synced {at / 'out'}", "fill more 100000 3", "sync")
        expected = bytes(((k * 31 + 1 + (k >> 12)) & 0xFF) for k in range(300000))
        check((at / "out").read_bytes() == expected, "a file that was synced has other bytes")
        judge(image)


@suite.test("a client that writes more than its share waits, and another that writes does not")
def shares() -> None:
    with folder() as at:
        image = at / "image"
        make_image(image, "-t", "ext4")
        serve(image, "fill much 2000000 1", "fill little 100000 2", "sync", "shares much little 1966080", "sync")
        judge(image)


@suite.test("requests of any form are answered, and the image stays clean")
def hostile() -> None:
    for seed in (1, 2, 3):
        with folder() as at:
            make_image(at / "image", "-t", "ext4", "-b", str(BLOCK_SIZES[seed - 1]))
            serve(at / "image", "mkdir a", "mkdir a/b", "symlink a link", f"hostile {seed} 8000",
                  options=("-s", str(seed), "-p", "420"))
            judge(at / "image")


@suite.test("reading errors are the request's, and nobody waits for ever")
def failing() -> None:
    with folder() as at:
        (at / "content").mkdir()
        make_content(at / "content")
        make_image(at / "image", "-t", "ext4", content=at / "content")
        for seed in range(1, 9):
            serve(at / "image", "ls dir/many", "cat big", "cat link/deep", "stat empty",
                  options=("-k", "-R", "-r", "6", "-s", str(seed)), expect=None)


@suite.test("writing errors are told, end all changes, and leave what e2fsck can repair")
def not_written() -> None:
    for seed, odds in ((2, 14), (4, 50), (6, 110)):
        with folder() as at:
            image = at / "image"
            make_image(image, "-t", "ext4", "-b", "4096")
            said = serve(image, "mkdir d", "fill a 300000 1", "fsync a", "fill b 300000 1", "sync", "many d 50",
                         "append a x", "fsync a", "rm b", "sync", options=("-w", str(odds), "-s", str(seed)), expect=3)
            check("ERR_DEVICE" in said, f"no error was told: {said}")
            subprocess.run(["e2fsck", "-fy", str(image)], capture_output=True, timeout=LIMIT_S)
            judge(image)


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
        expected = bytes(((k * 31 + i + (k >> 12)) & 0xFF) for k in range(20000 + 9000 * i))
        check((at / f"out-{i}").read_bytes() == expected, f"cut {number}: file {i}, which was synced, has other bytes")
    return True


def pattern(size: int, seed: int) -> bytes:
    return bytes(((k * 31 + seed + (k >> 12)) & 0xFF) for k in range(size))


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
        wrong = [k for k, (byte, own) in enumerate(zip(data, pattern(len(data), int(name[1:])))) if byte not in (own, 0)]
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


@suite.test("a file that is being cut, in many operations, may go meanwhile, and the service may die")
def leaving() -> None:
    for size, odds in ((1024, 400), (1024, 1500), (4096, 600)):
        with folder() as at:
            make_image(at / "image", "-t", "ext4", "-b", str(size))
            lines = []
            for i in range(2):
                lines += [f"pieces f{i} 2500", f"pieces g{i} 1200", "sync", f"truncate-beside f{i} 5000", f"rm f{i}",
                          f"mv g{i} h{i}", "joined", f"rm h{i}", f"fill f{i} 70000 {i}", f"get f{i} {at / f'f{i}'}"]
            serve(at / "image", *lines, "sync", options=("-s", str(size), "-p", "600", "-d", str(odds)))
            for i in range(2):
                check((at / f"f{i}").read_bytes() == pattern(70000, i), "a file made after another has other bytes")
            judge(at / "image")


@suite.test("after a power cut at any request the image is clean, and what was synced is there")
def cuts() -> None:
    with folder() as at:
        for size in (4096, 1024):
            make_image(at / "base", "-t", "ext4", "-b", str(size), size="16M")
            count = sum(cut_and_judge(at, at / "base", number) for number in range(3, 300, 12))
            check(count >= 20, f"only {count} cuts came before the end")
