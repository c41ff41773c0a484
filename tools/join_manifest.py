#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""join_manifest.py - one manifest of several files: that of the system, and those of programs of one's own (WITH).

    join_manifest.py OUT.toml FILE.toml...

Each part is whole by itself and begins with a table; what is not so is an error that names its file and line.
In front of each part stands a line that names its file, so that place() can say where a line of the result was written. The
tools that read a manifest use it for their errors; in a manifest of one file nothing changes.
"""

import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

MARK = re.compile(r"# ---- of (\S+) ----")


def place(path: Path, lines: Sequence[str], number: int) -> str:
    """FILE:LINE for a line of a manifest, counted from 1: of the file that it was joined from, or of the manifest itself."""
    for above in range(min(number, len(lines)), 0, -1):
        if mark := MARK.fullmatch(lines[above - 1]):
            return f"{mark[1]}:{max(number - above, 1)}"
    return f"{path}:{number}"


def line_of_table(lines: Sequence[str], *names: str) -> int:
    """The line of a manifest, counted from 1, with which the table of these names begins, as [service.NAME]; 1: it is nowhere."""
    header = re.compile(r"\s*\[\s*" + r"\s*\.\s*".join(r"[\"']?" + re.escape(name) + r"[\"']?" for name in names) + r"\s*\]")
    return next((number for number, line in enumerate(lines, 1) if header.match(line)), 1)


def line_in(message: str) -> int:
    """The line that an error of tomllib names."""
    match = re.search(r"line (\d+)", message)
    return int(match.group(1)) if match else 1


def read(file: Path) -> str:
    """The text of one part, which is whole by itself: a key above its first table would be one of the last table before."""
    try:
        text = file.read_text(encoding="utf-8")
        tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as problem:
        sys.exit(f"{file}:1: cannot be read: {problem}")
    except tomllib.TOMLDecodeError as problem:
        sys.exit(f"{file}:{line_in(str(problem))}: {problem}")
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().startswith("["):
            break
        if line.strip() and not line.strip().startswith("#"):
            sys.exit(f"{file}:{number}: a manifest begins with a table, such as [service.NAME]")
    return text


def join(files: Sequence[Path]) -> str:
    return "".join(f"# ---- of {file} ----\n{read(file).rstrip()}\n" for file in files)


def main(arguments: list[str]) -> None:
    if len(arguments) < 2:
        sys.exit(__doc__)
    out, *files = map(Path, arguments)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(join(files), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
