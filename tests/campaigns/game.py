# SPDX-License-Identifier: MIT
"""game.py - the random game of processes (tests/campaigns/game) on machines of several sizes.

The guest judges what it sees: accounts, and how often what has succeeded; it plays on until that is often
enough. This program judges whether it gets on at all: the guest prints a line every two seconds as long as
operations are played, and a guest that has printed none for LIMIT_S of its own time (tools/patience.py) hangs.
Then the places of all cores are printed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import stacks
from qemu import BUILD, EXIT_FAIL, EXIT_PASS, Guest, GuestError, Machine
from testlib import WHOLE_MACHINE, Result, Suite, parse_lines

LIMIT_S = 40
SHORT_S, SHORT_LEAST = 60, 66
# An emulator with a thread for each core plays a tenth as much when other programs have the processors.
SHORT_LEAST_PARALLEL = 25
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


@dataclass(frozen=True)
class Game:
    """One game; `jitter` plays it on an emulator that runs all cores in one thread, and lets the debug kernel
    change to another core wherever it takes or releases a lock."""

    cpus: int
    kernel: str
    seed: int
    seconds: int
    least: int = 0
    jitter: bool = False
    more: str = ""  # further words for the command line

    def name(self) -> str:
        return f"{self.cpus} cores {self.kernel}" + (" jitter" if self.jitter else "")

    def words(self) -> str:
        words = f"seed={self.seed} seconds={self.seconds} least={self.least}"
        return " ".join([words, *(["jitter"] if self.jitter else []), *self.more.split()])

    def machine(self) -> Machine:
        return Machine("direct", cpus=self.cpus, kernel=KERNELS[self.kernel],
                       initrd=BUILD / "tests/game-initrd.tar",
                       cmdline=f"console=kernel debug-exit {self.words()}",
                       extra=("-accel", "tcg,thread=single") if self.jitter else ())


def play(game: Game) -> Iterable[Result]:
    """Yields the guest's results; prints its figures, and what plays it again."""
    name = f"game {game.name()}"
    print(f"   {name}: {game.words()}", flush=True)
    with Guest(game.machine(), name, 1e9) as guest:
        try:
            follow(guest)
        except GuestError as problem:
            yield Result(f"{game.name()}: hangs", f"{problem}, {game.words()}\n"
                         + stacks.of_all_cores(guest, game.cpus, KERNELS[game.kernel], PROGRAM))
            return
        code = guest.exit_code()
        output = guest.output().splitlines()
    lines = [PREFIX.sub("", line) for line in output]
    figures = [f"{m[1]} {m[2]}" for line in lines if (m := FIGURE.match(line))]
    if figures:
        print(f"   {name}: " + ", ".join(figures), flush=True)
    yield from parse_lines(lines, f"{game.name()}: ")
    if code not in (EXIT_PASS, EXIT_FAIL):
        panic = "\n".join(line for line in output if "] E " in line)
        yield Result(f"{game.name()}: exit", f"QEMU's exit code is {code}, {game.words()}\n{panic}")


def suite_of(games: Iterable[Game]) -> Suite:
    suite = Suite("game")
    for game in games:
        threads = 1 if game.jitter else game.cpus
        suite.job(game.name(), WHOLE_MACHINE if threads > 2 else 1)(lambda game=game: play(game))
    return suite


def short_suite() -> Suite:
    """A minute for each kernel, the same seeds each time; a part of `make test`."""
    return suite_of([Game(2, "debug", 1, SHORT_S, SHORT_LEAST, jitter=True),
                     Game(4, "release", 2, SHORT_S, SHORT_LEAST_PARALLEL)])


def long_suite(seed: int) -> Suite:
    """A quarter of an hour on each number of cores, for each kernel, and with jitter where cores meet."""
    kinds = [(kernel, cpus, False) for kernel in KERNELS for cpus in (1, 2, 4, 8)]
    kinds += [("debug", cpus, True) for cpus in (2, 3, 4)]
    return suite_of(Game(cpus, kernel, seed + number, LONG_S, LONG_LEAST, jitter)
                    for number, (kernel, cpus, jitter) in enumerate(kinds))
