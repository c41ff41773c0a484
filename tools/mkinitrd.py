#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkinitrd.py - packs the initial RAM disk, a POSIX ustar archive.

    mkinitrd.py OUT.tar NAME=FILE...

The data of each file begins on a page of the archive, so that it can be mapped where it lies: a
member named ".pad" fills the space before it. Members are sorted and carry no date and no owner,
so that the same files give the same bytes.
"""

import sys
from pathlib import Path

BLOCK = 512
PAGE = 4096


def header(name: str, size: int, executable: bool) -> bytes:
    encoded = name.encode("ascii")
    if len(encoded) >= 100:
        sys.exit(f"mkinitrd: {name}: name is longer than 99 characters")
    mode = 0o555 if executable else 0o444
    fields = [
        (encoded, 100), (b"%07o" % mode, 8), (b"%07o" % 0, 8), (b"%07o" % 0, 8),
        (b"%011o" % size, 12), (b"%011o" % 0, 12), (b" " * 8, 8), (b"0", 1), (b"", 100),
        (b"ustar", 6), (b"00", 2), (b"root", 32), (b"root", 32),
        (b"%07o" % 0, 8), (b"%07o" % 0, 8), (b"", 155),
    ]
    block = bytearray(b"".join(value.ljust(width, b"\0") for value, width in fields).ljust(BLOCK, b"\0"))
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def pad_to(size: int, unit: int) -> int:
    return -size % unit


def pack(members: dict[str, bytes]) -> bytes:
    archive = bytearray()
    for name, data in sorted(members.items()):
        # The header of this member fills the last block before a page, or padding does and then it.
        if gap := pad_to(len(archive) + BLOCK, PAGE):
            archive += header(".pad", gap - BLOCK, False) + bytes(gap - BLOCK)
        archive += header(name, len(data), data.startswith(b"\x7fELF"))
        archive += data + bytes(pad_to(len(data), BLOCK))
    archive += bytes(2 * BLOCK)
    return bytes(archive + bytes(pad_to(len(archive), PAGE)))


def main(arguments: list[str]) -> None:
    if len(arguments) < 2 or not all("=" in member for member in arguments[1:]):
        sys.exit(__doc__)
    out, *members = arguments
    files = [member.split("=", 1) for member in members]
    if len({name for name, _ in files}) != len(files):
        sys.exit("mkinitrd: two members have the same name")
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_bytes(pack({name: Path(path).read_bytes() for name, path in files}))


if __name__ == "__main__":
    main(sys.argv[1:])
