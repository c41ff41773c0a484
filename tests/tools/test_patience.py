# SPDX-License-Identifier: MIT
"""test_patience.py - how time passes for an emulator that idles, that works, and that the host does not let run."""

import os
import signal
import subprocess
from unittest import mock

import patience
from testlib import HANG_S, Suite, check

suite = Suite("tools")

WALL_S = 10.0


def passed_s(used_s: float, waited_s: float) -> float:
    """For an emulator that in ten seconds of the clock used that much of a processor, and waited that long for one."""
    with mock.patch.object(patience, "processor_time_s", side_effect=[0.0, used_s]), \
            mock.patch.object(patience, "waited_s", side_effect=[0.0, waited_s]), \
            mock.patch.object(patience.time, "monotonic", side_effect=[0.0, WALL_S]), \
            mock.patch.object(patience, "is_stopped", return_value=False):
        return patience.Patience(1, 60).update()


@suite.test("time passes for an emulator by the clock when it idles, and by what it uses when it works or cannot run")
def passing() -> None:
    for what, used_s, waited_s, expected_s in (("idle", 0.1, 0.05, WALL_S), ("working", 9.0, 0.5, 9.0),
                                               ("beside others", 2.0, 7.0, 2.0), ("hardly let run", 0.1, 9.0, 0.1)):
        got_s = passed_s(used_s, waited_s)
        check(abs(got_s - expected_s) < 0.01, f"{what}: {got_s} s pass, not {expected_s}")


@suite.test("no time passes for an emulator that is stopped, and it passes again when it goes on")
def stopped() -> None:
    with subprocess.Popen(["sleep", str(HANG_S)]) as process:
        try:
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            wait = patience.Patience(process.pid, 60)
            wait._wall_s -= WALL_S
            check(patience.is_stopped(process.pid) and wait.update() == 0, f"{wait.passed_s} s pass while it is stopped")
            process.send_signal(signal.SIGCONT)
            os.waitid(os.P_PID, process.pid, os.WCONTINUED)
            wait._wall_s -= WALL_S
            check(not patience.is_stopped(process.pid) and wait.update() >= WALL_S, f"{wait.passed_s} s pass when it goes on")
        finally:
            process.kill()
