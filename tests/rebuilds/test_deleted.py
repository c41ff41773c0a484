# SPDX-License-Identifier: MIT
"""test_deleted.py - a fresh build, in another folder, beside the one here and beside one from which files were deleted."""

import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path

from qemu import BUILD, ROOT
from testlib import WHOLE_MACHINE, Result, Suite, check

from tests.tools.source_copy import RESULTS, Copy, make_in, results_in

suite = Suite("rebuilds")

ADDED_PROGRAMS = ("programs/passing_by", "drivers/power/passing_driver")
ADDED_FILES = ("kernel/passing_kernel.c", "lib/mnos/passing_library.c", "boot/core/passing_loader.c",
               "programs/spin/passing_part.c")
FUNCTION = "int NAME(int a);\nint NAME(int a)\n{\n    return a + 1;\n}\n"


def build_with_more(copy: Copy) -> dict[str, bytes]:
    for path in ADDED_PROGRAMS:
        copy.add_program(path)
        copy.add_service(Path(path).name)
    for path in ADDED_FILES:
        (copy.root / path).write_text(FUNCTION.replace("NAME", Path(path).stem))
    made = copy.build(copy.made)
    with tarfile.open(copy.root / copy.made / "initrd.tar") as archive:
        names = archive.getnames()
    for path in ADDED_PROGRAMS:
        check(Path(path).name in names, f"{path} is not in the RAM disk: {names}")
    return made


def build_without(copy: Copy, manifest: str) -> dict[str, bytes]:
    for path in ADDED_PROGRAMS:
        shutil.rmtree(copy.root / path)
    for path in ADDED_FILES:
        (copy.root / path).unlink()
    (copy.root / "system/manifest.toml").write_text(manifest)
    return copy.build(copy.made)


def result(sentence: str, problems: list[str]) -> Result:
    return Result(sentence, "; ".join(problems) or None)


@suite.job("the same input gives the same bytes, and what was deleted is gone", WHOLE_MACHINE)
def deleted() -> Iterable[Result]:
    make_in(ROOT, "kernel", "initrd", "loader")
    here = results_in(BUILD)
    with Copy(built=True) as copy:
        manifest = (copy.root / "system/manifest.toml").read_text()
        before = build_with_more(copy)
        incremental = build_without(copy, manifest)
        fresh = copy.build(str(copy.root / "fresh"))  # told by its whole path
    return [
        result("the same input gives the same bytes",
               [f"two builds of {name} differ" for name in RESULTS if here[name] != fresh[name]]),
        result("what was deleted is gone: an incremental build gives the bytes of a fresh one",
               [f"what was added is not in {name}" for name in RESULTS if before[name] == fresh[name]] +
               [f"what was deleted is still in {name}" for name in RESULTS if incremental[name] != fresh[name]]),
    ]
