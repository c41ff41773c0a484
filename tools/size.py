#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""size.py - how large the kernel is, and whether it has grown.

    size.py [KERNEL.elf]      print both figures (default: that of the build)
    size.py --record          write those of build/kernel.elf to tools/kernel_size.txt

kernel-text-bytes: all code that is there once the system runs, the section .text and the larger one of
.entry.plain and .entry.isolating. Of those the boot gives one back, and .boot.text, which only it needs. kernel-lines: lines of kernel/ (C, headers, tables and
assembly) without blank lines and comments. What they are to be is in bench/targets.toml.

The record is what the build test holds the kernel to: docs/testing.md. It names the compiler, since
another one makes other code of the same lines: then only the lines are compared.
"""

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KERNEL = ROOT / os.environ.get("BUILD", "build") / "kernel.elf"
RECORD = ROOT / "tools/kernel_size.txt"
SOURCES = (".c", ".h", ".S", ".inc", ".def")

# A string or character constant is kept, since what looks like a comment in it is none.
COMMENT = re.compile(r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|//[^\n]*|/\*.*?\*/""", re.DOTALL)


def section_bytes(elf: Path) -> dict[str, int]:
    data = elf.read_bytes()
    table, = struct.unpack_from("<Q", data, 40)
    entry_bytes, count, names = struct.unpack_from("<HHH", data, 58)
    sections = [struct.unpack_from("<IIQQQQ", data, table + i * entry_bytes) for i in range(count)]
    strings = data[sections[names][4]:]
    return {strings[name:strings.index(b"\0", name)].decode(): size for name, _, _, _, _, size in sections}


def text_bytes(elf: Path) -> int:
    sections = section_bytes(elf)
    return sections[".text"] + max(sections[".entry.plain"], sections[".entry.isolating"])


def code_lines(text: str) -> int:
    text = COMMENT.sub(lambda match: match[1] or "\n" * match[0].count("\n"), text)
    return sum(1 for line in text.splitlines() if line.strip())


def kernel_lines() -> int:
    files = (path for path in (ROOT / "kernel").rglob("*") if path.suffix in SOURCES)
    return sum(code_lines(path.read_text()) for path in files)


def measure(elf: Path = KERNEL) -> dict[str, int]:
    return {"kernel-text-bytes": text_bytes(elf), "kernel-lines": kernel_lines()}


def compiler() -> str:
    version = subprocess.run(["gcc", "-dumpfullversion"], check=True, capture_output=True, text=True).stdout
    return f"gcc-{version.strip()}"


def record() -> None:
    rows = [("compiler", compiler()), *measure().items()]
    RECORD.write_text("# Recorded by make size: the kernel is no larger than this.\n"
                      + "".join(f"{name} {value}\n" for name, value in rows))


def recorded() -> dict[str, str]:
    lines = RECORD.read_text().splitlines()
    return dict(line.split() for line in lines if not line.startswith("#"))


def check() -> None:
    before, now = recorded(), measure()
    if before["compiler"] != compiler():
        del now["kernel-text-bytes"]
    for name, value in now.items():
        if value > int(before[name]):
            raise AssertionError(f"{name} is {value}, more than the recorded {before[name]}; "
                                 "make it smaller, or `make size` if that is worth it")


def main(arguments: list[str]) -> None:
    if "--record" in arguments:
        record()
        arguments.remove("--record")
    for name, value in measure(Path(arguments[0]) if arguments else KERNEL).items():
        print(name, value)


if __name__ == "__main__":
    main(sys.argv[1:])
