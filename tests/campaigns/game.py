# SPDX-License-Identifier: MIT
"""game.py - the random game of processes (tests/campaigns/game) on machines of several sizes.

The guest judges what it sees: accounts, and how often what has succeeded; it plays on until that is often
enough. This program judges whether it gets on at all: the guest prints a line every two seconds as long as
operations are played, and a guest that has printed none for LIMIT_S of its own time (tools/patience.py) hangs.
Then the places of all cores are printed.
"""

import re
from collections.abc import Iterable

import stacks
from qemu import BUILD, EXIT_FAIL, EXIT_PASS, Guest, GuestError, Machine
from testlib import WHOLE_MACHINE, Result, Suite, parse_lines

LIMIT_S = 40
SHORT_S, SHORT_LEAST = 60, 66
LONG_S, LONG_LEAST = 15 * 60, 1000
KERNELS = {"debug": BUILD / "debug/kernel.elf", "release": BUILD / "kernel.elf"}
PROGRAM = BUILD / "tests/game-init.elf"
# What the kernel puts in front of a line of its log: time and level.
PREFIX = re.compile(r"^\[ *\d+\.\d+\] I ")
FIGURE = re.compile(r"^figure: (\S+) (\d+)$")
LINE = r"game: [^\n]*\n"


def follow(guest: Guest) -> None:
    """Until the machine ends."""
    try:
        while True:
            guest.expect_pattern(LINE, LIMIT_S, "line of the game")
    except GuestError as problem:
        if "ended before" not in str(problem):
            raise


def game_on(cpus: int, kernel: str, seed: int, seconds: int, least: int, more: str = "") -> Iterable[Result]:
    """Plays one game; yields the guest's results, and prints its figures with what repeats it."""
    name = job_name(cpus, kernel)
    words = f"seed={seed} seconds={seconds} least={least} {more}".strip()
    machine = Machine("direct", cpus=cpus, kernel=KERNELS[kernel],
                      initrd=BUILD / "tests/game-initrd.tar", cmdline=f"console=kernel debug-exit {words}")
    print(f"   {name}: {words}", flush=True)
    with Guest(machine, name, 1e9) as guest:
        try:
            follow(guest)
        except GuestError as problem:
            yield Result(f"{name}: hangs", f"{problem}, {words}\n"
                         + stacks.of_all_cores(guest, cpus, KERNELS[kernel], PROGRAM))
            return
        code = guest.exit_code()
        output = guest.output().splitlines()
    lines = [PREFIX.sub("", line) for line in output]
    figures = [f"{m[1]} {m[2]}" for line in lines if (m := FIGURE.match(line))]
    if figures:
        print(f"   {name}: " + ", ".join(figures), flush=True)
    yield from parse_lines(lines, f"{name}: ")
    if code not in (EXIT_PASS, EXIT_FAIL):
        panic = "\n".join(line for line in output if "] E " in line)
        yield Result(f"{name}: exit", f"QEMU's exit code is {code}, {words}\n{panic}")


def job_name(cpus: int, kernel: str) -> str:
    return f"game {cpus} cores {kernel}"


def jobs(suite: Suite, cpus: int, kernel: str, *rules: int) -> None:
    suite.job(job_name(cpus, kernel), WHOLE_MACHINE if cpus > 2 else 1)(lambda: game_on(cpus, kernel, *rules))


def short_suite() -> Suite:
    """A minute for each kernel, the same seeds each time; a part of `make test`."""
    suite = Suite("game")
    jobs(suite, 2, "debug", 1, SHORT_S, SHORT_LEAST)
    jobs(suite, 4, "release", 2, SHORT_S, SHORT_LEAST)
    return suite


def long_suite(seed: int) -> Suite:
    """A quarter of an hour on each number of cores, for each kernel."""
    suite = Suite("game")
    for number, (kernel, cpus) in enumerate((k, c) for k in KERNELS for c in (1, 2, 4, 8)):
        jobs(suite, cpus, kernel, seed + number, LONG_S, LONG_LEAST)
    return suite
