# SPDX-License-Identifier: MIT
"""test_tickless.py - timer interrupts as QEMU itself logs them, and what deadlines cost in instructions.

The guest tests of tests/guest/test_tickless.c run under the kernel that ships, in counted time. They let
the real-time clock interrupt before and after each quiet minute; QEMU's log of interrupts must have no timer
interrupt between the two.
"""

import re
import tempfile
from pathlib import Path

from qemu import BUILD, EXIT_PASS, Guest, Machine
from testlib import Suite

suite = Suite("tickless")

LIMIT_S = 300
VECTOR_FIRST = 0x20
# kernel/arch/x86_64/apic/vectors.h
VECTOR_LINES_END = 0xF0
VECTOR_TIMER = 0xFD
# "   123: v=fd e=0000 i=0 cpl=3 IP=002b:...": an exception, or with i=0 above 0x1f an interrupt.
INTERRUPT = re.compile(r"^ *\d+: v=([0-9a-f]{2}) ", re.MULTILINE)


def run(only: str, cpus: int, icount: str) -> tuple[list[int], str]:
    """The vectors that QEMU delivered, in order, and what the guest printed."""
    with tempfile.TemporaryDirectory(prefix="mnos-tickless-") as folder:
        log = Path(folder) / "interrupts"
        machine = Machine(
            "direct", cpus=cpus, cpu="max,-erms,-la57", initrd=BUILD / "tests/guest-initrd.tar",
            cmdline=f"console=kernel debug-exit only={only} counted",
            extra=("-icount", f"{icount},sleep=off", "-rtc", "clock=vm", "-d", "int", "-D", str(log)),
        )
        with Guest(machine, f"tickless {only} {cpus} cores", LIMIT_S) as guest:
            code = guest.exit_code()
            output = guest.output()
        if code != EXIT_PASS:
            raise AssertionError(f"the guest's tests fail: {output[-600:]}")
        vectors = [int(vector, 16) for vector in INTERRUPT.findall(log.read_text(errors="replace"))]
    return [vector for vector in vectors if vector >= VECTOR_FIRST], output


def check_minutes(cpus: int) -> None:
    vectors, _output = run("tickless", cpus, "shift=7")
    marks = [i for i, vector in enumerate(vectors) if VECTOR_FIRST <= vector < VECTOR_LINES_END]
    if len(marks) < 4 or len(marks) % 2 != 0:  # a test may have to run twice
        raise AssertionError(f"{len(marks)} marks, not two for each minute")
    if VECTOR_TIMER not in vectors:
        raise AssertionError("QEMU logs no timer interrupt at all")
    for begin, end in zip(marks[::2], marks[1::2]):
        if VECTOR_TIMER in vectors[begin:end]:
            raise AssertionError("a timer interrupt in a minute without deadlines")


@suite.test("QEMU sees no timer interrupt in a minute, idle or with one runnable thread, on one core")
def minutes_on_one_core() -> None:
    check_minutes(1)


@suite.test("nor on two cores")
def minutes_on_two_cores() -> None:
    check_minutes(2)


@suite.test("in counted time each wait and each park ends at once after its deadline")
def punctual() -> None:
    for only in ("wait", "thread"):
        run(only, 1, "shift=0")


@suite.test("ten thousand deadlines cost a wake no instruction, and an earlier one a logarithm")
def deadlines() -> None:
    _vectors, output = run("deadlines", 1, "shift=0")
    if "with 10000 other deadlines" not in output:
        raise AssertionError("the guest did not measure")
