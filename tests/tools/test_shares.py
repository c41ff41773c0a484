# SPDX-License-Identifier: MIT
"""test_shares.py - the table of what each suite may take, and who measures it."""

import sys

from qemu import ROOT
from testlib import Suite, check, require_success

from tests.campaigns import shares

suite = Suite("tools")


@suite.test("each suite has its share of the time of make test, and each share its suite")
def complete() -> None:
    there = set(require_success([sys.executable, "tools/test.py", "--list"], cwd=ROOT).split("\n")) - {""}
    listed = set(shares.shares())
    check(there == listed, f"without a share: {sorted(there - listed)}; without a suite: {sorted(listed - there)}")
    areas = {area: sum(rows.values()) for area, rows in shares.table().items()}
    check(areas["storage"] <= shares.STORAGE_S and sum(areas.values()) <= shares.ALL_S, f"more than there is: {areas}")


@suite.test("a suite that takes over twice its share is found out, and so is one that fails")
def too_long() -> None:
    shares.measure("caching", 100)
    for name, share, why in (("caching", 0, "over twice its share"), ("no such suite", 100, "")):
        try:
            shares.measure(name, share)
        except AssertionError as problem:
            check(why in str(problem), f"another reason: {problem}")
        else:
            check(False, f"{name} was let through")
