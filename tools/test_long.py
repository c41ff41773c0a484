#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_long.py - the campaigns: tests that take hours, at low priority, with their figures on record.

    test_long.py [-k TEXT]

What is printed goes to BUILD/campaigns/DATE.txt as well: date and commit, the seed of every game, what
was counted, and one line per test. SEED=N in the environment plays the games of that seed again; without it
the seed is the time. With -k only the jobs whose name contains TEXT run.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.dont_write_bytecode = True

from qemu import BUILD, ROOT  # noqa: E402
from testlib import run  # noqa: E402
from tests.campaigns import ext4_kills, fuzz, game, shares, web_load  # noqa: E402
from tests.ext4 import test_ext4 as cuts  # noqa: E402
from tests.ext4 import test_fsstress as fsstress  # noqa: E402
from tests.guest import run as guest  # noqa: E402
from tests.system import test_devices as devices  # noqa: E402
from tests.system import test_disks as disks  # noqa: E402
from tests.system import test_ext4 as ext4  # noqa: E402
from tests.system import test_ext4_power as power  # noqa: E402
from tests.system import test_fat as fat  # noqa: E402
from tests.system import test_httpd as httpd  # noqa: E402
from tests.system import test_network_idle as idle  # noqa: E402
from tests.system import test_network_impaired as impaired  # noqa: E402
from tests.system import test_network_kills as network_kills  # noqa: E402
from tests.system import test_posix as posix  # noqa: E402
from tests.system import test_regions as regions  # noqa: E402
from tests.system import test_serial_kills as serial_kills  # noqa: E402

NICENESS = 10


class Record:
    """Standard output, and a file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.streams = [sys.stdout, path.open("w", encoding="utf-8")]

    def write(self, text: str) -> int:
        for stream in self.streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        for stream in self.streams:
            stream.flush()


def commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty", "--abbrev=12"], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the campaigns.")
    parser.add_argument("-k", default="", metavar="TEXT", help="only jobs whose name contains TEXT")
    options = parser.parse_args()
    seed = int(os.environ.get("SEED") or time.time())
    path = BUILD / "campaigns" / time.strftime("%Y-%m-%d-%H%M%S.txt")
    sys.stdout = Record(path)
    os.nice(NICENESS)
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S %z')}, commit {commit()}, seed {seed}, record {path}", flush=True)
    passed = run([shares.long_suite(), guest.long_suite(), game.long_suite(seed), regions.long_suite(), serial_kills.long_suite(), devices.long_suite(),
                  disks.long_suite(), power.long_suite(), ext4.long_suite(), ext4_kills.long_suite(), fat.long_suite(), cuts.long_suite(seed),
                  fsstress.long_suite(seed), posix.long_suite(), network_kills.long_suite(), idle.long_suite(), impaired.long_suite(),
                  httpd.long_suite(), web_load.long_suite(), fuzz.long_suite()], options.k)
    print(time.strftime("%Y-%m-%d %H:%M:%S %z"), flush=True)
    return 0 if passed else 1


sys.exit(main())
