# SPDX-License-Identifier: MIT
"""reported.py - what disk.py and traffic.py have in common: metrics that a service writes into the log, and printing
them when such a part of run.py is run by itself."""

import re
import sys
from collections.abc import Callable

from qemu import GuestError

Metrics = dict[str, tuple[int, str]]


def reported(output: str, program: str) -> Metrics:
    """The lines `PROGRAM: bench NAME VALUE UNIT` of the log. What could not be measured is told. `program`: a pattern."""
    for failure in re.findall(rf"{program}: bench-failed (.*)", output):
        print(f"MISSING: {failure}")
    return {name: (int(value), unit)
            for name, value, unit in re.findall(rf"{program}: bench (\S+) (\d+) (\S+)", output)}


def main(measure: Callable[[str], Metrics]) -> None:
    try:
        for name, (value, unit) in measure(sys.argv[1] if len(sys.argv) > 1 else "").items():
            print(f"{name} {value} {unit}")
    except GuestError as problem:
        sys.exit(f"bench: {problem}")
