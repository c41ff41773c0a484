# SPDX-License-Identifier: MIT
"""psf.py - reads console fonts in the formats PSF1 and PSF2, compressed or not.

PSF1: two magic bytes, mode, character size, bitmaps 8 pixels wide, then for each bitmap its code points as 16-bit numbers,
ended by 0xffff; 0xfffe starts sequences, which we do not use. PSF2: a header of 32 bytes that tells all sizes; its code
points are UTF-8, ended by 0xff, and 0xfe starts sequences. Linux, "kbd", psf.h.
"""
import gzip
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

PSF1, PSF2 = b"\x36\x04", b"\x72\xb5\x4a\x86"


@dataclass
class Font:
    """`glyphs` has a bitmap for each code point: `height` rows, each of whole bytes, leftmost pixel in the highest bit."""
    width: int
    height: int
    glyphs: dict[int, bytes]


def _psf1(data: bytes) -> Font:
    mode, height = data[2], data[3]
    count = 512 if mode & 1 else 256
    glyphs: dict[int, bytes] = {}
    index, in_sequence = 0, False
    for (unit,) in struct.iter_unpack("<H", data[4 + count * height:len(data) & ~1] if mode & 2 else b""):
        if index >= count:
            break
        if unit == 0xFFFF:
            index, in_sequence = index + 1, False
        elif unit == 0xFFFE:
            in_sequence = True
        elif not in_sequence:
            glyphs.setdefault(unit, data[4 + index * height:4 + (index + 1) * height])
    return Font(8, height, glyphs)


def _psf2(data: bytes) -> Font:
    _, _, header, flags, count, size, height, width = struct.unpack_from("<8I", data)
    glyphs: dict[int, bytes] = {}
    texts = data[header + count * size:].split(b"\xff")[:count] if flags & 1 else []
    for index, text in enumerate(texts):
        bitmap = data[header + index * size:header + (index + 1) * size]
        for character in text.split(b"\xfe")[0].decode():
            glyphs.setdefault(ord(character), bitmap)
    return Font(width, height, glyphs)


def read(path: str | Path) -> Font:
    data = Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:2] == PSF1 and len(data) > 4:
        font = _psf1(data)
    elif data[:4] == PSF2 and len(data) > 32:
        font = _psf2(data)
    else:
        sys.exit(f"{path}: neither a PSF1 nor a PSF2 font")
    if not font.glyphs:
        sys.exit(f"{path}: the font has no Unicode table")
    return font


def first(names: list[str]) -> Font:
    """The first of these files that this machine has."""
    for name in names:
        if Path(name).is_file():
            return read(name)
    sys.exit("no console font: none of " + ", ".join(names))
