#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py - measures in exact instruction counts; compares with targets, other kernels and the record.

    run.py                  everything, about four minutes
    run.py -k TEXT          only the benchmarks whose metrics contain TEXT, without boot and variants
    run.py --record         everything, and writes bench/results.txt and docs/figures.md
    run.py --check          boot and messages only, some seconds; fails when a metric is beyond its limit
                            or further above the record than noise explains
    run.py --peers FOLDER   everything, and the Linux benchmark in FOLDER/linux

QEMU runs with one virtual nanosecond per instruction, so that the time stamp counter counts guest
instructions: two runs of the same image give the same numbers. Where a disk is waited for they do not quite: the host
says when it is done, and so how often the guest looks (docs/performance.md). With `bench` on its command line
the kernel logs `bench-mark NAME TSC` as it reaches each milestone of the boot. The benchmark programs
(bench/*.c) print `bench NAME VALUE UNIT` for what they measured themselves. What an instruction count
hides is counted from a trace of one round (trace.py). A metric of targets.toml that was not measured is
listed as missing, and the run fails.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import disk  # noqa: E402
import linux as linux_programs  # noqa: E402
import mkfigures  # noqa: E402
import peers  # noqa: E402
import size  # noqa: E402
import trace  # noqa: E402
import traffic  # noqa: E402
from qemu import BUILD, EXIT_FAIL, EXIT_PASS, PROMPT, Guest, GuestError, Machine  # noqa: E402
from testlib import EmulatorCrash, past_crashes  # noqa: E402
from reported import MACHINES, VARIANTS, Metrics  # noqa: E402

RESULTS = ROOT / "bench/results.txt"
TARGETS = tomllib.loads((ROOT / "bench/targets.toml").read_text())
INITRD = BUILD / "bench/initrd.tar"
LIMIT_S = 120

MARK = re.compile(r"bench-mark (\S+) (\d+)")
FREE = re.compile(r"^free +(\d+) KiB", re.MULTILINE)
METRIC = re.compile(r"^\[ *\d+\.\d+\] I bench (\S+) (\d+) (\S+)\s*$", re.MULTILINE)
FAILED = re.compile(r"bench-failed (.*)")

# What no change may exceed, and what must at least be left of the 512 MiB of the machine.
AT_MOST = {"boot-kernel": 2_000_000, "boot-prompt": 8_000_000}
AT_LEAST = {"boot-free-mib": 488}  # 24 MiB are for all services and the kernel, as for memory-kib

# --check: a metric of messages may be this much above the record before it is called a regression.
TOLERANCE = 8

# Measured again on VARIANTS and MACHINES.
VARIED = ("null-syscall", "ipc-round-trip-0", "notify-wake", "yield-ping-pong", "fault-deliver",
          "fault-resume", "upcall-syscall", "upcall-fault", "irq-wake")
# Files in memory, on those too.
FILES = ("file-open-close", "file-stat", "file-read-4k", "file-write-4k", "file-create-unlink")
# Where repeated string instructions are at work, which count one per iteration.
STRINGS = ("ipc-round-trip-64", "ipc-round-trip-1024", "ipc-round-trip-4000", "mem-grant-4k", "mem-grant-1m")
GROWTH = ("capabilities", "threads", "mappings")


def measure_boot() -> Metrics:
    """From the kernel's entry to init's first instruction, and to the printed prompt; free memory."""
    with Guest(trace.counting_machine(cmdline="bench"), "bench boot", LIMIT_S) as guest:
        guest.expect(PROMPT)
        marks = {name: int(tsc) for name, tsc in MARK.findall(guest.output() + guest.command("log"))}
        disk.memory_now(guest)
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


def measure_programs(kind: str = "one-core", only: str = "", cmdline: str = "", **settings) -> Metrics:
    """What the benchmark init process reports on one kind of machine before it ends QEMU."""
    words = f"console=kernel machine={kind} {cmdline}" + (f" only={only}" if only else "")
    machine = trace.counting_machine(initrd=INITRD, cmdline=words, **settings)
    with Guest(machine, f"bench {kind} {only} {cmdline}", LIMIT_S) as guest:
        try:
            code = guest.exit_code()
        except EmulatorCrash:
            raise
        except GuestError as problem:
            print(f"MISSING: {problem}")
            code = EXIT_FAIL
        output = guest.output()
    for failure in FAILED.findall(output):
        print(f"MISSING: {failure}")
    if code not in (EXIT_PASS, EXIT_FAIL):
        raise GuestError(f"the benchmarks ended with exit code {code}; see {guest.log_path}")
    return {name: (int(value), unit) for name, value, unit in METRIC.findall(output)}


def measure_two_cores(only: str = "") -> Metrics:
    return measure_programs("two-cores", only, cpus=2)


def measure_growth(kinds: tuple[str, ...] = GROWTH) -> Metrics:
    metrics: Metrics = {}
    for kind in kinds:
        metrics |= measure_programs("large", f"growth-{kind}", memory_mib=2048)
    return metrics


def measure_variant(suffix: str, names: tuple[str, ...], **settings) -> Metrics:
    found = measure_programs(only="|".join(names), **settings)
    return {f"{name}-{suffix}": found[name] for name in names if name in found}


def measure_variants(names: tuple[str, ...] = VARIED + FILES) -> Metrics:
    metrics: Metrics = {}
    for suffix, settings in VARIANTS.items():
        metrics |= measure_variant(suffix, names, **settings)
    for suffix, settings in MACHINES.items():
        metrics |= measure_variant(suffix, names, **settings)
    return metrics


def measure_traced() -> Metrics:
    code = trace.Code()
    found = trace.costs(trace.trace("ipc-round-trip-0", code, registers=True), code)
    metrics = {f"ipc-round-trip-0-{name}": value for name, value in found.items()}
    for name in STRINGS:
        steps = trace.trace(name, code)
        metrics[f"{name}-string"] = (trace.string_iterations(steps, code), "iterations")
    return metrics


def measure_size() -> Metrics:
    return {name: (value, name.split("-")[-1]) for name, value in size.measure().items()}


def measure_everything() -> Metrics:
    return (measure_size() | measure_boot() | measure_programs() | disk.measure() | traffic.measure() | linux_programs.measure()
            | measure_two_cores() | measure_variants() | disk.measure_variants() | measure_traced() | measure_growth())


def measure_chosen(text: str) -> Metrics:
    kinds = tuple(kind for kind in GROWTH if text in f"growth-{kind}")
    metrics = measure_programs(only=text) | measure_two_cores(text) | measure_growth(kinds)
    for part in (disk, traffic, linux_programs):
        if any(text in name for name in part.METRICS):
            metrics |= part.measure(text)
    return metrics


# ---- the record ----

def recorded() -> Metrics:
    return mkfigures.results(ROOT) if RESULTS.exists() else {}


def record(lines: list[str]) -> None:
    RESULTS.write_text("# Recorded by bench/run.py --record: name, value, unit.\n"
                       + "".join(line + "\n" for line in lines))
    subprocess.run([sys.executable, str(ROOT / "tools/mkdocs.py")], check=True)


def change(now: int, before: int | None) -> str:
    if before is None:
        return "new"
    return "unchanged" if now == before else f"{now - before:+d} ({100 * (now - before) / max(before, 1):+.1f} %)"


# ---- for people ----

def ratio(other: int | None, ours: int) -> str:
    return f"{other / max(ours, 1):.1f}" if other else ""


def number(value: int | None) -> str:
    return f"{value:,}" if value is not None else ""


def print_table(metrics: Metrics, linux: dict[str, int]) -> None:
    """One row for each metric of targets.toml: ours, the target, the others and how many times ours
    they take."""
    before = recorded()
    row = "{:25s} {:>10s} {:>10s} {:8s} {:>10s} {:>6s} {:>14s} {:>7s}  {}"
    print(row.format("metric", "this", "target", "", "seL4", "ratio", "Linux", "ratio", "against the record"))
    for name, entry in TARGETS.items():
        if name not in metrics:
            continue
        value, target = metrics[name][0], entry.get("target")
        sel4, other = entry.get("sel4"), peers.figure(entry, linux)
        verdict = "" if target is None else "met" if value <= target else "NOT MET"
        print(row.format(name, number(value), number(target), verdict, number(sel4), ratio(sel4, value),
                         number(other), ratio(other, value),
                         change(value, before.get(name, (None, ""))[0])))


def print_growth(metrics: Metrics) -> None:
    operations = ("ipc", "lookup", "wake", "map")
    rows: dict[tuple[str, int], dict[str, int]] = {}
    for name, (value, _unit) in metrics.items():
        if match := re.fullmatch(r"growth-([a-z]+)-(\d+)-([a-z]+)", name):
            rows.setdefault((match[1], int(match[2])), {})[match[3]] = value
    if rows:
        print("\n{:>20s} {:>8s} {:>8s} {:>8s} {:>8s}".format("in existence", *operations))
    for (kind, count), values in rows.items():
        print("{:>20s} ".format(f"{count:,} {kind}")
              + " ".join(f"{number(values.get(operation)):>8s}" for operation in operations))


def print_rest(metrics: Metrics) -> None:
    before = recorded()
    print()
    for name, (value, unit) in metrics.items():
        if name not in TARGETS and not name.startswith("growth-"):
            print(f"{name:35s} {value:10,} {unit:12s} {change(value, before.get(name, (None, ''))[0])}")


def missing(metrics: Metrics) -> list[str]:
    return [f"{name} was not measured" for name in TARGETS if name not in metrics]


# ---- limits ----

def beyond_limits(metrics: Metrics) -> list[str]:
    values = {name: value for name, (value, _unit) in metrics.items()}
    return ([f"{name} is {values[name]}, more than {limit}"
             for name, limit in AT_MOST.items() if values[name] > limit]
            + [f"{name} is {values[name]}, less than {limit}"
               for name, limit in AT_LEAST.items() if values[name] < limit])


def beyond_record(metrics: Metrics) -> list[str]:
    before = recorded()
    return [f"{name} is {value}, {value - before[name][0]} more than recorded"
            for name, (value, _unit) in metrics.items()
            if name.startswith("ipc-") and name in before and value > before[name][0] + TOLERANCE]


def check() -> None:
    metrics = past_crashes("boot", measure_boot) | past_crashes("messages", lambda: measure_programs(only="ipc-"))
    print("\n".join(f"{name} {value} {unit}" for name, (value, unit) in metrics.items()))
    if problems := beyond_limits(metrics) + beyond_record(metrics):
        sys.exit(f"bench: {'; '.join(problems)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write bench/results.txt")
    parser.add_argument("--check", action="store_true", help="boot and messages only, against limits")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help="measure Linux too")
    parser.add_argument("-k", metavar="TEXT", help="only benchmarks whose metrics contain TEXT")
    options = parser.parse_args()
    if options.check:
        return check()
    metrics = measure_chosen(options.k) if options.k else measure_everything()
    linux = peers.measure_linux(options.peers) if options.peers else {}
    print_table(metrics, linux)
    print_rest(metrics)
    print_growth(metrics)
    lines = [f"{name} {value} {unit}" for name, (value, unit) in metrics.items()]
    print("\n" + "\n".join(lines))
    if options.record:
        record(lines)
    if not options.k and (problems := missing(metrics)):
        sys.exit(f"bench: MISSING: {'; '.join(problems)}")


try:
    main()
except GuestError as problem:
    sys.exit(f"bench: {problem}")
