# SPDX-License-Identifier: MIT
"""test_mkdisk.py - the disk of `make run`: its table and its file system by other people's judgement."""

import subprocess
import sys
import tempfile
from pathlib import Path

import mkdisk
from qemu import ROOT
from testlib import HANG_S, Suite, check

suite = Suite("tools")


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=ROOT / "tools", capture_output=True, text=True, timeout=HANG_S)


def mkdisk_run(*arguments: str) -> subprocess.CompletedProcess:
    return run(sys.executable, "mkdisk.py", *arguments)


@suite.test("a new disk is good to sgdisk and e2fsck, and is not made over one that is there")
def good() -> None:
    with tempfile.TemporaryDirectory() as folder:
        disk, part = Path(folder) / "disk.img", Path(folder) / "part.img"
        check(mkdisk_run(str(disk), "64").returncode == 0, "no disk was made")
        check(disk.stat().st_size == 64 * mkdisk.MIB, f"it has {disk.stat().st_size} bytes")
        said = run(mkdisk.tool("sgdisk", "gdisk"), "--verify", str(disk)).stdout
        check("No problems found" in said, said)
        with disk.open("rb") as file:
            file.seek(mkdisk.FIRST_MIB * mkdisk.MIB)
            part.write_bytes(file.read((64 - mkdisk.FIRST_MIB - mkdisk.LAST_MIB) * mkdisk.MIB))
        done = run(mkdisk.tool("e2fsck", "e2fsprogs"), "-fn", str(part))
        check(done.returncode == 0, done.stdout + done.stderr)
        before = disk.read_bytes()
        check(mkdisk_run(str(disk), "32").returncode == 0, "the second call fails")
        check(disk.read_bytes() == before, "the disk was overwritten")
        check([path.name for path in Path(folder).iterdir()].count("disk.img") == 1 and
              len(list(Path(folder).iterdir())) == 2, "something is left over")


@suite.test("what cannot be is refused with one line, and leaves no file")
def refused() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for size in ("", "0", "31", "1G", "-64"):
            done = mkdisk_run(f"{folder}/disk.img", size)
            check(done.returncode != 0 and len(done.stderr.splitlines()) == 1, f"{size}: {done.stderr}")
            check(not list(Path(folder).iterdir()), f"{size}: a file is left")
