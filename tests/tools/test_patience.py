# SPDX-License-Identifier: MIT
"""test_patience.py - how time passes for an emulator that idles, that works, and that the host does not let run."""

import os
import signal
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import patience
from testlib import HANG_S, Suite, check

suite = Suite("tools")

WALL_S = 10.0
# What all programs of the host have run, and what its hypervisor took: no more between the looks.
ALONE = (100.0, 7.0)


class Told(patience.Patience):
    """The wait for an emulator on a host with two processors, of which is told what is else read."""

    def __init__(self, cores: int, *looks: tuple) -> None:
        self.looks = iter(looks)
        super().__init__(os.getpid(), 60, cores)
        self.processors = min(cores, 2)

    def _look(self) -> tuple:
        return next(self.looks)


def passed_s(used_s: float, waits_s: list[float] | None, cores: int = 1) -> float:
    """For an emulator that in ten seconds of the clock used that much of a processor, and whose threads waited that
    long for one; None: on a host that does not count it."""
    if waits_s is None:
        return Told(cores, (0.0, None, ALONE, 0.0), (used_s, None, ALONE, WALL_S)).update()
    after = {5 + at: wait_s for at, wait_s in enumerate(waits_s)}
    after[5] += 2.0  # from before; the other threads are new
    return Told(cores, (0.0, {4: 1.0, 5: 2.0}, ALONE, 0.0), (used_s, after, ALONE, WALL_S)).update()


def check_passed(what: str, used_s: float, waits_s: list[float] | None, cores: int, expected_s: float) -> None:
    got_s = passed_s(used_s, waits_s, cores)
    check(abs(got_s - expected_s) < 0.01, f"{what}: {got_s} s pass, not {expected_s}")


@suite.test("time passes for an emulator by the clock, less what its threads wait for a processor")
def passing() -> None:
    check_passed("idle", 0.1, [0.0], 1, WALL_S)
    check_passed("works a little", 0.5, [0.05, 0.05], 1, 9.9)
    check_passed("works a little beside others", 0.5, [3.0, 0.5], 1, 6.5)
    check_passed("working", 9.0, [1.0], 1, 9.0)
    check_passed("beside others", 2.0, [8.0], 1, 2.0)
    check_passed("hardly let run", 0.1, [9.9], 1, 0.1)
    check_passed("a wait that is told late", 0.1, [14.0], 1, 0.1)


@suite.test("the waits of all cores count, and time passes for cores that only wait for each other")
def cores() -> None:
    check_passed("one of two works", 10.0, [0.0, 0.0], 2, WALL_S)
    check_passed("one waits a while, the other spins", 12.0, [0.0, 4.0], 2, 6.0)
    check_passed("each waits while the other spins", 10.0, [5.0, 5.0], 2, 5.0)
    check_passed("four that spin on two processors", 20.0, [5.0] * 4, 4, WALL_S)
    check_passed("four that spin beside four others", 10.0, [7.5] * 4, 4, 5.0)


@suite.test("where waits are not counted time passes by the clock when it idles, and by what it uses when it works")
def uncounted() -> None:
    check_passed("idle", 0.1, None, 1, WALL_S)
    check_passed("works a little", 0.5, None, 1, 0.5)
    check_passed("working", 9.0, None, 1, 9.0)
    check_passed("one of two works", 10.0, None, 2, 5.0)


@suite.test("what a hypervisor below the host takes from an emulator does not pass")
def stolen() -> None:
    for used_s, ran_s, steal_s, expected_s in ((5.0, 5.0, 5.0, 5.0), (4.0, 8.0, 2.0, 9.0), (0.0, 9.0, 9.0, WALL_S),
                                               (5.0, 0.0, 5.0, WALL_S), (5.0, 5.0, -1.0, WALL_S)):
        host = ALONE[0] + ran_s, ALONE[1] + steal_s
        got_s = Told(1, (0.0, {5: 0.0}, ALONE, 0.0), (used_s, {5: 0.0}, host, WALL_S)).update()
        check(abs(got_s - expected_s) < 0.01, f"{used_s} of {ran_s} s ran and {steal_s} s stolen: {got_s} s pass")
    with TemporaryDirectory() as name:
        path = Path(name) / "stat"
        path.write_text("cpu  100 200 300 5 6 400 500 700 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")
        ran_s, steal_s = patience.host_s(path)
        check(ran_s > 0 and abs(steal_s / ran_s - 700 / 1500) < 0.001, f"{ran_s} and {steal_s} s")
        path.write_text("cpu 1 2 3\n")
        check(patience.host_s(path) == patience.host_s(path.parent / "none") == (0.0, 0.0), "what is not told")


@suite.test("no time passes while whoever was to ask again after a slice is late")
def late() -> None:
    looks = [(0.0, {5: 0.0}, ALONE, at * WALL_S) for at in range(4)]
    wait = Told(1, *looks)
    check(wait.slice_s() == patience.SLICE_S and wait.update() == 2 * patience.SLICE_S, f"{wait.passed_s} s pass")
    check(wait.update() == 2 * patience.SLICE_S + WALL_S, f"{wait.passed_s} s pass for who looks seldom")


@suite.test("what a thread waited is read where the kernel counts it, and zeros are no count")
def counted() -> None:
    with TemporaryDirectory() as name:
        threads = Path(name)
        for thread, text in ((1, "5000000 2000000000 4"), (2, "0 500000000 1")):
            (threads / str(thread)).mkdir()
            (threads / f"{thread}/schedstat").write_text(text + "\n")
        check(patience.waits_s(threads) == {1: 2.0, 2: 0.5}, f"counted: {patience.waits_s(threads)}")
        for thread in (1, 2):
            (threads / f"{thread}/schedstat").write_text("0 0 0\n")
        check(patience.waits_s(threads) is None, f"zeros: {patience.waits_s(threads)}")
        check(patience.waits_s(threads / "none") is None, "no such process")


@suite.test("no time passes for an emulator that is stopped, and it passes again when it goes on")
def stopped() -> None:
    with subprocess.Popen(["sleep", str(HANG_S)]) as process:
        try:
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            wait = patience.Patience(process.pid, 60)
            wait._wall_s -= WALL_S
            check(patience.is_stopped(process.pid) and wait.update() == 0, f"{wait.passed_s} s pass stopped")
            process.send_signal(signal.SIGCONT)
            os.waitid(os.P_PID, process.pid, os.WCONTINUED)
            wait._wall_s -= WALL_S
            check(not patience.is_stopped(process.pid) and wait.update() >= WALL_S, f"{wait.passed_s} s pass")
        finally:
            process.kill()
