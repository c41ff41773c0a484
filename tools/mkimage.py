#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkimage.py - the system on a disk of its own, as a qcow2 file: GPT, an EFI system partition with the loader, the kernel and
the RAM disk, and one ext4 partition for files.

    mkimage.py OUT.qcow2 LIMINE.CONF KERNEL INITRD BOOTX64.EFI

A file that is there already is replaced, with what was kept on its ext4 partition. Half an image never stays.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mkdisk import FIRST_MIB, LAST_MIB, LINUX_FILE_SYSTEM, MIB, SECTOR, Problem, run, tool

BOOT_MIB = 63        # behind FIRST_MIB: the files begin at 64 MiB
SIZE_MIB = 1024
EFI_SYSTEM = "ef00"  # sgdisk's name of the partition's type
VOLUME_ID = "4D4E4F53"  # "MNOS", as on the ISO image


def sectors(mib: int) -> int:
    return mib * MIB // SECTOR


def make_boot(part: Path, files: dict[str, Path]) -> None:
    """A FAT32 with the files."""
    os.environ |= {"TZ": "UTC", "LC_ALL": "C", "MTOOLS_SKIP_CHECK": "1"}
    with part.open("wb") as file:
        file.truncate(BOOT_MIB * MIB)
    run(tool("mkfs.fat", "dosfstools"), "--invariant", "-F", "32", "-i", VOLUME_ID, "-n", "MINIMALOS", str(part))
    run(tool("mmd", "mtools"), "-i", str(part), "::/EFI", "::/EFI/BOOT", "::/boot")
    for name, path in files.items():
        run(tool("mcopy", "mtools"), "-i", str(part), str(path), f"::{name}")


def make(out: Path, files: dict[str, Path], size_mib: int = SIZE_MIB) -> None:
    sgdisk, mke2fs = tool("sgdisk", "gdisk"), tool("mke2fs", "e2fsprogs")
    qemu_img = tool("qemu-img", "qemu-utils")
    first, end = FIRST_MIB + BOOT_MIB, size_mib - LAST_MIB
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
        boot, raw, half = (Path(folder) / name for name in ("boot.img", "disk.img", "half.qcow2"))
        make_boot(boot, files)
        with raw.open("wb") as file:
            file.truncate(size_mib * MIB)
            file.seek(FIRST_MIB * MIB)
            file.write(boot.read_bytes())
        run(sgdisk, f"--new=1:{sectors(FIRST_MIB)}:{sectors(first) - 1}", f"--typecode=1:{EFI_SYSTEM}",
            "--change-name=1:MinimalOS boot", f"--new=2:{sectors(first)}:{sectors(end) - 1}",
            f"--typecode=2:{LINUX_FILE_SYSTEM}", "--change-name=2:MinimalOS", str(raw))
        run(mke2fs, "-q", "-F", "-t", "ext4", "-L", "MinimalOS", "-E", f"offset={first * MIB}", str(raw),
            f"{(end - first) * 1024}k")
        run(qemu_img, "convert", "-f", "raw", "-O", "qcow2", str(raw), str(half))
        os.replace(half, out)


def main(arguments: list[str]) -> None:
    if len(arguments) != 5:
        sys.exit(__doc__)
    out, config, kernel, initrd, loader = map(Path, arguments)
    try:
        make(out, {"/boot/limine.conf": config, "/boot/kernel.elf": kernel, "/boot/initrd.tar": initrd,
                   "/EFI/BOOT/BOOTX64.EFI": loader})
    except (Problem, OSError, subprocess.SubprocessError) as problem:
        sys.exit(f"mkimage: {problem}")


if __name__ == "__main__":
    main(sys.argv[1:])
