#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""layers.py - who may include whom, and whose functions may be called by whom: tools/layers.toml.

    layers.py [BUILD]

Two kinds of evidence: #include lines, also of headers, and the symbols that objects of BUILD leave to be linked. A
reference against the order is an error that names both files. An exception names the files that a folder may use
nevertheless, with a reason; one that is not needed any more is an error, so that they only become fewer.
"""

import collections
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tools/layers.toml"
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^">]+)[">]', re.MULTILINE)
SUFFIXES = (".c", ".h", ".S", ".inc", ".def")
OBJECTS = ("obj", "user/obj", "loader/direct")  # folders of a build, each one program or library


def inside(path: str, name: str) -> bool:
    return path == name or path.startswith(name + "/")


class Layers:
    """The table."""

    def __init__(self, text: str) -> None:
        table = tomllib.loads(text)
        self.allowed = {tuple(name.split("/")): names for name, names in table["folders"].items()}
        order, below = table["order"], list(table["order"]["all"])
        for step in order["steps"]:
            below += step
            self.allowed |= {tuple(name.split("/")): (*below, *self.allowed.get(tuple(name.split("/")), ())) for name in step}
        self.search, self.made = table["search"], set(table["made"])
        self.freestanding, self.free = set(table["freestanding"]), set(table["free"])
        self.foreign = table.get("foreign", {})
        self.runtime, self.contracts = set(table["runtime"]), table["contracts"]
        self.exceptions = {(e["from"], to) for e in table["exception"] for to in e["to"] if e["reason"]}

    def of(self, path: str) -> tuple[tuple, str]:
        """The line for a file, the one that names most of its path; and that much of the path."""
        parts = path.split("/")
        if parts[0] in self.free:
            return (parts[0],), parts[0]
        fitting = [key for key in self.allowed if len(key) <= len(parts) and
                   all(want in ("*", have) for want, have in zip(key, parts))]
        if not fitting:
            raise AssertionError(f"{path} is in no folder that {TABLE.name} has")
        key = max(fitting, key=lambda names: (len(names), names.count("*") == 0))
        return key, "/".join(parts[:len(key)])

    def allows(self, source: str, target: str) -> bool:
        key, where = self.of(source)
        if where in self.free or where == self.of(target)[1]:
            return True
        return any(inside(target, name) for name in self.allowed[key])

    def excepted(self, source: str, target: str) -> set[tuple[str, str]]:
        """The exceptions that allow it."""
        where = self.of(source)[1]
        return {pair for pair in self.exceptions if pair[0] == where and inside(target, pair[1])}

    def is_foreign(self, source: str, name: str) -> bool:
        """Whether the header is of a library of others, and this file may include it."""
        return any(name.startswith(start) and source in sources for start, sources in self.foreign.items())

    def find(self, source: Path, name: str) -> str | None:
        """The included file, as the compiler finds it."""
        for folder in (source.parent, *map(Path, self.search)):
            if (ROOT / folder / name).is_file():
                return os.path.normpath(folder / name)
        return None


def includes(layers: Layers) -> list[tuple[str, str, str]]:
    """Source, target and what is written, of each #include that leads into the tree; others are looked at here."""
    found = []
    for top in sorted({key[0] for key in layers.allowed}):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix not in SUFFIXES:
                continue
            source = path.relative_to(ROOT)
            for kind, name in INCLUDE.findall(path.read_text(encoding="utf-8")):
                target = None if kind == "<" else layers.find(source, name)
                if target:
                    found.append((str(source), target, name))
                elif layers.is_foreign(str(source), name):
                    continue
                elif name not in (layers.freestanding if kind == "<" else layers.made):
                    raise AssertionError(f"{source} includes {name}, which is neither in the tree nor in {TABLE.name}")
    return found


def symbols(layers: Layers, build: Path) -> list[tuple[str, str, str]]:
    """Source, target and name of each symbol that one object has and another needs. Programs may each have one of a
    name: then it is the one that may be used. A name of a contract is its header's, whoever has it."""
    found = []
    for folder in OBJECTS:
        objects = sorted((build / folder).rglob("*.o"))
        listing = subprocess.run(["nm", "-A", "-g", *map(str, objects)], capture_output=True, text=True, check=True)
        makers, users = collections.defaultdict(list), []
        for line in listing.stdout.splitlines():
            where, rest = line.rsplit(".o:", 1)
            source, (*_, kind, name) = os.path.relpath(where, build / folder), rest.split()
            if (ROOT / source).is_file() and name not in layers.runtime:
                users += [(source, name)] if kind in "Uw" else []
                makers[name] += [] if kind in "Uw" else [source]
        for source, name in users:
            contract = [header for start, header in layers.contracts.items() if name.startswith(start)]
            targets = contract if makers[name] else []
            targets = targets or sorted(makers[name], key=lambda target: not layers.allows(source, target))
            found += [(source, target, name) for target in targets[:1]]
    return found


def check(build: Path) -> None:
    layers = Layers(TABLE.read_text(encoding="utf-8"))
    problems, needed = [], set()
    for source, target, name in (*includes(layers), *symbols(layers, build)):
        if layers.allows(source, target):
            continue
        needed |= layers.excepted(source, target)
        if not layers.excepted(source, target):
            problems.append(f"{source} must not use {name} of {target}")
    problems += [f"the exception of {source} for {target} is not needed any more"
                 for source, target in sorted(layers.exceptions - needed)]
    if problems:
        raise AssertionError("\n".join(problems))


if __name__ == "__main__":
    try:
        check(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build"))
    except AssertionError as problem:
        sys.exit(str(problem))
