# SPDX-License-Identifier: MIT
"""test_boot_matrix.py - the same image boots on machines that differ in everything it depends on.

The table is not the product of all columns: each value of each column meets each firmware, or
QEMU's default where the firmware cannot do it.
"""

from bochs import BochsGuest
from qemu import PROMPT, Guest, Machine, Session
from testlib import WHOLE_MACHINE, Suite, check

suite = Suite("boot")

PHASES = (
    "phase 1: Deaf and Blind",
    "phase 2: Can See",
    "phase 3: Can Remember",
    "phase 4: Can Think",
    "phase 5: Alive",
)

# firmware, cores, MiB, processor, framebuffer, medium
MATRIX = (
    ("direct", 1, 64, "qemu64", False, "-"),
    ("direct", 2, 512, "max", True, "-"),
    ("direct", 4, 8192, "qemu64", True, "-"),
    ("direct", 8, 64, "max", False, "-"),
    ("direct", 32, 512, "max", False, "-"),
    ("direct", 32, 8192, "qemu64", True, "-"),
    ("uefi", 1, 512, "qemu64", True, "cdrom"),
    ("uefi", 2, 64, "max", False, "disk"),
    ("uefi", 4, 8192, "max", True, "usb"),
    ("uefi", 8, 512, "qemu64", False, "cdrom"),
    ("uefi", 32, 512, "max", True, "disk"),
    ("bios", 1, 64, "qemu64", True, "cdrom"),
    ("bios", 2, 8192, "max", False, "disk"),
    ("bios", 4, 512, "qemu64", False, "usb"),
    ("bios", 8, 512, "max", True, "disk"),
    ("bios", 32, 512, "max", False, "cdrom"),
)


def expect_boot(guest: Session, cpus: int) -> str:
    """The five phases in order, then a prompt behind which all processors are at work."""
    for phase in PHASES:
        guest.expect(phase)
    guest.expect(PROMPT)
    text = guest.command("cpu", 60)
    while "CORE" not in text:  # that a service has failed is said with a prompt of its own
        text += guest.expect(PROMPT, 60)
    cores = [line for line in text.splitlines() if line.strip()[:1].isdigit()]
    check(len(cores) == cpus, f"`cpu` lists {len(cores)} of {cpus} processors:\n{text}")
    return text


def describe(row: tuple) -> str:
    firmware, cpus, memory_mib, cpu, framebuffer, medium = row
    where = firmware if medium == "-" else f"{firmware} {medium}"
    screen = "screen" if framebuffer else "no screen"
    return f"{where}, {cpus} x {cpu}, {memory_mib} MiB, {screen}"


def boot(row: tuple) -> None:
    firmware, cpus, memory_mib, cpu, framebuffer, medium = row
    machine = Machine(firmware, cpus, memory_mib, cpu, framebuffer,
                      "cdrom" if medium == "-" else medium)
    with Guest(machine, f"boot {describe(row)}", 240) as guest:
        expect_boot(guest, cpus)


for row in MATRIX:
    suite.test(describe(row), WHOLE_MACHINE if row[1] > 4 else 1)(lambda row=row: boot(row))


@suite.test("Bochs, 2 x corei7_skylake_x: x2APIC, PCID, INVPCID, TSC-deadline timer")
def boot_in_bochs() -> None:
    with BochsGuest("boot bochs") as guest:
        features = expect_boot(guest, 2).lower()
        for feature in ("x2apic", "pcid", "deadline"):
            check(feature in features, f"{feature} is not used:\n{features}")
