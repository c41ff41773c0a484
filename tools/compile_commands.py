#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compile_commands.py - how each source file is compiled, for clangd and other tools that read C.

    make -nB GOALS | compile_commands.py OUT.json

Reads the commands of a dry run and writes one entry for each source file, the first of several: code of the
kernel that the unit tests compile too is shown as the kernel has it. `.clangd` takes out the options that only
GCC knows.
"""

import json
import re
import shlex
import sys
from pathlib import Path

COMMAND = re.compile(r"(?:^|&& )((?:\S*/)?[\w.+-]*(?:gcc|clang)[\w.-]* .* -c (\S+) -o \S+)$")


def entries(lines: list[str], folder: str) -> list[dict]:
    found: dict[str, dict] = {}
    for line in lines:
        match = COMMAND.search(line.rstrip())
        if match:
            arguments = [word for word in shlex.split(match[1]) if word not in ("-MMD", "-MP")]
            found.setdefault(match[2], {"directory": folder, "file": match[2], "arguments": arguments})
    return [found[name] for name in sorted(found)]


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    found = entries(sys.stdin.readlines(), str(Path.cwd()))
    if not found:
        print("compile_commands: no command that compiles something was read", file=sys.stderr)
        return 1
    Path(arguments[0]).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
