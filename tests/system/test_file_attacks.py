# SPDX-License-Identifier: MIT
"""test_file_attacks.py - clients that try what they may not, in memory, on ext4 and on FAT: to leave the directory that they
were given while it is moved (tests/services/escape), to see bytes of others (leaks), to keep what they were lent (viewer), and
to take all there is (mints)."""

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

import mkdisk
from hardware import data_disk
from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

from tests.fat.images import make
from tests.system.test_disk_files import SIZE_MIB, partition, says, switch_off
from tests.system.test_fat import put_on_disk
from tests.system.with_services import added, initrd

suite = Suite("file attacks")

QUOTA = "9"  # MNOS_ERR_QUOTA
WHERE = {"tmp": "/tmp", "disk": "/disk", "fat": "/fat"}
OF = {"tmp": "tmpfs", "disk": "ext4.0", "fat": "fat.0"}
SERVICE = """
[service.{name}]
file = "{file}"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 1024
bytes = 262144
stack_pages = 8
arguments = "{arguments}"
uses = {{ files = "vfs", observer = "observer" }}
log = "write"
"""
TASKS = ("leave", "look", "old")


def services() -> str:
    text = ""
    for name, path in WHERE.items():
        text += SERVICE.format(name=f"escape_{name}", file="escape", arguments=path)
        text += SERVICE.format(name=f"mints_{name}", file="mints", arguments=path)
        text += "".join(SERVICE.format(name=f"{task}_{name}", file="leaks", arguments=f"{task} {path}") for task in TASKS)
    for name in ("tmp", "disk"):
        text += SERVICE.format(name=f"viewer_{name}", file="viewer", arguments=WHERE[name])
    return text + SERVICE.format(name="mints_root", file="mints", arguments="/")


@contextmanager
def prompt(name: str, folder: Path, more: tuple[str, ...] = ()):
    archive = folder / "archive"
    archive.mkdir(exist_ok=True)
    path = archive / "initrd.tar"
    if not path.exists():
        initrd(archive, ["escape", "leaks", "mints", "viewer"], added(services()))
    with Guest(Machine("direct", cpus=2, memory_mib=256, initrd=path, extra=more), f"attacks {name}", 600) as guest:
        guest.expect(PROMPT)
        yield guest


@contextmanager
def with_disks():
    """A disk with ext4, mounted by itself, and one with FAT."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        disk, part, fat = folder / "disk.img", folder / "fat.img", folder / "second.img"
        mkdisk.make(disk, SIZE_MIB)
        make(part, "fat32", 40)
        put_on_disk(part, fat)
        yield folder, disk, data_disk(disk) + data_disk(fat, id="second")


def mount_fat(guest: Guest) -> None:
    check(any(re.search(r"virtio_blk\.1 +1", guest.command("disks")) for _ in guest.looks()), "the second disk is not found")
    says(guest, "mount virtio_blk.1/1 /fat")
    guest.command("ls /fat")  # waits for the mount


def said(guest: Guest, program: str, pattern: str, command: str = "run {}") -> re.Match:
    """What a program says in the log after it was run; it says it once more each time."""
    line = re.compile(rf"{program}: {pattern}")
    before = len(line.findall(guest.command("log")))
    guest.command(command.format(program))
    for _ in guest.looks():
        log = guest.command("log")
        found = list(line.finditer(log))
        if len(found) > before:
            return found[-1]
    raise AssertionError(f"{program} does not say {pattern}:\n{log}")


@suite.test("nothing outside of a directory is reached, while it is moved and by links at every place of a path")
def escape() -> None:
    with with_disks() as (folder, disk, more):
        with prompt("escape", folder, more) as guest:
            for name in ("tmp", "disk"):
                found = said(guest, f"escape_{name}", r"(\d+) walks by links; in all (\d+) inside, (\d+) outside")
                log = guest.command("log")
                check(found[3] == "0" and f"escape_{name}: something" not in log, f"something outside was reached:\n{log}")
                check(int(found[1]) > 300, f"only {found[1]} walks by links")
            switch_off(guest)
        partition(disk)


def look(guest: Guest, name: str, when: str) -> None:
    found = said(guest, f"look_{name}", rf"looked {when} at \S+: (\d+) bytes of others, (\d+) failed")
    check(found.groups() == ("0", "0"), f"on {WHERE[name]}: {found[0]}\n{guest.command('log')}")


@suite.test("no byte of another client is seen in windows, in files that become longer, or in blocks and pages used again")
def leaks() -> None:
    with with_disks() as (folder, disk, more):
        with prompt("leaks", folder, more) as guest:
            mount_fat(guest)
            for name in WHERE:
                said(guest, f"leave_{name}", r"left at \S+, 0 failed")
                if name != "fat":  # what was not synced it forgets
                    guest.command(f"kill {OF[name]}")
                look(guest, name, "first")
                said(guest, f"leave_{name}", r"left at \S+, 0 failed")
                guest.command("sync")
            switch_off(guest)
        partition(disk)
        with prompt("leaks on the medium", folder, more) as guest:  # what was read from memory comes from the disks
            mount_fat(guest)
            for name in ("disk", "fat"):
                look(guest, name, "again")
            switch_off(guest)


@suite.test("a window of a session that was given up cannot be touched any more")
def old_mappings() -> None:
    with with_disks() as (folder, _disk, more):
        with prompt("old mappings", folder, more) as guest:
            mount_fat(guest)
            for name in WHERE:
                said(guest, f"old_{name}", r"ended \(fault: page fault")
                check(f"old_{name}: still reads" not in guest.command("log"), "it still reads what it gave up")
                look_at = said(guest, f"old_{name}", r"has a window of (\d+) bytes")
                check(int(look_at[1]) >= 65536, "it had no window")


def lent_by_next(guest: Guest, name: str, lends: str, before_s: float) -> float:
    """Kills the service, and waits until the client has a view that was lent after that; views have the time as their number. When
    the service died; `before_s`: when it did so last."""
    guest.command(f"kill {lends}")
    for _ in guest.looks():
        log = guest.command("log")
        died_s = max(map(float, re.findall(rf"\[ *([\d.]+)\] I init: {re.escape(lends)}: ended \(killed\)", log)), default=0.0)
        lent_s = max((int(at) / 1e9 for at in re.findall(rf"viewer_{name}: is lent a view at (\d+) ns", log)), default=0.0)
        if before_s < died_s < lent_s:
            return died_s
    raise AssertionError(f"after a death at {died_s} s it was lent nothing, last at {lent_s} s:\n{log}")


@suite.test("what a client was lent of a file ends with the run that lent it, and the client reads on")
def views() -> None:
    with with_disks() as (folder, disk, more):
        with prompt("views", folder, more) as guest:
            for name, lends in (("tmp", "tmpfs"), ("disk", "ext4.0")):
                path = WHERE[name]
                said(guest, f"viewer_{name}", f"reads {path}/view", "run {} &")
                died_s = 0.0
                for number in range(6):
                    died_s = lent_by_next(guest, name, lends, died_s)
                    says(guest, f"write {path}/beside-{number} text")
                found = said(guest, f"viewer_{name}",
                             r"(\d+) reads, (\d+) views, (\d+) failed, (\d+) different, (\d+) outlived their view",
                             f"write {path}/view-stop now")
                check(found.groups()[2:] == ("0", "0", "0"), f"on {path}: {found[0]}\n{guest.command('log')}")
                check(int(found[2]) > 6, f"on {path} it was lent nothing: {found[0]}")
            switch_off(guest)
        partition(disk)


@suite.test("a client that takes all it can is refused at its limit, others notice nothing, and all comes back at its end")
def mints() -> None:
    with with_disks() as (folder, disk, more):
        with prompt("mints", folder, more) as guest:
            mount_fat(guest)
            pattern = r"(\d+) exported, then (\d+); (\d+) locked, then (\d+); (\d+) opened, then (\d+); is held"
            for name, path in WHERE.items():
                first = said(guest, f"mints_{name}", pattern, "run {} &")
                check(first.groups()[1::2] == (QUOTA,) * 3, f"something else than a limit: {first[0]}")
                says(guest, f"write {path}/beside text")
                says(guest, f"cat {path}/beside", "text")
                says(guest, f"cp /boot/hello {path}/copy")
                guest.command(f"kill {OF[name]}")  # a limit that a death would lift is none
                says(guest, f"write {path}/beside more") if name != "fat" else guest.command(f"ls {path}")
                guest.command(f"kill mints_{name}")
                again = said(guest, f"mints_{name}", pattern, "run {} &")
                check(again.groups() == first.groups(), f"not all came back: {first[0]}, then {again[0]}")
            switch_off(guest)
        partition(disk)


@suite.test("a client that has the root of all handed out until it is refused is so at its share, and others are not")
def roots() -> None:
    with tempfile.TemporaryDirectory() as name:
        with prompt("roots", Path(name)) as guest:
            first = said(guest, "mints_root", r"(\d+) exported, then (\d+); is held", "run {} &")
            check(first.groups() == ("16", QUOTA), f"it is not refused at its share: {first[0]}")
            for _ in range(2):
                says(guest, "write /tmp/beside text")
                says(guest, "cat /tmp/beside", "text")
                says(guest, "run hello", "")
                guest.command("kill vfs")  # a limit that a death would lift is none
            guest.command("kill mints_root")
            again = said(guest, "mints_root", r"(\d+) exported, then (\d+); is held", "run {} &")
            check(again.groups() == first.groups(), f"not all came back: {first[0]}, then {again[0]}")
