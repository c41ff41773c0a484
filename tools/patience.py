# SPDX-License-Identifier: MIT
"""patience.py - how long to wait for a machine, whatever else the host has to do.

A limit in seconds of the clock on the wall fails a good machine whose emulator does not get the
processor. Here time passes for a machine as it would on a host of its own: with the processor time
that the emulator uses and, when it uses next to none because the machine is idle, with the clock.

    patience = Patience(pid, 20)
    while not patience.is_over():
        ...wait at most patience.slice_s() for what is to happen...
"""

import os
import time
from pathlib import Path

# Below this share of a processor an emulator idles. One that wants to run gets more on any host that
# still answers.
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


class Patience:
    """The wait for a process: over when `limit_s` seconds have passed for it."""

    def __init__(self, pid: int, limit_s: float, cores: int = 1) -> None:
        """`cores` of the machine: one whose cores all wait for each other needs them all."""
        self.pid, self.limit_s = pid, limit_s
        self.processors = min(cores, os.cpu_count() or 1)
        self.passed_s = 0.0
        self._wall_s = time.monotonic()
        self._used_s = processor_time_s(pid)

    def update(self) -> float:
        """Counts what has passed since the last time; returns the sum."""
        wall_s, used_s = time.monotonic(), processor_time_s(self.pid)
        elapsed_s = wall_s - self._wall_s
        if used_s is None or self._used_s is None:
            self.passed_s += elapsed_s  # it has ended, or never was: whoever reads it sees that
        elif elapsed_s >= SLICE_S / 2 or used_s > self._used_s:
            share = (used_s - self._used_s) / elapsed_s if elapsed_s > 0 else 0
            self.passed_s += elapsed_s * (1 if share < IDLE_SHARE else min(1, share / self.processors))
        else:
            return self.passed_s  # too short to tell whether it idled
        self._wall_s, self._used_s = wall_s, used_s
        return self.passed_s

    def is_over(self) -> bool:
        return self.update() >= self.limit_s

    def slice_s(self) -> float:
        """How long to wait before asking again."""
        return max(0.01, min(SLICE_S, self.limit_s - self.passed_s))

    def begin_again(self) -> None:
        self.update()
        self.passed_s = 0.0
