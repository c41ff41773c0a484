# SPDX-License-Identifier: MIT
"""test_ext4_power.py - the power fails while ext4 works on a virtio disk. QEMU logs every write and flush (blklogwrites); images
are made of what the disk may hold behind some of them, put side by side on one disk, and mounted at the prompt: what was
synced by then is there. e2fsck judges what the replay made of them. make test-long kills QEMU itself 50 times."""

import os
import random
import shutil
import signal
import struct
import tempfile
from pathlib import Path

import mkdisk
from hardware import data_disk
from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

from tests.ext4 import images
from tests.system import test_ext4, test_ext4_foreign
from tests.system.test_disk_files import disk, partition, says, switch_off

suite = Suite("ext4 power")

CUTS = 20
SYNCED = 10
SIZE_MIB = 32  # of the disk that is written to
SECTOR, MAGIC = 512, 0x6A736677736872  # of the log: Linux' Documentation/device-mapper/log-writes.rst
FLUSH, DISCARD = 1, 4


class WriteLog:
    """What blklogwrites has noted so far."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        magic, version, count, sector = struct.unpack_from("<QQQI", self.data)
        check((magic, version, sector) == (MAGIC, 1, SECTOR), f"the log begins with {magic:x}, {version}, {sector}")
        self.entries, at = [], SECTOR
        for _ in range(count):
            first, sectors, flags, _length = struct.unpack_from("<QQQQ", self.data, at)
            at += SECTOR
            self.entries.append((first * SECTOR, at, 0 if flags & DISCARD else sectors * SECTOR, flags))
            at += 0 if flags & DISCARD else sectors * SECTOR

    def image(self, before: bytes, count: int, chance: random.Random | None) -> bytearray:
        """What the disk holds behind so many entries; with `chance` only a part of what no flush followed."""
        made = bytearray(before)
        flushed = max((i for i in range(count) if self.entries[i][3] & FLUSH), default=0)
        for number, (offset, at, length, _flags) in enumerate(self.entries[:count]):
            if number < flushed or chance is None or chance.random() < 0.5:
                made[offset:offset + length] = self.data[at:at + length]
        return made


def entries_in(path: Path) -> int:
    with path.open("rb") as file:
        return struct.unpack_from("<QQQ", file.read(24))[2]


def write_under_log(folder: Path, image: Path, log: Path) -> list[int]:
    """Files are written beside a load, and synced; how many entries the log had when each was durable."""
    log.touch()
    drive = ("-drive", f"if=none,id=data,driver=blklogwrites,file.driver=file,file.filename={image},"
             f"log.driver=file,log.filename={log},log-super-update-interval=1", "-device", "virtio-blk-pci,drive=data")
    synced = []
    machine = Machine("direct", cpus=2, memory_mib=256, initrd=test_ext4.initrd(folder), extra=drive)
    with Guest(machine, "ext4 power log", 600) as guest:
        guest.expect(PROMPT)
        says(guest, "ls /disk", "lost+found")
        guest.command("run file_load &")
        for number in range(SYNCED):
            says(guest, f"write /disk/synced-{number} text {number}")
            says(guest, "sync")
            synced.append(entries_in(log))
        switch_off(guest)
    return synced


def cut_images(folder: Path) -> tuple[dict[str, Path], dict[str, int]]:
    """Images of the partition behind cuts, and how many files have to be in each."""
    image, log = folder / "image", folder / "log"
    mkdisk.make(image, SIZE_MIB)
    before = image.read_bytes()
    (folder / "system").mkdir()
    synced = write_under_log(folder / "system", image, log)
    written, chance = WriteLog(log), random.Random(1)
    found, files = {}, {}
    for number in range(CUTS):
        count = len(written.entries) * (number + 1) // CUTS
        made = written.image(before, count, chance if number % 2 else None)
        found[f"cut-{number}"] = folder / f"cut-{number}"
        found[f"cut-{number}"].write_bytes(made[mkdisk.FIRST_MIB * mkdisk.MIB:-mkdisk.LAST_MIB * mkdisk.MIB])
        files[f"cut-{number}"] = sum(entries <= count for entries in synced)
    check(max(files.values()) == SYNCED and min(files.values()) < SYNCED, f"synced files in the images: {files}")
    return found, files


@suite.test("behind twenty places of a log of all writes what was synced is there, and e2fsck finds nothing")
def logged() -> None:
    with tempfile.TemporaryDirectory(prefix="mnos-power-") as name:
        folder = Path(name)
        found, files = cut_images(folder)
        whole = folder / "whole"
        parts = test_ext4_foreign.lay_out(whole, found)
        with Guest(Machine("direct", cpus=2, memory_mib=256, extra=data_disk(whole)), "ext4 power replay", 900) as guest:
            guest.expect(PROMPT)
            says(guest, "ls /disk", "lost+found")
            for number, part in enumerate(parts[1:], 2):
                says(guest, f"mount virtio_blk.0/{number} /cut-{number}")
                for file in range(files[part.case]):
                    says(guest, f"cat /cut-{number}/synced-{file}", f"text {file}")
                guest.command(f"ls /cut-{number}", 120)
                says(guest, f"umount /cut-{number}")
            switch_off(guest)
        for part in parts:
            after = folder / "after"
            test_ext4_foreign.take(whole, part, after)
            images.must_be_clean(after)
        print(f"synced files in the images: {list(files.values())}")


def kill_many(kills: int) -> None:
    """QEMU is killed under load; what was synced before any of the kills is there after all of them."""
    with disk() as path:
        for number in range(kills):
            with test_ext4.loaded(path, f"kill {number}") as guest:
                if number > 0:
                    says(guest, f"cat /disk/synced-{number - 1}", f"before kill {number - 1}")
                guest.command("run file_load &")
                says(guest, f"write /disk/synced-{number} before kill {number}")
                says(guest, "sync")
                for _ in range(number % 7):  # so that they come at different places of the load
                    guest.command("ls /disk")
                os.kill(guest.pid, signal.SIGKILL)
                guest.read_to_end()
            # Linux' replay of what QEMU left is clean as well; the guest goes on with its own.
            copy = path.with_name("copy.img")
            shutil.copy(path, copy)
            replay_by_e2fsck(copy)
        with test_ext4.loaded(path, "after the kills") as guest:
            for number in range(kills):
                says(guest, f"cat /disk/synced-{number}", f"before kill {number}")
            switch_off(guest)
        partition(path)


def replay_by_e2fsck(path: Path) -> None:
    """Of a disk with one partition."""
    part = path.with_name("replayed.img")
    with path.open("rb") as file:
        file.seek(mkdisk.FIRST_MIB * mkdisk.MIB)
        data = file.read()
    part.write_bytes(data[:-mkdisk.LAST_MIB * mkdisk.MIB])
    images.command("e2fsck", "-E", "journal_only", "-fy", part, status=(0, 1))
    images.command("e2fsck", "-fp", part, status=(0, 1))  # orphans, which a replay leaves; anything else is an error
    images.must_be_clean(part)


def long_suite() -> Suite:
    campaign = Suite("power kills")

    @campaign.test("50 kills of QEMU under load: what was synced is there, and e2fsck finds nothing")
    def kills() -> None:
        kill_many(50)

    return campaign
