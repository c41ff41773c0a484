# SPDX-License-Identifier: MIT
"""test_proofs.py - the proofs of the kernel's source (`make proof`, which takes minutes): what can be tested of them in seconds."""

import sys
from pathlib import Path

from testlib import Result, Suite, check

sys.path.insert(0, str(Path(__file__).resolve().parent))

import mutants  # noqa: E402
import prove  # noqa: E402

QUICK = "quota"

suite = Suite("proofs")


@suite.test("each planted mistake fits the kernel as it is, and each proof has one")
def fit() -> None:
    planted, proofs = mutants.all_mutants(), {proof.name for proof in prove.all_proofs()}
    check(proofs == {mutant.proof for mutant in planted},
          f"not both: {sorted(proofs ^ {mutant.proof for mutant in planted})}")
    for mutant in planted:
        found = (prove.ROOT / mutant.file).read_text().count(mutant.old)
        check(found == 1 and mutant.new != mutant.old, f"{mutant.name}: {mutant.file} has its text {found} times")


@suite.job("proofs of accounts hold")
def hold() -> list[Result]:
    if not (prove.CBMC / ".fetched").exists():
        return [Result("proofs of accounts were not tried: `make proof` has not fetched cbmc yet")]
    results = []
    for proof in prove.chosen([QUICK]):
        found = prove.check(proof)
        results.append(Result(f"proof {proof.name} holds", "; ".join(found.broken) or None))
    return results
