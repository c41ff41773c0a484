#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py - measures in exact instruction counts and compares with the recorded results.

    run.py            print the metrics, each with its change against bench/results.txt
    run.py --record   and record them there
    run.py --check    measure the boot only; fails when a metric is beyond its limit
    run.py -k TEXT    only the benchmarks whose metrics contain TEXT

QEMU runs with one virtual nanosecond per instruction, so that the time stamp counter counts guest
instructions: two runs of the same image give the same numbers. With `bench` on its command line
the kernel logs `bench-mark NAME TSC` as it reaches each milestone of the boot. A benchmark program
(bench/*.c) prints `bench NAME VALUE UNIT` for what it measured itself.
"""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from qemu import BUILD, EXIT_FAIL, EXIT_PASS, PROMPT, Guest, GuestError, Machine  # noqa: E402

RESULTS = ROOT / "bench/results.txt"
COUNTING = ("-icount", "shift=0,sleep=off")
CPU = "max,-erms,-la57"
LIMIT_S = 300

MARK = re.compile(r"bench-mark (\S+) (\d+)")
FREE = re.compile(r"^free +(\d+) KiB", re.MULTILINE)
METRIC = re.compile(r"^\[ *\d+\.\d+\] I bench (\S+) (\d+) (\S+)\s*$", re.MULTILINE)
FAILED = re.compile(r"bench-failed (.*)")

Metrics = dict[str, tuple[int, str]]

# What no change may exceed, and what must at least be left of the 512 MiB of the machine.
AT_MOST = {"boot-kernel": 2_000_000, "boot-prompt": 8_000_000}
AT_LEAST = {"boot-free-mib": 500}


def counted(**settings) -> Machine:
    return Machine("direct", cpus=1, memory_mib=512, cpu=CPU, extra=COUNTING, **settings)


def measure_boot() -> Metrics:
    """From the kernel's entry to init's first instruction, and to the printed prompt; free memory."""
    with Guest(counted(cmdline="bench"), "bench boot", LIMIT_S) as guest:
        guest.expect(PROMPT)
        marks = {name: int(tsc) for name, tsc in MARK.findall(guest.output() + guest.command("log"))}
        free = FREE.search(guest.command("mem"))
    if missing := {"kernel-entry", "init-first", "prompt"} - set(marks):
        raise GuestError(f"the kernel did not log {', '.join(sorted(missing))}")
    if not free:
        raise GuestError("the monitor did not tell how much memory is free")
    entry = marks["kernel-entry"]
    return {
        "boot-kernel": (marks["init-first"] - entry, "instructions"),
        "boot-prompt": (marks["prompt"] - entry, "instructions"),
        "boot-free-mib": (int(free[1]) // 1024, "MiB"),
    }


def measure_programs(only: str = "") -> Metrics:
    """What the benchmark init process reports before it ends QEMU."""
    choice = f" only={only}" if only else ""
    machine = counted(initrd=BUILD / "bench/initrd.tar", cmdline="console=kernel" + choice)
    with Guest(machine, "bench programs", LIMIT_S) as guest:
        code, output = guest.exit_code(), guest.output()
    for failure in FAILED.findall(output):
        print(f"MISSING: {failure}")
    if code not in (EXIT_PASS, EXIT_FAIL):
        raise GuestError(f"the benchmarks ended with exit code {code}")
    return {name: (int(value), unit) for name, value, unit in METRIC.findall(output)}


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


def beyond_limits(metrics: Metrics) -> list[str]:
    values = {name: value for name, (value, _unit) in metrics.items()}
    return ([f"{name} is {values[name]}, more than {limit}"
             for name, limit in AT_MOST.items() if values[name] > limit]
            + [f"{name} is {values[name]}, less than {limit}"
               for name, limit in AT_LEAST.items() if values[name] < limit])


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures in exact instruction counts.")
    parser.add_argument("--record", action="store_true", help="write bench/results.txt")
    parser.add_argument("--check", action="store_true", help="measure the boot, fail beyond its limits")
    parser.add_argument("-k", metavar="TEXT", help="only benchmarks whose metrics contain TEXT")
    options = parser.parse_args()
    metrics = {} if options.k else measure_boot()
    if not options.check:
        metrics |= measure_programs(options.k or "")
    before = recorded()
    for name, (value, _unit) in metrics.items():
        print(f"{name}: {change(value, before.get(name, (None, ''))[0])}")
    lines = [f"{name} {value} {unit}" for name, (value, unit) in metrics.items()]
    if options.record:
        RESULTS.write_text("# Recorded by bench/run.py --record: name, value, unit.\n"
                           + "\n".join(lines) + "\n")
    print("\n".join(lines))
    if options.check and (problems := beyond_limits(metrics)):
        sys.exit(f"bench: {'; '.join(problems)}")


try:
    main()
except GuestError as problem:
    sys.exit(f"bench: {problem}")
