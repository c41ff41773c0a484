#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""where.py - file and line of addresses of a fault or a panic, from the debug information of the build.

    where.py PROGRAM ADDRESS[,ADDRESS...]

PROGRAM is what the words of a fault say: a file's name and, behind an @, the first digits of its build ID, by which it is
found among all programs of the build. The name of a program alone, `kernel` and `debug/kernel` will do, too; then whether the
address is of that build is for the reader to know, and the build is shown.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from buildid import SHOWN, NoBuildId, build_id
from hardware import BUILD

FOLDERS = ("with", "user", "examples", "tests/services", ".", "debug")


class Problem(Exception):
    """What is asked and cannot be told; the text is the one line for the user."""


def candidates() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((BUILD / folder).glob("*.elf"))]


def whole_id(path: Path) -> str:
    try:
        return build_id(path).hex()
    except (NoBuildId, OSError):
        return ""


def find(program: str) -> Path:
    """The file with the symbols of a program."""
    name, _, build = program.partition("@")
    if not name and not build:
        raise Problem("PROGRAM= is empty: what is in front of the address, as in "
                      "make where PROGRAM=crash ADDRESS=0x4000d7")
    exact, stem = BUILD / f"{name.lstrip('/')}.elf", name.rpartition("/")[2].partition("#")[0]
    if not build and exact.is_file():
        return exact
    found = next((path for path in candidates()
                  if (whole_id(path).startswith(build.lower()) if build else path.stem == stem)), None)
    if found:
        return found
    if build:
        raise Problem(f"PROGRAM={program}: nothing in {BUILD} is of this build; it was made of other sources or settings")
    raise Problem(f"PROGRAM={program}: there is no such program in {BUILD}; `services` shows the file of a service")


def places(path: Path, addresses: list[str]) -> list[str]:
    """A line for each address, and one for each function that was compiled into another there."""
    tool = os.environ.get("CROSS_COMPILE", "") + "addr2line"
    lines = []
    for address in addresses:
        if not re.fullmatch(r"(0x)?[0-9a-fA-F]{1,16}", address):
            raise Problem(f"ADDRESS={address}: a hexadecimal number, or several with commas between them")
        done = subprocess.run([tool, "-fip", "-e", path, address], capture_output=True, text=True)
        if done.returncode != 0:
            raise Problem(f"{path} cannot be read: {(done.stderr.splitlines() or ['no reason is told'])[0]}")
        said = re.sub(r" at (?:\./)?", " at ", done.stdout.rstrip("\n"))
        lines.append(f"{address}: " + ("no code of it" if said.startswith("??") else said))
    return lines


def main(arguments: list[str]) -> None:
    if len(arguments) != 2:
        sys.exit(__doc__)
    program, addresses = arguments
    try:
        path = find(program)
        lines = places(path, [word for word in re.split(r"[,\s]+", addresses) if word] or [""])
    except Problem as problem:
        sys.exit(f"where: {problem}")
    except FileNotFoundError as problem:
        sys.exit(f"where: there is no {problem.filename} (Debian's package binutils)")
    except OSError as problem:  # a name that cannot be one of a file
        sys.exit(f"where: PROGRAM={program}: {problem.strerror}")
    print(f"{os.path.relpath(path, BUILD)}, build {whole_id(path)[:SHOWN]}", *lines, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
