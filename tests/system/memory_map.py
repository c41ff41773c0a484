# SPDX-License-Identifier: MIT
"""memory_map.py - a direct boot whose loader is told another memory map than the machine has.

The loader gets one more segment: a few instructions that put another map, or another RSDP, into the start
information of the PVH boot, and the map itself. Real memory must be where the map says that some is, at
least below 256 GiB; what is said of memory above is believed.
"""

import struct
from dataclasses import dataclass

RAM, RESERVED = 1, 2
MIB, GIB = 1 << 20, 1 << 30

# What QEMU gives a PC with 512 MiB: its firmware has the rest.
LOW = (0, 0x9F000, RAM)
BIOS = (0xF0000, 0x10000, RESERVED)
FIRST, END = 0x100000, 0x1FFDF000  # of the memory above 1 MiB

SEGMENT = 0x200000  # behind the loader, in front of what QEMU puts at the end of memory
START_INFO_VERSION, START_INFO_RSDP, START_INFO_MAP, START_INFO_MAP_COUNT = 4, 32, 40, 48
NOTE_PVH_ENTRY = struct.pack("<III", 4, 4, 18) + b"Xen\0"


@dataclass(frozen=True)
class Told:
    """What the loader is told: ranges (base, bytes, E820 type) in place of the machine's, and an RSDP."""

    ranges: tuple[tuple[int, int, int], ...] = ()
    rsdp: int | None = None


def _store(offset: int, value: int) -> bytes:
    """mov dword [ebx + offset], value - EBX is the start information."""
    return struct.pack("<BBBI", 0xC7, 0x43, offset, value)


def _store64(offset: int, value: int) -> bytes:
    return _store(offset, value & 0xFFFFFFFF) + _store(offset + 4, value >> 32)


def _segment(told: Told, entry: int) -> bytes:
    table = SEGMENT + 0x100
    code = b""
    if told.ranges:
        code += _store(START_INFO_VERSION, 1) + _store64(START_INFO_MAP, table)
        code += _store(START_INFO_MAP_COUNT, len(told.ranges))
    if told.rsdp is not None:
        code += _store64(START_INFO_RSDP, told.rsdp)
    code += struct.pack("<Bi", 0xE9, entry - (SEGMENT + len(code) + 5))  # jmp entry
    rows = b"".join(struct.pack("<QQII", *row, 0) for row in told.ranges)
    return code.ljust(0x100, b"\x90") + rows


def loader_told(loader: bytes, told: Told) -> bytes:
    """The loader, as an ELF file, that believes `told`."""
    image = bytearray(loader)
    headers_at, = struct.unpack_from("<Q", image, 32)
    count, = struct.unpack_from("<H", image, 56)
    note = image.index(NOTE_PVH_ENTRY) + len(NOTE_PVH_ENTRY)
    entry, = struct.unpack_from("<I", image, note)
    segment = _segment(told, entry)
    image += bytes(-len(image) % 4096)
    header = struct.pack("<IIQQQQQQ", 1, 5, len(image), SEGMENT, SEGMENT, len(segment), len(segment),
                         4096)
    struct.pack_into("<I", image, note, SEGMENT)
    struct.pack_into("<H", image, 56, count + 1)
    at = headers_at + 56 * count
    if any(image[at:at + len(header)]):
        raise AssertionError("no room for another program header")
    image[at:at + len(header)] = header
    return bytes(image) + segment


def pieces(bytes_each: int, first: int = FIRST, end: int = END) -> list[tuple[int, int, int]]:
    """Memory in pieces that touch, in an order that is not sorted."""
    rows = [(at, min(bytes_each, end - at), RAM) for at in range(first, end, bytes_each)]
    return rows[1::2] + rows[::2][::-1]


def holes(count: int, first: int = 64 * MIB) -> list[tuple[int, int, int]]:
    """`count` free ranges of 4 and 8 KiB, each with a reserved page behind it, and then the rest."""
    rows, at = [(FIRST, first - FIRST, RAM)], first
    for i in range(count):
        size = 0x1000 if i < count // 2 else 0x2000
        rows += [(at, size, RAM), (at + size, 0x1000, RESERVED)]
        at += size + 0x1000
    return rows + [(at, END - at, RAM)]
