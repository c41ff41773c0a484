# SPDX-License-Identifier: MIT
"""test_where.py - `make where` tells file and line of an address of this build, and refuses one of another."""

import re
import subprocess
import sys

import where
from buildid import SHOWN, build_id
from mksymbols import read_functions
from qemu import BUILD, ROOT
from testlib import HANG_S, Suite, check, outside_make

suite = Suite("tools")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=outside_make(), capture_output=True, text=True, timeout=HANG_S)


def tell(program: str, addresses: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "tools/where.py", program, addresses)


@suite.test("make where tells function, file and line, of a program by its name or its build and of the kernel")
def told() -> None:
    for name, function, source in (("user/crash", "main", "programs/crash/main.c"), ("kernel", "kmain", "kernel/main.c")):
        elf = BUILD / f"{name}.elf"
        address = next(address for address, found in read_functions(str(elf)) if found == function)
        build, short = build_id(elf).hex()[:SHOWN], name.rpartition("/")[2]
        wanted = rf"{name}\.elf, build {build}\n{address:#x}: {function} at {source}:\d+.*\n10: no code of it\n"
        for program in (short, f"whatever@{build}", f"/boot/{short}#12"):
            said = tell(program, f"{address:#x},10")
            check(re.fullmatch(wanted, said.stdout), f"{program}: {said.stdout}{said.stderr}")
    said = run("make", "DEPS=no", f"BUILD={BUILD}", "where", f"PROGRAM={short}", f"ADDRESS={address:#x},10")
    check(re.fullmatch(wanted, said.stdout), f"make says: {said.stdout}{said.stderr}")


@suite.test("make where refuses with one line what it cannot tell")
def refused() -> None:
    for program, addresses, words in (("", "", "PROGRAM= is empty"), ("crash", "", "ADDRESS=: a hexadecimal number"),
                                      ("crash", "main", "ADDRESS=main: a hexadecimal number"),
                                      ("nobody", "1", "there is no such program"),
                                      ("crash@000000000000", "1", "is of this build")):
        said = tell(program, addresses)
        lines = said.stderr.splitlines()
        check(said.returncode != 0 and not said.stdout, f"{program}: {said.stdout}")
        check(len(lines) == 1 and lines[0].startswith("where: ") and words in lines[0], f"{program}: {said.stderr}")


@suite.test("of two programs with one name make where takes the one of the build that is asked for")
def by_build() -> None:
    for name in ("kernel.elf", "debug/kernel.elf"):
        found = where.find(f"kernel@{build_id(BUILD / name).hex()[:SHOWN]}")
        check(found == BUILD / name, f"{name}: {found}")
    check(where.find("debug/kernel") == BUILD / "debug/kernel.elf", "the path of one is not enough")
