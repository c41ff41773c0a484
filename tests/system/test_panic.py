# SPDX-License-Identifier: MIT
"""test_panic.py - a fault in any phase of the boot ends in a full report and a stopped machine.

`fault=N` on the debug kernel's command line makes phase N fault. In ring 3 only the end of init is
fatal: a RAM disk whose init is the program that faults on purpose ends the system. `debug-exit` lets
the kernel end QEMU after its report.
"""

import re
import tempfile
from pathlib import Path

import mkarchive
from buildid import SHOWN, build_id
from qemu import BUILD, EXIT_PANIC, Guest, Machine
from testlib import Suite, check
from tests.system.screen import read_text

suite = Suite("panic")

BACKTRACE_LINE = re.compile(r"[a-z_0-9]+\+0x[0-9a-f]+")


def check_report(text: str, where: str) -> None:
    check("PANIC" in text, f"no PANIC {where}")
    report = text[text.index("PANIC"):]
    builds = [build_id(BUILD / kernel).hex()[:SHOWN] for kernel in ("kernel.elf", "debug/kernel.elf")]
    check(any(f", build {build}" in report for build in builds), f"the report {where} names none of the builds {builds}")
    lower = report.lower()
    for register in ("rax", "rsp", "rip", "cr2", "cr3"):
        check(register in lower, f"register {register} is not in the report {where}")
    check(BACKTRACE_LINE.search(report), f"no function name in the backtrace {where}")
    check(re.search(r"cor(e|) ?\d|core", lower), f"the report {where} does not name the core")
    check("thread" in lower, f"the report {where} does not name the thread")


def check_fatal(machine: Machine, name: str) -> str:
    """The machine ends with one full report and the exit code of a panic; returns the output."""
    with Guest(machine, f"panic {name}", 60) as guest:
        code = guest.exit_code()
        text = guest.output()
    check_report(text, "on the serial line")
    check(text.count("PANIC") == 1, "more than one report")
    check(code == EXIT_PANIC, f"QEMU's exit code is {code}, not {EXIT_PANIC}")
    return text


def provoke(phase: str, cpus: int) -> None:
    machine = Machine("direct", cpus=cpus, kernel=BUILD / "debug/kernel.elf",
                      cmdline=f"fault={phase} debug-exit")
    check_fatal(machine, f"{phase} {cpus} cores")


for phase in ("1", "2", "3", "4", "5"):
    suite.test(f"a fault in phase {phase} is reported")(lambda phase=phase: provoke(phase, 1))
suite.test("a fault in phase 5 is reported with four cores running")(lambda: provoke("5", 4))


@suite.test("a fatal fault in ring 3 is reported with init's registers")
def fault_of_init() -> None:
    with tempfile.TemporaryDirectory() as folder:
        initrd = Path(folder) / "initrd.tar"
        initrd.write_bytes(mkarchive.pack({"init": (BUILD / "user/crash.stripped").read_bytes()}))
        machine = Machine("direct", cpus=2, kernel=BUILD / "debug/kernel.elf", initrd=initrd,
                          cmdline="debug-exit")
        text = check_fatal(machine, "init")
    check("init" in text[text.index("PANIC"):], "the report does not name init")


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
