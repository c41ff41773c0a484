# SPDX-License-Identifier: MIT
"""reported.py - what the parts of run.py have in common: the machines that are measured on beside the usual one, metrics that a
service writes into the log, and printing them when such a part is run by itself."""

import re
import sys
from collections.abc import Callable

from qemu import GuestError

Metrics = dict[str, tuple[int, str]]

# Measured again with page table isolation and with prediction barriers on: every way into the kernel.
VARIANTS = {"pti": {"cmdline": "pti=on"}, "barriers": {"cmdline": "barriers=on"}}
# And on other machines: all the processor has; no hypervisor, so that the kernel turns barriers on by itself; a second core,
# which idles.
MACHINES = {"max": {"cpu": "max"}, "bare": {"cpu": "max,-hypervisor"}, "idle-core": {"cpus": 2}}


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
