# SPDX-License-Identifier: MIT
"""test_linux_threads.py - programs of Linux with several threads: what they print here is what they print on the host."""

from hardware import BUILD
from testlib import Suite
from tests.system.test_linux import disk, prompt, run_alike

suite = Suite("linux_threads")

PROGRAMS = {name: BUILD / "tests/linux" / name for name in ("threads", "thread_ends", "thread_calls")}


def run_on(name: str) -> None:
    for cpus in (1, 2):
        with disk(PROGRAMS[name]) as (path, _), prompt(path, f"{name} {cpus}", cpus=cpus) as guest:
            run_alike(guest, PROGRAMS[name])


@suite.test("threads lock, wait for each other and for files as on the host, on one processor and on two")
def together() -> None:
    run_on("threads")


@suite.test("threads are cancelled, get signals, fork, execute and end as on the host, on one processor and on two")
def ends() -> None:
    run_on("thread_ends")


@suite.test("words, locks, stacks, stops and copies are of threads as on the host, on one processor and on two")
def calls() -> None:
    run_on("thread_calls")
