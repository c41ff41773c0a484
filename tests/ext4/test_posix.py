# SPDX-License-Identifier: MIT
"""test_posix.py - the table of posix.py carried out by Linux' ext4, in an image that is mounted where this machine allows it and
else in a folder, and by the ext4 service: each command answers the same, and the same is there in the end."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testlib import HANG_S, Suite, check

from tests.ext4 import images, posix
from tests.ext4.test_ext4_service import PROGRAM

suite = Suite("posix")

CASES_MIN = 300

# What is otherwise, on purpose: the command, what Linux says, what the service says, and why.
DIFFERENT = (
    (r"ln (d|e|d/deep) .*", "EEXIST|EPERM", "EISDIR", "a directory has one name: the error says so, and comes first"),
    (r"rmdir .*/\.\.", "ENOTEMPTY", "EINVAL", "`..` is no name that can be removed, as `.` is none"),
    (r"(mkdir|symlink text) (f|lf)/", "EEXIST", "ENOTDIR", "a slash at the end names a directory, which this is not"),
    (r"(fill|append) (f|lf)/ .*", "EISDIR", "ENOTDIR", "the same; POSIX says ENOTDIR"),
    (r"(fill|append) (ln|new)/ .*", "EISDIR", "ENOENT", "the same, and there is none"),
    (r"rmdir ld/", "ENOTDIR", "ENOTEMPTY", "a slash behind a link leads to its directory, as POSIX says"),
    (r"rm ld/", "ENOTDIR", "EISDIR", "the same"),
    (r"(rmdir|rm) ln/", "ENOTDIR", "ENOENT", "the same, and it leads nowhere"),
    (r"symlink text ln/", "EEXIST", "ENOENT", "the same"),
    (r"mkdir ln/", "EEXIST", "", "the same: the directory that the link names is made"),
    (r"mv e/x e", "ENOTEMPTY", "EISDIR", "a file does not become a directory: POSIX says EISDIR"),
    (r"ln new f/new", "ENOENT", "ENOTDIR", "both are so: which is found first"),
)
# In memory besides.
DIFFERENT_IN_MEMORY = (*DIFFERENT, (r"stat .*", r"d \d+", "d 1", "a directory has its one name: what is in it is not counted"))


@contextmanager
def linux_folder(at: Path) -> Iterator[tuple[Path, str]]:
    """A folder of a file system of Linux, and which."""
    image, mounted = at / "linux.img", at / "mounted"
    images.make(image, 64, "-N", "20000")
    mounted.mkdir()
    done = subprocess.run(["mount", "-o", "loop", str(image), str(mounted)], capture_output=True, timeout=HANG_S)
    try:
        yield mounted, "a mounted ext4" if done.returncode == 0 else "a folder of this machine"
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", str(mounted)], check=True, timeout=HANG_S)


def answers_of_service(image: Path, cases: list[tuple[str, ...]]) -> list[list[str]]:
    lines = [line for number, case in enumerate(cases) for line in posix.script(number, case)]
    done = subprocess.run([str(PROGRAM), str(image)], input="\n".join([*lines, ""]).encode(), capture_output=True, timeout=HANG_S)
    check(done.returncode in (0, 3), f"the service ended with {done.returncode}: {done.stderr[-1000:]}")
    return posix.answers_of(done.stdout, cases)


def reason_of(command: str, linux: str, service: str, different: tuple) -> str | None:
    """The reason by which they may differ."""
    for text, theirs, ours, reason in different:
        if re.fullmatch(text, command) and re.fullmatch(theirs, linux) and service == ours:
            return reason
    return None


def compared(cases: list[tuple[str, ...]], wanted: list[list[str]], got: list[list[str]], different: tuple = DIFFERENT) -> set[str]:
    """The folders in which something is otherwise, each for a listed reason."""
    differing, problems = set(), []
    for number, case in enumerate(cases):
        for command, theirs, ours in zip(case, wanted[number], got[number], strict=True):
            if theirs == ours:
                continue
            differing.add(f"c{number}")
            if reason_of(command, theirs, ours, different) is None:
                problems.append(f"{case}: {command!r} answers {ours!r}, on Linux {theirs!r}")
    check(not problems, f"{len(problems)} differ:\n    " + "\n    ".join(problems[:20]))
    return differing


def same_in_the_end(found: list[str], tree: list[str], differing: set[str]) -> None:
    """What is in the folders, but for those in which something is otherwise."""
    found, tree = images.without_links(found), images.without_links(tree)
    other = [line for line in sorted(set(found) ^ set(tree)) if line.split("/")[0].split()[0] not in differing]
    check(not other, f"something else is there in the end: {other[:6]}")


@suite.test("names and files behave as Linux' ext4 says, but for what is listed with its reason")
def table() -> None:
    cases = posix.cases()
    check(len(cases) >= CASES_MIN, f"{len(cases)} cases")
    with tempfile.TemporaryDirectory(prefix="mnos-posix-") as name:
        at = Path(name)
        image = at / "image"
        images.make(image, 64, "-N", "20000")
        with linux_folder(at) as (folder, what):
            wanted = [posix.answers_of_linux(folder / f"c{number}", case) for number, case in enumerate(cases)]
            tree = [line for line in images.lines_of(folder) if line != "lost+found dir"]
        got = answers_of_service(image, cases)
        differing = compared(cases, wanted, got)
        images.must_be_clean(image)
        found = [line for line in images.lines_by_debugfs(image, at / "found") if line != "lost+found dir"]
        same_in_the_end(found, tree, differing)
        print(f"posix: {len(cases)} cases beside {what}, {len(differing)} with another answer, for a listed reason")
