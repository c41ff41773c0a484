#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkconfig.py INPUT OUTPUT - limine.conf of the images: the input, and the kernel's command line.

The command line is CMDLINE of the environment (`make iso CMDLINE=...`). The output is written only when
it becomes another one, so that make leaves alone what is made of it. INPUT has one entry, at its end.
"""

import os
import sys
from pathlib import Path

# The loader's limit, BOOT_CONFIG_TEXT of boot/core/config.h with its NUL.
CMDLINE_MAX = 511


def command_line() -> str:
    """The command line of the environment; ValueError says why it is refused."""
    text = os.environ.get("CMDLINE", "").strip()
    if not text.isascii() or not text.isprintable():
        raise ValueError("CMDLINE: only printable ASCII characters can stand on the kernel's command line")
    if len(text) > CMDLINE_MAX:
        raise ValueError(f"CMDLINE: {len(text)} characters; the kernel's command line has at most {CMDLINE_MAX}")
    return text


def main(arguments: list[str]) -> None:
    if len(arguments) != 2:
        sys.exit(__doc__)
    source, output = map(Path, arguments)
    try:
        line = command_line()
    except ValueError as problem:
        sys.exit(str(problem))
    text = source.read_text(encoding="ascii") + (f"    cmdline: {line}\n" if line else "")
    if not output.exists() or output.read_text(encoding="ascii") != text:
        output.write_text(text, encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1:])
