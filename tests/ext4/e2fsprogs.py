# SPDX-License-Identifier: MIT
"""e2fsprogs.py - the images of e2fsprogs' own tests: damaged file systems (`f_*`) and journals (`j_*`).

A case is a packed image or a script that makes one and then lets e2fsck repair it. Each is run as its authors wrote it,
with Debian's programs, but for e2fsck: what stands in its place keeps a copy of the image that it is given. So what is
tried is exactly what e2fsck's authors tried e2fsck with."""

import errno
import hashlib
import os
import shutil
import struct
import subprocess
from pathlib import Path

from qemu import BUILD
from testlib import HANG_S, check

TESTS = BUILD / "src/e2fsprogs/tests"
LARGEST = 1 << 31  # an image beyond it is a file system of terabytes in a file with holes
PIECE = 4096

# In e2fsck's place.
FSCK = """#!/bin/sh
n=$(ls "$CAUGHT" | wc -l)
for image; do :; done
[ ! -f "$image" ] || cp --sparse=always "$image" "$CAUGHT/$n"
exec e2fsck "$@"
"""

# What tests/test_one and tests/test_config of the source do, with the programs of this machine.
RUN = """
cmd_dir=$SRCDIR test_dir=$SRCDIR/$test_name test_description=
TUNE2FS=tune2fs MKE2FS=mke2fs DUMPE2FS=dumpe2fs DEBUGFS=debugfs E2IMAGE=e2image RESIZE2FS=resize2fs E2UNDO=e2undo
DEBUGFS_EXE=$(command -v debugfs) E2IMAGE_EXE=$(command -v e2image) RESIZE2FS_EXE=$(command -v resize2fs)
E2UNDO_EXE=$(command -v e2undo) E2MMPSTATUS="dumpe2fs -m" CHATTR=chattr LSATTR=lsattr TEST_BITS=test_data.tmp HTREE=y
CLEAN_OUTPUT="sed -f $cmd_dir/filter.sed" DD=dd
if [ -f $test_dir/script ]; then . $test_dir/script; else . $cmd_dir/run_e2fsck; fi
"""

SETTINGS = {
    "LC_ALL": "C", "TZ": "GMT0", "E2FSCK_CONFIG": "/dev/null", "BLKID_FILE": "/dev/null", "E2FSPROGS_SKIP_PROGRESS": "yes",
    "EXT2FS_NO_MTAB_OK": "yes", "RESIZE2FS_FORCE_LAZY_ITABLE_INIT": "yes", "E2FSPROGS_LIBMAGIC_SUPPRESS": "yes"}


def cases(kind: str) -> list[str]:
    """The names of all cases of a kind, f or j."""
    names = sorted(path.name for path in TESTS.glob(f"{kind}_*") if path.is_dir())
    check(names, f"{TESTS}: no cases; `make deps` fetches them")
    return names


def is_slow(case: str) -> bool:
    """Its authors say so: those take minutes to make an image with a feature that is refused (large_dir, mmp)."""
    return (TESTS / case / "is_slow_test").exists()


def copy_with_holes(image: Path, to: Path) -> None:
    """Most images are hundreds of megabytes of nothing."""
    subprocess.run(["cp", "--sparse=always", str(image), str(to)], check=True, timeout=HANG_S)


def blocks_of(image: Path, size: int) -> dict[int, bytes]:
    """The blocks of that size that are not all zeros, by their number; holes are not read."""
    blocks, end, nothing = {}, 0, bytes(size)
    with image.open("rb", buffering=0) as file:
        while True:
            try:
                start = os.lseek(file.fileno(), end, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:  # there is no more
                    return blocks
                raise
            end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            for number in range(start // size, -(-end // size)):
                block = os.pread(file.fileno(), size, number * size)
                if block != nothing[:len(block)]:
                    blocks[number] = block


def digest_of(image: Path) -> bytes:
    """The same for images of the same bytes."""
    size = image.stat().st_size
    if size >= LARGEST:
        return image.name.encode()
    digest = hashlib.sha1(str(size).encode())
    for number, block in sorted(blocks_of(image, PIECE).items()):
        digest.update(f" {number} ".encode() + block)
    return digest.digest()


def images_of(case: str, folder: Path) -> list[Path]:
    """What e2fsck would be given in a case, each once."""
    caught, work = folder / "caught", folder / "work"
    for path in (caught, work):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
    (folder / "fsck").write_text(FSCK)
    (folder / "fsck").chmod(0o755)
    configuration = folder / "mke2fs.conf"
    configuration.write_text((TESTS / "mke2fs.conf.in").read_text())
    environment = os.environ | SETTINGS | {
        "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "CAUGHT": str(caught), "TMPFILE": str(folder / "image"),
        "FSCK": str(folder / "fsck"), "MKE2FS_CONFIG": str(configuration), "SRCDIR": str(TESTS), "test_name": case,
        "TMPDIR": str(work)}
    subprocess.run(["bash", "-c", RUN], cwd=work, env=environment, capture_output=True, timeout=HANG_S,
                   stdin=subprocess.DEVNULL)
    (folder / "image").unlink(missing_ok=True)
    seen, images = set(), []
    for path in sorted(caught.iterdir(), key=lambda path: int(path.name)):
        digest = digest_of(path)
        if digest not in seen and 0 < path.stat().st_size:
            seen.add(digest)
            images.append(path)
    return images


# ---- What a superblock says ----

INCOMPATIBLE = {0x10: "meta_bg", 0x100: "mmp", 0x400: "ea_inode", 0x2000: "csum_seed", 0x4000: "large_dir",
                0x8000: "inline_data", 0x10000: "encrypt", 0x20000: "casefold"}
RECOVER, BIGALLOC, MAGIC = 0x4, 0x200, 0xEF53


def unsupported(image: Path) -> list[str]:
    """The features for which it has to be refused, by the words that say so."""
    compatible, incompatible, read_only = features(image)
    names = [name for bit, name in INCOMPATIBLE.items() if incompatible & bit]
    return names or (["bigalloc"] if read_only & BIGALLOC else [])


def features(image: Path) -> tuple[int, int, int]:
    with image.open("rb") as file:
        file.seek(1024)
        block = file.read(1024)
    if len(block) < 1024 or struct.unpack_from("<H", block, 56)[0] != MAGIC or struct.unpack_from("<I", block, 76)[0] != 1:
        return 0, 0, 0
    return struct.unpack_from("<III", block, 92)


def has_journal_to_replay(image: Path) -> bool:
    return features(image)[1] & RECOVER != 0
