# SPDX-License-Identifier: MIT
"""testlib.py - collects tests, runs several at once and counts what they report.

A job is a function that yields one Result per test. Most jobs are one test: a function under
`@suite.test("sentence")` that raises when something is wrong. `@suite.job` is for functions that
report many tests, such as a program that prints a line for each of its own.

Jobs share `SLOTS` slots, as many as there are processors; a test of a large machine takes them all.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TextIO, TypeVar

SLOTS = os.cpu_count() or 1
WHOLE_MACHINE = SLOTS
# So often a test is begun whose emulator crashes: QEMU 7.2 does in 3 or 4 of 100 starts of some machines (docs/testing.md).
TRIES = 5
# No program of the tests takes so long on any host; one that does hangs.
HANG_S = 7200
# Of a failure that is told once more at the end.
FAILED_CHARACTERS = 300
# What a line begins with that tells why something is begun again.
AGAIN = "   again: "
T = TypeVar("T")
LAST_LINE = re.compile(r"^(\d+) passed, (\d+) failed$")


class GuestError(Exception):
    """The guest did not do what the test waits for."""


class EmulatorCrash(GuestError):
    """The emulator died of an error of its own: nothing is known of what the test asks."""


# What kills a program that goes wrong. Who ends an emulator on purpose sends SIGHUP, SIGTERM or SIGKILL.
CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT)


@dataclass(frozen=True)
class Result:
    name: str
    problem: str | None = None


@dataclass(frozen=True)
class Job:
    name: str
    run: Callable[[], Iterable[Result]]
    slots: int = 1


@dataclass
class Suite:
    name: str
    jobs: list[Job] = field(default_factory=list)

    def test(self, sentence: str, slots: int = 1):
        """Makes the function a test: it passes unless it raises."""
        def register(function: Callable[[], None]):
            def run() -> Iterable[Result]:
                function()
                return [Result(sentence)]
            self.jobs.append(Job(sentence, run, slots))
            return function
        return register

    def job(self, name: str, slots: int = 1):
        """Makes the function a job that yields results."""
        def register(function: Callable[[], Iterable[Result]]):
            self.jobs.append(Job(name, function, slots))
            return function
        return register


def check(condition: object, problem: str) -> None:
    if not condition:
        raise AssertionError(problem)


def parse_lines(lines: Iterable[str], prefix: str = "") -> Iterable[Result]:
    """Results of a program that prints "ok NAME" or "FAIL NAME: reason" and counts at the end."""
    passed = failed = 0
    for line in lines:
        line = line.strip()
        if line.startswith("ok "):
            passed += 1
            yield Result(prefix + line[3:])
        elif line.startswith("FAIL "):
            failed += 1
            name, _, reason = line[5:].rpartition(": ")
            yield Result(prefix + (name or reason), reason)
        elif counts := LAST_LINE.match(line):
            if (passed, failed) != (int(counts[1]), int(counts[2])):
                yield Result(f"{prefix}count", f"{passed} and {failed} lines, but it says {line}")
            return
    yield Result(f"{prefix}end", "ended without its last line")


def tell_again(said: str, out: TextIO | None = None) -> None:
    """Passes on what past_crashes() of another program has told."""
    for line in said.splitlines():
        if line.startswith(AGAIN):
            print(line, file=out, flush=True)


def run_program(command: list[str], limit_s: float, out: TextIO | None = None, **options) -> Iterable[Result]:
    """Runs a program that reports as parse_lines() reads it; shows the rest when something fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=limit_s, **options)
    results = list(parse_lines(done.stdout.splitlines()))
    bad = any(result.problem for result in results)
    if bad or done.returncode != 0:
        for line in done.stdout.splitlines():
            if not line.startswith("ok "):
                print(f"    {line}", file=out, flush=True)
    else:
        tell_again(done.stdout, out)
    if done.returncode != 0 and not bad:
        results.append(Result(command[0], f"exit code {done.returncode}"))
    return results


def outside_make(*dropped: str) -> dict[str, str]:
    """The environment without what the make that runs the tests has put there, for a make as from a terminal: it says no more,
    and uses all cores; and without the variables that are dropped."""
    without = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", *dropped)
    return {name: value for name, value in os.environ.items() if name not in without}


def require_success(command: list[str], limit_s: float = HANG_S, **options) -> str:
    """Runs a command that must succeed; returns its output."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=limit_s, **options)
    if done.returncode != 0:
        said = [line for line in done.stdout.splitlines() if not line.startswith("  ")]
        raise AssertionError("\n    ".join([" ".join(command) + ":", *said[-20:]]))
    return done.stdout


class _Slots:
    """Counts free slots; a waiting large job is not overtaken for ever, since jobs come in order."""

    def __init__(self, count: int) -> None:
        self.free = count
        self.changed = threading.Condition()

    def take(self, count: int) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.free >= count)
            self.free -= count

    def give(self, count: int) -> None:
        with self.changed:
            self.free += count
            self.changed.notify_all()


def past_crashes(name: str, work: Callable[[], T], out: TextIO | None = None) -> T:
    """What the work returns. An emulator that crashed has said nothing: the work is begun again, and that is told."""
    for tries_left in reversed(range(TRIES)):
        try:
            return work()
        except EmulatorCrash as crash:
            if tries_left == 0:
                raise GuestError(f"{TRIES} times: {crash}") from None
            print(f"{AGAIN}{name}: {crash}", file=out, flush=True)
    raise AssertionError("the last try returns")


def _results_of(job: Job, out: TextIO | None) -> list[Result]:
    """What the job says."""
    try:
        return past_crashes(job.name, lambda: list(job.run()), out)
    except subprocess.TimeoutExpired as problem:
        return [Result(job.name, f"took longer than {problem.timeout:.0f} s")]
    except AssertionError as problem:
        return [Result(job.name, str(problem) or "check failed")]
    except Exception as problem:  # a broken test must not hide the others
        if not isinstance(problem, GuestError):
            traceback.print_exc()
        return [Result(job.name, f"{type(problem).__name__}: {problem}")]


def run(suites: Iterable[Suite], wanted: str = "", out: TextIO | None = None) -> bool:
    """Runs the jobs whose name contains `wanted`; prints each result and, last, what failed and the counts, to `out` or
    as usual."""
    slots, printing = _Slots(SLOTS), threading.Lock()
    counts = {True: 0, False: 0}
    failed: list[str] = []
    spent: dict[str, float] = {}

    def run_job(suite: Suite, job: Job) -> None:
        start = time.monotonic()
        try:
            results = _results_of(job, out)
        finally:
            slots.give(job.slots)
        seconds = time.monotonic() - start
        with printing:
            spent[suite.name] = spent.get(suite.name, 0) + seconds * min(job.slots, SLOTS) / SLOTS
            for result in results:
                counts[result.problem is None] += 1
                if result.problem is None:
                    print(f"ok {suite.name}: {result.name}", file=out)
                else:
                    print(f"FAIL {suite.name}: {result.name}: {result.problem}", file=out)
                    failed.append(f"{suite.name}: {result.name}: {result.problem}")
            print(f"   {seconds:6.1f} s  {suite.name}: {job.name}", file=out, flush=True)

    # Those that take the whole machine first: before each of them slots are empty until the jobs in the others have ended.
    jobs = sorted(((suite, job) for suite in suites for job in suite.jobs if wanted in job.name), key=lambda pair: -pair[1].slots)
    with ThreadPoolExecutor(SLOTS) as pool:
        for suite, job in jobs:
            slots.take(min(job.slots, SLOTS))
            pool.submit(run_job, suite, job)
    sys.stderr.flush()
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"   {seconds:6.1f} s of the machine  {name}", file=out)
    for line in failed:  # once more, where who reads only the end of a long output sees it
        print(f"   failed: {textwrap.shorten(line, FAILED_CHARACTERS)}", file=out)
    print(f"{counts[True]} passed, {counts[False]} failed", file=out, flush=True)
    return counts[False] == 0 and counts[True] > 0
