# SPDX-License-Identifier: MIT
"""test_devices.py - what `devices` finds on machines with several kinds of devices, and after its death."""

import re
from contextlib import contextmanager
from pathlib import Path

from hardware import BUILD
from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

suite = Suite("devices")

DISK = BUILD / "tests" / "devices.img"


def disk() -> Path:
    """An empty medium for the controllers."""
    DISK.parent.mkdir(parents=True, exist_ok=True)
    with DISK.open("wb") as file:
        file.truncate(1 << 20)
    return DISK


def drive(name: str) -> tuple[str, ...]:
    return "-drive", f"if=none,id={name},format=raw,snapshot=on,file={disk()}"


MIXED = (*drive("a"), "-device", "virtio-blk-pci,drive=a,addr=5",
         "-device", "pcie-root-port,id=rootport,chassis=1,addr=6",
         *drive("b"), "-device", "nvme,drive=b,serial=1,bus=rootport",
         "-netdev", "hubport,hubid=0,id=net", "-device", "e1000e,netdev=net,addr=7",
         "-device", "edu,addr=8")
# Address, identifiers, state and vectors that `devices` shows for them.
EXPECTED = [
    (r"0000:00:05.0  1af4:1001  010000", r"/3 +Red Hat, Inc\. Virtio block device"),
    (r"0000:00:06.0  1b36:000c  060400", r"- +Red Hat, Inc\. QEMU PCIe Root port"),
    (r"0000:00:07.0  8086:10d3  020000", r"/5 +Intel Corporation 82574L Gigabit Network Connection"),
    (r"0000:00:08.0  1234:11e8  00ff00", r"/1 +Unclassified device"),
    (r"0000:01:00.0  1b36:0010  010802", r"/65 +Red Hat, Inc\. QEMU NVM Express Controller"),
]


@contextmanager
def prompt(name: str, firmware: str = "direct", extra: tuple[str, ...] = (), memory_mib: int = 256):
    machine = Machine(firmware, cpus=2, memory_mib=memory_mib, extra=extra)
    with Guest(machine, f"devices {name}", 240) as guest:
        guest.expect(PROMPT)
        yield guest


def line_of(listing: str, pattern: str) -> str:
    match = re.search(rf"^{pattern}.*$", listing, re.M)
    check(match is not None, f"no line {pattern!r} in:\n{listing}")
    return match[0]


def check_mixed(listing: str) -> None:
    for begin, end in EXPECTED:
        line = line_of(listing, begin)
        check(re.search(end, line) is not None, f"{line!r} does not end in {end!r}")


@suite.test("functions, a bridge and what is behind it are found through memory")
def by_memory() -> None:
    with prompt("by memory", extra=MIXED) as guest:
        check_mixed(guest.command("devices"))
        check("PCI functions by memory (ECAM)" in guest.command("log"), "it does not use ECAM")


@suite.test("without the firmware's MCFG they are found through ports")
def by_ports() -> None:
    # The older machine type has a host bridge without ECAM, and pins for most devices.
    extra = (*drive("a"), "-device", "virtio-blk-pci,drive=a,addr=5", "-device", "edu,addr=8")
    with prompt("by ports", "bios", extra) as guest:
        listing = guest.command("devices")
        line_of(listing, r"0000:00:05.0  1af4:1001  010000")
        line_of(listing, r"0000:00:08.0  1234:11e8  00ff00")
        line = line_of(listing, r"0000:00:01.1  8086:7010  010180")
        check("failed" in line and "neither MSI nor MSI-X" in line, f"the IDE controller has no message: {line}")
        check("I/O ports 0xcf8" in guest.command("log"), "it does not use the ports")


@suite.test("the same list is there after devices was killed, and nothing is scanned again")
def killed() -> None:
    with prompt("killed", extra=MIXED) as guest:
        before = guest.command("devices")
        for _ in range(5):
            guest.command("kill devices")
            check(guest.command("devices") == before, "the list is another one")
        check(guest.command("log").count("goes on with") == 5, "a run began anew")


@suite.test("devices has the capabilities that its page says")
def capabilities() -> None:
    with prompt("capabilities") as guest:
        table = guest.command("caps devices")
        for text in (r"interrupt rw-gv .*lines 128 to 191", r"memory +rw-gv .*of device memory from 0x0",
                     r"memory +rw--- .*ports 0xcf8 to 0xcff", r"endpoint +rw--- .*no badge"):
            check(re.search(text, table) is not None, f"{text!r} is not in:\n{table}")
