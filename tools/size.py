#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""size.py - how large the kernel is, and whether it stays within its limits.

    size.py [KERNEL.elf]      print both figures (default: build/kernel.elf)

kernel-text-bytes: the section .text, that is all code that is there once the system runs; what only
the boot needs is in .boot.text and given back. kernel-lines: lines of kernel/ (C, headers, tables and
assembly) without blank lines and comments.
"""

import re
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KERNEL = ROOT / "build/kernel.elf"
LIMITS = {"kernel-text-bytes": 60 * 1024, "kernel-lines": 10_000}
SOURCES = (".c", ".h", ".S", ".inc", ".def")

# A string or character constant is kept, since what looks like a comment in it is none.
COMMENT = re.compile(r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|//[^\n]*|/\*.*?\*/""", re.DOTALL)


def text_bytes(elf: Path) -> int:
    data = elf.read_bytes()
    table, = struct.unpack_from("<Q", data, 40)
    entry_bytes, count, names = struct.unpack_from("<HHH", data, 58)
    sections = [struct.unpack_from("<IIQQQQ", data, table + i * entry_bytes) for i in range(count)]
    strings = sections[names][4]
    for name, _, _, _, _, size in sections:
        if data[strings + name:].startswith(b".text\0"):
            return size
    raise ValueError(f"{elf} has no section .text")


def code_lines(text: str) -> int:
    text = COMMENT.sub(lambda match: match[1] or "\n" * match[0].count("\n"), text)
    return sum(1 for line in text.splitlines() if line.strip())


def kernel_lines() -> int:
    files = (path for path in (ROOT / "kernel").rglob("*") if path.suffix in SOURCES)
    return sum(code_lines(path.read_text()) for path in files)


def measure(elf: Path = KERNEL) -> dict[str, int]:
    return {"kernel-text-bytes": text_bytes(elf), "kernel-lines": kernel_lines()}


def check() -> None:
    for name, value in measure().items():
        if value > LIMITS[name]:
            raise AssertionError(f"{name} is {value}, the limit is {LIMITS[name]}")


if __name__ == "__main__":
    for figure, value in measure(Path(sys.argv[1]) if len(sys.argv) > 1 else KERNEL).items():
        print(f"{figure} {value}, at most {LIMITS[figure]}")
