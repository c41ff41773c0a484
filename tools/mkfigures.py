# SPDX-License-Identifier: MIT
"""mkfigures.py - the page docs/figures.md, from bench/results.txt and bench/targets.toml, for mkdocs.py; and what was
recorded, for bench/run.py."""

import re
import tomllib
from pathlib import Path

HEAD = """\
# Figures

<!-- Made by tools/mkdocs.py from bench/results.txt and bench/targets.toml. `bench/run.py --record`
     writes the first. -->

What was measured last. How, and what a figure does not say, is in [performance.md](performance.md).

"""

GROWTH = """\
## Growth

Instructions with so many capabilities in the caller's table, so many threads that each wait for a
deadline, or so many mappings of one page each: a message and its reply, an event that nobody waits for
(which is finding a capability, the newest), an event that wakes a thread, mapping a page. One core,
2 GiB.

"""


def results(root: Path) -> dict[str, tuple[int, str]]:
    """What was recorded: name, value, unit."""
    rows = (line.split() for line in (root / "bench/results.txt").read_text().splitlines()
            if not line.startswith("#"))
    return {name: (int(value), unit) for name, value, unit in rows}


def comparison(targets: dict, found: dict[str, tuple[int, str]], table) -> str:
    rows = []
    for name, entry in targets.items():
        value, target = found.get(name, (None, ""))[0], entry.get("target")
        verdict = "" if target is None or value is None else "met" if value <= target else "not met"
        numbers = [f"{n:,}" if n is not None else "" for n in
                   (target, entry.get("sel4"), entry.get("linux"))]
        rows.append([f"`{name}`", entry["what"], "**missing**" if value is None else f"{value:,}",
                     numbers[0], verdict, *numbers[1:]])
    return table(["metric", "what", "this system", "target", "", "seL4", "Linux"], rows)


def growth(found: dict[str, tuple[int, str]], table) -> str:
    operations = ["ipc", "lookup", "wake", "map"]
    cells: dict[tuple[int, str], dict[str, int]] = {}
    for name, (value, _) in found.items():
        if match := re.fullmatch(r"growth-([a-z]+)-(\d+)-([a-z]+)", name):
            cells.setdefault((int(match[2]), match[1]), {})[match[3]] = value
    return table(["in existence", *operations],
                 [[f"{count:,} {kind}", *(f"{row.get(operation, 0):,}" for operation in operations)]
                  for (count, kind), row in cells.items()])


def page(root: Path, table) -> str:
    found = results(root)
    targets = tomllib.loads((root / "bench/targets.toml").read_text())
    others = [[f"`{name}`", f"{value:,}", unit] for name, (value, unit) in found.items()
              if name not in targets and not name.startswith("growth-")]
    return (HEAD + comparison(targets, found, table)
            + "## Other metrics\n\n" + table(["metric", "value", "unit"], others)
            + GROWTH + growth(found, table)).rstrip() + "\n"
