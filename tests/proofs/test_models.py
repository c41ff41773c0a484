# SPDX-License-Identifier: MIT
"""test_models.py - model checking: no order of steps breaks a model, and each of its mutants is found out.

A model is a file NAME.pml of the model checker spin. Its header lists the mutants: names that, when
defined, leave something out that the kernel does. Were the model too weak to need it, the checker would
find no error in the mutant either, and the test fails.
"""

import re
import subprocess
import tempfile
from pathlib import Path

from testlib import Suite, check

FOLDER = Path(__file__).resolve().parent
LIMIT_S = 3600
DEPTH = 1_000_000

suite = Suite("proofs")


def run(command: list[str], folder: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S)
    check(done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}")
    return done.stdout


def errors_in(model: Path, mutant: str | None) -> int:
    """How many errors the checker finds: it stops at the first."""
    with tempfile.TemporaryDirectory() as folder:
        define = [f"-D{mutant}"] if mutant else []
        run(["spin", "-a", *define, str(model)], folder)
        run(["gcc", "-w", "-O0", "-DSAFETY", "-o", "checker", "pan.c"], folder)
        report = run(["./checker", f"-m{DEPTH}"], folder)
    check("max search depth too small" not in report, "the search was not complete")
    found = re.search(r"errors: (\d+)", report)
    check(found is not None, f"no verdict: {report}")
    return int(found[1])


def mutants_of(model: Path) -> list[str]:
    """Indented names in capitals in the header, each with a text behind it."""
    header = model.read_text().split("*/", 2)[1]
    names = re.findall(r"^ \*   ([A-Z_]+)  +\w", header, re.M)
    unused = [name for name in names if f"#ifdef {name}" not in model.read_text()
              and f"#ifndef {name}" not in model.read_text()]
    assert names and not unused, f"{model.name}: mutants {names}, not used {unused}"
    return names


def add(model: Path) -> None:
    @suite.test(f"{model.stem}: no order of steps breaks it")
    def model_holds() -> None:
        check(errors_in(model, None) == 0, "the checker finds an error")

    for mutant in mutants_of(model):
        @suite.test(f"{model.stem}: the mutant {mutant} is found out")
        def mutant_fails(mutant: str = mutant) -> None:
            check(errors_in(model, mutant) > 0, "the checker finds no error")


for path in sorted(FOLDER.glob("*.pml")):
    add(path)
