# SPDX-License-Identifier: MIT
"""test_threats.py - each line of defence in docs/threat-model.md names tests, and these exist."""

import re
from functools import cache

from qemu import ROOT
from testlib import Suite, check

suite = Suite("tools")

PAGE = ROOT / "docs/threat-model.md"
HEADER = "| it tries | what stops it | tests |"
IN_C = re.compile(r"`(\w+)\.(\w+)`")
IN_PYTHON = re.compile(r"`(test_\w+\.py)` \"([^\"]+)\"")
MODEL, FUZZER = re.compile(r"`(\w+\.pml)`"), re.compile(r"`fuzz (\w+)`")
ENDINGS = ("py", "pml")


@cache
def tests_in_c() -> frozenset[tuple[str, str]]:
    return frozenset(found for folder in ("unit", "guest") for path in (ROOT / "tests" / folder).glob("*.[ch]")
                     for found in re.findall(r"^TEST\((\w+), (\w+)\)", path.read_text(encoding="utf-8"), re.M))


def rows(text: str) -> list[str]:
    """Last columns of the tables of attackers."""
    found, inside = [], False
    for line in text.splitlines():
        inside = line == HEADER or inside and line.startswith("|")
        if inside and line != HEADER and not line.startswith("| ---"):
            found.append(line.strip("| ").split(" | ")[-1])
    return found


def wrong_in(row: str) -> list[str]:
    in_c = [pair for pair in IN_C.findall(row) if pair[1] not in ENDINGS]
    in_python, models, fuzzers = IN_PYTHON.findall(row), MODEL.findall(row), FUZZER.findall(row)
    wrong = [] if in_c or in_python or models or fuzzers else [f"no test: {row}"]
    wrong += [f"{name}.{test}" for name, test in in_c if (name, test) not in tests_in_c()]
    for name, sentence in in_python:
        files = list((ROOT / "tests").rglob(name))
        if not any(f'"{sentence}"' in path.read_text(encoding="utf-8") for path in files):
            wrong.append(f"{name} \"{sentence}\"")
    wrong += [name for name in models if not (ROOT / "tests/proofs" / name).exists()]
    return wrong + [f"fuzz {name}" for name in fuzzers if not (ROOT / f"tests/fuzz/{name}.c").exists()]


@suite.test("each defence that the threat model names is held by tests that exist")
def held() -> None:
    found = rows(PAGE.read_text(encoding="utf-8"))
    check(len(found) > 40, f"only {len(found)} rows were found")
    wrong = [text for row in found for text in wrong_in(row)]
    check(not wrong, "there is no " + "; no ".join(wrong))


@suite.test("a defence without a test, or with one that is gone, is found out")
def found_out() -> None:
    page = f"{HEADER}\n| --- | --- | --- |\n| a | b | `revoke.nothing` |\n| a | b | `test_init.py` \"nothing\" |\n| a | b | |\n" \
           "| a | b | `none.pml`, `fuzz none` |\n\n| a | b | `revoke.other` |\n"
    wrong = [text for row in rows(page) for text in wrong_in(row)]
    check(len(wrong) == 5, f"found were only: {wrong}")
