#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""trace.py - shows which functions execute the instructions of one round of a metric.

    make DEPS=no kernel direct build/bench/initrd.tar
    bench/trace.py ipc-round-trip-0            functions, with the instructions in each, in order of
                                               first execution
    bench/trace.py ipc-round-trip-0 --steps    each instruction, with its function and its text
    bench/trace.py ipc-round-trip-0 --costs    writes to CR3, locked instructions, cache lines ...
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
INSTRUCTION = re.compile(r"^ *([0-9a-f]+):\t(.+?)\s*(?:# ([0-9a-f]+).*)?$", re.MULTILINE)
MARK = re.compile(r"mark_(begin|end)\.")


class Code:
    """Symbols and instructions of the kernel and of the benchmark program."""

    def __init__(self) -> None:
        self.marks: dict[str, set[int]] = {"begin": set(), "end": set()}
        self.text: dict[int, str] = {}
        self.targets: dict[int, int] = {}  # of operands relative to RIP
        symbols = {}
        for path in (KERNEL, PROGRAM):
            for line in self._run("nm", "-n", path).splitlines():
                address, kind, name = line.split(maxsplit=2)
                if mark := MARK.match(name):
                    self.marks[mark[1]].add(int(address, 16))
                elif kind in "tTwW":
                    symbols[int(address, 16)] = name
            for address, text, target in INSTRUCTION.findall(
                    self._run("objdump", "-d", "--no-show-raw-insn", path)):
                self.text[int(address, 16)] = text
                if target:
                    self.targets[int(address, 16)] = int(target, 16)
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


# A round of the benchmark of faults has a window for each of its metrics; else the last one counts.
WINDOW = {"fault-deliver": -2}


def windows(steps: list[Step], code: Code) -> list[list[Step]]:
    """What was executed behind a reading that begins, to the next that ends, which is included. A server's
    reading may be followed by one that its client takes for itself: that ends nothing."""
    found, begin = [], None
    for i, step in enumerate(steps):
        if step.pc in code.marks["begin"]:
            begin = i
        elif step.pc in code.marks["end"] and begin is not None:
            found.append(steps[begin + 1:i + 1])
            begin = None
    return found


def counting_machine(extra: tuple[str, ...] = (), **settings) -> Machine:
    """One on which the time stamp counter counts instructions."""
    settings = {"cpus": 1, "memory_mib": 512, "cpu": "max,-erms,-la57"} | settings
    return Machine("direct", extra=("-icount", "shift=0,sleep=off", "-device", "edu", *extra), **settings)


def trace(metric: str, code: Code, cmdline: str = "", registers: bool = False) -> list[Step]:
    """The steps of one round of `metric`."""
    two = metric.startswith("ipc-cross-core")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        machine = counting_machine(
            initrd=BUILD / "bench/initrd.tar", cpus=2 if two else 1, extra=("-D", str(log)),
            cmdline=f"console=kernel machine={'two-cores' if two else 'one-core'} trace={metric} {cmdline}")
        with Guest(machine, f"trace {metric}", LIMIT_S) as guest:
            try:
                guest.expect("trace ready")
            except GuestError:
                raise GuestError(f"{metric} cannot be traced: {guest.output()[-300:]}") from None
            guest.monitor("singlestep on")
            guest.monitor("log exec,nochain" + (",cpu" if registers else ""))
            guest.send("x")
            guest.exit_code()
        found = windows(steps_of(log.read_bytes()), code)
    try:
        return found[WINDOW.get(metric, -1)]
    except IndexError:
        raise GuestError(f"{metric} did not come to its end while it was traced") from None


# ---- what instructions do that costs more than an instruction on hardware ----

REGISTER = re.compile(rb"\b(R[A-Z0-9]{1,2}|CR3) *=([0-9a-f]{16})")
SEGMENT = re.compile(rb"^([FG]S) =[0-9a-f]{4} ([0-9a-f]{16})", re.MULTILINE)
# "%gs:0x10(%rax,%rcx,8)": segment, displacement, base, index, scale
OPERAND = re.compile(r"(?:%([fg]s):)?(-?0x[0-9a-f]+)?\((%\w+)?(?:,(%\w+)(?:,(\d))?)?\)"
                     r"|%([fg]s):(0x[0-9a-f]+)")
NO_ACCESS = ("lea", "nop", "prefetch", "invlpg", "clflush")
STACK = ("push", "pop", "call", "ret", "leave", "iret")
WHOLE_STATE = ("xsave", "xrstor", "fxsave", "fxrstor")
LINE_BYTES = 64
# What XSAVE writes of the features that `-cpu max` has in use: legacy area, header, AVX.
STATE_BYTES = 832
# XRSTOR of the constant initial state, which is found relative to RIP, reads MXCSR and the header.
INITIAL_STATE_BYTES = (24, 512)


def registers_of(step: Step) -> dict[str, int]:
    values = {name.decode().lower(): int(value, 16) for name, value in REGISTER.findall(step.state)}
    return values | {name.decode().lower(): int(base, 16) for name, base in SEGMENT.findall(step.state)}


def low_register(name: str) -> str:
    """The 64-bit register that `name`, of an address, is (part of)."""
    name = name.lstrip("%")
    return "r" + name[1:] if name.startswith("e") else name.rstrip("d")


def addresses(step: Step, code: Code) -> list[tuple[int, int]]:
    """Where the instruction reads or writes memory, and how many bytes at least."""
    text = code.text.get(step.pc, "")
    mnemonic = text.split()[0] if text else ""
    found = []
    registers = registers_of(step)
    if mnemonic.startswith(STACK):
        down = 8 if mnemonic.startswith(("push", "call")) else 0
        found.append((registers["rsp"] - down, 8))
    if mnemonic.startswith(NO_ACCESS):
        return found
    size = STATE_BYTES if mnemonic.startswith(WHOLE_STATE) else 32 if "%ymm" in text else 1
    for match in OPERAND.finditer(text):
        segment, offset, base, index, scale, alone, alone_offset = match.groups()
        if base == "%rip":
            target = code.targets[step.pc]
            found += ([(target + offset, 8) for offset in INITIAL_STATE_BYTES]
                      if mnemonic.startswith("xrstor") else [(target, size)])
            continue
        address = registers[alone] + int(alone_offset, 16) if alone else int(offset or "0", 16)
        address += registers[segment] if segment else 0
        address += registers[low_register(base)] if base else 0
        address += registers[low_register(index)] * int(scale or "1") if index else 0
        found.append((address & 2**64 - 1, size))
    return found


def lines_touched(steps: list[Step], code: Code) -> int:
    """Distinct cache lines of data. The same address of user mode in two processes is two."""
    lines = set()
    for step in steps:
        for address, size in addresses(step, code):
            space = 0 if address >> 63 else registers_of(step)["cr3"] & ~0x1FFF
            lines |= {(space, line) for line in range(address // LINE_BYTES,
                                                      (address + size - 1) // LINE_BYTES + 1)}
    return len(lines)


def string_iterations(steps: list[Step], code: Code) -> int:
    """Each iteration of a repeated string instruction is a step."""
    return sum(code.text.get(step.pc, "").startswith("rep") for step in steps)


def costs(steps: list[Step], code: Code) -> dict[str, tuple[int, str]]:
    """Of steps that were traced with registers."""
    texts = [code.text.get(step.pc, "") for step in steps]

    def count(pattern: str) -> int:
        return sum(re.match(pattern, text) is not None for text in texts)

    return {
        "cr3-writes": (count(r"mov +%\w+,%cr3"), "writes"),
        "msr-writes": (count(r"wrmsr"), "writes"),
        "locked": (count(r"lock |xchg .*\("), "instructions"),
        "bases": (count(r"(rd|wr)[fg]sbase"), "accesses"),
        "vector-states": (count(r"f?xsave|f?xrstor"), "instructions"),
        "data-lines": (lines_touched(steps, code), "lines"),
        "code-lines": (len({step.pc // LINE_BYTES for step in steps if step.pc >> 63}), "lines"),
    }


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
    parser.add_argument("--costs", action="store_true",
                        help="what costs more than an instruction on hardware: writes to CR3 ...")
    parser.add_argument("--cmdline", default="", help="more words for the kernel's command line")
    options = parser.parse_args()
    code = Code()
    steps = trace(options.metric, code, options.cmdline, options.costs)
    if options.costs:
        for name, (value, unit) in costs(steps, code).items():
            print(f"{options.metric}-{name} {value} {unit}")
        return
    (print_steps if options.steps else print_functions)(steps, code)


if __name__ == "__main__":
    try:
        main()
    except GuestError as problem:
        sys.exit(f"trace: {problem}")
