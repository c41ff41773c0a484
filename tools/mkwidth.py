#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkwidth.py - tables of the characters that are not one column wide on a terminal.

    mkwidth.py OUT.h

The data is the Unicode Character Database of this Python. Two columns: East Asian Width W or F (Unicode
Standard Annex #11), and the planes that are set aside for ideographs. None: what combines with the
character before it (general categories Mn and Me), format characters (Cf) except the soft hyphen, and
the vowels and finals of Hangul that join a syllable. lib/mnos/utf8.c reads the tables.
"""

import sys
import unicodedata
from pathlib import Path

LAST = 0x10FFFF
SOFT_HYPHEN = 0xAD
HANGUL_JOINING = [(0x1160, 0x11FF), (0xD7B0, 0xD7FF)]
IDEOGRAPHIC_PLANES = [(0x20000, 0x2FFFD), (0x30000, 0x3FFFD)]


def within(code: int, ranges: list[tuple[int, int]]) -> bool:
    return any(first <= code <= last for first, last in ranges)


def width(code: int) -> int:
    character = chr(code)
    if within(code, HANGUL_JOINING):
        return 0
    if unicodedata.category(character) in ("Mn", "Me", "Cf") and code != SOFT_HYPHEN:
        return 0
    if within(code, IDEOGRAPHIC_PLANES):
        return 2
    # Of what is not assigned, Python tells nonsense.
    assigned = unicodedata.category(character) != "Cn"
    return 2 if assigned and unicodedata.east_asian_width(character) in "WF" else 1


def ranges_of(columns: int) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for code in range(0x80, LAST + 1):
        if width(code) != columns:
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return ranges


def table(name: str, ranges: list[tuple[int, int]]) -> str:
    lines = "".join(f"    {{0x{first:X}, 0x{last:X}}},\n" for first, last in ranges)
    return f"static const struct code_range {name}[] = {{\n{lines}}};\n"


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    Path(sys.argv[1]).write_text(
        f"/* Made by tools/mkwidth.py from Unicode {unicodedata.unidata_version}. */\n"
        + table("zero_columns", ranges_of(0)) + table("two_columns", ranges_of(2)), encoding="ascii")


main()
