#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkmounts.py - checks the mounts of system/manifest.toml and compiles them for the service vfs.

    mkmounts.py MANIFEST.toml OUT.bin

The rest of the manifest is mkmanifest.py's. Every error names the file and the line. The output format is
protocols/mounts_format.h; docs/manifest.md explains the keys.
"""

import re
import struct
import sys
import tomllib
import uuid
from pathlib import Path

from join_manifest import line_of_table, place

MAGIC, VERSION = 0x53544E554F4D4E4D, 1
MOUNTS_MAX, TYPES_MAX, TYPES_OF_MOUNT = 16, 16, 4
PATH_BYTES, NAME_BYTES, TYPE_BYTES = 64, 24, 16
WANT_NOTHING, WANT_FIRST, WANT_VOLUME = 0, 1, 2
READ_ONLY = 1
TABLE = "vfs"  # the program that reads the table, and has a capability to each file system
MOUNT_KEYS = {"at": str, "service": str, "volume": str, "types": list, "read_only": bool}
MOUNT_POINT = re.compile(r"/[^/\x00-\x20\x7f]{1,62}\Z")


class Mounts:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.errors: list[str] = []
        self.lines = path.read_text(encoding="utf-8").splitlines()

    def error(self, section: str, text: str) -> None:
        line = line_of_table(self.lines, *section.split(".", 1))
        self.errors.append(f"{place(self.path, self.lines, line)}: {section}: {text}")


def table_of(document: dict, mounts: Mounts) -> set[str]:
    """The names of the capabilities that the service vfs is given."""
    services = document.get("service")
    found = [entry for entry in (services.values() if isinstance(services, dict) else ())
             if isinstance(entry, dict) and entry.get("file") == TABLE]
    if not found:
        mounts.error("mount", f"there are mounts, and no service has file = \"{TABLE}\"")
        return set()
    uses = found[0].get("uses")
    return set(uses) if isinstance(uses, dict) else set()


def check_types(document: dict, mounts: Mounts, given: set[str]) -> dict[str, str]:
    types = document.get("types", {})
    good = {}
    for name, service in types.items() if isinstance(types, dict) else ():
        if not isinstance(service, str) or not 0 < len(name) < TYPE_BYTES or not name.isascii():
            mounts.error("types", f"{name} is a name below {TYPE_BYTES} bytes, and has the name of a service")
        elif service not in given:
            mounts.error("types", f"{name}: {TABLE} uses no \"{service}\"")
        else:
            good[name] = service
    if len(good) > TYPES_MAX:
        mounts.error("types", f"more than {TYPES_MAX} types")
    return good


def volume_of(name: str, text: str, mounts: Mounts) -> tuple[int, bytes]:
    if text == "first":
        return WANT_FIRST, bytes(16)
    try:
        return WANT_VOLUME, uuid.UUID(text).bytes_le  # as GPT stores it
    except ValueError:
        mounts.error(f"mount.{name}", f"volume is \"first\" or the GUID of a partition, not \"{text}\"")
        return WANT_FIRST, bytes(16)


def check_mount(name: str, entry: object, mounts: Mounts, given: set[str], types: dict[str, str]) -> bytes:
    section = f"mount.{name}"
    if not isinstance(entry, dict) or "at" not in entry or set(entry) - set(MOUNT_KEYS) or \
            not all(type(value) is MOUNT_KEYS[key] for key, value in entry.items()):
        mounts.error(section, f"keys are {', '.join(MOUNT_KEYS)}; `at` has to be there")
        return b""
    at, service, wanted = entry["at"], entry.get("service", ""), entry.get("types", [])
    if not MOUNT_POINT.match(at) or at in ("/.", "/..") or len(at.encode()) >= PATH_BYTES:
        mounts.error(section, f"at is `/` and a name, not \"{at}\"")
    if ("service" in entry) == ("volume" in entry) or ("volume" in entry) != ("types" in entry):
        mounts.error(section, "either `service`, or `volume` and `types`")
    if service and service not in given:
        mounts.error(section, f"{TABLE} uses no \"{service}\"")
    if not all(isinstance(kind, str) and kind in types for kind in wanted) or len(wanted) > TYPES_OF_MOUNT:
        mounts.error(section, f"types are at most {TYPES_OF_MOUNT} names of [types]")
        wanted = []
    want, volume = (WANT_NOTHING, bytes(16)) if service else volume_of(name, entry.get("volume", ""), mounts)
    kinds = b"".join(kind.encode().ljust(TYPE_BYTES, b"\0") for kind in wanted)
    return struct.pack(f"<{PATH_BYTES}s{NAME_BYTES}sII16s{TYPE_BYTES * TYPES_OF_MOUNT}s", at.encode(),
                       service.encode(), want, READ_ONLY if entry.get("read_only") else 0, volume, kinds)


def check(mounts: Mounts) -> bytes | None:
    """The compiled table, or None and the reasons in mounts.errors."""
    try:
        document = tomllib.loads("\n".join(mounts.lines) + "\n")
    except tomllib.TOMLDecodeError as problem:
        mounts.errors.append(f"{mounts.path}:1: {problem}")
        return None
    entries = document.get("mount", {})
    if not isinstance(entries, dict):
        mounts.errors.append(f"{mounts.path}:1: mount is written [mount.NAME]")
        return None
    given = table_of(document, mounts) if entries or document.get("types") else set()
    types = check_types(document, mounts, given)
    records = [check_mount(name, entry, mounts, given, types) for name, entry in entries.items()]
    points = [entry.get("at") for entry in entries.values() if isinstance(entry, dict)]
    for name, entry in entries.items():
        if isinstance(entry, dict) and points.count(entry.get("at")) > 1:
            mounts.error(f"mount.{name}", f"two mounts are at {entry.get('at')}")
    if len(records) > MOUNTS_MAX:
        mounts.error(f"mount.{list(entries)[MOUNTS_MAX]}", f"more than {MOUNTS_MAX} mounts")
    if mounts.errors:
        return None
    body = b"".join(records) + b"".join(
        struct.pack(f"<{TYPE_BYTES}s{NAME_BYTES}s", kind.encode(), service.encode())
        for kind, service in types.items())
    return struct.pack("<QIIII", MAGIC, VERSION, 24 + len(body), len(records), len(types)) + body


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    source, out = Path(arguments[0]), Path(arguments[1])
    try:
        mounts = Mounts(source)
    except (OSError, UnicodeDecodeError) as problem:
        print(f"{source}:1: cannot be read: {problem}", file=sys.stderr)
        return 1
    binary = check(mounts)
    for line in mounts.errors:
        print(line, file=sys.stderr)
    if binary is None:
        return 1
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(binary)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
