# SPDX-License-Identifier: MIT
"""test_faults.py - services that fault again and again, which nobody ordered (docs/manifest.md): what each keeps after the first,
the second and the third, for clients that have something open; that the fifth stops it, and `restart` begins anew."""

import re
import tempfile
from pathlib import Path

import mkdisk
from hardware import data_disk
from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

from tests.fat.images import make
from tests.system.test_disk_files import SIZE_MIB, partition, says, switch_off
from tests.system.test_fat import put_on_disk
from tests.system.test_file_attacks import mount_fat
from tests.system.with_services import added, initrd

suite = Suite("faults of services")

TRIES = 5  # while the host is too busy for faults in a row
SURVIVOR = """
[service.survivor_{name}]
file = "survivor"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 512
bytes = 131072
stack_pages = 8
arguments = "{service} {path}"
uses = {{ files = "vfs", observer = "observer", manager = {{ endpoint = "manager", start = ["{start}"] }} }}
log = "write"
"""
# By what it is called in the tests: the service that faults, where the files are, and what becomes of what is open by whom
# only reads, and by whom has written and not synced.
KEPT, LOST = "read kept", "read lost"
SURVIVES = {
    "tmp": ("tmpfs", "/tmp", (f"{KEPT}, written kept, locked", f"{KEPT}, written kept, locked",
                              f"{LOST}, written lost, not locked")),
    "disk": ("ext4.0", "/disk", (f"{KEPT}, written kept, locked", f"{KEPT}, written lost, locked",
                                 f"{LOST}, written lost, not locked")),
    "fat": ("fat.0", "/fat", (f"{KEPT}, written lost, locked", f"{KEPT}, written lost, locked",
                              f"{LOST}, written lost, not locked")),
    # These have nothing of their clients' but what they are told anew.
    "vfs": ("vfs", "/disk", (f"{KEPT}, written kept, locked",) * 3),
    "volumes": ("volumes", "/disk", (f"{KEPT}, written kept, locked",) * 3),
    "driver": ("virtio_blk.0", "/disk", (f"{KEPT}, written kept, locked",) * 3),
}


def services() -> str:
    return "".join(SURVIVOR.format(name=name, service=service, path=path, start=service.split(".")[0])
                   for name, (service, path, _) in SURVIVES.items())


def survive(guest: Guest, name: str) -> list[str]:
    """What the program says after each of three faults in a row."""
    line = re.compile(rf"survivor_{name}: (fault \d: [^\n\r]*|too slow)")
    for _ in range(TRIES):
        guest.command(f"restart {SURVIVES[name][0]}")  # what happened before does not count
        before = len(line.findall(guest.command("log")))
        guest.command(f"run survivor_{name}", 120)
        for _ in guest.looks():
            found = line.findall(guest.command("log"))[before:]
            if len(found) == 3 or "too slow" in found:
                break
        if "too slow" not in found:
            return found
    raise AssertionError(f"three faults in a row take longer than 10 s, {TRIES} times")


def machine(folder: Path) -> Machine:
    disk, part, fat = folder / "disk.img", folder / "fat.img", folder / "second.img"
    mkdisk.make(disk, SIZE_MIB)
    make(part, "fat32", 40)
    put_on_disk(part, fat)
    archive = folder / "archive"
    archive.mkdir()
    return Machine("direct", cpus=2, memory_mib=256, initrd=initrd(archive, ["survivor"], added(services())),
                   extra=data_disk(disk) + data_disk(fat, id="second"))


@suite.test("what clients have open survives two faults of its service in a row, and what was synced all of them")
def in_a_row() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Guest(machine(folder), "faults in a row", 600) as guest:
            guest.expect(PROMPT)
            mount_fat(guest)
            for which, (_, _, expected) in SURVIVES.items():
                said = survive(guest, which)
                wanted = [f"fault {i}: {text}, synced there" for i, text in enumerate(expected, 1)]
                check(said == wanted, f"{which}: {said}, not {wanted}\n{guest.command('log')[-3000:]}")
            switch_off(guest)
        partition(folder / "disk.img")


@suite.test("a kill is no fault: it takes nothing, however often the service has faulted before")
def ordered_between() -> None:
    with tempfile.TemporaryDirectory() as name:
        with Guest(machine(Path(name)), "kills between faults", 300) as guest:
            guest.expect(PROMPT)
            for service, path in (("tmpfs", "/tmp"), ("ext4.0", "/disk")):
                says(guest, f"write {path}/file text")
                says(guest, f"fault {service}", "ended in the place of a fault")
                says(guest, f"cat {path}/file", "text")
                for _ in range(6):
                    guest.command(f"kill {service}")
                    says(guest, f"cat {path}/file", "text")
                check("failed" not in guest.command("services"), "a kill has counted")
            switch_off(guest)


@suite.test("the fifth fault in a row stops a service, and restart begins anew")
def five() -> None:
    with tempfile.TemporaryDirectory() as name:
        with Guest(machine(Path(name)), "five faults", 300) as guest:
            guest.expect(PROMPT)
            for _ in range(5 * TRIES):
                guest.command("fault tmpfs")
                guest.command("ls /tmp")  # waits for the next run
                guest.command("services")
                if "the first of 5" in guest.output():  # the news of it may come between a command and what it says
                    break
            line = r"tmpfs +tmpfs +failed .* ended in the place of a fault, the first of 5"
            check(re.search(line, guest.output()), guest.output()[-3000:])
            guest.command("restart tmpfs")
            for _ in guest.looks():  # the mount table learns of it by itself
                guest.command("write /tmp/file text")
                guest.command("cat /tmp/file")
                if re.search(r"cat /tmp/file\s+text\s", guest.output()):
                    return
            raise AssertionError(f"it does not begin anew:\n{guest.output()[-2000:]}")
