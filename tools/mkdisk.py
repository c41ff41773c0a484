#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkdisk.py - makes a disk for the system: GPT, and one ext4 partition over all of it.

    mkdisk.py OUT.img [MIB]

MIB is its size, 1024 when it is not given; the file has holes, so that an empty disk takes next to nothing.
A file that is there already is left alone: it may hold what somebody keeps. Half a disk never stays.
The file system has exactly the features that `mke2fs -t ext4` gives it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SECTOR = 512
MIB = 1 << 20
FIRST_MIB = 1         # where partitions begin, for every tool and disk
LAST_MIB = 1          # kept for the second table of GPT
SIZE_MIB = 1024
SIZE_MIB_MIN, SIZE_MIB_MAX = 32, 1 << 20
# Tools of an administrator, which may not be on the PATH of others.
TOOLS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
LINUX_FILE_SYSTEM = "8300"  # sgdisk's name of the partition's type


class Problem(Exception):
    """Why there is no disk; the text is for the user."""


def tool(name: str, package: str) -> str:
    path = shutil.which(name, path=TOOLS)
    if path is None:
        raise Problem(f"there is no {name} (Debian's package {package})")
    return path


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Problem(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()}")


def make(out: Path, size_mib: int = SIZE_MIB, kind: str = "ext4", content: Path | None = None,
         inodes: int | None = None) -> None:
    """`kind`: what `mke2fs -t` takes; `content`: a folder, whose files are on the disk then; `inodes`: how many files
    there can be."""
    sgdisk, mke2fs = tool("sgdisk", "gdisk"), tool("mke2fs", "e2fsprogs")
    out.parent.mkdir(parents=True, exist_ok=True)
    half = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with half.open("wb") as file:
            file.truncate(size_mib * MIB)
        run(sgdisk, f"--new=1:{FIRST_MIB * MIB // SECTOR}:{(size_mib - LAST_MIB) * MIB // SECTOR - 1}",
            f"--typecode=1:{LINUX_FILE_SYSTEM}", "--change-name=1:MinimalOS", str(half))
        run(mke2fs, "-q", "-F", "-t", kind, "-L", "MinimalOS", "-E", f"offset={FIRST_MIB * MIB}",
            *(("-d", str(content)) if content else ()), *(("-N", str(inodes)) if inodes else ()), str(half),
            f"{(size_mib - FIRST_MIB - LAST_MIB) * 1024}k")
        os.link(half, out)  # fails when somebody else was faster, whose disk it then is
    except FileExistsError:
        pass
    finally:
        half.unlink(missing_ok=True)


def main(arguments: list[str]) -> None:
    if len(arguments) not in (1, 2):
        sys.exit(__doc__)
    out, size = Path(arguments[0]), arguments[1] if len(arguments) == 2 else str(SIZE_MIB)
    try:
        if not (size.isascii() and size.isdigit() and SIZE_MIB_MIN <= int(size) <= SIZE_MIB_MAX):
            raise Problem(f"MIB is a number from {SIZE_MIB_MIN} to {SIZE_MIB_MAX}, not '{size}'")
        if not out.exists():
            make(out, int(size))
    except (Problem, OSError) as problem:
        sys.exit(f"mkdisk: {problem}")


if __name__ == "__main__":
    main(sys.argv[1:])
