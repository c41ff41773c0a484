# SPDX-License-Identifier: MIT
"""test_bench.py - the boot stays within its limits of instructions and memory, messages near the record."""

import sys

from testlib import Suite, require_success, tell_again
from qemu import ROOT

suite = Suite("bench")


@suite.test("boot and messages take no more instructions and memory than bench/run.py allows")
def within_limits() -> None:
    tell_again(require_success([sys.executable, str(ROOT / "bench/run.py"), "--check"], cwd=ROOT))
