# SPDX-License-Identifier: MIT
"""test_fat.py - FAT and exFAT volumes on a disk: mounted by a command, copied to and from, their driver and services killed
under load. fsck.fat and fsck.exfat judge what was written, mtools read it."""

import re
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import mkdisk
from hardware import data_disk
from qemu import BUILD, PROMPT, Guest, Machine
from testlib import Suite, check

from tests.fat.images import get, judge, make, put, run
from tests.system.test_disk_files import says, switch_off
from tests.system.test_ext4 import KILLS, LOAD
from tests.system.with_services import added, initrd as initrd_with

suite = Suite("fat on a disk")

SIZE_MIB = 40
AT = mkdisk.FIRST_MIB * mkdisk.MIB


def put_on_disk(part: Path, disk: Path) -> None:
    """A disk with GPT and the volume as its one partition."""
    size = part.stat().st_size
    with disk.open("wb") as file:
        file.truncate(AT + size + mkdisk.LAST_MIB * mkdisk.MIB)
    run(mkdisk.tool("sgdisk", "gdisk"), f"--new=1:{AT // 512}:{(AT + size) // 512 - 1}", "--typecode=1:0700", disk)
    with disk.open("r+b") as file:
        file.seek(AT)
        file.write(part.read_bytes())


def take_from_disk(disk: Path, part: Path) -> None:
    with disk.open("rb") as file:
        file.seek(AT)
        part.write_bytes(file.read(part.stat().st_size))


@contextmanager
def fat_disk(kind: str):
    with tempfile.TemporaryDirectory() as folder:
        part, disk = Path(folder) / "part.img", Path(folder) / "disk.img"
        make(part, kind, SIZE_MIB)
        if kind != "exfat":
            (part.parent / "note").write_text("written by mtools\n")
            put(part, part.parent / "note", "A-note.text")
        put_on_disk(part, disk)
        yield part, disk


@contextmanager
def mounted(disk: Path, name: str, initrd: Path | None = None, limit_s: float = 400):
    machine = Machine("direct", cpus=2, memory_mib=256, extra=data_disk(disk), **({"initrd": initrd} if initrd else {}))
    with Guest(machine, f"fat {name}", limit_s) as guest:
        guest.expect(PROMPT)
        check(any("virtio_blk.0   1" in guest.command("disks") for _ in guest.looks()), "the disk is not found")
        says(guest, "mount virtio_blk.0/1 /fat")
        guest.command("ls /fat")  # waits for the mount
        yield guest


@suite.test("a FAT volume is mounted by a command, copied to and from, and is what mtools and fsck read")
def used() -> None:
    for kind in ("fat16", "fat32", "exfat"):
        with fat_disk(kind) as (part, disk):
            with mounted(disk, kind) as guest:
                says(guest, "mount", "/fat", kind, "mounted")
                if kind != "exfat":
                    says(guest, "cat /fat/A-note.text", "written by mtools")
                says(guest, "mkdir /fat/Folder")
                says(guest, "cp /boot/hello /fat/Folder/Hello-Program")
                says(guest, "cp /fat/Folder/Hello-Program /tmp/back")
                says(guest, "write /fat/Folder/first the first line")
                says(guest, "mv /fat/Folder/first /fat/Second.text")
                says(guest, "cat /fat/second.TEXT", "the first line")
                says(guest, "write /fat/gone x")
                says(guest, "rm /fat/gone")
                says(guest, "df", "/fat", kind)
                switch_off(guest)
            take_from_disk(disk, part)
            judge(part, kind)
            if kind != "exfat":
                check(get(part, "Second.text") == b"the first line\n", "mtools read another text")
                program = get(part, "Folder/Hello-Program")
                check(program == (BUILD / "user/hello.stripped").read_bytes(), "a program that was copied has other bytes")


def initrd(folder: Path) -> Path:
    load = LOAD.replace('log = "write"', 'arguments = "/fat"\nlog = "write"')
    return initrd_with(folder, ["file_load"], added(load))


def kill_under_load(kind: str, *services: str) -> None:
    with fat_disk(kind) as (part, disk), tempfile.TemporaryDirectory() as folder:
        with mounted(disk, f"kills of {services[0]}", initrd(Path(folder))) as guest:
            guest.command("run file_load &")
            for number in range(KILLS):
                guest.command(f"kill {services[number % len(services)]}")
                guest.command("ls /fat")
            text, found = "", None
            for _ in guest.looks():
                text = guest.command("log")
                found = re.search(r"60 rounds, (\d+) requests failed, (\d+) parts were different", text)
                if found:
                    break
            check(found and found.groups() == ("0", "0"), f"{found}: {text[-2000:]}")
            switch_off(guest)
        take_from_disk(disk, part)
        judge(part, kind)


@suite.test("the deaths of the disk's driver under load are pauses, and nothing is lost")
def driver() -> None:
    kill_under_load("fat32", "virtio_blk.0")


@suite.test("the deaths of the services below, each in turn, fail no request")
def others() -> None:
    kill_under_load("exfat", "volumes", "devices", "virtio_blk.0", "vfs")


@suite.test("who has synced what it wrote does not notice that the service died")
def service() -> None:
    with fat_disk("fat32") as (part, disk):
        with mounted(disk, "its own death") as guest:
            for number in range(KILLS):
                says(guest, f"write /fat/file-{number} text {number}")
                says(guest, "sync")
                guest.command("kill fat.0")
                says(guest, f"cat /fat/file-{number}", f"text {number}")
                says(guest, "log", f"run {number + 2} goes on with the sessions of the last")
            switch_off(guest)
        take_from_disk(disk, part)
        said = subprocess.run([mkdisk.tool("fsck.fat", "dosfstools"), "-n", str(part)], capture_output=True, text=True)
        check("share clusters" not in said.stdout and "free cluster" not in said.stdout, said.stdout)
        for number in range(KILLS):
            check(get(part, f"file-{number}") == f"text {number}\n".encode(), f"file {number}")


SYNC_LOAD = """
[service.sync_load]
file = "sync_load"
restart = "on-demand"
priority = 15
ceiling = 30
frames = 256
bytes = 65536
arguments = "{kills} fat.0 /fat"
uses = {{ files = "vfs", observer = "observer", manager = {{ endpoint = "manager", start = ["fat"] }} }}
log = "write"
"""


def kill_in_the_middle(kind: str, kills: int, least: int, limit_s: float) -> None:
    """So many kills in each run, and runs until `least` of all came in the middle of a request of class N."""
    runs = middle = told = synced = 0
    load = SYNC_LOAD.format(kills=kills)
    with fat_disk(kind) as (part, disk), tempfile.TemporaryDirectory() as folder:
        archive = initrd_with(Path(folder), ["sync_load"], added(load))
        with mounted(disk, f"{kind} in the middle", archive, limit_s) as guest:
            while runs == 0 or middle < least:
                check(runs < 10, f"of {runs * kills} kills only {middle} came in the middle of a request")
                guest.command("run sync_load", 300)
                runs += 1
                found = re.findall(r"sync_load: (\d+) kills, \d+ rounds, (\d+) synced, (\d+) times lost, (\d+) failures",
                                   guest.command("log"))
                check(found and found[-1][0] == f"{kills}" and found[-1][3] == "0", f"it failed:\n{guest.command('log')}")
                synced, told = synced + int(found[-1][1]), told + int(found[-1][2])
                # Each line is shown once more by `log`.
                middle = sum(number != "0" for number in dict(re.findall(
                    r"I fat\.0: run (\d+) goes on [^\n]*: (\d+) requests were running", guest.output())).values())
            switch_off(guest)
        take_from_disk(disk, part)
        if kind != "exfat":
            said = subprocess.run([mkdisk.tool("fsck.fat", "dosfstools"), "-n", str(part)], capture_output=True, text=True)
            check("share clusters" not in said.stdout and "free cluster" not in said.stdout, said.stdout)
    print(f"{kind}: {runs * kills} kills, {middle} in the middle of a request, {synced} files synced, {told} times lost")


@suite.test("when the service dies under load who has not synced is told, what was synced is there, and readers go on")
def in_the_middle() -> None:
    kill_in_the_middle("fat32", 20, 1, 400)
    kill_in_the_middle("exfat", 20, 1, 400)


def long_suite() -> Suite:
    """The campaign of make test-long."""
    campaign = Suite("fat-kills")

    @campaign.test("200 kills of FAT under load, 20 of them in the middle of a request")
    def many_kills() -> None:
        for kind in ("fat16", "fat32", "exfat"):
            kill_in_the_middle(kind, 200, 20, 3600)

    return campaign
