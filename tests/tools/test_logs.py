# SPDX-License-Identifier: MIT
"""test_logs.py - tests that run beside each other keep each a log of its own."""

from pathlib import Path

from qemu import open_log
from testlib import Suite, check

suite = Suite("tools")


@suite.test("two sessions of one name at the same time have a log each, and one after the other the same")
def beside() -> None:
    with open_log("Log of a test!") as first, open_log("log of a test") as second:
        check(first.name != second.name, f"both write to {first.name}")
        first.write("first")
        second.write("second")
        first.flush()
        second.flush()
        check(Path(first.name).read_text(encoding="utf-8") == "first", "the first log was overwritten")
    with open_log("log of a test") as third:
        check(third.name == first.name, f"the name {first.name} was not given back")
        check(Path(third.name).read_text(encoding="utf-8") == "", "the log of an earlier session is not empty")
    for log in (first, second):
        Path(log.name).unlink()
