# SPDX-License-Identifier: MIT
"""test_facts.py - what the kernel finds out about its machine: how fast its clocks run, and what the
processor has.

With `-icount shift=0` an instruction takes a nanosecond of the machine's time, whatever the host does, and
the TSC counts nanoseconds: 1,000,000 kHz is the truth, and so it is for QEMU's local APIC timer.
"""

import re

from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

suite = Suite("facts")

EXACT = ("-icount", "shift=0,sleep=off")
TRUE_KHZ, TOLERANCE_KHZ = 1_000_000, 100  # 100 millionths
RATES = re.compile(r"time: TSC (\d+) kHz.*, local APIC timer (\d+) kHz, measured against (.+)")

# The clock that is left, and the machine that has no better one.
CLOCKS = (
    ("HPET", Machine(extra=EXACT)),
    ("the ACPI timer", Machine(extra=(*EXACT, "-machine", "hpet=off"))),
    ("the ACPI timer", Machine(extra=(*EXACT, "-machine", "pc", "-machine", "hpet=off"))),
    ("the 8254", Machine(framebuffer=False, extra=(*EXACT, "-machine", "microvm"))),
)

# The highest leaf that CPUID has: without XSAVE's sizes, without leaf 7, with little more than a name.
LEVELS = ("level=1", "level=4", "level=6", "level=7", "level=12", "level=13",
          "xlevel=0x80000001", "level=1,xlevel=0x80000001")


def measure(clock: str, machine: Machine) -> None:
    with Guest(machine, f"clock {clock}", 120) as guest:
        guest.expect(PROMPT)
        found = RATES.search(guest.output())
    check(found, "the kernel does not say what it has measured")
    check(found[3].strip() == clock, f"measured against {found[3]}")
    for what, khz in (("TSC", found[1]), ("local APIC timer", found[2])):
        check(abs(int(khz) - TRUE_KHZ) <= TOLERANCE_KHZ, f"the {what} is said to run at {khz} kHz")


for clock, machine in CLOCKS:
    board = "microvm" if "microvm" in machine.extra else "pc" if "pc" in machine.extra else "q35"
    suite.test(f"{clock} of {board} is measured to 100 millionths")(
        lambda clock=clock, machine=machine: measure(clock, machine))


@suite.test("a machine whose clocks and CPUID tell nothing is refused by a line")
def no_clock() -> None:
    machine = Machine(framebuffer=False, cmdline="debug-exit", extra=("-machine", "microvm,pit=off"))
    with Guest(machine, "no clock", 60) as guest:
        guest.expect("PANIC: no working clock: neither HPET, ACPI timer nor 8254 counts, and CPUID")


def boot_with(cpu: str) -> None:
    with Guest(Machine(cpus=2, cpu=cpu), f"cpuid {cpu}", 60) as guest:
        guest.expect(PROMPT)
        text = guest.command("cpu")
    cores = [line for line in text.splitlines() if line.strip()[:1].isdigit()]
    check(len(cores) == 2, f"`cpu` does not list two cores:\n{text}")


for level in LEVELS:
    suite.test(f"CPUID says no more than it has: max,{level}")(
        lambda level=level: boot_with(f"max,{level}"))
