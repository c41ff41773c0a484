# SPDX-License-Identifier: MIT
"""shares.py - each suite of `make test` once by itself: it passes, and takes no more than twice its share (tests/shares.toml). What it
takes is the processor time of all its programs, so a host that is busy with something else takes nothing from it."""

import os
import subprocess
import sys
import tomllib

from qemu import ROOT
from testlib import WHOLE_MACHINE, Suite, check

TABLE = ROOT / "tests/shares.toml"
CORES = 2  # of the machine that the shares are of
STORAGE_S, ALL_S = 9 * 60, 45 * 60
TIMES = 2


def table() -> dict[str, dict[str, int]]:
    """By area, by suite."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def shares() -> dict[str, int]:
    return {name: seconds for area in table().values() for name, seconds in area.items()}


def run_alone(name: str) -> tuple[int, float, str]:
    """Status, seconds of a machine of two cores, and what was printed."""
    child = subprocess.Popen([sys.executable, "tools/test.py", "--suite", name], cwd=ROOT, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace")
    said = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)  # with all that it has waited for itself
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, (used.ru_utime + used.ru_stime) / CORES, said


def measure(name: str, share: int) -> None:
    status, seconds, said = run_alone(name)
    print(f"   suite {name}: {seconds:.1f} s of a share of {share} s")
    bad = [line for line in said.splitlines() if not line.startswith(("ok ", "   "))]
    check(status == 0, "\n    ".join(bad[-20:]))
    check(seconds <= TIMES * share, f"it takes {seconds:.0f} s of the machine, over twice its share of {share} s")


def long_suite() -> Suite:
    suite = Suite("shares")
    for name, share in shares().items():
        suite.test(f"the suite '{name}' passes, and takes no more than twice its share", WHOLE_MACHINE)(
            lambda name=name, share=share: measure(name, share))
    return suite
