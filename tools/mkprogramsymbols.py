#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkprogramsymbols.py - the names of the functions of programs, by build ID and address, for the initial RAM disk.

    mkprogramsymbols.py OUT PROGRAM.elf...

Init names by them where a service has faulted. The format is in lib/format/symbols.h.
"""

import struct
import sys
from pathlib import Path

from buildid import build_id, code_end
from mksymbols import read_functions

HEAD = struct.Struct("<8sII")
PROGRAM = struct.Struct("<20sIIIQ")
FUNCTION = struct.Struct("<II")
MAGIC = b"MNOSYMS1"


def pack(programs: list[Path]) -> bytes:
    names: dict[str, int] = {}
    pool = bytearray()
    table, functions = bytearray(), bytearray()
    first = HEAD.size + len(programs) * PROGRAM.size
    for program in programs:
        found = read_functions(str(program))
        base = found[0][0] if found else 0
        table += PROGRAM.pack(build_id(program), len(found), first + len(functions),
                              code_end(program) - base if found else 0, base)
        for address, name in found:
            name = name.split(".")[0]  # without what the compiler calls its variant of the function: step.isra.0
            if name not in names:
                names[name] = len(pool)
                pool += name.encode() + b"\0"
            functions += FUNCTION.pack(address - base, names[name])
    return HEAD.pack(MAGIC, len(programs), first + len(functions)) + table + functions + (pool or b"\0")


def main(arguments: list[str]) -> None:
    if len(arguments) < 2:
        sys.exit(__doc__)
    Path(arguments[0]).write_bytes(pack([Path(name) for name in arguments[1:]]))


if __name__ == "__main__":
    main(sys.argv[1:])
