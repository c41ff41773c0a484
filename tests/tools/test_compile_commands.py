# SPDX-License-Identifier: MIT
"""test_compile_commands.py - what `make compile-commands` tells an editor is how the sources are compiled."""

import fnmatch
import json
import re
import subprocess
import tempfile
from pathlib import Path

from qemu import BUILD, ROOT
from testlib import HANG_S, Suite, check, outside_make

suite = Suite("tools")

# Compiled in other ways than an object: for the offsets of the entry code, by cbmc, by libFuzzer, as programs of their own.
OTHERS = ("kernel/arch/x86_64/entry/offsets.c", "tests/proofs/*", "tests/fuzz/*", "tests/lwip/*", "tests/loader/*", "tests/fat_service/*",
          "third_party/*")
GCC_ONLY = re.compile(r"-[\w=*-]+(?=[,\]])")


def commands() -> dict[str, list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "commands.json"
        subprocess.run(["make", "DEPS=no", f"BUILD={BUILD}", "compile-commands", f"COMPILE_COMMANDS={out}"], cwd=ROOT,
                       env=outside_make(), check=True, capture_output=True, timeout=HANG_S)
        entries = json.loads(out.read_text())
    check(all(entry["directory"] == str(ROOT) for entry in entries), "an entry is of another folder")
    return {entry["file"]: entry["arguments"] for entry in entries}


def as_clangd(arguments: list[str]) -> list[str]:
    """Without what .clangd removes, and looked at by Clang."""
    removed = GCC_ONLY.findall((ROOT / ".clangd").read_text())
    kept = [word for word in arguments[1:] if not any(fnmatch.fnmatch(word, pattern) for pattern in removed)]
    kept[kept.index("-o"):kept.index("-o") + 2] = []
    return ["clang", *kept, "-fsyntax-only", "-Werror=unknown-warning-option", "-Werror=ignored-optimization-argument"]


@suite.test("every source file has its command for editors, and Clang reads one of each kind")
def editors() -> None:
    found = commands()
    tracked = subprocess.run(["git", "ls-files", "*.c"], cwd=ROOT, check=True, capture_output=True,
                             text=True).stdout.split()
    missing = [name for name in tracked if name not in found and not any(fnmatch.fnmatch(name, o) for o in OTHERS)]
    check(not missing, f"without a command: {missing}")
    kinds = {tuple(word for word in arguments if word.startswith(("-m", "-f", "-I")) or word == arguments[0]): name
             for name, arguments in found.items() if name in tracked}
    check(len(kinds) >= 6, f"only {len(kinds)} kinds of commands")
    for name in kinds.values():
        done = subprocess.run(as_clangd(found[name]), cwd=ROOT, capture_output=True, text=True, timeout=HANG_S)
        check(done.returncode == 0, f"{name}: {done.stderr}")
