# SPDX-License-Identifier: MIT
"""test_ext4.py - ext4 on a virtio disk under load: the driver and the services below are killed while files are written
and read back (tests/services/file_load), and the machine loses its power in the middle. e2fsck judges the images."""

import os
import re
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path

from hardware import data_disk
from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

from tests.system.test_disk_files import disk, partition, says, switch_off
from tests.system.with_services import added, initrd as initrd_with, killer

suite = Suite("ext4 on a disk")

KILLS = 10
LOAD = """
[service.file_load]
file = "file_load"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 256
bytes = 32768
stack_pages = 8
uses = { files = "vfs", observer = "observer" }
log = "write"
"""
BELOW = ("vfs", "volumes", "devices")


def initrd(folder: Path, kills: int = KILLS) -> Path:
    """The system with the program of the test."""
    # The inquirers ask their services the same without a pause.
    services = LOAD + killer("copier", "copier", f"{kills} ext4.0 6", 'files = "ext4.0"', "ext4") + "".join(
        killer(f"inquire_{service}", "inquirer", f"{kills} {max(1, kills // 10)} {service}", f'asked = "{service}"', service)
        for service in BELOW)
    return initrd_with(folder, ["file_load", "copier", "inquirer"], added(services))


@contextmanager
def loaded(path: Path, name: str, limit_s: float = 400, kills: int = KILLS):
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine("direct", cpus=2, memory_mib=256, initrd=initrd(Path(folder), kills), extra=data_disk(path))
        with Guest(machine, f"ext4 {name}", limit_s) as guest:
            guest.expect(PROMPT)
            says(guest, "ls /disk", "lost+found")
            yield guest


def kill_under_load(*services: str) -> None:
    with disk() as path:
        with loaded(path, f"kills of {services[0]}") as guest:
            guest.command("run file_load &")
            for number in range(KILLS):
                guest.command(f"kill {services[number % len(services)]}")
                guest.command("ls /disk/lost+found")
            text, found = "", None
            for _ in guest.looks():  # it works beside the prompt
                text = guest.command("log")
                found = re.search(r"60 rounds, (\d+) requests failed, (\d+) parts were different", text)
                if found:
                    break
            check(found and found.groups() == ("0", "0"), f"{found}: {text[-2000:]}")
            switch_off(guest)
        partition(path)


@suite.test("the death of the disk's driver under load is a pause, and nothing is lost")
def driver() -> None:
    kill_under_load("virtio_blk.0")


@suite.test("the deaths of the services below ext4, each in turn, fail no request")
def others() -> None:
    kill_under_load("volumes", "devices", "virtio_blk.0", "vfs")


@suite.test("the death of the file system itself under load is a pause: no request fails, nothing is lost")
def itself() -> None:
    kill_under_load("ext4.0")


def kill_in_the_middle(kills: int, least: int, limit_s: float) -> None:
    """Kills ext4 under a client that makes, moves, appends to and removes files, again until so many deaths came in the
    middle of an operation. Each request has to succeed exactly once."""
    with disk() as path:
        with loaded(path, "deaths in the middle", limit_s, kills) as guest:
            for run in range(1, 11):
                guest.command("run copier")
                text = guest.command("log")
                done = re.findall(r"copier: (\d+) kills, (\d+) failures, more than 4 rounds", text)
                check(done[-1:] == [(f"{kills}", "0")], f"run {run} of the copier failed:\n{text}")
                deaths = re.findall(r"I ext4.0: run \d+ goes on [^\n]* (\d+) requests were running", guest.output())
                if sum(int(running) != 0 for running in deaths) >= least:
                    break
            else:
                check(False, f"too few deaths came during an operation: {deaths}")
            check("is not used" not in text, f"something was lost:\n{text}")
            print(f"{run} runs of {kills} kills, running at each: {' '.join(deaths)}")
            switch_off(guest)
        partition(path)


@suite.test("no request is lost or done twice when the file system is killed in the middle of it")
def in_the_middle() -> None:
    kill_in_the_middle(30, 3, 300)


def kill_while_asked(kills: int, limit_s: float) -> None:
    """The services below ext4, which do nothing that has to happen once: each is killed under a client, until one death of ten
    came while it carried out a request. Each request has to be answered, and as at first."""
    with disk() as path:
        with loaded(path, "deaths while asked", limit_s, kills) as guest:
            for service in BELOW:
                guest.command(f"run inquire_{service}")
                said = re.search(rf"{service}: (\d+) kills, (\d+) while it carried out a request, (\d+) answers, (\d+) failures",
                                 guest.command("log"))
                check(said and said[4] == "0" and int(said[1]) >= kills and int(said[2]) >= kills // 10,
                      f"{service}: {said}\n{guest.command('log')[-3000:]}")
                print(said[0])
            says(guest, "ls /disk", "lost+found")
            switch_off(guest)
        partition(path)


@suite.test("each request is answered once by the services below ext4 that are killed while they carry it out")
def while_asked() -> None:
    kill_while_asked(KILLS, 300)


def long_suite() -> Suite:
    """The campaign of make test-long."""
    campaign = Suite("ext4-kills")

    @campaign.test("200 kills each of vfs, volumes and devices, 20 of them while a request is carried out")
    def many_while_asked() -> None:
        kill_while_asked(200, 1800)

    @campaign.test("200 kills of ext4, 20 of them in the middle of an operation")
    def many_kills() -> None:
        kill_in_the_middle(200, 20, 1800)

    return campaign


@suite.test("what was written is there after the service of the file system died, synced or not, and nobody notices")
def service() -> None:
    with disk() as path:
        with loaded(path, "its own death") as guest:
            for number in range(KILLS):
                says(guest, f"write /disk/file-{number} text {number}")
                if number % 2 == 0:
                    says(guest, "sync")
                guest.command("kill ext4.0")
                says(guest, f"cat /disk/file-{number}", f"text {number}")
                says(guest, "log", f"run {number + 2} goes on with the files of the last")
            switch_off(guest)
        partition(path)


@suite.test("what was synced is there after the power was cut under load, and the image is clean")
def power() -> None:
    with disk() as path:
        for number in range(3):
            with loaded(path, f"power {number}") as guest:
                for earlier in range(number):
                    says(guest, f"cat /disk/synced-{earlier}", f"before cut {earlier}")
                guest.command("run file_load &")
                says(guest, f"write /disk/synced-{number} before cut {number}")
                says(guest, "sync")
                os.kill(guest.pid, signal.SIGKILL)
                guest.read_to_end()
        with loaded(path, "after the cuts") as guest:  # the journal is replayed
            says(guest, "cat /disk/synced-2", "before cut 2")
            switch_off(guest)
        partition(path)


@suite.test("a volume is unmounted and mounted again and again, and leaves nothing behind")
def again() -> None:
    with disk() as path:
        with loaded(path, "again") as guest:
            for number in range(20):
                says(guest, f"write /disk/again-{number} text")
                says(guest, "umount /disk")
                says(guest, "mount /disk")
                guest.command("ls /disk")  # the session that ended is told once
                says(guest, f"cat /disk/again-{number}", "text")
            switch_off(guest)
        partition(path)
