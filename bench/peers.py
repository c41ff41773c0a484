# SPDX-License-Identifier: MIT
"""peers.py - what other kernels take for the same work: seL4's figures are recorded in targets.toml;
Linux' too, and are measured anew when its benchmark is at hand."""

import os
import re
import subprocess
from pathlib import Path

# "pipe-1  13253 ..." : name, then the columns, the first of which is our processor model.
ROW = re.compile(r"^\|? *([a-z][a-zA-Z0-9_-]+) *\|? +([0-9.]+)", re.MULTILINE)
# For each boot of its own; a busy machine needs more than the default.
BOOT_LIMIT_S = 1200


def figure(entry: dict, linux: dict[str, int]) -> int | None:
    """Linux' figure for an entry of targets.toml: the measured one when there is one."""
    measured = linux.get(entry.get("peer", ""))
    return round(measured * entry.get("times", 1)) if measured is not None else entry.get("linux")


def measure_linux(folder: Path) -> dict[str, float]:
    """Runs the benchmark in FOLDER/linux, which takes some minutes; its medians by name."""
    program = folder / "linux/run"
    if not program.exists():
        print(f"There is no {program}: Linux' figures are the recorded ones.")
        return {}
    print(f"Running {program} ...", flush=True)
    result = subprocess.run([str(program)], capture_output=True, text=True,
                            env={"TIMEOUT": str(BOOT_LIMIT_S)} | os.environ)
    if result.returncode != 0:
        print(f"{program} failed, so Linux' figures are the recorded ones: {result.stderr.strip()}")
        return {}
    return {name: float(value) for name, value in ROW.findall(result.stdout)}
