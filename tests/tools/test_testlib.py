# SPDX-License-Identifier: MIT
"""test_testlib.py - what a run of tests prints at its end: whoever sees only that knows what has failed."""

import io

from testlib import Result, Suite, check, run

suite = Suite("tools")


@suite.test("what has failed is named once more before the counts")
def named_again() -> None:
    inner, said = Suite("inner"), io.StringIO()

    @inner.job("three tests")
    def three():
        return [Result("good"), Result("bad", "said\n    more " + "x" * 1000), Result("worse", "nothing")]

    check(not run([inner], out=said), "it passed")
    *_, bad, worse, counts = said.getvalue().splitlines()
    check(bad.startswith("   failed: inner: bad: said more") and len(bad) < 400, bad)
    check((worse, counts) == ("   failed: inner: worse: nothing", "1 passed, 2 failed"), f"{worse}\n{counts}")
