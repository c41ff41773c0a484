# SPDX-License-Identifier: MIT
"""service_limits.py - compiles what services of system/manifest.toml may do by the endpoint of one program, for that program:
mknet.py and mkfiles.py have the keys and the records."""

import struct
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from join_manifest import line_of_table, place

NAME_BYTES = 24


def endpoints_of(services: dict, program: str) -> set[str]:
    """Those that services made of a program provide."""
    found = set()
    for entry in services.values():
        if isinstance(entry, dict) and entry.get("file") == program and isinstance(entry.get("provides"), dict):
            for value in entry["provides"].values():
                found.add(value["endpoint"] if isinstance(value, dict) else value)
    return found


def compile_limits(arguments: list[str], program: str, keys: set[str], read: Callable[[dict], bytes], magic: int,
                   version: int) -> int:
    """Of MANIFEST.toml and OUT.bin: a header, and a record for each service with some of the keys in an entry of `uses`, which
    read() makes of that entry, or raises ValueError. The exit code; errors are told, each with the file and the line."""
    path = Path(arguments[0])
    text = path.read_text(encoding="utf-8")
    try:
        services = tomllib.loads(text).get("service", {})
    except tomllib.TOMLDecodeError as problem:
        print(f"{path}: {problem}", file=sys.stderr)
        return 1
    endpoints, records, errors, lines = endpoints_of(services, program), {}, [], text.splitlines()
    for name, entry in services.items():
        for use in (entry.get("uses", {}) if isinstance(entry, dict) else {}).values():
            if not isinstance(use, dict) or not set(use) & keys:
                continue
            try:
                if use.get("endpoint") not in endpoints:
                    raise ValueError(f"{', '.join(sorted(set(use) & keys))}: its endpoint is not that of {program}")
                if name in records:  # the program would look at the first alone
                    raise ValueError(f"{', '.join(sorted(set(use) & keys))}: it has an entry with such keys already")
                records[name] = name.encode().ljust(NAME_BYTES, b"\0") + read(use)
            except ValueError as problem:
                line = line_of_table(lines, "service", name)
                errors.append(f"{place(path, lines, line)}: service {name}: uses: {problem}")
    for error in errors:
        print(error, file=sys.stderr)
    if errors:
        return 1
    Path(arguments[1]).write_bytes(struct.pack("<QIIQ", magic, version, len(records), 0) + b"".join(records.values()))
    return 0
