# SPDX-License-Identifier: MIT
"""linux_disk.py - the programs of Linux on the disk of `make run`: what /disk/linux holds.

They are Debian's packages of third_party/linux.lock, whole, so that the copyright of each lies beside it. The signed
index of apt vouches for them; the version of each is in /linux/versions.
"""

import shutil
import subprocess
from pathlib import Path

from hardware import ROOT

LOCK = ROOT / "third_party/linux.lock"
LIMIT_S = 180  # for whoever waits for `make run`


def fetch(folder: Path, lock: Path, limit_s: float, environment: dict[str, str] | None) -> str | None:
    """Puts the packages into `folder`, one below the other; what was wrong, in one line, or None."""
    try:
        done = subprocess.run([ROOT / "tools/deps.sh", lock, folder], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=limit_s, env=environment)
    except subprocess.TimeoutExpired:
        return f"the packages did not come within {limit_s} s"
    lines = [line for line in done.stdout.splitlines() if line.startswith("deps: ")]
    return None if done.returncode == 0 else lines[-1].removeprefix("deps: ") if lines else "deps.sh failed"


def make(content: Path, lock: Path = LOCK, limit_s: float = LIMIT_S, environment: dict[str, str] | None = None) -> str:
    """Makes content/linux; a line that says what is in it, or why there is none. `environment`: another than ours."""
    packages = content.with_name(content.name + ".packages")
    try:
        problem = fetch(packages, lock, limit_s, environment)
        if problem:
            return f"the disk has no programs of Linux: {problem}"
        versions = ""
        for package in sorted(packages.iterdir()):
            versions += f"{package.name} {(package / '.version').read_text()}"
            shutil.copytree(package, content / "linux", symlinks=True, dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns(".version"))
        (content / "linux/versions").write_text(versions)
        return f"its folder linux has {', '.join(versions.splitlines())}"
    finally:
        shutil.rmtree(packages, ignore_errors=True)
