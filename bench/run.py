#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py - measures in exact instruction counts and compares with the recorded results.

    run.py            print the metrics, each with its change against bench/results.txt
    run.py --record   and record them there

QEMU runs with one virtual nanosecond per instruction, so that the time stamp counter counts guest
instructions: two runs of the same image give the same numbers. With `bench` on its command line
the kernel logs `bench-mark NAME TSC` as it reaches each milestone of the boot. A benchmark program
(bench/*.c) prints `bench NAME VALUE UNIT` for what it measured itself.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from qemu import BUILD, PROMPT, Guest, GuestError, Machine  # noqa: E402

RESULTS = ROOT / "bench/results.txt"
COUNTING = ("-icount", "shift=0,sleep=off")
CPU = "max,-erms,-la57"
LIMIT_S = 300

MARK = re.compile(r"bench-mark (\S+) (\d+)")
METRIC = re.compile(r"^bench (\S+) (\d+) (\S+)\s*$", re.MULTILINE)

Metrics = dict[str, tuple[int, str]]


def counted(**settings) -> Machine:
    return Machine("direct", cpus=1, memory_mib=512, cpu=CPU, extra=COUNTING, **settings)


def measure_boot() -> Metrics:
    """From the kernel's entry to init's first instruction, and to the printed prompt."""
    with Guest(counted(cmdline="bench"), "bench boot", LIMIT_S) as guest:
        guest.expect(PROMPT)
        marks = {name: int(tsc) for name, tsc in MARK.findall(guest.output() + guest.command("log"))}
    if missing := {"kernel-entry", "init-first", "prompt"} - set(marks):
        raise GuestError(f"the kernel did not log {', '.join(sorted(missing))}")
    entry = marks["kernel-entry"]
    return {
        "boot-kernel": (marks["init-first"] - entry, "instructions"),
        "boot-prompt": (marks["prompt"] - entry, "instructions"),
    }


def measure_programs() -> Metrics:
    """What the benchmark init process reports before it ends QEMU."""
    initrd = BUILD / "bench/initrd.tar"
    if not initrd.exists():
        return {}
    with Guest(counted(initrd=initrd, cmdline="bench"), "bench programs", LIMIT_S) as guest:
        guest.exit_code()
        return {name: (int(value), unit) for name, value, unit in METRIC.findall(guest.output())}


def recorded() -> Metrics:
    if not RESULTS.exists():
        return {}
    rows = (line.split() for line in RESULTS.read_text().splitlines() if not line.startswith("#"))
    return {name: (int(value), unit) for name, value, unit in rows}


def change(now: int, before: int | None) -> str:
    if before is None:
        return "not recorded before"
    if now == before:
        return "unchanged"
    return f"{now - before:+d} ({100 * (now - before) / max(before, 1):+.2f} %) against {before}"


def main(arguments: list[str]) -> None:
    if arguments not in ([], ["--record"]):
        sys.exit(__doc__)
    metrics = measure_boot() | measure_programs()
    before = recorded()
    for name, (value, _unit) in metrics.items():
        print(f"{name}: {change(value, before.get(name, (None, ''))[0])}")
    lines = [f"{name} {value} {unit}" for name, (value, unit) in metrics.items()]
    if arguments:
        RESULTS.write_text("# Recorded by bench/run.py --record: name, value, unit.\n"
                           + "\n".join(lines) + "\n")
    print("\n".join(lines))


try:
    main(sys.argv[1:])
except GuestError as problem:
    sys.exit(f"bench: {problem}")
