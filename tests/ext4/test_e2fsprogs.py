# SPDX-License-Identifier: MIT
"""test_e2fsprogs.py - the core of the ext4 service on the images of e2fsprogs' own tests (e2fsprogs.py): each is refused
or served, nothing breaks, and a journal is replayed as e2fsck and debugfs replay it."""

import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from testlib import HANG_S, Suite, check

from tests.ext4 import e2fsprogs, images

suite = Suite("e2fsprogs")

PARTS = 2  # of each kind, so that two cores have something to do
CASES = {"f": 215, "j": 36}
WITHOUT_IMAGE = ("f_mke2fs_baddisk",)  # of mke2fs, on a device that fails


def foreign(image: Path, *before: str) -> str:
    """Mounts, reads and changes a copy of an image in memory; answers what was said of the mount."""
    done = subprocess.run([str(images.TOOL), *before, str(image), "foreign"], capture_output=True, text=True,
                          errors="replace", timeout=HANG_S)
    check(done.returncode == 0, f"died: {done.stderr[-3000:]}")
    return done.stdout.splitlines()[0]


def must_be_served_or_refused(image: Path) -> str:
    said = foreign(image)
    check(foreign(image, "late=3", "slots=256") == said, "a disk that answers late makes a difference")
    words = e2fsprogs.unsupported(image)
    if words:
        check(said.startswith("refused: "), f"served, in spite of {words}: {said}")
        if "not supported" in said:
            check(all(word in said for word in words), f"{words} are not named: {said}")
    return said.split(":")[0]


def blocks_of_journal(image: Path) -> set[int]:
    return {int(block) for block in images.command("debugfs", "-R", "blocks <8>", image).split()}


def must_be_replayed_as_by_debugfs(image: Path, ours: Path) -> None:
    """Every block is the same, but for the superblocks and the journal itself."""
    theirs = image.with_name("theirs")
    e2fsprogs.copy_with_holes(image, theirs)
    journal = blocks_of_journal(image)
    about = images.command("debugfs", "-R", "show_super_stats -h", image)
    size = int(re.search(r"Block size: +(\d+)", about)[1])
    done = subprocess.run(["debugfs", "-w", "-R", "jr", str(theirs)], capture_output=True, text=True, timeout=HANG_S)
    said = done.stderr.split("\n", 1)[1]
    check(not said.strip(), f"debugfs replays it not: {said}")
    check(ours.stat().st_size >= image.stat().st_size, "the image is shorter than it was")  # what is not there is no hole
    one, two = (e2fsprogs.blocks_of(path, size) for path in (ours, theirs))
    for number in sorted(one.keys() | two.keys()):
        check(one.get(number) == two.get(number) or number in journal or number * size <= 1024 or number % 8192 <= 1,
              f"block {number} is another one than debugfs makes of it")
    theirs.unlink()


def must_be_replayed_as_by_e2fsck(image: Path, ours: Path) -> None:
    theirs = image.with_name("theirs")
    e2fsprogs.copy_with_holes(image, theirs)
    images.command("e2fsck", "-fy", theirs, status=(0, 1))
    got, wanted = ([line for line in images.tool(path, "list") if not line.startswith(("lost+found", "reason"))]
                   for path in (ours, theirs))
    check(got == wanted, f"{got[:5]} in place of {wanted[:5]}")
    theirs.unlink()


def replay(image: Path) -> str:
    ours = image.with_name("ours")
    e2fsprogs.copy_with_holes(image, ours)
    done = subprocess.run([str(images.TOOL), str(ours), "replay"], capture_output=True, text=True, errors="replace",
                          timeout=HANG_S)
    if done.returncode != 0:
        return "not replayed"
    check("say: the journal was replayed" in done.stdout, done.stdout[:500])
    must_be_replayed_as_by_debugfs(image, ours)
    must_be_replayed_as_by_e2fsck(image, ours)
    ours.unlink()
    return "replayed"


def try_case(case: str, counts: Counter) -> None:
    with tempfile.TemporaryDirectory(prefix="mnos-e2fsprogs-") as folder:
        found = e2fsprogs.images_of(case, Path(folder))
        check(found or case in WITHOUT_IMAGE, "the case has made no image")
        for image in found:
            counts[must_be_served_or_refused(image)] += 1
            if e2fsprogs.has_journal_to_replay(image) and not e2fsprogs.unsupported(image):
                counts[replay(image)] += 1
        counts["cases"] += 1


def try_cases(kind: str, part: int) -> None:
    counts, problems = Counter(), []
    for case in e2fsprogs.cases(kind)[part::PARTS]:
        if e2fsprogs.is_slow(case):
            counts["too slow"] += 1
            continue
        try:
            try_case(case, counts)
        except (AssertionError, subprocess.TimeoutExpired) as problem:
            problems.append(f"{case}: {problem}")
    print(f"{kind}_*, part {part + 1}: {dict(counts)}")
    check(not problems, "\n    ".join(problems))


for kind, what in (("f", "damaged images"), ("j", "journals")):
    for part in range(PARTS):
        suite.test(f"e2fsprogs' own {what} are refused or served, and replayed as e2fsck does, part {part + 1}")(
            lambda kind=kind, part=part: try_cases(kind, part))


@suite.test("all of e2fsprogs' cases are there")
def whole() -> None:
    for kind, count in CASES.items():
        check(len(e2fsprogs.cases(kind)) == count, f"{kind}_*: {len(e2fsprogs.cases(kind))} cases")
