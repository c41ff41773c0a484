# SPDX-License-Identifier: MIT
"""images.py - images of ext4, made by mke2fs from a folder, and the judges of what became of them."""

import os
import random
import subprocess
import zlib
from pathlib import Path

from qemu import BUILD
from testlib import HANG_S, check

TOOL = BUILD / "ext4/tool"


def command(*arguments: object, status: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, errors="replace",
                          timeout=HANG_S)
    check(done.returncode in status, f"{' '.join(map(str, arguments))}: status {done.returncode}\n"
          f"{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def tool(*arguments: object) -> list[str]:
    """What the core says, a line each."""
    return command(TOOL, *arguments).splitlines()


def make(path: Path, mebibytes: int, *options: str, folder: Path | None = None) -> None:
    """An image by `mke2fs`, whose options begin with -t ext4 unless they say something else."""
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(mebibytes << 20)
    kind = () if "-t" in options else ("-t", "ext4")
    command("mke2fs", "-q", *kind, *options, *(("-d", folder) if folder else ()), path)


def must_be_clean(path: Path) -> None:
    """e2fsck finds nothing at all."""
    command("e2fsck", "-fn", path)


def folder_of_files(folder: Path, names: int = 1500) -> None:
    """Files of many sizes, holes, links of all sorts, and a directory that is hashed."""
    chance = random.Random(5)
    (folder / "a/b/c").mkdir(parents=True)
    for i in range(names):
        (folder / f"a/n{i:05d}-{'x' * (i % 40)}").write_bytes(chance.randbytes(i % 50))
    for size in (0, 1, 1023, 1024, 4096, 5000, 100_000, 3_000_000):
        (folder / f"f{size}").write_bytes(chance.randbytes(size))
    with (folder / "sparse").open("wb") as file:
        file.seek(1 << 20)
        file.write(b"middle")
        file.seek(5_000_000)
        file.write(b"end")
    (folder / "short").symlink_to("f1")
    (folder / "long").symlink_to("y" * 300)
    os.link(folder / "f5000", folder / "a/hard")


def lines_of(folder: Path) -> list[str]:
    """What the tool should say of an image of the folder, but for what mke2fs adds."""
    lines = []
    for base, directories, files in os.walk(folder):
        for path in (Path(base) / name for name in directories + files):
            name = path.relative_to(folder)
            if path.is_symlink():
                lines.append(f"{name} link {os.readlink(path)}")
            elif path.is_dir():
                lines.append(f"{name} dir")
            else:
                data = path.read_bytes()
                lines.append(f"{name} file {len(data)} {zlib.crc32(data):08x} {path.stat().st_nlink}")
    return sorted(lines, key=str.encode)


def without_links(lines: list[str]) -> list[str]:
    """The lines without the number of names of files, which debugfs does not keep."""
    return [line.rsplit(" ", 1)[0] if " file " in line else line for line in lines]


def lines_by_debugfs(image: Path, folder: Path) -> list[str]:
    """What debugfs finds in the image."""
    folder.mkdir()
    command("debugfs", "-R", f"rdump / {folder}", image)
    return lines_of(folder)
