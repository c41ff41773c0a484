# SPDX-License-Identifier: MIT
"""test_ext4_service.py - the ext4 service as it is, on an image of this machine, over a disk that answers late, in any
order, and loses what was not flushed when its power is cut. mke2fs makes the images, e2fsck judges what was written,
debugfs reads it.
"""

import random
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from qemu import BUILD
from testlib import HANG_S, Suite, check

suite = Suite("ext4 service")

PROGRAM = BUILD / "ext4/service"
LIMIT_S = HANG_S
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


@cache
def pattern(size: int, seed: int, first: int = 0) -> bytes:
    """What the service's commands fill a file of that size with, from byte `first` on."""
    return bytes(((k * 31 + seed + (k >> 12)) & 0xFF) for k in range(first, size))


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


def times_by_debugfs(image: Path, name: str) -> tuple[int, int]:
    """Seconds and nanoseconds of the time of modification, as the inode has them."""
    said = subprocess.run(["debugfs", "-R", f"stat /{name}", str(image)], check=True, capture_output=True, text=True,
                          timeout=LIMIT_S).stdout
    found = re.search(r"\bmtime: 0x([0-9a-f]+)(?::([0-9a-f]+))? ", said)
    check(found is not None, f"debugfs shows no time: {said!r}")
    low, rest = int(found[1], 16), int(found[2] or "0", 16)
    return low - (low >> 31 << 32) + ((rest & 3) << 32), rest >> 2


NS = 1_000_000_000
NOW_NS = 1_700_000_000 * NS  # of the service's clock on this machine
FIRST_S, LAST_S = -1 << 31, (1 << 31) - 1


@suite.test("times of files are what was set, from 1901 to 2262, in the inode as well, and writing sets them again")
def times() -> None:
    wanted = {"old": 946684800 * NS + 5, "ancient": -631152000 * NS - 1, "far": 5_000_000_000 * NS + 999_999_999, "zero": 0,
              "first": -3_000_000_000 * NS, "last": (1 << 63) - 1, "dir": 86400 * NS, "data": 7 * NS}
    for inode_bytes in (256, 128):
        with folder() as at:
            image = at / "image"
            make_image(image, "-t", "ext4", "-b", "1024", "-I", str(inode_bytes))
            serve(image, "mkdir dir", *(f"fill {name} 3000 1" for name in wanted if name != "dir"),
                  *(f"set-time {name} {ns}" for name, ns in wanted.items()),
                  "fill again 3000 1", "set-time again 7", "write again 0 100 1", "fill now 3000 1", "set-time now 7",
                  "set-time now now", "mkdir dir/sub", "set-time dir/sub 11000000000")
            judge(image)
            out = [int(line.split()[3]) for line in
                   serve(image, *(f"times {name}" for name in [*wanted, "again", "now"])).splitlines() if "modified" in line]
            for (name, ns), got in zip({**wanted, "again": NOW_NS, "now": NOW_NS}.items(), out, strict=True):
                seconds, rest = (FIRST_S, 0) if ns < FIRST_S * NS else divmod(ns, NS)
                if inode_bytes == 128:
                    seconds, rest = min(seconds, LAST_S), 0
                seen = times_by_debugfs(image, name)
                if name in ("dir", "again", "now"):  # a name was made in it after its time was set, or it was written
                    seconds, rest = NOW_NS // NS, seen[1]
                check(seen == (seconds, rest), f"{name}: {seen}, not {seconds}, {rest}")
                check(got == seconds * NS + rest, f"{name} is shown as of {got}")


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


@suite.test("an inode, and the last blocks, that are still being taken away from what was removed are room for a new name")
def full_names() -> None:
    with folder() as at:
        image = at / "image"
        make_image(image, "-t", "ext4", "-b", "1024", "-N", "32", "-m", "0", size="16M")
        names = [f"name-{number}" for number in range(32)]
        said = serve(image, "pieces large 2500", *(f"mkdir {name}" for name in names), "echo removing", "rm large",
                     "mkdir next", "symlink text last", options=("-p", "600"), expect=None).split("removing\n")
        check("mkdir: ERR_FULL" in said[0], f"there are more inodes than were made: {said[0]}")
        check("symlink: ERR_FULL" in said[1] and said[1].count("ERR") == 1, f"after removing one file: {said[1]}")
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
                    tree[k * 8192:k * 8192 + 4096] = pattern(k * 8192 + 4096, 3, k * 8192)
            for k in range(0, 500, 2):
                tree[k * 8192:(k + 1) * 8192] = bytes(8192)
            check((at / "tree").read_bytes() == tree, f"{size}: the file in many pieces")
            judge(image)
            found = extents_of(image, "/aside")
            check(found[0] == (0, 16 * 4096 // size - 1, False) and found[1][2], f"{size}: extents {found}")
            check(all(unwritten for _, _, unwritten in extents_of(image, "/kept")), f"{size}: kept")


def pieces_of(count: int, step: int, bytes_: int) -> tuple[str, ...]:
    """Commands by which the file "pieces" has so many pieces."""
    return ("fill pieces 0 1", f"truncate pieces {count * step}",
            *(f"write pieces {k * step} {bytes_} 3" for k in range(count)))


def fill_up(image: Path, size: int, *lines: str) -> None:
    """No block is free afterwards: data first, then directories, which may have what is kept for them."""
    make_image(image, "-t", "ext4", "-b", str(size), "-m", "0", size="16M")
    said = serve(image, *lines, "fill rest 20000000 1", *(f"mkdir d{k}" for k in range(40)), expect=3)
    check("fill: ERR_FULL" in said and "mkdir: ERR_FULL" in said, f"{size}: the disk is not full: {said}")


@suite.test("on a full disk what has its place is overwritten and taken out")
def full_and_changed() -> None:
    for size in BLOCK_SIZES:
        with folder() as at:
            image = at / "image"
            # Four pieces fill the root of a file's tree: the hole makes five of them.
            fill_up(image, size, "fill old 400000 2", *pieces_of(4, 131072, 40960))
            serve(image, "allocate pieces 8192 12288 2")
            judge(image)
            fill_up(image, size, "fill old 400000 2", "allocate aside 0 100000 1")
            # Nor does room need room where there is some; behind it there is none.
            serve(image, "allocate old 0 400000", "allocate aside 5000 95000 1", "write aside 0 8192 7")
            check("allocate: ERR_FULL" in serve(image, "allocate old 390000 100000 1", expect=3), f"{size}: room on a full disk")
            want = bytearray(pattern(400000, 2))
            for line, begin, end in (("write old 40960 4096 7", 40960, 45056), ("write old 81925 5 7", 81925, 81930),
                                     ("allocate old 10 5 2", 10, 15), ("allocate old 8192 12288 2", 8192, 20480)):
                serve(image, line)  # each begins with nothing in memory
                want[begin:end] = pattern(end, 7)[begin:] if line.startswith("write") else bytes(end - begin)
            serve(image, f"get old {at / 'old'}")
            check((at / "old").read_bytes() == want, f"{size}: another file than was written")
            judge(image)
            if size != 1024:
                continue
            # The root and the first leaf are full: two nodes would be needed for the place of one block. A leaf that grew at its
            # end has room for one more entry, which the first hole takes.
            fill_up(image, size, *pieces_of(3 * (size - 16) // 12, 4 * size, 3 * size), f"allocate pieces {size} {size} 2")
            before = serve(image, "stat pieces")
            serve(image, f"allocate pieces {5 * size} {size} 2", f"get pieces {at / 'pieces'}")
            check(serve(image, "stat pieces") == before, "the block was to stay, or the tree has room")
            found = (at / "pieces").read_bytes()
            check(found[size:2 * size] == bytes(size) == found[5 * size:6 * size], "what was taken out is not zeros")
            check(found[:size] == pattern(size, 3) and found[6 * size:7 * size] == pattern(7 * size, 3)[6 * size:],
                  "what was not taken out has other bytes")
            judge(image)


@suite.test("files that grow at the same time lie in a few pieces each")
def grown_together() -> None:
    with folder() as at:
        image = at / "image"
        make_image(image, "-t", "ext4", size="64M")
        serve(image, *(f"append {name} {name * 4000}" for _ in range(1000) for name in "ab"), "sync")
        for name in "ab":
            count = len(extents_of(image, f"/{name}"))
            check(count <= 40, f"{name} is in {count} pieces")
        judge(image)


@suite.test("a file whose inode names more bytes than 2^32 blocks have is refused: places in files are numbers of 32 bits")
def size_beyond_all() -> None:
    with folder() as at:
        image = at / "image"
        make_image(image, "-t", "ext4", "-b", "1024")
        serve(image, "fill file 5000 1", "sync")
        subprocess.run(["debugfs", "-w", "-R", f"set_inode_field /file size {1 << 45}", str(image)], check=True,
                       capture_output=True, timeout=LIMIT_S)
        said = serve(image, "seek file", options=("-k", "-R"), expect=3)
        check("ERR_FORMAT" in said, f"said: {said}")


@suite.test("several clients at once find what they wrote, on disks that reorder, with little memory")
def clients() -> None:
    for size in BLOCK_SIZES:
        for seed in (1, 2):
            with folder() as at:
                make_image(at / "image", "-t", "ext4", "-b", str(size))
                serve(at / "image", f"random {seed} 1200", options=("-s", str(seed), "-p", "420"))
                judge(at / "image")


@suite.test("memory that comes later is used for blocks and for files, and by the next run of one that dies")
def more_memory() -> None:
    for size, odds in ((4096, 0), (1024, 300)):
        with folder() as at:
            make_image(at / "image", "-t", "ext4", "-b", str(size))
            lines = ["fill big 4000000 3", "sync", "mkdir d", "many d 3000", *(f"stat d/name-{k * 7 % 3000}" for k in range(3000)),
                     f"get big {at / 'big'}", "random 5 300"]
            said = serve(at / "image", *lines, options=("-s", "9", "-p", "500", "-g", "1300", "-d", str(odds)))
            check(said.count(" bytes, ") == 3000, f"{size}: not each name is found")
            check("1800 pages, 1300 of them came later" in said, f"{size}: memory did not come: {said[-200:]}")
            check((at / "big").read_bytes() == pattern(4000000, 3), f"{size}: a file has other bytes")
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


@suite.test("what was synced stays open when the volume is mounted anew, and who has lost something is told")
def returning() -> None:
    for size in BLOCK_SIZES:
        for runs in (1, 2, 6, 12):
            with folder() as at:
                image = at / "image"
                make_image(image, "-t", "ext4", "-b", str(size))
                serve(image, "fill before 300000 3", "mkdir d", "sync", "many d 300", f"return d {runs}", "fill after 100000 1",
                      "sync")
                judge(image)


@suite.test("who locks bytes of a file keeps others from it, who waits gets them, and closing gives them up")
def locks() -> None:
    with folder() as at:
        make_image(at / "image", "-t", "ext4")
        serve(at / "image", "mkdir d", "locks d/file")
        judge(at / "image")


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
