# SPDX-License-Identifier: MIT
"""test_stumble.py - stumble.py reads what its tests say however much it is, and leaves none behind."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from qemu import ROOT
from testlib import HANG_S, Suite, check

from tests.campaigns import stumble

suite = Suite("tools")

LINES = 50_000
# What is run in the place of the tests: says which process it is, and goes on for hours.
FOREVER = f"echo $$ >$1.new; mv $1.new $1; exec sleep {HANG_S}\n"
# Whoever is started in the background ignores SIGINT.
RUN = """
import signal, sys
from tests.campaigns import stumble
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.executable, stumble.ROOT, sys.argv = "sh", stumble.Path(sys.argv[1]), ["stumble.py", "pid"]
stumble.main()
"""


@suite.test("stumble.py runs tests that say more than a pipe holds, to their end")
def talkative() -> None:
    command = [sys.executable, "-c", f"print('a line\\n' * {LINES}, end=''); raise SystemExit(3)"]
    status, stops, said = stumble.run(command, random.Random(1))
    check((status, stops) == (3, 0) and said == "a line\n" * LINES, f"{status}, {stops} stops, {len(said)} characters")


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@suite.test("Ctrl-C at stumble.py ends what it has started as well, and so does SIGTERM")
def interrupted() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        ends_all(number)


def ends_all(number: signal.Signals) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tools").mkdir()
        (Path(folder) / "tools/test.py").write_text(FOREVER)
        file, end = Path(folder) / "pid", time.monotonic() + HANG_S
        with subprocess.Popen([sys.executable, "-c", RUN, folder], cwd=ROOT, stderr=subprocess.DEVNULL) as program:
            while not file.exists() and time.monotonic() < end:
                time.sleep(0.05)
            pid = int(file.read_text())
            program.send_signal(number)
        try:
            check(program.returncode != 0 and not runs(pid), f"{number.name}: what it ran goes on")
        finally:
            if runs(pid):
                os.kill(pid, signal.SIGKILL)
