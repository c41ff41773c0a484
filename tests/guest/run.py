# SPDX-License-Identifier: MIT
"""run.py - boots the guest tests on machines of several sizes and collects their lines.

A kernel boots with tests/guest as its init process, which prints "ok NAME" or "FAIL NAME: reason" for
each test through the kernel log and the counts at the end, then ends QEMU through port 0xf4. The debug
kernel checks itself meanwhile; the one that ships has the fast paths as they are, and what it costs is
shown on one core of an emulator that counts instructions (test_bounds.c). There the one that measures tells for how
many instructions it does not look at interrupts (stretches.py).
"""

import re
from collections.abc import Iterable

from qemu import BUILD, EXIT_FAIL, EXIT_PASS, Guest, Machine
from testlib import Result, Suite, WHOLE_MACHINE, check, parse_lines

from tests.guest import stretches

suite = Suite("guest")

LIMIT_S = 240


# What the kernel puts in front of a line of its log: time and level.
PREFIX = re.compile(r"^\[ *\d+\.\d+\] I ")


KERNELS = {"debug": BUILD / "debug/kernel.elf", "release": BUILD / "kernel.elf",
           "measure": BUILD / "measure/kernel.elf"}
# A nanosecond, and so a tick of the TSC, for each instruction. The real-time clock goes with the machine's time: by
# the host's it would fire hundreds of times in a millisecond of a machine that idles, which is a storm.
COUNTING = ("-icount", "shift=0,sleep=off", "-rtc", "clock=vm")
# The same with 128 nanoseconds for each: a machine on which a few interrupts take a millisecond.
COUNTING_SLOWLY = ("-icount", "shift=7,sleep=off", "-rtc", "clock=vm")


def run_on(cpus: int, kernel: str = "debug", cpu: str = "max") -> Iterable[Result]:
    name = job_name(cpus, kernel, cpu)
    machine = Machine(
        "direct", cpus=cpus, cpu=cpu, kernel=KERNELS[kernel],
        initrd=BUILD / "tests/guest-initrd.tar", cmdline="console=kernel debug-exit iommu",
        extra=("-device", "intel-iommu", "-device", "edu", *(COUNTING if kernel == "measure" else ())),
    )
    yield from results_of(machine, name)


def run_counted(name: str, words: str, counting: tuple[str, ...]) -> Iterable[Result]:
    machine = Machine(
        "direct", cpus=1, cpu="max,-erms,-la57", initrd=BUILD / "tests/guest-initrd.tar",
        cmdline=f"console=kernel debug-exit counted {words}",
        extra=("-device", "edu", *counting),
    )
    yield from results_of(machine, name)


def results_of(machine: Machine, name: str) -> Iterable[Result]:
    with Guest(machine, f"guest tests {name}", LIMIT_S) as guest:
        code = guest.exit_code()
        lines = [PREFIX.sub("", line) for line in guest.output().splitlines()]
    results = list(parse_lines(lines, f"{name}: "))
    yield from results
    if "measure" in name:
        yield from stretches.results(lines, f"{name}: ")
    if not results:
        yield Result(f"{name}: tests", "none was run: is there such a suite?")
    elif code != (EXIT_FAIL if any(result.problem for result in results) else EXIT_PASS):
        yield Result(f"{name}: exit", f"QEMU's exit code is {code}")


def job_name(cpus: int, kernel: str, cpu: str) -> str:
    return " ".join([f"{cpus} cores", kernel, *([cpu] if cpu != "max" else [])])


def jobs(into: Suite, machines: Iterable[tuple]) -> None:
    for machine in machines:
        cpus, kernel, cpu = (*machine, "max")[:3]
        into.job(job_name(cpus, kernel, cpu), WHOLE_MACHINE if cpus > 2 else 1)(
            lambda cpus=cpus, kernel=kernel, cpu=cpu: run_on(cpus, kernel, cpu))


def long_suite() -> Suite:
    """The other numbers of cores on the kernel that ships, for `make test-long`."""
    others = Suite("guest")
    jobs(others, [(1, "release"), (8, "release"), (2, "release", "qemu64")])
    return others


jobs(suite, [*((cpus, "debug") for cpus in (1, 2, 4, 8)), (2, "release"), (4, "release"),
             (2, "debug", "qemu64"), (2, "release", "max,-hypervisor"), (1, "measure")])
for name, words, counting in (("counted", "only=bounds", COUNTING), ("counted share", "only=share", COUNTING),
                              ("counted share, slow", "slow only=share", COUNTING_SLOWLY)):
    suite.job(name)(lambda name=name, words=words, counting=counting: run_counted(name, words, counting))


@suite.test("a suite that is not there is refused, also by a name that begins as another's")
def no_such_suite() -> None:
    problems = [result.problem for result in run_counted("no such suite", "only=bounds_of_nothing", COUNTING)]
    check(len(problems) == 1 and "none was run" in str(problems[0]), str(problems))
