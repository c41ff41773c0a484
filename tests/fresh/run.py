#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py - what the README promises to somebody with a bare Debian, git and make (`make test-fresh`).

    run.py [RELEASE] [--new] [--suites "SUITE..."]

A fresh clone of the commit at hand in a bare system (root.py): the README's commands are typed on a
terminal there. `make run` must install what it needs and no test library, reach the prompt and answer
`ps`; `make test` must install its tools and pass its quick suites, which build nothing twice. Prints a line
for each test; the last one is "N passed, N failed". What cannot be made is a failure that says why.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")

from root import BareRoot, CannotMake  # noqa: E402
from terminal import Terminal, TerminalError  # noqa: E402

SHELL_PROMPT = r"^bare# "
PROMPT = r"^mnos> "
CLONE = "minimalos"
# Limits, not expectations: downloads of a slow network, and a busy machine, are no failure.
SHORT_S, BUILD_S, TEST_S = 600, 3600, 7200


class Failed(Exception):
    """A promise that was not kept."""


def git(*words: str, config: Path | None = None) -> str:
    """Runs git on the repository, whoever owns it."""
    environment = os.environ | ({"GIT_CONFIG_GLOBAL": str(config)} if config else {})
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise CannotMake(f"git {words[0]}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout.strip()


def readme_is_known() -> None:
    """The first block of the README is what a new user types; it has to be what is typed here."""
    block = re.search(r"^```\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    commands = [line.split("#")[0].strip() for line in block[1].splitlines()] if block else []
    if commands != ["make run", "make test"]:
        raise Failed(f"it says {commands}; the test must follow")


def test_packages() -> set[str]:
    rows = (line.split() for line in (ROOT / "tools/packages.txt").read_text().splitlines())
    return {row[0] for row in rows if len(row) > 1 and row[1] == "test"}


class NewUser:
    """At a shell of the bare system."""

    def __init__(self, shell: Terminal, suites: str) -> None:
        self.shell, self.suites = shell, suites

    def command(self, line: str, seconds: float = SHORT_S) -> str:
        """Types a command that ends by itself and must succeed; what it printed."""
        start = self.begin(line)
        return self.end(line, start, seconds)

    def begin(self, line: str) -> int:
        self.shell.type(line + "\n")
        self.shell.expect(re.escape(line), SHORT_S)
        return self.shell.seen

    def end(self, line: str, start: int, seconds: float) -> str:
        self.shell.expect(SHELL_PROMPT, seconds)
        text = self.shell.text[start:self.shell.seen]
        self.shell.type("echo status=$?\n")
        status = self.shell.expect(r"^status=(\d+)", SHORT_S)[1]
        self.shell.expect(SHELL_PROMPT, SHORT_S)
        if status != "0":
            lines = [line.strip() for line in text.splitlines()[:-1] if line.strip()]
            raise Failed(f"{line}: status {status}: " + " | ".join(lines[-4:]))
        return text

    def clone(self, commit: str) -> None:
        self.shell.expect(SHELL_PROMPT, SHORT_S)
        self.command(f"git clone -q /srv/minimalos.git {CLONE} && cd {CLONE}")
        if commit not in self.command("git rev-parse HEAD"):
            raise Failed(f"the clone is not at {commit}")

    def run(self) -> None:
        self.started = self.begin("make run")
        self.shell.expect(r"^install-deps: these packages are missing", SHORT_S)
        self.shell.expect(PROMPT, BUILD_S)

    def ask(self) -> None:
        before = self.shell.seen
        self.shell.type("ps\r")
        self.shell.expect(PROMPT, SHORT_S)
        answer = self.shell.text[before:self.shell.seen]
        for name in ("init", "serial", "monitor"):
            if not re.search(rf"^ *\d+ {name} +alive", answer, re.MULTILINE):
                raise Failed(f"ps does not show {name}:\n{answer}")

    def leave(self) -> None:
        self.shell.type("\x01x")
        self.end("make run", self.started, SHORT_S)

    def no_test_library(self) -> None:
        asked_for = set(self.command("apt-mark showmanual").split())
        if found := sorted(asked_for & test_packages()):
            raise Failed(f"make run installed {', '.join(found)}")

    def test(self) -> None:
        text = self.command(f'make test SUITES="{self.suites}"', TEST_S)
        if "install-deps: these packages are missing" not in text:
            raise Failed("it did not say what it installs")
        counts = re.findall(r"^(\d+) passed, (\d+) failed$", text, re.MULTILINE)
        if not counts or counts[-1][1] != "0" or counts[-1][0] == "0":
            raise Failed(f"the last line is not that of passed tests: {counts}")
        print(f"   make test SUITES=\"{self.suites}\": {counts[-1][0]} passed, {counts[-1][1]} failed")

    def nothing_left(self) -> None:
        text = self.command("git status --porcelain")
        if left := [line for line in text.splitlines() if re.match(r"^(\?\?|[ MADRC]{2}) ", line)]:
            raise Failed(f"outside of build/: {', '.join(left)}")


class Report:
    """One line for each test; those after a failed one that they need fail, too."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def test(self, sentence: str, step: Callable[[], object]) -> bool:
        start = time.monotonic()
        try:
            step()
        except (Failed, TerminalError, CannotMake) as problem:
            self.failed += 1
            print(f"FAIL fresh: {sentence}: {problem}")
        else:
            self.passed += 1
            print(f"ok fresh: {sentence}")
        print(f"   {time.monotonic() - start:6.1f} s", flush=True)
        return self.failed == 0


def copy_repository(to: Path) -> str:
    """A bare copy of the repository with the commit at hand, which is what will be tried."""
    with tempfile.NamedTemporaryFile("w") as config:
        config.write("[safe]\n    directory = *\n")
        config.flush()
        if git("status", "--porcelain", config=Path(config.name)):
            print("test-fresh: the work tree has changes; only what is committed is tried")
        commit = git("rev-parse", "HEAD", config=Path(config.name))
        git("clone", "-q", "--bare", "--no-local", str(ROOT), str(to), config=Path(config.name))
    return commit


def try_in(root: BareRoot, report: Report, release: str, suites: str) -> None:
    commit = copy_repository(root.path / "srv/minimalos.git")
    print(f"   Debian {release} with git and make, {root.origin}; commit {commit[:12]}", flush=True)
    log = BUILD / f"logs/fresh-{release}.log"
    command = root.command("PS1=bare# ", "bash", "--noprofile", "--norc", "-i")
    with Terminal(command, log) as shell:
        user = NewUser(shell, suites)
        steps = (
            ("the README says make run and make test", readme_is_known),
            ("the repository is cloned", lambda: user.clone(commit)),
            ("make run says what it installs, builds and reaches the prompt", user.run),
            ("ps is answered", user.ask),
            ("Ctrl-A X ends it", user.leave),
            ("make run needs no package of the tests", user.no_test_library),
            ("make test says what it installs, and its quick suites pass", user.test),
            ("nothing is left outside of build/", user.nothing_left),
        )
        for sentence, step in steps:
            if not report.test(sentence, step):
                return


def interrupted(number: int, _frame: object) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def main() -> int:
    parser = argparse.ArgumentParser(description="Tries the README's commands on a bare Debian.")
    parser.add_argument("release", nargs="?", default="bookworm")
    parser.add_argument("--new", action="store_true", help="make the bare system anew")
    parser.add_argument("--suites", default="build unit", help="what make test runs")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    report = Report()
    try:
        with BareRoot(options.release, options.new) as root:
            try_in(root, report, options.release, options.suites)
    except CannotMake as problem:
        report.failed += 1
        print(f"FAIL fresh: no bare Debian {options.release} can be made: {problem}")
    except KeyboardInterrupt as reason:
        report.failed += 1
        print(f"FAIL fresh: interrupted {reason}")
    print(f"{report.passed} passed, {report.failed} failed", flush=True)
    return 1 if report.failed or not report.passed else 0


sys.exit(main())
