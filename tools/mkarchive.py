#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkarchive.py - packs the initial RAM disk and the boot volume of a direct boot: ustar archives.

    mkarchive.py OUT.tar NAME=FILE...

The data of each file begins on a page of the archive, so that it can be mapped where it lies: a
member named ".pad" fills the space before it. Members are sorted and carry no date and no owner,
so that the same files give the same bytes.
"""

import io
import sys
import tarfile
from pathlib import Path

BLOCK = tarfile.BLOCKSIZE
PAGE = 4096


def pack(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:

        def add(name: str, data: bytes) -> None:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.mode = 0o555 if data.startswith(b"\x7fELF") else 0o444
            archive.addfile(member, io.BytesIO(data))

        for name, data in sorted(files.items()):
            # The header of a file is the last block before the page of its data.
            if gap := -(archive.offset + BLOCK) % PAGE:
                add(".pad", bytes(gap - BLOCK))
            add(name, data)
    return buffer.getvalue()


def main(arguments: list[str]) -> None:
    if len(arguments) < 2 or not all("=" in member for member in arguments[1:]):
        sys.exit(__doc__)
    out, *members = arguments
    names = [member.split("=", 1)[0] for member in members]
    files = dict(member.split("=", 1) for member in members)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        sys.exit(f"mkarchive: two files have the same name: {', '.join(twice)}")
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_bytes(pack({name: Path(path).read_bytes() for name, path in files.items()}))


if __name__ == "__main__":
    main(sys.argv[1:])
