# SPDX-License-Identifier: MIT
"""run.py - boots the guest tests on machines of several sizes and collects their lines.

The debug kernel boots with tests/guest as its init process, which prints "ok NAME" or
"FAIL NAME: reason" for each test through the kernel log and the counts at the end, then ends QEMU
through port 0xf4.
"""

import re
from collections.abc import Iterable

from qemu import BUILD, EXIT_FAIL, EXIT_PASS, Guest, Machine
from testlib import Result, Suite, WHOLE_MACHINE, parse_lines

suite = Suite("guest")

LIMIT_S = 240


# What the kernel puts in front of a line of its log: time and level.
PREFIX = re.compile(r"^\[ *\d+\.\d+\] I ")


def run_on(cpus: int, cpu: str = "max") -> Iterable[Result]:
    name = f"{cpus} cores" if cpu == "max" else f"{cpus} cores {cpu}"
    machine = Machine(
        "direct", cpus=cpus, cpu=cpu, kernel=BUILD / "debug/kernel.elf",
        initrd=BUILD / "tests/guest-initrd.tar", cmdline="console=kernel debug-exit",
        extra=("-device", "edu"),
    )
    with Guest(machine, f"guest tests {name}", LIMIT_S) as guest:
        code = guest.exit_code()
        lines = [PREFIX.sub("", line) for line in guest.output().splitlines()]
        yield from parse_lines(lines, f"{name}: ")
        if code not in (EXIT_PASS, EXIT_FAIL):
            yield Result(f"{name}: exit", f"QEMU's exit code is {code}")


for count in (1, 2, 4, 8):
    suite.job(f"{count} cores", WHOLE_MACHINE if count > 2 else 1)(lambda count=count: run_on(count))
suite.job("2 cores qemu64")(lambda: run_on(2, "qemu64"))
