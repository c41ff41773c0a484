# SPDX-License-Identifier: MIT
"""test_stacks.py - a test that waits in vain says where the cores of its machine are."""

import sys
from pathlib import Path

import stacks
from qemu import Guest
from testlib import Suite, check

suite = Suite("tools")

REPORT = """core 0 halted, in the kernel, rax=0 rbx=ffffffff802cabc0 rdi=1 rsi=4 rbp=0
  #0 idle_halted+0x0
  #1 reschedule+0x614
core 1 running, in the kernel, rax=0 rbx=1 rdi=2 rsi=3 rbp=4
  #0 spinlock_wait+0x12
  #1 frame_alloc+0x20
core 2 running, in user space: 0x400010"""


@suite.test("where the cores are is said in a line: how many are halted, and the place of each other one")
def line() -> None:
    said = stacks.in_a_line(REPORT)
    check(said == "1 of 3 cores halted; core 1 running: spinlock_wait+0x12; core 2 running, in user space: 0x400010", said)


class Answers:
    """A machine whose monitor says this of each core; what it was told."""

    def __init__(self, *registers: str) -> None:
        self.registers, self.told = registers, []

    def qmp(self, execute: str) -> None:
        self.told.append(execute)

    def monitor(self, _line: str, core: int) -> str:
        return self.registers[core]


def report(guest: Answers) -> str:
    return stacks.of_all_cores(guest, len(guest.registers), Path(sys.executable))


@suite.test("a core that is not in 64-bit mode is told as well, and the machine goes on whatever a core answers")
def answers() -> None:
    waits = "EAX=00000000 EBX=00000000\nEIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=1\n"
    asks = "RAX=0000000000000000\nRIP=0000000000400010 RFL=00000202 [-------] CPL=3 HLT=0\nRSP=0000000000500000\n"
    guest = Answers(waits, asks)
    said = report(guest)
    check(said == "core 0 halted, not in 64-bit mode: 0xfff0\ncore 1 running, in user space: 0x400010", said)
    check(guest.told == ["stop", "cont"], f"{guest.told}")
    guest = Answers("nothing")
    try:
        report(guest)
    except KeyError:
        check(guest.told == ["stop", "cont"], f"{guest.told}")
    else:
        check(False, "a core that says nothing is somewhere")


@suite.test("what was waited for is told, whatever is wrong with the report of where the cores are")
def no_report() -> None:
    guest = Guest.__new__(Guest)  # without an emulator
    guest.cores, guest.kernel = 1, Path("/no/kernel")
    check("its cores do not tell where they are" in guest._where(), guest._where())
