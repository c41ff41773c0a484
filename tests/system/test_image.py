# SPDX-License-Identifier: MIT
"""test_image.py - the disk of `make image`: its tables and file systems by other people's judgement, booted by UEFI, with files
that stay, and with its own boot partition mounted."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import mkdisk
from qemu import BUILD, PROMPT, Guest, Machine
from testlib import HANG_S, Suite, check

from tests.fat.images import get, judge
from tests.system.test_disk_files import says, switch_off

suite = Suite("image")

IMAGE = BUILD / "minimalos.qcow2"
BOOT_MIB = 63
SIZE_MIB = 1024


def run(*command: object) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=HANG_S)
    check(done.returncode == 0, f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def part_of(raw: Path, first_mib: int, mib: int) -> Path:
    part = raw.with_name(f"part-{first_mib}.img")
    nothing = bytes(1 << 20)
    with raw.open("rb") as file, part.open("wb") as out:
        file.seek(first_mib << 20)
        out.truncate(mib << 20)
        for _ in range(mib):
            piece = file.read(1 << 20)
            if piece != nothing:
                out.write(piece)
            else:
                out.seek(1 << 20, 1)
    return part


def judge_image(image: Path) -> Path:
    """Its boot partition; both file systems and the tables are good."""
    raw = image.with_name("raw.img")
    run("qemu-img", "convert", "-O", "raw", image, raw)
    check("No problems found" in run(mkdisk.tool("sgdisk", "gdisk"), "--verify", raw), "the partition table")
    boot = part_of(raw, mkdisk.FIRST_MIB, BOOT_MIB)
    judge(boot, "fat32")
    files = mkdisk.FIRST_MIB + BOOT_MIB
    run(mkdisk.tool("e2fsck", "e2fsprogs"), "-fn", part_of(raw, files, SIZE_MIB - files - mkdisk.LAST_MIB))
    return boot


@suite.test("it boots by UEFI, keeps files at /disk, and its boot partition can be written")
def boots() -> None:
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.qcow2"
        shutil.copyfile(IMAGE, image)
        judge_image(image)
        machine = Machine("uefi", cpus=2, medium="virtio", image=image)
        with Guest(machine, "image first start", 300) as guest:
            guest.expect(PROMPT, 120)
            says(guest, "ls /disk", "lost+found")
            says(guest, "mount", "/disk ", "ext4", "mounted")
            says(guest, "write /disk/note kept on the image")
            says(guest, "disks", "fat32", "boot", "MinimalOS")
            says(guest, "mount virtio_blk.0/1 /efi")
            says(guest, "ls /efi/boot", "kernel.elf", "initrd.tar", "limine.conf")
            says(guest, "cp /efi/boot/limine.conf /efi/boot/a-copy-of-limine.conf")
            switch_off(guest)
        boot = judge_image(image)
        check(get(boot, "boot/a-copy-of-limine.conf") == get(boot, "boot/limine.conf"), "the copy has other bytes")
        with Guest(machine, "image second start", 300) as guest:
            guest.expect(PROMPT, 120)
            says(guest, "cat /disk/note", "kept on the image")
            switch_off(guest)
