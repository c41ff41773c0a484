#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildid.py - the build ID of an ELF file: what the linker has made of its content (ld --build-id).

    buildid.py FILE...    prints them, in hexadecimal

A file without symbols has the ID of the one that it was copied from, by which symbols are found.
"""

import struct
import sys
from pathlib import Path

BUILD_ID_BYTES = 20
PT_LOAD, PT_NOTE = 1, 4
PF_X = 1
NT_GNU_BUILD_ID = 3
SHOWN = 12  # digits that the system shows: ELF_BUILD_ID_TEXT of lib/format/elf_note.h


class NoBuildId(Exception):
    pass


def padded(size: int) -> int:
    return (size + 3) & ~3


def notes(segment: bytes):
    """Name, type and content of each note in a segment: System V ABI, "Note Section"."""
    while len(segment) >= 12:
        name, size, kind = struct.unpack_from("<III", segment)
        begin = 12 + padded(name)
        yield segment[12:12 + name], kind, segment[begin:begin + size]
        segment = segment[begin + padded(size):]


def note_at(segment: bytes) -> bytes | None:
    return next((content for name, kind, content in notes(segment)
                 if name == b"GNU\0" and kind == NT_GNU_BUILD_ID and len(content) == BUILD_ID_BYTES), None)


def segments(data: bytes):
    """Kind, flags, offset, address, and sizes in the file and in memory of each segment: System V ABI, "Program Header"."""
    offset, = struct.unpack_from("<Q", data, 32)
    entry, count = struct.unpack_from("<HH", data, 54)
    for header in range(offset, offset + entry * count, entry):
        kind, flags, at, address, _, in_file, in_memory = struct.unpack_from("<IIQQQQQ", data, header)
        yield kind, flags, at, address, in_file, in_memory


def build_id(path: Path) -> bytes:
    data = path.read_bytes()
    if data[:4] != b"\x7fELF":
        raise NoBuildId(f"{path}: not an ELF file")
    try:
        for kind, _, at, _, size, _ in segments(data):
            if kind == PT_NOTE and (found := note_at(data[at:at + size])):
                return found
    except struct.error:  # its end is missing
        pass
    raise NoBuildId(f"{path}: has no build ID")


def code_end(path: Path) -> int:
    """The address behind the last code of a program."""
    return max((address + size for kind, flags, _, address, _, size in segments(path.read_bytes())
                if kind == PT_LOAD and flags & PF_X), default=0)


def main(files: list[str]) -> None:
    if not files:
        sys.exit(__doc__)
    for name in files:
        try:
            print(build_id(Path(name)).hex(), name)
        except (NoBuildId, OSError) as problem:
            sys.exit(f"buildid: {problem}")


if __name__ == "__main__":
    main(sys.argv[1:])
