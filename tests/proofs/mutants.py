#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mutants.py - plants mistakes in the kernel, one at a time and in a copy, and demands that the proof that is named breaks.

    mutants.py [-j N] [NAME]...    those of tests/proofs/mutants/NAME.toml; all without a name
    mutants.py --list              how many there are, and which proofs none is for

A mistake is a table [[mutant]]: `file`, `old`, which that file has once, and `new` in its place; `proof`, which has to say that
something does not hold; `case`, if that can be told from one of the proof's listed cases alone, which is sooner tried. One that
does not compile, or on which cbmc gives up, is an error and not a success.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from prove import ROOT, Proof, all_proofs, check

LISTS = Path(__file__).resolve().parent / "mutants"
COPIED = ("abi", "kernel", "lib/base", "tests/proofs/kernel")


@dataclass
class Mutant:
    name: str
    file: str
    old: str
    new: str
    proof: str
    case: int = -1


def all_mutants() -> list[Mutant]:
    found = []
    for path in sorted(LISTS.glob("*.toml")):
        for number, table in enumerate(tomllib.loads(path.read_text())["mutant"], 1):
            found.append(Mutant(name=f"{path.stem}.{number}", **table))
    return found


def plant(mutant: Mutant, root: Path) -> None:
    for folder in COPIED:
        shutil.copytree(ROOT / folder, root / folder)
    file = root / mutant.file
    text = file.read_text()
    if text.count(mutant.old) != 1:
        raise RuntimeError(f"{mutant.file} has the old text {text.count(mutant.old)} times")
    file.write_text(text.replace(mutant.old, mutant.new))


def killed(mutant: Mutant, proofs: dict[str, Proof]) -> bool:
    try:
        with tempfile.TemporaryDirectory() as folder:
            plant(mutant, Path(folder))
            found = check(proofs[mutant.proof], Path(folder), mutant.case)
    except (RuntimeError, KeyError, OSError, subprocess.CalledProcessError) as error:
        print(f"FAIL {mutant.name}: {error}", flush=True)
        return False
    if found.held:
        print(f"FAIL {mutant.name}: survives {mutant.proof}: {mutant.new}", flush=True)
    else:
        print(f"ok   {mutant.name}: {mutant.proof}: {found.broken[0]}, {found.seconds:.1f} s", flush=True)
    return not found.held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("-j", type=int, default=os.cpu_count(), help="how many at once")
    arguments = parser.parse_args()
    mutants, proofs = all_mutants(), {proof.name: proof for proof in all_proofs()}
    without = sorted(set(proofs) - {mutant.proof for mutant in mutants})
    print(f"{len(mutants)} planted mistakes; proofs that none is for: {', '.join(without) or 'none'}")
    if arguments.list:
        sys.exit(1 if without else 0)
    chosen = [mutant for mutant in mutants
              if not arguments.names or {mutant.name, mutant.name.split(".")[0]} & set(arguments.names)]
    with ThreadPoolExecutor(arguments.j) as pool:
        results = list(pool.map(lambda mutant: killed(mutant, proofs), chosen))
    print(f"{results.count(True)} broke their proof, {results.count(False)} did not")
    sys.exit(0 if all(results) and not without else 1)


if __name__ == "__main__":
    main()
