#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkfonts.py OUTPUT - the file `fonts` of the boot image: console fonts of several sizes for `terminal`.

Responsible for: the format that services/terminal/font.h describes. The fonts are Terminus, with the characters of Latin, and what
draws boxes; where the distributions put it.
"""
import struct
import sys
from pathlib import Path

import psf

MAGIC = 0x544E4F46
SIZES = {16: ("Uni2-Terminus16", "ter-116n"), 20: ("Uni2-Terminus20x10", "ter-120n"),
         24: ("Uni2-Terminus24x12", "ter-124n"), 28: ("Uni2-Terminus28x14", "ter-128n"),
         32: ("Uni2-Terminus32x16", "ter-132n")}
FOLDERS = ("/usr/share/consolefonts", "/usr/share/kbd/consolefonts", "/usr/lib/kbd/consolefonts")


def rows(bitmap: bytes, height: int) -> bytes:
    """Each row in 16 bits, leftmost pixel in the highest."""
    width = len(bitmap) // height
    return b"".join(struct.pack("<H", int.from_bytes(bitmap[y * width:(y + 1) * width].ljust(2, b"\0"), "big"))
                    for y in range(height))


def tables(font: psf.Font) -> tuple[list[bytes], list[tuple[int, int]]]:
    """Its pictures, each once, and which character has which."""
    glyphs: dict[bytes, int] = {}
    characters = []
    for code, bitmap in sorted(font.glyphs.items()):
        characters.append((code, glyphs.setdefault(bitmap, len(glyphs))))
    return list(glyphs), characters


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    entries, body = [], b""
    start = 8 + 24 * len(SIZES)
    for height, names in SIZES.items():
        font = psf.first([f"{folder}/{name}.psf.gz" for folder in FOLDERS for name in names])
        if font.height != height or font.width % 2 or font.width > 16:
            sys.exit(f"mkfonts: a font of {font.width}x{font.height} pixels in the place of one {height} high")
        glyphs, characters = tables(font)
        pictures = b"".join(rows(glyph, height) for glyph in glyphs)
        pictures += b"\0" * (-len(pictures) % 4)
        at = start + len(body)
        entries.append(struct.pack("<6I", font.width, height, at, len(glyphs), at + len(pictures), len(characters)))
        body += pictures + b"".join(struct.pack("<2I", *pair) for pair in characters)
    Path(sys.argv[1]).write_bytes(struct.pack("<2I", MAGIC, len(entries)) + b"".join(entries) + body)


main()
