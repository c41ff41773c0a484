#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test.py - runs the test suites and prints one line per test.

    test.py [SUITE]... [-k TEXT] [--suite NAME]
    test.py --list

The suites are build, rebuilds, unit, ext4, fat, loader, guest, game and system; all of them without an argument. With -k only
the jobs whose name contains TEXT run, with --suite only those whose lines begin with NAME; --list shows the names there
are. The last line is "N passed, N failed".
"""

import argparse
import importlib
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.dont_write_bytecode = True

import layers  # noqa: E402
import size  # noqa: E402
from qemu import BUILD, ROOT  # noqa: E402
from testlib import HANG_S, WHOLE_MACHINE, Result, Suite, outside_make, require_success, run, run_program  # noqa: E402

PYTHON = sys.executable
CLANG_FORMAT = "14"
COMPILERS = ("gcc", "clang")
EVERYTHING = ("kernel", "user", "examples", "loader", "unit", "guest", "bench-programs")


def make(*arguments: str) -> None:
    """Runs make as from a terminal, not as a part of the make that called this program; with its BUILD."""
    require_success(["make", "DEPS=no", *arguments], cwd=ROOT, env=outside_make())


def check_layout() -> Iterable[Result]:
    """Each version of clang-format has its own idea of some lines: only the one that is used can judge."""
    version = re.search(r"version (\d+)", require_success(["clang-format", "--version"]))[1]
    if version != CLANG_FORMAT:
        return [Result(f"layout was not looked at: `make format` is that of clang-format {CLANG_FORMAT}, "
                       f"and this is {version}")]
    make("format-check")
    return [Result("layout is what make format gives")]


def build_of(compiler: str) -> list[str]:
    """The settings of a build by that compiler: the one that is tested, if it is by it, and otherwise one beside it."""
    return [] if compiler == os.environ.get("CC", "gcc") else [f"CC={compiler}", f"BUILD={BUILD}/check-{compiler}"]


def compiles_everything(suite: Suite, compiler: str) -> None:
    suite.test(f"{compiler} compiles everything without a warning", WHOLE_MACHINE)(
        lambda: make(*EVERYTHING, *build_of(compiler)))


def build_suite() -> Suite:
    suite = Suite("build")
    suite.job("layout is what make format gives")(check_layout)
    suite.test("pages made from tables are up to date")(
        lambda: require_success([PYTHON, "tools/mkdocs.py", "--check"], cwd=ROOT))
    for compiler in COMPILERS:
        if build_of(compiler):
            suite.test(f"{compiler} makes a program of this machine, with its sanitizers", WHOLE_MACHINE)(
                lambda compiler=compiler: make(*build_of(compiler), f"{BUILD}/check-{compiler}/fat/service"))
        else:
            compiles_everything(suite, compiler)
        suite.test(f"{compiler} compiles each header alone", WHOLE_MACHINE)(
            lambda compiler=compiler: make("check-headers", *build_of(compiler)))

    @suite.test("the kernel is no larger than recorded")
    def small() -> None:
        make("kernel")
        size.check()

    @suite.test("each folder includes and calls only what tools/layers.toml lets it")
    def layered() -> None:
        make("kernel", "user", "examples", "loader")
        layers.check(BUILD)

    return suite


def rebuilds_suite() -> Suite:
    """What is built a second time."""
    suite = Suite("rebuilds")
    for compiler in COMPILERS:
        if build_of(compiler):
            compiles_everything(suite, compiler)
    return suite


def unit_suite() -> Suite:
    suite = Suite("unit")
    suite.job("host tests")(lambda: run_program([str(BUILD / "unit/unit-tests")], HANG_S))
    suite.job("lwIP's own tests")(lambda: run_program([str(BUILD / "unit/lwip-tests")], HANG_S))
    return suite


def loader_suite() -> Suite:
    suite = Suite("loader")
    suite.job("loader tests", WHOLE_MACHINE)(
        lambda: run_program([PYTHON, "tests/loader/test_loader.py"], HANG_S, cwd=ROOT))
    return suite


def guest_suite() -> Suite:
    return importlib.import_module("tests.guest.run").suite


def game_suite() -> Suite:
    return importlib.import_module("tests.campaigns.game").short_suite()


def suites_in(folder: str) -> list[Suite]:
    """The suites of the Python files in a folder of tests."""
    names = sorted(path.stem for path in (ROOT / "tests" / folder).glob("test_*.py"))
    return [importlib.import_module(f"tests.{folder}.{name}").suite for name in names]


SUITES = {
    "build": lambda: [build_suite(), *suites_in("tools"), *suites_in("proofs")],
    "rebuilds": lambda: [rebuilds_suite(), *suites_in("rebuilds")],
    "unit": lambda: [unit_suite()],
    "ext4": lambda: suites_in("ext4"),
    "fat": lambda: suites_in("fat"),
    "loader": lambda: [loader_suite()],
    "guest": lambda: [guest_suite()],
    "game": lambda: [game_suite()],
    "system": lambda: suites_in("system"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the test suites.")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("-k", default="", metavar="TEXT", help="only jobs whose name contains TEXT")
    parser.add_argument("--suite", metavar="NAME", help="only the part of this name")
    parser.add_argument("--list", action="store_true", help="show the names of the parts")
    options = parser.parse_args()
    unknown = set(options.suites) - set(SUITES)
    if unknown:
        parser.error(f"unknown suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    suites = [suite for name in options.suites or SUITES for suite in SUITES[name]()]
    if options.list:
        print(*sorted({suite.name for suite in suites}), sep="\n")
        return 0
    if options.suite is not None:
        suites = [suite for suite in suites if suite.name == options.suite]
    return 0 if run(suites, options.k) else 1


sys.exit(main())
