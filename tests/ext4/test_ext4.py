# SPDX-License-Identifier: MIT
"""test_ext4.py - the core of the ext4 service on images: what mke2fs made is read, what the core wrote is judged by
e2fsck and debugfs. Everything is done twice where it says so: with a disk that answers at once, and with one that
answers late and in any order, so that each operation is run again from its beginning many times."""

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from testlib import HANG_S, Suite, check

from tests.ext4 import images

suite = Suite("ext4")

SIZES = (1024, 2048, 4096)
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


def random_operations(image: Path, folder: Path, seed: int, count: int, *before: str) -> None:
    images.tool(*before, image, "random", seed, count)
    images.must_be_clean(image)
    found = folder / f"found-{seed}"
    got = [line for line in images.tool(image, "list") if not line.startswith(("reason: ", "say: "))]
    wanted = images.lines_by_debugfs(image, found)
    got, wanted = images.without_links(got), images.without_links(wanted)
    check(got == wanted, differences(got, wanted))
    subprocess.run(["rm", "-rf", str(found)], check=True)


@suite.test("random operations do what a model does, and e2fsck and debugfs agree: all sizes of blocks, both disks")
def random_sizes() -> None:
    with scratch() as folder:
        image = folder / "image"
        for seed, size in enumerate(SIZES, 1):
            for before in ((), (f"late={seed}",)):
                images.make(image, 48, "-b", str(size))
                random_operations(image, folder, seed, 3000, *before)


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


@suite.test("after a power cut names are those of a commit, what was synced is there, and e2fsck finds nothing")
def power_cuts() -> None:
    with scratch() as folder:
        image, cuts = folder / "image", folder / "cuts"
        for seed, size, count in ((1, 1024, 100), (2, 4096, 60), (3, 2048, 40)):
            cuts.mkdir()
            images.make(image, 16, "-b", str(size), "-J", "size=4" if size == 4096 else "size=2")
            images.tool(image, "cut", seed, 800, count, 20, cuts)
            for cut in sorted(cuts.iterdir()):
                images.must_be_clean(cut)
                cut.unlink()
            cuts.rmdir()


@suite.test("a directory of 100,000 names: each is found, and half of them removed")
def many() -> None:
    with scratch() as folder:
        image = folder / "image"
        images.make(image, 128, "-N", "110000")
        images.tool(image, "many", 100_000)
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
