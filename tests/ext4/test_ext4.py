# SPDX-License-Identifier: MIT
"""test_ext4.py - the core of the ext4 service on images: what mke2fs made is read, what the core wrote is judged by
e2fsck and debugfs. Everything is done twice where it says so: with a disk that answers at once, and with one that
answers late and in any order, so that each operation is run again from its beginning many times."""

import random
import re
import shutil
import struct
import subprocess
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from testlib import HANG_S, Suite, check

from tests.ext4 import images

suite = Suite("ext4")

SIZES = (1024, 2048, 4096)
STEPS = range(1, 6)  # of a commit
# Features that mke2fs gives unless told otherwise, each left out once.
LESS = ("^metadata_csum", "^64bit", "^flex_bg", "^dir_index", "^huge_file", "^extra_isize", "^dir_nlink",
        "^resize_inode", "^sparse_super,^resize_inode", "^large_file", "^ext_attr", "^metadata_csum,^64bit", "^filetype")


@contextmanager
def scratch():
    with tempfile.TemporaryDirectory(prefix="mnos-ext4-") as folder:
        yield Path(folder)


def differences(got: list[str], wanted: list[str]) -> str:
    missing, more = sorted(set(wanted) - set(got)), sorted(set(got) - set(wanted))
    return f"missing: {missing[:5]}, too many: {more[:5]}"


def must_list(image: Path, wanted: list[str], *before: str) -> list[str]:
    """Checks what the core reads; answers the reasons that it gave."""
    lines = images.tool(*before, image, "list")
    reasons = [line for line in lines if line.startswith("reason: ")]
    got = [line for line in lines if not line.startswith(("reason: ", "say: "))]
    check(got == wanted, f"{image.name}: {differences(got, wanted)}")
    return reasons


@suite.test("what mke2fs made of a folder is read as the folder: all sizes of blocks, ext2, ext3 and ext4")
def read() -> None:
    with scratch() as folder:
        source = folder / "source"
        source.mkdir()
        images.folder_of_files(source)
        wanted = sorted([*images.lines_of(source), "lost+found dir"], key=str.encode)
        for size in SIZES:
            for kind in ("ext4", "ext3", "ext2"):
                image = folder / f"{kind}-{size}"
                images.make(image, 48, "-t", kind, "-b", str(size), folder=source)
                must_list(image, wanted)
                must_list(image, wanted, "late=7")
                image.unlink()


@suite.test("what mke2fs made without one of the features is read as well")
def read_less() -> None:
    with scratch() as folder:
        source = folder / "source"
        source.mkdir()
        images.folder_of_files(source, 300)
        wanted = sorted([*images.lines_of(source), "lost+found dir"], key=str.encode)
        for features in (*LESS, "^extents,^64bit", "^has_journal"):
            image = folder / "image"
            images.make(image, 48, "-O", features, folder=source)
            reasons = must_list(image, wanted)
            only_read = features in ("^extents,^64bit", "^has_journal")
            check(bool(reasons) == only_read, f"{features}: {reasons}")


@suite.test("features that are not supported are named, and the file system is refused or only read")
def refused() -> None:
    refused = {"bigalloc": "bigalloc", "inline_data": "inline_data", "encrypt": "encrypt", "casefold": "casefold",
               "meta_bg,^resize_inode": "meta_bg", "mmp": "mmp", "ea_inode": "ea_inode",
               "large_dir": "large_dir", "metadata_csum_seed": "csum_seed"}
    only_read = {"quota": "quota", "project,quota": "project", "verity": "verity",
                 "uninit_bg,^metadata_csum": "uninit_bg"}
    with scratch() as folder:
        image = folder / "image"
        for features, name in refused.items():
            images.make(image, 48, "-O", features)
            done = subprocess.run([str(images.TOOL), str(image), "list"], capture_output=True, text=True,
                                  timeout=HANG_S)
            check(done.returncode == 1 and name in done.stderr, f"{features}: {done.stderr}")
        for features, name in only_read.items():
            images.make(image, 48, "-O", features)
            reasons = [line for line in images.tool(image, "replay") if line.startswith("reason: ")]
            check(len(reasons) == 1 and name in reasons[0], f"{features}: {reasons}")


def must_list_names(image: Path, wanted: list[str]) -> None:
    names = sorted(line.split()[0] for line in images.tool(image, "list"))
    check(names == wanted, f"{names}")


def random_operations(image: Path, folder: Path, seed: int, count: int, *before: str) -> None:
    images.tool(*before, image, "random", seed, count)
    images.must_be_clean(image)
    found = folder / f"found-{seed}"
    got = [line for line in images.tool(image, "list") if not line.startswith(("reason: ", "say: "))]
    wanted = images.lines_by_debugfs(image, found)
    got, wanted = images.without_links(got), images.without_links(wanted)
    check(got == wanted, differences(got, wanted))
    shutil.rmtree(found)


@suite.test("random operations do what a model does, and e2fsck and debugfs agree: all sizes of blocks, both disks")
def random_sizes() -> None:
    with scratch() as folder:
        image = folder / "image"
        for seed, size in enumerate(SIZES, 1):
            for before in ((), (f"late={seed}",), (f"late={seed + 10}", "slots=256")):
                images.make(image, 48, "-b", str(size))
                random_operations(image, folder, seed, 3000, *before)


@suite.test("the same in the first second of a clock that begins when the machine does")
def random_at_boot() -> None:
    with scratch() as folder:
        image = folder / "image"
        images.make(image, 48)
        random_operations(image, folder, 7, 300, "clock=0")


@suite.test("the same without one of the features")
def random_less() -> None:
    with scratch() as folder:
        image = folder / "image"
        for seed, features in enumerate(LESS, 100):
            images.make(image, 48, "-b", str(SIZES[seed % 3]), "-O", features)
            random_operations(image, folder, seed, 1000)


@suite.test("the same on a disk that becomes full, and with the smallest journal")
def random_full() -> None:
    with scratch() as folder:
        image = folder / "image"
        for seed in (200, 201):
            images.make(image, 5, "-b", "1024", "-J", "size=1", "-N", "128", "-m", "0")
            random_operations(image, folder, seed, 3000)


def replayed_by_both(ours: Path, raw: Path) -> None:
    """What e2fsck makes of the journal that a power cut left is what the core makes of it."""
    images.command("e2fsck", "-fy", raw, status=(0, 1))
    images.must_be_clean(raw)
    # e2fsck makes lost+found anew where it is missing.
    got, wanted = ([line for line in images.tool(image, "list") if not line.startswith("lost+found")]
                   for image in (ours, raw))
    check(got == wanted, f"{ours.name}: {differences(got, wanted)}")
    raw.unlink()


def write_journal(image: Path, chance: random.Random, options: str, size: int) -> list[int]:
    """Transactions by debugfs: blocks, some twice, some revoked, some that look as the journal's own, and a last one
    that was not committed. The blocks that may have changed."""
    free = images.command("debugfs", "-R", "ffb 200", image).split(":")[1].split()
    blocks = chance.sample([int(block) for block in free], 40)
    commands = [f"jo {options}"]
    for i in range(chance.randrange(2, 12)):
        chosen = chance.sample(blocks, chance.randrange(1, 20))
        content = image.with_name(f"content-{i}")
        magic = b"\xc0\x3b\x39\x98" if chance.random() < 0.5 else b"abcd"
        content.write_bytes(b"".join(magic + chance.randbytes(size - 4) for _ in chosen))
        commands.append(f"jw -b {','.join(map(str, chosen))} {content}")
        if chance.random() < 0.5:
            commands.append(f"jw -r {','.join(map(str, chance.sample(blocks, 5)))}")
    if chance.random() < 0.5:
        commands.append(f"jw -c -b {blocks[0]} {content}")
    script = image.with_name("commands")
    script.write_text("\n".join([*commands, "jc", ""]))
    images.command("debugfs", "-w", "-f", script, image)
    return blocks


@suite.test("journals that debugfs wrote are replayed as e2fsck replays them: with all kinds of checksums")
def journals() -> None:
    chance = random.Random(11)
    with scratch() as folder:
        ours, theirs = folder / "ours", folder / "theirs"
        for options in ("", "-c -v 2", "-c -v 3"):
            for features in ("64bit", "^64bit"):
                for size in SIZES:
                    images.make(ours, 16, "-b", str(size), "-O", features, "-J", "size=4" if size == 4096 else "size=2")
                    blocks = write_journal(ours, chance, options, size)
                    shutil.copy(ours, theirs)
                    said = images.tool(f"late={chance.randrange(1, 1000)}", ours, "replay")
                    check("say: the journal was replayed" in said, f"{options}: {said}")
                    images.command("e2fsck", "-fy", theirs, status=(0, 1))
                    images.must_be_clean(ours)
                    got, wanted = ours.read_bytes(), theirs.read_bytes()
                    for block in blocks:
                        check(got[block * size:][:size] == wanted[block * size:][:size],
                              f"journal {options!r} {features} {size}: block {block} is another one")


def log_blocks(image: Path) -> list[int]:
    """Where the blocks of the journal are."""
    return [int(block) for block in images.command("debugfs", "-R", "blocks <8>", image).split()]


@suite.test("a journal that holds itself is refused in the end")
def journal_of_itself() -> None:
    size, magic, descriptor, commit = 1024, 0xC03B3998, 1, 2
    with scratch() as folder:
        image = folder / "image"
        images.make(image, 16, "-b", str(size), "-O", "^metadata_csum,^64bit", "-J", "size=1")
        log = log_blocks(image)

        def block(kind: int, *words: int) -> bytes:
            return struct.pack(f">{3 + len(words)}I", magic, kind, 1, *words).ljust(size, b"\0")

        # Its one transaction puts a descriptor where its commit block is; behind that all are descriptors of the same
        # transaction, all around the log, so there is no end any more. Flags: 2 no UUID, 8 the last.
        around = block(descriptor, 16000, 2 | 8)
        content = {1: block(descriptor, log[3], 2 | 8), 3: block(commit)}
        with image.open("r+b") as file:
            for at, where in enumerate(log[1:], 1):
                file.seek(where * size)
                file.write(content.get(at, around))
            file.seek(log[0] * size + 0x18)
            file.write(struct.pack(">2I", 1, 1))  # the journal begins with transaction 1, in block 1
            file.seek(1024 + 0x60)
            features = struct.unpack("<I", file.read(4))[0]
            file.seek(1024 + 0x60)
            file.write(struct.pack("<I", features | 4))  # it is to be replayed
        done = subprocess.run([images.TOOL, image, "replay"], capture_output=True, text=True, timeout=HANG_S)
        check(done.returncode == 1 and "it holds itself" in done.stderr, f"{done.stdout}{done.stderr}")


@suite.test("a file that is deleted while it is cut leaves the list of orphans, and its number to others")
def deleted_while_cut() -> None:
    with scratch() as folder:
        image = folder / "image"
        images.make(image, 24, "-b", "1024")
        images.tool(image, "cutting")
        images.must_be_clean(image)
        images.tool(image, "replay")
        must_list_names(image, ["a", "c", "lost+found"])
        images.must_be_clean(image)


@suite.test("symbolic links that begin as blocks of the journal do are committed, however many, and replayed as they were")
def magic_links() -> None:
    with scratch() as folder:
        ours, theirs = folder / "ours", folder / "theirs"
        for options in ((), ("-O", "^metadata_csum")):
            # More of them than a commit has slots for, in a journal that would hold them.
            images.make(ours, 64, "-b", "1024", "-J", "size=16", *options)
            images.tool("slots=4096", ours, "magic", 1500)
            shutil.copy(ours, theirs)
            images.tool(ours, "replay")
            images.command("e2fsck", "-fy", theirs, status=(0, 1))
            for image in (ours, theirs):
                images.must_be_clean(image)
                for number in (0, 1499):
                    said = images.command("debugfs", "-R", f"cat magic{number}", image)
                    check("is how blocks of the journal begin" in said, f"{image.name}: {said!r}")


@suite.test("when writing fails the file system is only read, and what is left is whole")
def write_errors() -> None:
    with scratch() as folder:
        image = folder / "image"
        for writes in (2, 3, 5, 20, 21, 22, 23, 24, 150, 1000):
            images.make(image, 16, "-b", "1024")
            images.tool(image, "fail", writes)
            images.tool(image, "replay")
            images.must_be_clean(image)


def cut_and_judge(folder: Path, seed: int, size: int, cuts: int, operations: int, *before: str) -> Counter:
    """Cuts the power so often: each image is replayed by the core and judged by e2fsck, one of ten replayed by e2fsck as
    well. How many cuts there were by the step of the commit."""
    image, kept = folder / "image", folder / "cuts"
    kept.mkdir()
    images.make(image, 16, "-b", str(size), "-J", "size=4" if size == 4096 else "size=2")
    said = images.tool(*before, image, "cut", seed, operations, cuts, cuts, kept)
    for number, cut in enumerate(sorted(kept.glob("*.img"))):
        raw = cut.with_suffix(".img.raw")
        images.must_be_clean(cut)
        if number % 10 == 0:
            replayed_by_both(cut, raw)
        cut.unlink()
        raw.unlink(missing_ok=True)
    kept.rmdir()
    return Counter({int(found[1]): int(found[2]) for line in said if (found := re.match(r"step (\d): (\d+)", line))})


@suite.test("after a power cut names are those of a commit, what was synced is there, and e2fsck finds nothing")
def power_cuts() -> None:
    counts = Counter()
    with scratch() as folder:
        for seed, size, cuts, before in ((1, 1024, 80, ()), (2, 4096, 40, ()), (3, 2048, 40, ()),
                                         (4, 1024, 40, ("late=4",)), (5, 4096, 40, ("late=5",))):
            counts += cut_and_judge(folder, seed, size, cuts, 800, *before)
    check(sum(counts.values()) >= 200 and min(counts[step] for step in STEPS) >= 40, f"cuts by step: {dict(counts)}")


@suite.test("a run takes over from one that died at any moment of an operation, a commit or a checkpoint")
def deaths() -> None:
    with scratch() as folder:
        image, left = folder / "image", folder / "left"
        left.mkdir()
        steps = [0] * 7
        for seed, size, late in ((1, 1024, ()), (2, 4096, ("late=2",)), (3, 1024, ("late=3",))):
            images.make(image, 16, "-b", str(size), "-J", "size=4" if size == 4096 else "size=1")
            said = images.tool(*late, image, "die", seed, 200, 1999, 6, left)
            numbers = [int(word.strip(",")) for word in said[-1].split() if word.strip(",").isdigit()]
            steps = [a + b for a, b in zip(steps, numbers)]
            for death in left.glob("*.img"):
                images.must_be_clean(death)
                death.unlink()
        check(len(numbers) == 7 and min(steps) > 0, f"in a checkpoint, by steps of a commit: {steps}")


@suite.test("a directory of 100,000 names: each is found, and half of them removed, or all and the directory")
def many() -> None:
    with scratch() as folder:
        image = folder / "image"
        images.make(image, 128, "-N", "110000")
        images.tool(image, "many", 100_000, "keep")
        images.must_be_clean(image)
        # More blocks of names than the cache holds, and two levels of hashes.
        images.make(image, 48, "-b", "1024", "-N", "45000")
        images.tool("slots=256", "late=3", image, "many", 40_000)
        images.must_be_clean(image)


@suite.test("names are found by each kind of hash, also where e2fsck made the hashes")
def hashes() -> None:
    with scratch() as folder:
        source, image = folder / "source", folder / "image"
        source.mkdir()
        images.folder_of_files(source)
        for i in range(300):
            (source / f"a/b/\u00e9t\u00e9-{i}").touch()
        wanted = sorted([*images.lines_of(source), "lost+found dir"], key=str.encode)
        for kind in ("legacy", "half_md4", "tea"):
            for flags in (1, 2):
                images.make(image, 48, "-b", "1024", folder=source)
                images.command("tune2fs", "-E", f"hash_alg={kind}", image)
                images.command("debugfs", "-w", "-R", f"ssv flags {flags}", image)
                images.command("e2fsck", "-fyD", image, status=(0, 1))
                must_list(image, wanted)
                images.tool(image, "many", 3000, "keep")
                images.must_be_clean(image)


@suite.test("damaged images are refused or served, and nothing breaks")
def damage() -> None:
    with scratch() as folder:
        source = folder / "source"
        source.mkdir()
        images.folder_of_files(source, 0)
        for path in ("f100000", "f3000000", "sparse"):
            (source / path).unlink()
        for i in range(80):
            (source / f"a/a-long-name-for-a-file-{i}").touch()
        image = folder / "image"
        for seed, features in enumerate(("^metadata_csum", "metadata_csum")):
            images.make(image, 3, "-b", "1024", "-O", features, "-J", "size=1", "-N", "128", folder=source)
            images.tool(image, "damage", seed, 400)


def long_suite(seed: int) -> Suite:
    campaign = Suite("power cuts")

    @campaign.test("2,000 power cuts, by the step of the commit: what was synced is there, and e2fsck finds nothing")
    def many_cuts() -> None:
        counts = Counter()
        with scratch() as folder:
            for number in range(20):
                before = (f"late={seed + number}",) if number % 2 else ()
                counts += cut_and_judge(folder, seed + number, SIZES[number % 3], 100, 1500, *before)
        print(f"power cuts, seeds {seed} to {seed + 19}, by step: {dict(counts)}")
        check(sum(counts.values()) == 2000, f"{sum(counts.values())} cuts")

    return campaign
