# SPDX-License-Identifier: MIT
"""patience.py - how long to wait for a machine, whatever else the host has to do.

A limit in seconds of the clock on the wall fails a good machine whose emulator does not get the
processor. Here time passes for a machine as it would on a host of its own: with the processor time
that the emulator uses and, when it wants next to none because the machine is idle, with the clock.

    patience = Patience(pid, 20)
    while not patience.is_over():
        ...wait at most patience.slice_s() for what is to happen...
"""

import os
import time
from contextlib import suppress
from pathlib import Path

# Below this share of a processor, used and waited for, an emulator idles.
IDLE_SHARE = 0.03
# Time is counted in pieces of this length, so that idle and busy ones are told apart.
SLICE_S = 0.5

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def processor_time_s(pid: int) -> float | None:
    """What a process has used, of all its threads; None when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    if fields[0] in "ZX":
        return None
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def is_stopped(pid: int) -> bool:
    """Whether somebody has stopped it, or a thread of it, as a shell, a debugger or a test of busy hosts does."""
    for thread in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError, IndexError):
            if thread.read_text().rpartition(")")[2].split()[0] in "Tt":
                return True
    return False


def waited_s(pid: int) -> float:
    """How long its threads were ready to run while other processes ran; 0 where the kernel does not count that, and when it has
    ended. Documentation/scheduler/sched-stats.rst of Linux: the second number of schedstat, in nanoseconds."""
    waited_ns = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError, IndexError):
            waited_ns += int(thread.read_text().split()[1])
    return waited_ns / 1e9


class Patience:
    """The wait for a process: over when `limit_s` seconds have passed for it."""

    def __init__(self, pid: int, limit_s: float, cores: int = 1) -> None:
        """`cores` of the machine: one whose cores all wait for each other needs them all."""
        self.pid, self.limit_s = pid, limit_s
        self.processors = min(cores, os.cpu_count() or 1)
        self.passed_s = 0.0
        self._wall_s = time.monotonic()
        self._used_s, self._waited_s = processor_time_s(pid), waited_s(pid)

    def update(self) -> float:
        """Counts what has passed since the last time; returns the sum."""
        wall_s, used_s, waited = time.monotonic(), processor_time_s(self.pid), waited_s(self.pid)
        elapsed_s = wall_s - self._wall_s
        if is_stopped(self.pid):
            pass  # no time passes for it
        elif used_s is None or self._used_s is None:
            self.passed_s += elapsed_s  # it has ended, or never was: whoever reads it sees that
        elif elapsed_s >= SLICE_S / 2 or used_s > self._used_s:
            share = (used_s - self._used_s) / elapsed_s if elapsed_s > 0 else 0
            wanted = share + max(0, waited - self._waited_s) / elapsed_s if elapsed_s > 0 else 0
            self.passed_s += elapsed_s * (1 if wanted < IDLE_SHARE else min(1, share / self.processors))
        else:
            return self.passed_s  # too short to tell whether it idled
        self._wall_s, self._used_s, self._waited_s = wall_s, used_s, waited
        return self.passed_s

    def is_over(self) -> bool:
        return self.update() >= self.limit_s

    def slice_s(self) -> float:
        """How long to wait before asking again."""
        return max(0.01, min(SLICE_S, self.limit_s - self.passed_s))

    def begin_again(self) -> None:
        self.update()
        self.passed_s = 0.0
