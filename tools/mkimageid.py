#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkimageid.py - a name for what is booted: the kernel and all that is in the RAM disk.

    mkimageid.py OUT KERNEL NAME=FILE...

The ID is the beginning of a digest of their bytes and names: the same input has the same. Behind it OUT has the kernel's build ID,
so that init can say that this RAM disk was booted with another kernel. What is shown of either has SHOWN digits.
"""

import hashlib
import sys
from pathlib import Path

from buildid import SHOWN, NoBuildId, build_id


def image_id(kernel: bytes, files: dict[str, bytes]) -> str:
    """Of lengths too, so that no two lists of files have the same bytes."""
    digest = hashlib.sha256()
    for name, data in [("", kernel), *sorted(files.items())]:
        digest.update(f"{len(name.encode())} {len(data)} {name}".encode())
        digest.update(data)
    return digest.hexdigest()[:SHOWN]


def main(arguments: list[str]) -> None:
    if len(arguments) < 2 or not all("=" in member for member in arguments[2:]):
        sys.exit(__doc__)
    out, kernel = Path(arguments[0]), Path(arguments[1])
    files = dict(member.split("=", 1) for member in arguments[2:])
    try:
        found = image_id(kernel.read_bytes(), {name: Path(path).read_bytes() for name, path in files.items()})
        out.write_text(f"{found} {build_id(kernel).hex()[:SHOWN]}\n")
    except (NoBuildId, OSError) as problem:
        sys.exit(f"mkimageid: {problem}")


if __name__ == "__main__":
    main(sys.argv[1:])
