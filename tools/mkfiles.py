#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkfiles.py - checks which directories of files in memory services of system/manifest.toml are given, and compiles that for
the service tmpfs.

    mkfiles.py MANIFEST.toml OUT.bin

A service's entry of `uses` with the endpoint of a service whose program is `tmpfs` may have the keys directory and rights,
both or neither. The rest of the manifest is mkmanifest.py's. Every error names the file and the line. The output format is
protocols/file_limits_format.h; docs/manifest.md explains the keys.
"""

import re
import struct
import sys

from service_limits import compile_limits

MAGIC, VERSION = 0x54494D494C454C46, 1
DIRECTORY_BYTES = 32
PROGRAM = "tmpfs"
KEYS = {"directory", "rights"}
LOOKUP, READ, WRITE, CREATE = 1, 2, 4, 8
RIGHTS = {"read": LOOKUP | READ, "write": LOOKUP | READ | WRITE | CREATE}
DIRECTORY = re.compile(r"[a-z0-9_-]{1,31}")


def read_limits(use: dict) -> bytes:
    directory, rights = use.get("directory"), use.get("rights")
    if not isinstance(directory, str) or not DIRECTORY.fullmatch(directory):
        raise ValueError(f"directory is the name of one, of at most {DIRECTORY_BYTES - 1} small letters, digits, _ and -")
    if rights not in RIGHTS:
        raise ValueError('rights is "read" or "write"')
    return directory.encode().ljust(DIRECTORY_BYTES, b"\0") + struct.pack("<2I", RIGHTS[rights], 0)


if __name__ == "__main__":
    sys.exit(compile_limits(sys.argv[1:], PROGRAM, KEYS, read_limits, MAGIC, VERSION))
