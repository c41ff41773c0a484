# SPDX-License-Identifier: MIT
"""test_hooks.py - what git does with the C files of a commit after `make hooks`."""

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

from qemu import ROOT
from testlib import HANG_S, Suite, check

suite = Suite("tools")

BAD, GOOD = "int  f( void );\n", "int f(void);\n"


@contextmanager
def repository() -> Iterator[tuple[Path, Callable[..., subprocess.CompletedProcess]]]:
    """One with the hook and the layout of this one, and what runs git there."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)

        def git(*words: str) -> subprocess.CompletedProcess:
            return subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words], cwd=root,
                                  capture_output=True, text=True, timeout=HANG_S)
        git("init", "-q")
        git("config", "core.hooksPath", str(ROOT / "tools/hooks"))
        shutil.copy(ROOT / ".clang-format", root)
        (root / "lib").mkdir()
        yield root, git


@suite.test("a commit's C files are laid out, and nothing else is touched")
def laid_out() -> None:
    with repository() as (root, git):
        for name in ("lib/a.c", "lib/text", "other.c"):
            (root / name).write_text(BAD)
        git("add", ".")
        done = git("commit", "-q", "-m", "a")
        check(done.returncode == 0, done.stderr)
        for name, text in (("lib/a.c", GOOD), ("lib/text", BAD), ("other.c", BAD)):
            check(git("show", f"HEAD:{name}").stdout == text == (root / name).read_text(), f"{name} is otherwise")


@suite.test("a file of which a part is in the commit is left alone, and the commit refused when that part is not laid out")
def part_of_a_file() -> None:
    with repository() as (root, git):
        for text, accepted in ((BAD, False), (GOOD, True)):
            (root / "lib/a.c").write_text(text)
            git("add", ".")
            (root / "lib/a.c").write_text(text + BAD)
            done = git("commit", "-q", "-m", "a")
            check((done.returncode == 0) == accepted, f"{text!r}: {done.stderr}")
            check(accepted or "lib/a.c is not laid out" in done.stderr, done.stderr)
            check((root / "lib/a.c").read_text() == text + BAD, "the file was changed")
