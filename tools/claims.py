#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""claims.py - checks that the guest tests try every error that the documentation promises.

    claims.py ELF STAMP

Compares the claims in a test program (tests/guest/claim.h) with abi/syscalls.toml: every error of
every call, for every argument that it names, and every right needed of every argument must be
claimed, or be listed with a reason in tests/guest/unclaimed.toml; a claim must be of a documented
error. Creates STAMP when all is well. docs/testing.md.
"""

from __future__ import annotations

import re
import struct
import sys
import tomllib
from pathlib import Path

import mkdocs
from mkdocs import ROOT, Problem

UNCLAIMED = "tests/guest/unclaimed.toml"
# Of struct guest_claim: call, error, number, status, argument, detail.
CLAIM = struct.Struct("<24s24sIIII")
# Of struct handle_case: number, argument, type, rights, zero_allowed; then the registers.
CASE = struct.Struct("<QIII?3x64x")

Cell = tuple[str, str, int]  # call; error, or error and right; argument, 0: none in particular


# ---- what is promised ----

def argument_numbers(call: mkdocs.Call) -> dict[str, int]:
    """Numbers of the arguments that rights can be needed of."""
    if call.is_ipc:
        return {"RDI": 1, "RSI": 2, "R13": 8}
    return {name: i for i, (_, name) in enumerate(call.arguments, 1)}


def promised(calls: list[mkdocs.Call], texts: dict) -> set[Cell]:
    cells = set()
    right_names = {fields[1] for fields in mkdocs.read_rights()}
    for call in calls:
        text, numbers = texts[call.name], argument_numbers(call)
        for error, said in text["errors"].items():
            cells |= {(call.name, error, n) for n in mkdocs.arguments_at_fault(call.name, said)}
        for argument, said in text["rights"].items():
            for clause in said.split("; "):
                number = 0 if clause.startswith("each capability") else numbers[argument]
                cells |= {(call.name, f"ERR_RIGHTS {right}", number)
                          for right in right_names & set(re.findall(r"\b[A-Z]+\b", clause))}
    return cells


# ---- what is claimed ----

def sections(path: Path) -> dict[str, bytes]:
    data = path.read_bytes()
    start, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", data, start + i * size) for i in range(count)]
    texts = headers[names][4]
    return {data[texts + h[0]:data.index(b"\0", texts + h[0])].decode(): data[h[4]:h[4] + h[5]]
            for h in headers}


def records(found: dict[str, bytes], name: str, layout: struct.Struct) -> list[tuple]:
    data = found.get(name, b"")
    if not data or len(data) % layout.size != 0:
        raise Problem(f"section {name} is {len(data)} bytes, not a multiple of {layout.size}; "
                      "tools/claims.py and tests/guest/claim.h differ")
    return list(layout.iter_unpack(data))


def claimed(path: Path, calls: list[mkdocs.Call]) -> set[Cell]:
    names = {call.number: call.name for call in calls}
    bits = {1 << int(fields[0]): fields[1] for fields in mkdocs.read_rights()}
    found, cells = sections(path), set()

    def add(call: str, error: str, argument: int, rights: int = 0) -> None:
        cells.add((call, error, argument))
        cells.update((call, f"{error} {name}", argument) for bit, name in bits.items() if rights & bit)

    for call, error, _, _, argument, detail in records(found, "guest_claims", CLAIM):
        error = error.rstrip(b"\0").decode()
        add(call.rstrip(b"\0").decode(), error, argument, detail if error == "ERR_RIGHTS" else 0)
    for number, argument, type_, rights, _ in records(found, "guest_cases", CASE):
        add(names[number], "ERR_HANDLE", argument)
        if type_ != 0:
            add(names[number], "ERR_TYPE", argument)
        if rights != 0:
            add(names[number], "ERR_RIGHTS", argument, rights)
    return cells


# ---- the comparison ----

def describe(cell: Cell) -> str:
    call, error, argument = cell
    return f"{call} {error} {argument}"


def compare(wanted: set[Cell], has: set[Cell], unclaimed: dict[str, str]) -> list[str]:
    listed = {describe(cell) for cell in wanted - has}
    problems = [f"{name}: abi/syscalls.toml promises it and no test claims it"
                for name in sorted(listed - set(unclaimed))]
    problems += [f"{name}: {UNCLAIMED} lists it, but it is claimed or not promised; take it out"
                 for name in sorted(set(unclaimed) - listed)]
    # A right that is missing may be told beyond those that the text names.
    surplus = {cell for cell in has - wanted if " " not in cell[1]}
    problems += [f"{describe(cell)}: a test claims it, but abi/syscalls.toml does not promise it"
                 for cell in sorted(surplus)]
    return problems


def main(elf: str, stamp: str) -> int:
    try:
        calls, texts = mkdocs.read_calls(), mkdocs.read_texts()
        unclaimed = tomllib.loads((ROOT / UNCLAIMED).read_text())
        problems = compare(promised(calls, texts), claimed(Path(elf), calls), unclaimed)
    except Problem as problem:
        problems = [str(problem)]
    for problem in problems:
        print(f"claims: {problem}", file=sys.stderr)
    if problems:
        print("claims: each line is CALL ERROR [RIGHT] ARGUMENT (0: none in particular). Write a test that "
              "makes the call fail so,\n"
              "claims: with CHECK_ERROR(CALL, ERROR, ARGUMENT, RIGHTS, the call) of tests/guest/claim.h, in "
              "tests/guest/test_errors.c\n"
              "claims: or, for a capability argument, a row in test_handles.c. See docs/testing.md.",
              file=sys.stderr)
        return 1
    Path(stamp).touch()
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
