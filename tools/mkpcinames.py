#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkpcinames.py - makes the table of names of PCI devices that the service `devices` reads.

    mkpcinames.py pci.ids OUT.bin

The input is pci.ids of the PCI ID project; the output is described in services/devices/names.c. Names of
subsystems are left out.
"""

import re
import struct
import sys
import unicodedata
from pathlib import Path

MAGIC = 0x53454D414E494350
TEXT_MAX = 79  # of protocols/device.h, without the end


def plain(text: str) -> bytes:
    """ASCII, without accents, at most as long as anybody shows."""
    decomposed = unicodedata.normalize("NFKD", text)
    return decomposed.encode("ascii", "ignore").strip()[:TEXT_MAX]


def read(lines: list[str]) -> tuple[dict[int, bytes], dict[int, bytes], dict[int, bytes]]:
    vendors: dict[int, bytes] = {}
    devices: dict[int, bytes] = {}
    classes: dict[int, bytes] = {}
    above: list[int] = []
    in_classes = False
    for line in lines:
        match = re.match(r"(C )?(\t*)([0-9a-f]{2,4})  (.*)\Z", line)
        if match is None:
            continue  # a comment, or a subsystem, which has two numbers
        depth, number, name = len(match[2]), int(match[3], 16), plain(match[4])
        if match[1] is not None or depth == 0:
            in_classes = match[1] is not None
        if depth > len(above):
            sys.exit(f"mkpcinames: nothing is above: {line!r}")
        above = above[:depth] + [number]
        if in_classes:
            code = sum(part << (16 - 8 * i) for i, part in enumerate(above))
            classes[len(above) << 24 | code] = name
        elif depth == 0:
            vendors[number] = name
        elif depth == 1:
            devices[above[0] << 16 | number] = name
    return vendors, devices, classes


def compile_table(lists: tuple[dict[int, bytes], ...]) -> bytes:
    texts, places = bytearray(), {}
    body = b""
    for entries in lists:
        for key in sorted(entries):
            name = entries[key]
            if name not in places:
                places[name] = len(texts)
                texts += name + b"\0"
            body += struct.pack("<II", key, places[name])
    counts = [len(entries) for entries in lists]
    return struct.pack("<QIIII", MAGIC, *counts, len(texts)) + body + bytes(texts)


def main(arguments: list[str]) -> None:
    if len(arguments) != 2:
        sys.exit(__doc__)
    lines = Path(arguments[0]).read_text(encoding="utf-8").splitlines()
    lists = read(lines)
    if not all(lists):
        sys.exit(f"mkpcinames: {arguments[0]} does not look like pci.ids")
    Path(arguments[1]).write_bytes(compile_table(lists))


if __name__ == "__main__":
    main(sys.argv[1:])
