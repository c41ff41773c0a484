# SPDX-License-Identifier: MIT
"""test_panic.py - a fault in any phase of the boot ends in a full report and a stopped machine.

`fault=N` on the kernel's command line makes phase N fault; `fault=user` makes the first program do
what only a kernel bug could cause in ring 3.
"""

import re

from qemu import BUILD, EXIT_PANIC, Guest, Machine
from testlib import Suite, check
from tests.system.screen import read_text

suite = Suite("panic")

BACKTRACE_LINE = re.compile(r"[a-z_0-9]+\+0x[0-9a-f]+")


def check_report(text: str, where: str) -> None:
    check("PANIC" in text, f"no PANIC {where}")
    report = text[text.index("PANIC"):]
    lower = report.lower()
    for register in ("rax", "rsp", "rip", "cr2", "cr3"):
        check(register in lower, f"register {register} is not in the report {where}")
    check(BACKTRACE_LINE.search(report), f"no function name in the backtrace {where}")
    check(re.search(r"cor(e|) ?\d|core", lower), f"the report {where} does not name the core")
    check("thread" in lower, f"the report {where} does not name the thread")


def provoke(fault: str, cpus: int) -> None:
    machine = Machine("direct", cpus=cpus, kernel=BUILD / "debug/kernel.elf", cmdline=f"fault={fault}")
    with Guest(machine, f"panic {fault} {cpus} cores", 60) as guest:
        code = guest.exit_code()
        check_report(guest.output(), "on the serial line")
        check(guest.output().count("PANIC") == 1, "more than one report")
        check(code == EXIT_PANIC, f"QEMU's exit code is {code}, not {EXIT_PANIC}")


for phase in ("1", "2", "3", "4", "5"):
    suite.test(f"a fault in phase {phase} is reported")(lambda phase=phase: provoke(phase, 1))
suite.test("a fault in phase 5 is reported with four cores running")(lambda: provoke("5", 4))
suite.test("a fatal fault in ring 3 is reported")(lambda: provoke("user", 2))


@suite.test("the report is on the screen, too, and the machine stays stopped")
def on_screen() -> None:
    # Without the exit device the machine is as real ones are: it must stop and stay.
    machine = Machine("direct", cpus=2, kernel=BUILD / "debug/kernel.elf", cmdline="fault=5",
                      exit_device=False)
    with Guest(machine, "panic on screen", 60) as guest:
        guest.expect("PANIC")
        guest.expect_pattern(BACKTRACE_LINE.pattern)
        check(guest.settle(3), "the machine did not stay stopped")
        check_report("\n".join(read_text(*guest.screen_pixels())), "on the screen")
