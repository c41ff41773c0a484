# SPDX-License-Identifier: MIT
"""run.py - boots the guest tests on machines of several sizes and collects their lines.

The debug kernel boots with tests/guest as its init process, which prints "ok NAME" or
"FAIL NAME: reason" for each test and the counts at the end, then ends QEMU through port 0xf4.
"""

from collections.abc import Iterable

from qemu import BUILD, EXIT_FAIL, EXIT_PASS, Guest, Machine
from testlib import Result, Suite, WHOLE_MACHINE, parse_lines

suite = Suite("guest")

LIMIT_S = 240


def run_on(cpus: int) -> Iterable[Result]:
    machine = Machine(
        "direct", cpus=cpus, kernel=BUILD / "debug/kernel.elf",
        initrd=BUILD / "tests/guest-initrd.tar", cmdline="debug-exit",
    )
    with Guest(machine, f"guest tests {cpus} cores", LIMIT_S) as guest:
        code = guest.exit_code()
        yield from parse_lines(guest.output().splitlines(), f"{cpus} cores: ")
        if code not in (EXIT_PASS, EXIT_FAIL):
            yield Result(f"{cpus} cores: exit", f"QEMU's exit code is {code}")


for count in (1, 2, 4, 8):
    suite.job(f"{count} cores", WHOLE_MACHINE if count > 2 else 1)(lambda count=count: run_on(count))
