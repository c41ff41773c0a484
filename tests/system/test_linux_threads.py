# SPDX-License-Identifier: MIT
"""test_linux_threads.py - programs of Linux with several threads: what they print here is what they print on the host."""

from hardware import BUILD
from testlib import Suite, check
from tests.system.test_linux import disk, prompt, run, run_alike

suite = Suite("linux_threads")

PROGRAMS = {name: BUILD / "tests/linux" / name for name in ("threads", "thread_ends", "thread_calls")}
CLONE3 = BUILD / "tests/linux/clone3"

# What Linux answers: containers in which tests run may be without the call.
CLONED = """a signal in the flags: -22
no signal: -22
flags that are none: -22
a thread alone: -22
a thread with a signal: -22
a detached thread: -22
handlers that are cleared together: -22
a stack of no size: -22
a size of no stack: -22
a stack that wraps: -22
more ids than there can be: -22
no ids: -22
ids of nowhere: -22
too little: -22
too much: -7
more than is known: -7
from nowhere: -14
a process: 15
with the oldest arguments: 15
with arguments that are not known: 15
with handlers that are cleared: 14
its parent has them: 7
a thread: 7
a process beside a thread: 15
"""


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


@suite.test("clone3 makes processes and threads, and refuses what Linux refuses")
def clone3() -> None:
    with disk(CLONE3) as (path, _), prompt(path, "clone3") as guest:
        output, code = run(guest, "run clone3")
        wrong = [f"here {a!r}, Linux {b!r}" for a, b in zip(output.splitlines(), CLONED.splitlines()) if a != b]
        check((output, code) == (CLONED, 0), f"{code}: " + ("\n".join(wrong) or output))
