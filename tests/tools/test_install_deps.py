# SPDX-License-Identifier: MIT
"""test_install_deps.py - where packages cannot be installed, they are listed and nothing happens."""

import os
import subprocess
import tempfile
from pathlib import Path

from qemu import ROOT
from testlib import HANG_S, Suite, check

suite = Suite("tools")

SCRIPT = ROOT / "tools/install-deps.sh"
NEEDED = ("sh", "id", "cut", "tr", "sed", "dirname", "env")


def run_with(programs: dict[str, str], *groups: str) -> subprocess.CompletedProcess:
    """Runs the script where only what it may count on and the given programs exist."""
    with tempfile.TemporaryDirectory() as folder:
        for name in NEEDED:
            (Path(folder) / name).symlink_to(f"/usr/bin/{name}")
        for name, text in programs.items():
            (Path(folder) / name).unlink(missing_ok=True)
            (Path(folder) / name).write_text(f"#!/bin/sh\n{text}\n")
            (Path(folder) / name).chmod(0o755)
        return subprocess.run([SCRIPT, *groups], env={"PATH": folder}, capture_output=True, text=True,
                              timeout=HANG_S)


def must_give_up(done: subprocess.CompletedProcess, reason: str) -> None:
    check(done.returncode == 1, f"exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    check(reason in done.stderr, f"'{reason}' is not said:\n{done.stderr}")
    for package in ("gcc", "lld", "python3"):
        check(f"    {package}\n" in done.stderr, f"{package} is not listed:\n{done.stderr}")


@suite.test("another distribution gets the list of packages")
def other_distribution() -> None:
    must_give_up(run_with({}, "build"), "not a Debian system")


@suite.test("without root and sudo the packages are listed")
def no_root() -> None:
    programs = {"dpkg-query": "exit 1", "apt-get": "echo called; exit 0", "id": "echo 1000"}
    done = run_with(programs, "build")
    must_give_up(done, "not root")
    check("called" not in done.stdout, "apt-get was called")


@suite.test("a failing installation lists the packages")
def failing_apt() -> None:
    programs = {"dpkg-query": "exit 1", "apt-get": "exit 100", "id": "echo 0"}
    must_give_up(run_with(programs, "build"), "apt-get update failed")


@suite.test("what is missing is named with its reason and installed, through sudo")
def installs() -> None:
    programs = {
        "dpkg-query": "printf 'installed %s\\n' gcc libc6-dev binutils clang python3 xz-utils patch console-setup-linux perl-base",
        "apt-get": 'echo "apt-get $*"', "id": "echo 1000", "sudo": 'echo "as root"; exec "$@"',
    }
    done = run_with(programs, "build")
    check(done.returncode == 0, done.stderr)
    check("links the UEFI loader" in done.stdout, f"no reason is given:\n{done.stdout}")
    check("install --no-install-recommends lld\n" in done.stdout, f"not just lld:\n{done.stdout}")
    check("as root" in done.stdout, "sudo was not used")


@suite.test("a package that goes with a release's clang is that of this release")
def version_of_clang() -> None:
    known = "case $* in *Depends*) ;; *) exit 1 ;; esac; "
    for programs in (
        {"dpkg-query": known + "printf 'libc6, clang-77 (>= 77~)\\n'", "apt-cache": "exit 1"},
        {"dpkg-query": "exit 1", "apt-cache": "echo 'Depends: clang-77 (>= 77~)'"},
        {"dpkg-query": known + "printf 'clang-77 (>= 77~)\\n'", "apt-cache": "echo 'Depends: clang-77 (>= 77~)'"},
    ):
        done = run_with(programs | {"apt-get": 'echo "apt-get $*"', "id": "echo 0"}, "test")
        check(done.returncode == 0, done.stderr)
        check(" libclang-rt-77-dev " in done.stdout, f"not that of clang 77:\n{done.stdout}")


@suite.test("nothing is said, and apt not asked, when all is there")
def all_there() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("apt-get", "apt-cache"):
            (Path(folder) / name).write_text("#!/bin/sh\necho called >&2\nexit 1\n")
            (Path(folder) / name).chmod(0o755)
        done = subprocess.run([SCRIPT, "build", "iso", "run", "test"], text=True, capture_output=True, timeout=HANG_S,
                              env=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"})
        check(done.returncode == 0 and not done.stdout + done.stderr, done.stdout + done.stderr)
