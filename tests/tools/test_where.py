# SPDX-License-Identifier: MIT
"""test_where.py - `make where` tells file and line of an address of this build, and refuses one of another."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import where
from buildid import SHOWN, build_id
from mksymbols import read_functions
from qemu import BUILD, ROOT
from testlib import HANG_S, Suite, check, outside_make

suite = Suite("tools")


def run(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=outside_make() | settings, capture_output=True, text=True, timeout=HANG_S)


def tell(program: str, addresses: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "tools/where.py", program, addresses)


@suite.test("make where tells function, file and line, of a program by its name or its build and of the kernel")
def told() -> None:
    for name, function, source in (("user/crash", "main", "programs/crash/main.c"), ("kernel", "kmain", "kernel/main.c")):
        elf = BUILD / f"{name}.elf"
        address = next(address for address, found in read_functions(str(elf)) if found == function)
        build, short = build_id(elf).hex()[:SHOWN], name.rpartition("/")[2]
        wanted = rf"{name}\.elf, build {build}\n{address:#x}: {function} at {source}:\d+.*\n10: no code of it\n"
        whole = build_id(elf).hex()
        for program in (short, f"whatever@{build}", f"/boot/{short}#12", f"/{name}", f"{short}@{build[:7]}",
                        f"@{whole.upper()}"):
            said = tell(program, f"{address:#x},10")
            check(re.fullmatch(wanted, said.stdout), f"{program}: {said.stdout}{said.stderr}")
    said = run("make", "DEPS=no", f"BUILD={BUILD}", "where", f"PROGRAM={short}", f"ADDRESS={address:#x},10")
    check(re.fullmatch(wanted, said.stdout), f"make says: {said.stdout}{said.stderr}")


@suite.test("make where refuses with one line what it cannot tell")
def refused() -> None:
    for program, addresses, words in (("", "", "PROGRAM= is empty"), ("crash", "", "ADDRESS=: a hexadecimal number"),
                                      ("crash", "main", "ADDRESS=main: a hexadecimal number"),
                                      ("nobody", "1", "there is no such program"),
                                      ("crash@000000000000", "1", "is of this build"), ("n" * 300, "1", "File name too long")):
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


@suite.test("a file that is no program, or has lost its end, is told with one line and is not in the way of others")
def damaged() -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "user").mkdir()
        (Path(folder) / "user/text.elf").write_text("no program")
        (Path(folder) / "user/cut.elf").write_bytes((BUILD / "user/crash.elf").read_bytes()[:100])
        for program in ("text", "cut"):
            said = run(sys.executable, "tools/where.py", program, "1", BUILD=folder)
            check(said.returncode != 0 and re.fullmatch(r"where: .*cannot be read: .*\n", said.stderr), said.stderr)
        said = run(sys.executable, "tools/where.py", "crash@000000000000", "1", BUILD=folder)
        check(said.stderr.startswith("where: ") and len(said.stderr.splitlines()) == 1, said.stderr)


@suite.test("what is pasted behind make where is text, to make and to the shell")
def pasted() -> None:
    with tempfile.TemporaryDirectory() as folder:
        done = Path(folder) / "done"
        for text in (f"$(shell touch {done})", f"'; touch {done}; '", f'"; touch {done}; "', f"`touch {done}`"):
            for program, address, words in ((text, "1", "there is no such program"),
                                            ("crash", text, "a hexadecimal number")):
                said = run("make", "DEPS=no", f"BUILD={BUILD}", "where", f"PROGRAM={program}", f"ADDRESS={address}")
                check(said.returncode != 0 and words in said.stderr and not done.exists(), f"{text}: {said.stderr}")
