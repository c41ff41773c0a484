#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkboottar.py OUTPUT MEMBER=FILE... - the ustar archive for direct boot.

Responsible for: the same bytes for the same input, and members whose data start on a page, so that
the loader uses them where they are. A member named "padding" fills the gap before each one.
"""
import io
import os
import sys
import tarfile

PAGE = 4096
BLOCK = 512


def header(name, size):
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o644
    info.mtime = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    return info


def main():
    if len(sys.argv) < 3 or not all("=" in a for a in sys.argv[2:]):
        sys.exit(__doc__.splitlines()[0])
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for argument in sys.argv[2:]:
            name, path = argument.split("=", 1)
            with open(path, "rb") as file:
                data = file.read()
            # The member's header is the last block before its page.
            gap = -(tar.offset + BLOCK) % PAGE
            if gap > 0:
                tar.addfile(header("padding", gap - BLOCK), io.BytesIO(bytes(gap - BLOCK)))
            tar.addfile(header(name, len(data)), io.BytesIO(data))
    with open(sys.argv[1], "wb") as file:
        file.write(archive.getvalue())


if __name__ == "__main__":
    main()
