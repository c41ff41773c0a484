# SPDX-License-Identifier: MIT
"""stumble.py - runs tests on a host that is busy at the worst moments.

    python3 tests/campaigns/stumble.py [--seed N] [--times N] TEST.PY-ARGUMENTS

While tools/test.py runs what is named, its emulators, one thread of an emulator (a processor of the guest, while the others
go on) and the test itself are stopped at random moments, for up to five seconds each. No verdict may depend on it. What fails is
printed with the seed; the moments are drawn from it, but what runs at them is not repeatable. It needs Linux on x86-64 and
the right to trace (ptrace) what it starts. Only what it started itself is stopped.
"""

import argparse
import ctypes
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAUSE_MAX_S = 5.0
# Between two pauses the guest goes on for so long.
BETWEEN_S = (0.02, 1.5)
EMULATOR = "qemu-system"
SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17  # sys/ptrace.h
WALL = 0x40000000  # sys/wait.h: threads as well

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def children(pid: int) -> list[int]:
    """All processes below one."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *children(child)]
    return found


def name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def stop_process(pid: int, pause_s: float) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(pause_s)
        finally:
            os.kill(pid, signal.SIGCONT)


def stop_thread(thread: int, pause_s: float) -> None:
    """Stops one thread, while those beside it run."""
    if libc.ptrace(SEIZE, thread, None, None) != 0:
        return  # it has ended
    status = ctypes.c_int()
    libc.ptrace(INTERRUPT, thread, None, None)
    try:
        if libc.waitpid(thread, ctypes.byref(status), WALL) == thread:
            time.sleep(pause_s)
    finally:
        detach(thread)


def detach(thread: int) -> None:
    status = ctypes.c_int()
    if libc.ptrace(DETACH, thread, None, None) != 0:
        libc.waitpid(thread, ctypes.byref(status), WALL)  # it was killed meanwhile; until then its process has not ended


def stumble(test: subprocess.Popen, draw: random.Random) -> int:
    """Stops something now and then until the test has ended; how often."""
    stops = 0
    while test.poll() is None:
        time.sleep(draw.uniform(*BETWEEN_S))
        pause_s = min(PAUSE_MAX_S, draw.expovariate(1.0))
        emulators = [pid for pid in children(test.pid) if name(pid).startswith(EMULATOR)]
        if not emulators:
            continue
        pid, way = draw.choice(emulators), draw.randrange(5)
        if way < 2:
            stop_process(pid, pause_s)
        elif way == 2:
            stop_process(test.pid, pause_s)
        else:
            with suppress(OSError, IndexError):
                stop_thread(draw.choice([int(path.name) for path in Path(f"/proc/{pid}/task").iterdir()]), pause_s)
        stops += 1
    return stops


def run(command: list[str], draw: random.Random) -> tuple[int, int, str]:
    """Status, how often something was stopped, and what was said: into a file, as nobody reads it before the end. It ends with
    this program, whose Ctrl-C it does not get."""
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        test = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            stops = stumble(test, draw)
        finally:
            if test.poll() is None:
                os.killpg(test.pid, signal.SIGTERM)
                test.wait()
        said.seek(0)
        return test.returncode, stops, said.read()


def terminated(_number: int, _frame: object) -> None:
    """As Ctrl-C: what was stopped goes on, and what was started ends."""
    raise KeyboardInterrupt


def main() -> int:
    signal.signal(signal.SIGTERM, terminated)
    parser = argparse.ArgumentParser(description="Runs tests on a host that is busy at the worst moments.")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--times", type=int, default=1, help="how often")
    options, arguments = parser.parse_known_args()
    failed = 0
    for seed in range(options.seed, options.seed + options.times):
        status, stops, said = run([sys.executable, "tools/test.py", *arguments], random.Random(seed))
        failed += status != 0
        print(f"seed {seed}, {stops} stops: {said.splitlines()[-1] if said else 'nothing said'}")
        if status != 0:
            print(said)
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
