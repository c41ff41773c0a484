# SPDX-License-Identifier: MIT
"""test_testlib.py - what a run of tests prints at its end: whoever sees only that knows what has failed; and that tests,
which run beside each other in one process, change nothing that is the process's."""

import ast
import io
import re
from collections.abc import Iterable

from qemu import ROOT
from testlib import WHOLE_MACHINE, Result, Suite, check, run

suite = Suite("tools")

# The folder that it is in, its environment, and what modules have for whoever uses them.
SHARED_CALL = re.compile(r"os\.(chdir|fchdir|umask|putenv|unsetenv|environ\.(update|pop|popitem|setdefault|clear))"
                         r"|(unittest\.)?(mock\.)?patch(\.\w+)?|random\.seed|signal\.signal|locale\.setlocale"
                         r"|socket\.setdefaulttimeout")
SHARED_PLACE = re.compile(r"os\.environ\b.*")


def changes_of_shared(source: str) -> Iterable[tuple[int, str]]:
    """Where a test changes what those beside it see, and what is written there."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and SHARED_CALL.fullmatch(ast.unparse(node.func)):
            yield node.lineno, ast.unparse(node.func)
        places = getattr(node, "targets", []) + ([node.target] if isinstance(node, ast.AugAssign) else [])
        yield from ((node.lineno, text) for text in map(ast.unparse, places) if SHARED_PLACE.fullmatch(text))


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


@suite.test("what takes the whole machine is run before all else, one behind the other")
def whole_machine_first() -> None:
    inner, begun = Suite("inner"), []
    for name, slots in (("small", 1), ("large", WHOLE_MACHINE), ("also small", 1), ("as large", WHOLE_MACHINE)):
        inner.test(name, slots)(lambda name=name: begun.append(name))
    check(run([inner], out=io.StringIO()), "it failed")
    check(len(begun) == 4 and (WHOLE_MACHINE == 1 or begun[:2] == ["large", "as large"]), f"{begun}")


@suite.test("no test changes what those that run beside it in its process share with it")
def nothing_shared() -> None:
    source = ("os.chdir(a)", "os.environ['A'] = b", "with mock.patch.object(time, 'time'): pass", "os.environ |= {}",
              "b = os.environ | {}")
    said = [what for _, what in sorted(changes_of_shared("\n".join(source)))]
    check(said == ["os.chdir", "os.environ['A']", "mock.patch.object", "os.environ"], f"found: {said}")
    for path in sorted({file for test in (ROOT / "tests").glob("*/test_*.py") for file in test.parent.glob("*.py")}):
        found = [f"{line}: {what}" for line, what in changes_of_shared(path.read_text())]
        check(not found, f"{path.relative_to(ROOT)} changes what tests share: {found}")
