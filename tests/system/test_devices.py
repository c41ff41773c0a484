# SPDX-License-Identifier: MIT
"""test_devices.py - what `devices` finds on machines with several kinds of devices, and after its death."""

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

from qemu import BUILD, PROMPT, Guest, Machine
from testlib import Suite, check

from tests.system.with_services import initrd as initrd_with

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


def settled(guest: Guest) -> str:
    """The list, when the disk's driver has its device and has set it up: twice the same."""
    before = ""
    for _ in guest.looks():
        listing = guest.command("devices")
        if listing == before and re.search(r"1af4:1001  010000  claimed +virtio_blk\.0 +[1-9]\d*/", listing):
            return listing
        before = listing
    raise AssertionError(f"virtio_blk.0 does not get its device:\n{before}")


def check_mixed(listing: str) -> None:
    for begin, end in EXPECTED:
        line = line_of(listing, begin)
        check(re.search(end, line) is not None, f"{line!r} does not end in {end!r}")


@suite.test("functions, a bridge and what is behind it are found through memory")
def by_memory() -> None:
    with prompt("by memory", extra=MIXED) as guest:
        check_mixed(settled(guest))
        check("PCI functions by memory (ECAM)" in guest.command("log"), "it does not use ECAM")


@suite.test("without the firmware's MCFG they are found through ports")
def by_ports() -> None:
    # The older machine type has a host bridge without ECAM, and pins for most devices.
    extra = (*drive("a"), "-device", "virtio-blk-pci,drive=a,addr=5", "-device", "edu,addr=8")
    with prompt("by ports", "bios", extra) as guest:
        listing = settled(guest)
        line_of(listing, r"0000:00:08.0  1234:11e8  00ff00")
        line = line_of(listing, r"0000:00:01.1  8086:7010  010180")
        check("failed" in line and "neither MSI nor MSI-X" in line, f"the IDE controller has no message: {line}")
        check("I/O ports 0xcf8" in guest.command("log"), "it does not use the ports")


@suite.test("the same list is there after devices was killed, and nothing is scanned again")
def killed() -> None:
    with prompt("killed", extra=MIXED) as guest:
        before = settled(guest)
        for _ in range(5):
            guest.command("kill devices")
            after = guest.command("devices")
            check(after == before, f"the list is another one:\n{before}\n{after}")
        check(guest.command("log").count("goes on with") == 5, "a run began anew")


@suite.test("devices has the capabilities that its page says")
def capabilities() -> None:
    with prompt("capabilities") as guest:
        table = guest.command("caps devices")
        for text in (r"interrupt rw-gv .*lines 128 to 191", r"memory +rw-gv .*of device memory from 0x0",
                     r"memory +rw--- .*ports 0xcf8 to 0xcff", r"endpoint +rw--- .*no badge"):
            check(re.search(text, table) is not None, f"{text!r} is not in:\n{table}")


# ---- with a driver: tests/services/edu_driver ----

DRIVER = """
[service.edu_driver]
file = "edu_driver"
restart = "when-started"
count = 2
match = [{ vendor = 0x1234, device = 0x11e8 }]
priority = 18
ceiling = 18
frames = 64
bytes = 65536
provides = { requests = "edu" }
uses = { devices = "devices", observer = "observer" }
log = "write"

[region.edu_dma]
kind = "dma"
each = true
frames = { floor = 4 }
users = { edu_driver = "read, write, delegate" }
"""
# Takes devices that no driver of the system is for.
CLAIMER = """
[service.claimer]
file = "claimer"
restart = "when-started"
count = 3
match = [{ vendor = 0x1af4, device = [0x1005, 0x1044] }, { vendor = 0x8086, device = 0x10d3 }]
priority = 18
ceiling = 18
frames = 128
bytes = 65536
uses = { devices = "devices", observer = "observer" }
log = "write"

[region.claimer_dma]
kind = "dma"
each = true
frames = { floor = 1 }
users = { claimer = "read, write, delegate" }
"""
DRIVERS = ("edu_driver", "claimer")
KILLS = 10


def with_drivers(text: str) -> str:
    """The system's manifest with the drivers of the tests, which `devices` may start."""
    names = ", ".join(f'"{driver}"' for driver in DRIVERS)
    section = re.search(r"\[service\.devices\].*?\n\n", text, re.S)
    may_start = re.search(r'endpoint = "manager", start = \[', section[0])
    uses = section[0][:may_start.end()] + names + ", " + section[0][may_start.end():] if may_start else \
        section[0].replace('manager = "observer"',
                           f'manager = {{ endpoint = "manager", start = [{names}] }}')
    text = text.replace(section[0], uses)
    # The claimer is for this card here.
    text = text.replace("match = [{ vendor = 0x8086, device = [0x10d3, 0x10f6] }]", "match = [{ vendor = 0x8086, device = 0x10f6 }]")
    return text + DRIVER + CLAIMER


@contextmanager
def driven(name: str, count: int, *more: str, limit_s: float = 240):
    """The system with drivers for `count` devices and more, at its prompt."""
    extra = more + tuple(word for i in range(count)
                         for word in ("-device", f"edu,addr={8 + i:x},dma_mask=0xffffffff"))
    with tempfile.TemporaryDirectory() as name_of_folder:
        path = initrd_with(Path(name_of_folder), DRIVERS, with_drivers)
        machine = Machine("direct", cpus=2, memory_mib=256, initrd=path, extra=extra)
        with Guest(machine, f"devices {name}", limit_s) as guest:
            guest.expect(PROMPT)
            yield guest
            check("WRONG" not in guest.command("log"), f"a driver got what it should not:\n{guest.command('log')}")


def log_until(guest: Guest, pattern: str, count: int = 1) -> str:
    """Drivers work beside the prompt, so the log is looked at until so many lines are there."""
    text = ""
    for _ in guest.looks():
        text = guest.command("log")
        if len(re.findall(pattern, text)) >= count:
            return text
    raise AssertionError(f"not {count} lines {pattern!r} in the log:\n{text}")


def last_round(guest: Guest, name: str) -> str:
    found = re.findall(rf"\[ *[\d.]+\] I {re.escape(name)}: round \d+ is right", guest.command("log"))
    return found[-1] if found else ""


def goes_on(guest: Guest, name: str) -> None:
    """It makes a round after what is in the log now."""
    before = last_round(guest, name)
    for _ in guest.looks():
        if last_round(guest, name) != before:
            return
    raise AssertionError(f"{name} does nothing more:\n{guest.command('log')}")


@suite.test("a driver reaches its device: registers, message interrupts, memory")
def driver_works() -> None:
    with driven("driver", 1) as guest:
        log_until(guest, r"edu_driver\.0: round \d+ is right", 2)
        line = line_of(guest.command("devices"), "0000:00:08.0  1234:11e8")
        check(re.search(r"claimed +edu_driver\.0 +1/1", line) is not None, line)
        table = guest.command("caps edu_driver.0")
        check(re.search(r"memory +rw--- .*1024 KiB of device memory from 0x", table) is not None, table)
        check(re.search(r"interrupt -w--- .*line", table) is not None, table)
        check("g" not in re.search(r"memory +(\S+) .*device memory", table)[1], table)


@suite.test("two drivers have two devices, and a third device waits for an instance")
def two_claims() -> None:
    with driven("two", 3) as guest:
        log_until(guest, r"edu_driver\.0: round \d+ is right")
        log_until(guest, r"edu_driver\.1: round \d+ is right")
        listing = guest.command("devices")
        check("claimed   edu_driver.0" in line_of(listing, "0000:00:08.0"), listing)
        check("claimed   edu_driver.1" in line_of(listing, "0000:00:09.0"), listing)
        line = line_of(listing, "0000:00:0a.0")
        check("free" in line and "each instance of edu_driver has a device" in line, line)


class Seen:
    """The lines of the log that have come by: the log itself keeps the last ones only."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.lines: set[str] = set()

    def count(self, pattern: str) -> int:
        self.lines.update(line.strip() for line in self.guest.command("log").splitlines())
        return sum(re.search(rf"\] I {pattern}", line) is not None for line in self.lines)


def claims_until(seen: Seen, name: str, count: int) -> None:
    for _ in seen.guest.looks():
        if seen.count(rf"{re.escape(name)}: claimed ") >= count:
            return
    raise AssertionError(f"{name} has not claimed its device {count} times:\n{seen.guest.command('log')}")


def kill_driver(name: str, kills: int, limit_s: float = 240) -> None:
    """Each second kill comes in the middle of a copy by the device, the others as soon as it has claimed."""
    with driven(name, 2, limit_s=limit_s) as guest:
        seen = Seen(guest)
        for i in range(kills):
            claims_until(seen, "edu_driver.0", i + 1)
            if i % 2 == 0:
                goes_on(guest, "edu_driver.0")
            guest.command("kill edu_driver.0")
        claims_until(seen, "edu_driver.0", kills + 1)
        goes_on(guest, "edu_driver.0")
        goes_on(guest, "edu_driver.1")
        check(seen.count(r"edu_driver\.1: claimed ") == 1, "the other driver was disturbed")


def kill_devices(name: str, kills: int, limit_s: float = 240) -> None:
    """Each third kill finds `devices` with a driver's death to see to."""
    with driven(name, 2, limit_s=limit_s) as guest:
        seen = Seen(guest)
        log_until(guest, r"edu_driver\.1: round \d+ is right")
        for i in range(kills):
            seen.count("")
            if i % 3 == 0:
                guest.command("kill edu_driver.0")
            guest.command("kill devices")
        goes_on(guest, "edu_driver.1")
        goes_on(guest, "edu_driver.0")
        check(seen.count(r"edu_driver\.1: claimed ") == 1, "the driver that lived had to claim again")
        check(seen.count("devices: .*without a usable interrupt") == 1, "a run of devices began anew")


@suite.test(f"a driver is killed {KILLS} times: its device is made quiet, and the next run goes on")
def driver_killed() -> None:
    kill_driver("kill driver", KILLS)


@suite.test(f"devices is killed {KILLS} times: drivers go on, and one that died meanwhile is found out")
def devices_killed() -> None:
    kill_devices("kill devices", KILLS)


# A function-level reset, which QEMU offers behind a root port; the status of a virtio device; power, which e1000e has.
RESETS = ("-device", "pcie-root-port,id=rootport,chassis=1,addr=5", "-device", "virtio-rng-pci,bus=rootport",
          "-device", "virtio-rng-pci,addr=6",
          "-netdev", "hubport,hubid=0,id=net", "-device", "e1000e,netdev=net,addr=7")


@suite.test("devices that offer a reset, and such that do not, become quiet and are claimed again")
def ways_to_be_quiet() -> None:
    with driven("quiet", 0, *RESETS) as guest:
        for i in range(3):
            text = log_until(guest, r"claimer\.\d: has ", 3 * (i + 1))
            for number in range(3):
                guest.command(f"kill claimer.{number}")
        text = log_until(guest, r"claimer\.\d: has ", 12)
        check(re.search(r"has 1af4:1044 with 2 vectors, resets: yes", text) is not None, text)
        check(re.search(r"has 1af4:1005 with 2 vectors, resets: no", text) is not None, text)
        check("has 8086:10d3 with 5 vectors" in text, text)
        listing = guest.command("devices")
        for line in ("0000:00:06.0", "0000:00:07.0", "0000:01:00.0"):
            check("claimed   claimer" in line_of(listing, line), listing)


def long_suite() -> Suite:
    """The campaign of make test-long."""
    campaign = Suite("devices")

    @campaign.test("200 kills of a driver, half of them in the middle of a copy by its device")
    def many_drivers() -> None:
        kill_driver("many drivers", 200, 3600)

    @campaign.test("200 kills of devices, a third of them after a driver's")
    def many_devices() -> None:
        kill_devices("many devices", 200, 3600)

    return campaign
