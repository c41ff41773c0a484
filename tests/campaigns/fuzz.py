# SPDX-License-Identifier: MIT
"""fuzz.py - each reader of bytes from outside (tests/fuzz), for SECONDS, from the corpus of earlier runs on."""

import re

from qemu import BUILD, ROOT
from testlib import Suite, outside_make, require_success

SECONDS = 600
# Beyond that: to compile it, and on a busy host to come to its end.
LIMIT_S = 7200


def fuzz(name: str, seconds: int) -> None:
    said = require_success(["make", "DEPS=no", f"BUILD={BUILD}", f"FUZZ_SECONDS={seconds}", f"fuzz-{name}"],
                           seconds + LIMIT_S, cwd=ROOT, env=outside_make())
    tried = re.search(r"^stat::number_of_executed_units: *(\d+)", said, re.MULTILINE)
    assert tried and int(tried[1]) > 0, f"nothing was tried:\n{said[-1000:]}"
    print(f"   fuzz {name}: {int(tried[1]):,} inputs in {seconds} s", flush=True)


def long_suite(seconds: int = SECONDS) -> Suite:
    suite = Suite("fuzz")
    for path in sorted((ROOT / "tests/fuzz").glob("*.c")):
        suite.test(f"{path.stem} survives what {seconds} s of libFuzzer think of")(
            lambda name=path.stem: fuzz(name, seconds))
    return suite
