# SPDX-License-Identifier: MIT
"""patience.py - how long to wait for a machine, whatever else the host has to do.

A limit in seconds of the clock on the wall fails a good machine whose emulator does not get the
processor. Here time passes for a machine as it would on a host of its own: by the clock, less what
the emulator waited for a processor, what a hypervisor below the host took of its time, and how long
whoever waits was late himself; and not at all while it is stopped.

    patience = Patience(pid, 20)
    while not patience.is_over():
        ...wait at most patience.slice_s() for what is to happen...
"""

import os
import time
from contextlib import suppress
from pathlib import Path

# Time is counted in pieces of this length. A wait is told when it is over: most are much shorter.
SLICE_S = 0.5
# Where waits are not counted: an emulator that uses less than this share of a processor idles.
IDLE_SHARE = 0.03

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


def waits_s(threads: Path) -> dict[int, float] | None:
    """How long each thread of a folder as /proc/PID/task was ready to run while other processes ran; None where the
    kernel does not count that, and when there is none. Documentation/scheduler/sched-stats.rst of Linux: the second
    number of schedstat, in nanoseconds, behind what the thread has run."""
    waits, has_run = {}, False
    for thread in threads.glob("*/schedstat"):
        with suppress(OSError, ValueError):
            ran_ns, waited_ns = map(int, thread.read_text().split()[:2])
            waits[int(thread.parent.name)] = waited_ns / 1e9
            has_run = has_run or ran_ns > 0
    return waits if has_run else None


def host_s(statistics: Path) -> tuple[float, float]:
    """What all programs of the host have run, and how long a hypervisor ran others in their place, of /proc/stat; zeros
    where that is not told. Documentation/filesystems/proc.rst of Linux: user, nice, system, idle, iowait, irq, softirq
    and steal."""
    try:
        with statistics.open() as lines:
            user, nice, system, _, _, irq, softirq, steal = map(int, lines.readline().split()[1:9])
    except (OSError, ValueError):
        return 0.0, 0.0
    return (user + nice + system + irq + softirq) * _TICK_S, steal * _TICK_S


def stolen_s(used_s: float, before: tuple[float, float], after: tuple[float, float]) -> float:
    """What of the stolen time between two looks at the host falls to a program that has used so much meanwhile."""
    ran_s, steal_s = after[0] - before[0], after[1] - before[1]
    return used_s * steal_s / ran_s if ran_s > 0 and steal_s > 0 else 0.0


def passing_s(elapsed_s: float, used_s: float, waited_s: float | None, processors: int) -> float:
    """What passes for a machine in that much of the clock. `used_s`: the processor time of its emulator; `waited_s`:
    what its threads waited for a processor, in the host's queue or below it.

    The waits of all threads count, since while one waits the others may do no more than wait for it. Threads that
    are more than the processors wait for each other: what the emulator uses of the processors passes in any case, so
    that a machine which hangs with all its cores at work has an end as well."""
    at_work_s = min(elapsed_s, used_s / processors)
    if waited_s is None:
        return elapsed_s if used_s < elapsed_s * IDLE_SHARE else at_work_s
    return max(elapsed_s - waited_s, at_work_s)


class Patience:
    """The wait for a process: over when `limit_s` seconds have passed for it."""

    def __init__(self, pid: int, limit_s: float, cores: int = 1) -> None:
        """`cores` of the machine: one whose cores all wait for each other needs them all."""
        self.pid, self.limit_s = pid, limit_s
        self.processors = min(cores, os.cpu_count() or 1)
        self.passed_s = 0.0
        self._most_s = float("inf")
        self._used_s, self._waits_s, self._host_s, self._wall_s = self._look()

    def _look(self) -> tuple[float | None, dict[int, float] | None, tuple[float, float], float]:
        """The clock last: what waited until then has passed on it."""
        return (processor_time_s(self.pid), waits_s(Path(f"/proc/{self.pid}/task")),
                host_s(Path("/proc/stat")), time.monotonic())

    def update(self) -> float:
        """Counts what has passed since the last time; returns the sum."""
        used_s, waits, host, wall_s = self._look()
        elapsed_s = wall_s - self._wall_s
        if is_stopped(self.pid):
            pass  # no time passes for it
        elif used_s is None or self._used_s is None:
            self.passed_s += elapsed_s  # it has ended, or never was: whoever reads it sees that
        elif elapsed_s < SLICE_S / 2:
            return self.passed_s  # too short to tell
        else:
            ran_s, waited_s = used_s - self._used_s, self._waited_s(waits)
            if waited_s is not None:
                waited_s += stolen_s(ran_s, self._host_s, host)
            self.passed_s += passing_s(min(elapsed_s, self._most_s), ran_s, waited_s, self.processors)
        self._used_s, self._waits_s, self._host_s, self._wall_s = used_s, waits, host, wall_s
        self._most_s = float("inf")
        return self.passed_s

    def _waited_s(self, waits: dict[int, float] | None) -> float | None:
        """The sum of what each thread waited since the last look; threads come and go."""
        if waits is None or self._waits_s is None:
            return None
        return sum(wait_s - self._waits_s.get(thread, 0) for thread, wait_s in waits.items())

    def is_over(self) -> bool:
        return self.update() >= self.limit_s

    def slice_s(self) -> float:
        """How long to wait before asking again. Who comes back much later did not run himself, or was stopped, and has
        read nothing meanwhile: what he waits for may be there."""
        self._most_s = 2 * SLICE_S
        return max(0.01, min(SLICE_S, self.limit_s - self.passed_s))
