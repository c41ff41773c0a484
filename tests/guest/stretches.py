# SPDX-License-Identifier: MIT
"""stretches.py - what the measuring kernel says of how long it did not look at interrupts: docs/testing.md.

It logs lines like these, the longest stretch first, each with the system call or vector that it belongs to and the
functions on the stack where it ended:

    measured 4585 instructions, call 0x4d4e000c, until arch_poll_interrupts sched_preempt_point remove_below
    measured 3320 instructions, vector 0xe, until exit
"""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from qemu import ROOT
from testlib import Result

LIMIT = 5000
NOT_NEEDED = 4000  # an exception whose place takes less: what is between them may be either, by chance
SHOWN = 5
EXCEPTIONS = Path(__file__).parent / "long_stretches.toml"

LINE = re.compile(r"^measured (\d+) instructions, (call|vector) 0x([0-9a-f]+), until (.+)$")
CALL = re.compile(r"^\w+\((0x[0-9A-F]+), (\w+)", re.MULTILINE)
# On the way to every look, and so no place.
EVERYWHERE = ("arch_poll_interrupts", "sched_preempt_point", "tlb_batch_preempt_point")


def names() -> dict[int, str]:
    """System calls by number."""
    table = (ROOT / "abi/syscalls.def").read_text()
    return {int(number, 16): name for number, name in CALL.findall(table)}


def place_of(kind: str, number: int, until: str, calls: dict[int, str]) -> str:
    """What was going on, and where it ended."""
    if kind == "vector":
        what = f"exception {number}" if number < 32 else f"interrupt {number}"
    else:
        what = calls.get(number, "foreign call")
    where = [name for name in until.split() if name not in EVERYWHERE][:1] or ["a look"]
    return f"{what}, {'return' if where[0].startswith('general_') else where[0]}"


def longest(lines: Iterable[str]) -> dict[str, int]:
    """The longest stretch of each place."""
    calls, found = names(), {}
    for line in lines:
        if match := LINE.match(line):
            count, kind, number, until = match.groups()
            place = place_of(kind, int(number, 16), until, calls)
            found[place] = max(found.get(place, 0), int(count))
    return found


def results(lines: Iterable[str], prefix: str) -> Iterable[Result]:
    """A test that shows the longest, one for each that is too long, and one for each exception."""
    found = longest(lines)
    exceptions = tomllib.loads(EXCEPTIONS.read_text())
    ordered = sorted(found.items(), key=lambda item: -item[1])
    shown = "; ".join(f"{count:,} in {place}" for place, count in ordered[:SHOWN])
    yield Result(f"{prefix}interrupts wait {shown or 'nobody knows how long'}",
                 None if found else "the kernel has measured nothing")
    for place, count in ordered:
        limit = exceptions.get(place, {}).get("limit", LIMIT)
        if count > limit:
            yield Result(f"{prefix}interrupts do not wait long in {place}",
                         f"{count:,} instructions, more than {limit:,}")
    for place in exceptions:
        if found.get(place, 0) < NOT_NEEDED:
            yield Result(f"{prefix}{place} is an exception",
                         f"it is not needed any more: take it out of {EXCEPTIONS.name}")
