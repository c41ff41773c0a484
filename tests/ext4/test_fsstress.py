# SPDX-License-Identifier: MIT
"""test_fsstress.py - what fsstress does is done by the ext4 service: each operation succeeds as it did on this machine, e2fsck
finds nothing wrong, and debugfs finds the tree that this machine's file system has."""

import tempfile
from collections import Counter
from pathlib import Path

from testlib import Suite, check

from tests.ext4 import fsstress, images
from tests.ext4.test_ext4_service import serve

suite = Suite("fsstress")

SEEDS = ((1, 1024), (2, 4096))
OPERATIONS = 500
MEBIBYTES = 256


def stress(seed: int, size: int, count: int) -> Counter:
    """So many operations from a seed, on blocks of a size; how many there were of each."""
    with tempfile.TemporaryDirectory(prefix="mnos-fsstress-") as name:
        folder = Path(name)
        image = folder / "image"
        steps = fsstress.trace(fsstress.build(folder), folder / "made", seed, count)
        fsstress.carry_out_all(folder / "wanted", steps)
        images.make(image, MEBIBYTES, "-b", str(size))
        said = serve(image, *fsstress.commands(steps), options=("-s", str(seed), "-p", "700"))
        check(not said.strip(), f"seed {seed}: {said[:500]}")
        images.must_be_clean(image)
        got = [line for line in images.lines_by_debugfs(image, folder / "found") if line != "lost+found dir"]
        wanted = images.lines_of(folder / "wanted")
        got, wanted = images.without_links(got), images.without_links(wanted)
        check(got == wanted, f"seed {seed}: {sorted(set(got) ^ set(wanted))[:6]}")
        return Counter(step[0] for step in steps)


@suite.test("what fsstress does on this machine the service does as well, and e2fsck finds nothing")
def short() -> None:
    for seed, size in SEEDS:
        stress(seed, size, OPERATIONS)


def long_suite(seed: int) -> Suite:
    campaign = Suite("fsstress")

    @campaign.test("20 times 5,000 operations of fsstress, and e2fsck finds nothing")
    def many() -> None:
        counts = Counter()
        for number in range(20):
            counts += stress(seed + number, (1024, 2048, 4096)[number % 3], 5000)
        print(f"fsstress, seeds {seed} to {seed + 19}: {dict(counts)}")

    return campaign
