# SPDX-License-Identifier: MIT
"""images.py - images of FAT and exFAT, made by mkfs.fat and mkfs.exfat, and the judges of what became of them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from testlib import HANG_S, check

LIMIT_S = HANG_S
TOOLS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
# Kind, size in MiB, options of mkfs.
KINDS = (("fat12", 8, ()), ("fat16", 32, ()), ("fat32", 64, ()), ("fat32", 300, ("-s", "8")),
         ("fat16", 64, ("-s", "32", "-f", "1")), ("exfat", 32, ()), ("exfat", 64, ("-c", "512")))
# What a power cut may leave: clusters, and parts of long names, that nothing leads to; the mark, counters, the second FAT.
HARMLESS = re.compile(r"Dirty bit|FATs differ but|Using (first|second) FAT|Reclaim|unused clusters|"
                      r"Free cluster summary|Automatically|cluster chain length is >|Truncating file|boot sector and its backup|"
                      r"mostly harmless|offset:|Not automatically|Leaving filesystem unchanged|^\s*$|^fsck\.fat|files, |"
                      r"Orphaned long file name|Auto-|Orphan|^/|^\s+\d+:")


def tool(name: str) -> str:
    path = shutil.which(name, path=TOOLS)
    check(path is not None, f"there is no {name}")
    return str(path)


def run(*command: object, status: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, errors="replace", timeout=LIMIT_S)
    check(done.returncode in status, f"{' '.join(map(str, command))}: status {done.returncode}\n"
          f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def make(path: Path, kind: str, mebibytes: int, options: tuple[str, ...] = ()) -> None:
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(mebibytes << 20)
    if kind == "exfat":
        run(tool("mkfs.exfat"), *options, path)
    else:
        run(tool("mkfs.fat"), "-F", kind[3:], "-n", "TEST", *options, path)


def judge(path: Path, kind: str) -> None:
    """fsck finds nothing at all."""
    said = run(tool("fsck.exfat" if kind == "exfat" else "fsck.fat"), "-n", path)
    check(kind != "exfat" or "clean" in said, said)


def put(image: Path, source: Path, name: str) -> None:
    run("mcopy", "-i", image, "-o", source, f"::{name}")


def get(image: Path, name: str) -> bytes:
    return subprocess.run(["mtype", "-i", str(image), f"::{name}"], capture_output=True, timeout=LIMIT_S, check=True).stdout
