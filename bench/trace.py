#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""trace.py - shows which functions execute the instructions of one round of a metric.

    make DEPS=no kernel direct build/bench/initrd.tar
    bench/trace.py ipc-round-trip-0            functions, with the instructions in each, in order of
                                               first execution
    bench/trace.py ipc-round-trip-0 --steps    each instruction, with its function and its text
    bench/trace.py null-syscall --cmdline pti=on

The benchmark warms up, then says on the serial line that it is ready. Now QEMU is told to execute one
instruction at a time and to log each, the benchmark goes on for a few rounds, and what lies between the
readings of the time stamp counter in the last of them (the symbols mark_begin and mark_end in
bench/timed.*) is looked at. The instructions of the program are part of it, and those of the readings,
which the metric does not count (7 or 8).
"""

import argparse
import bisect
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from qemu import BUILD, Guest, GuestError, Machine  # noqa: E402

KERNEL = BUILD / "kernel.elf"
PROGRAM = BUILD / "bench/bench-init.elf"
LIMIT_S = 300

# "Trace 0: 0x7f10b40001c0 [00000000/ffffffff80201000/00c0a0b0/ff000201] "
STEP = re.compile(rb"^Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/", re.MULTILINE)
# "ffffffff80201000:\tmov    %rax,%rbx"
INSTRUCTION = re.compile(r"^ *([0-9a-f]+):\t(.+?)\s*(?:#.*)?$", re.MULTILINE)
MARK = re.compile(r"mark_(begin|end)\.")


class Code:
    """Symbols and instructions of the kernel and of the benchmark program."""

    def __init__(self) -> None:
        self.marks: dict[str, set[int]] = {"begin": set(), "end": set()}
        self.text: dict[int, str] = {}
        symbols = {}
        for path in (KERNEL, PROGRAM):
            for line in self._run("nm", "-n", path).splitlines():
                address, kind, name = line.split(maxsplit=2)
                if mark := MARK.match(name):
                    self.marks[mark[1]].add(int(address, 16))
                elif kind in "tTwW":
                    symbols[int(address, 16)] = name
            for address, text in INSTRUCTION.findall(
                    self._run("objdump", "-d", "--no-show-raw-insn", path)):
                self.text[int(address, 16)] = text
        self._addresses = sorted(symbols)
        self._names = [symbols[address] for address in self._addresses]

    @staticmethod
    def _run(*command) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def function(self, address: int) -> str:
        index = bisect.bisect_right(self._addresses, address) - 1
        return self._names[index] if index >= 0 else "?"


class Step(NamedTuple):
    """One executed instruction; `state` is QEMU's dump of the registers before it, when asked for."""

    pc: int
    state: bytes


def steps_of(log: bytes) -> list[Step]:
    found = list(STEP.finditer(log))
    ends = [match.start() for match in found[1:]] + [len(log)]
    return [Step(int(match[1], 16), log[match.end():end]) for match, end in zip(found, ends)]


def last_round(steps: list[Step], code: Code) -> list[Step]:
    """What was executed behind the last reading that begins a round, the one that ends it included."""
    end = max((i for i, step in enumerate(steps) if step.pc in code.marks["end"]), default=None)
    if end is None:
        raise GuestError("no round ended while it was traced")
    # A server's reading may be followed by the one that the program takes for itself: the first counts.
    begin = max((i for i, step in enumerate(steps[:end]) if step.pc in code.marks["begin"]),
                default=None)
    if begin is None:
        raise GuestError("no round began while it was traced")
    end = next(i for i in range(begin, len(steps)) if steps[i].pc in code.marks["end"])
    return steps[begin + 1:end + 1]


def trace(metric: str, code: Code, cmdline: str = "", registers: bool = False,
          cpus: int = 1) -> list[Step]:
    """The steps of one round of `metric`."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        machine = Machine(
            "direct", cpus=cpus, memory_mib=512, cpu="max,-erms,-la57", initrd=BUILD / "bench/initrd.tar",
            cmdline=f"console=kernel trace={metric} {cmdline}",
            extra=("-icount", "shift=0,sleep=off", "-D", str(log)))
        with Guest(machine, f"trace {metric}", LIMIT_S) as guest:
            try:
                guest.expect("trace ready")
            except GuestError:
                raise GuestError(f"{metric} cannot be traced: {guest.output()[-300:]}") from None
            guest.monitor("singlestep on")
            guest.monitor("log exec,nochain" + (",cpu" if registers else ""))
            guest.send("x")
            guest.exit_code()
        return last_round(steps_of(log.read_bytes()), code)


def print_functions(steps: list[Step], code: Code) -> None:
    counts: dict[str, int] = {}
    for step in steps:
        name = code.function(step.pc)
        counts[name] = counts.get(name, 0) + 1
    for name, count in counts.items():
        print(f"{count:8d}  {name}")
    print(f"{len(steps):8d}  in all, readings included")


def print_steps(steps: list[Step], code: Code) -> None:
    before = ""
    for step in steps:
        name = code.function(step.pc)
        print(f"{name if name != before else '':32s} {step.pc:016x}  {code.text.get(step.pc, '?')}")
        before = name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("metric", help="its exact name")
    parser.add_argument("--steps", action="store_true", help="each instruction")
    parser.add_argument("--cmdline", default="", help="more words for the kernel's command line")
    options = parser.parse_args()
    code = Code()
    steps = trace(options.metric, code, options.cmdline)
    (print_steps if options.steps else print_functions)(steps, code)


if __name__ == "__main__":
    try:
        main()
    except GuestError as problem:
        sys.exit(f"trace: {problem}")
