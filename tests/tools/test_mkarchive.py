# SPDX-License-Identifier: MIT
"""test_mkarchive.py - the initial RAM disk is a plain tar archive with page-aligned files."""

import io
import tarfile

import mkarchive
import mkimageid
from testlib import Suite, check

suite = Suite("tools")

PAGE = 4096
FILES = {"z": b"last", "init": b"\x7fELF" + bytes(6000), "empty": b"", "exact": bytes(3584)}


@suite.test("the initial RAM disk holds the files, sorted, each on a page of its own")
def members() -> None:
    with tarfile.open(fileobj=io.BytesIO(mkarchive.pack(FILES))) as archive:
        found = [member for member in archive if member.name != ".pad"]
        check([member.name for member in found] == sorted(FILES), "names or order")
        for member in found:
            data = archive.extractfile(member).read()
            check(data == FILES[member.name], f"contents of {member.name}")
            check(member.offset_data % PAGE == 0, f"{member.name} begins at {member.offset_data}")
            check(member.mtime == 0 and member.uid == 0, f"date or owner of {member.name}")
            check(bool(member.mode & 0o111) == data.startswith(b"\x7fELF"), f"mode of {member.name}")


@suite.test("the order in which files are named does not change the initial RAM disk")
def reproducible() -> None:
    backwards = dict(reversed(FILES.items()))
    check(mkarchive.pack(FILES) == mkarchive.pack(backwards), "the archives differ")


@suite.test("the name of an image is another one for each byte and name of its files, and for another kernel")
def image_names() -> None:
    backwards = dict(reversed(FILES.items()))
    name = mkimageid.image_id(b"kernel", FILES)
    check(len(name) == 12 and name == mkimageid.image_id(b"kernel", backwards), f"{name} depends on the order")
    others = [mkimageid.image_id(kernel, files) for kernel, files in (
        (b"kernem", FILES), (b"kernel", FILES | {"z": b"lasu"}), (b"kernel", FILES | {"y": b""}),
        (b"kernel", FILES | {"empty": b"last", "z": b""}))]
    check(len({name, *others}) == 1 + len(others), f"two have one name: {name}, {others}")
