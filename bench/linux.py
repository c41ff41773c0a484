# SPDX-License-Identifier: MIT
"""linux.py - measures programs of Linux (docs/linux.md): the system as it is, with a disk that has one program of Linux
(tests/linux/cost.c), which counts by the TSC what its calls take. Part of run.py.

On one core, and nothing waits for the disk while it counts: all it reads has been read before.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tools"))

import mkdisk  # noqa: E402
from hardware import data_disk  # noqa: E402
from qemu import BUILD, PROMPT, Guest, GuestError, Machine  # noqa: E402
from reported import Metrics, main  # noqa: E402

LIMIT_S = 300
DISK_MIB = 64
PROGRAM = BUILD / "tests/linux/cost"
# What the program calls its figures.
NAMES = {"getppid": "linux-getppid", "read": "linux-read-4k", "pipe": "linux-pipe-64", "fork": "linux-fork-exit-wait",
         "exec": "linux-vfork-exec-wait", "thread": "linux-thread-create-join"}
METRICS = tuple(NAMES.values())

# So often the monitor is asked whether a service has still something to do from its start.
TRIES = 100
ENDED = re.compile(r"ended, exit code 0\b")


def make_disk(folder: Path) -> Path:
    content, image = folder / "content", folder / "disk.img"
    (content / "linux/bin").mkdir(parents=True)
    (content / "work").mkdir()
    shutil.copy(PROGRAM, content / "linux/bin")
    (content / "work/long").write_bytes(bytes(range(256)) * 256)
    mkdisk.make(image, DISK_MIB, content=content)
    return image


def measure(only: str = "") -> Metrics:
    """Metrics whose name contains `only`; all without it. The program counts all of them."""
    with tempfile.TemporaryDirectory(prefix="mnos-bench-") as folder:
        machine = Machine("direct", cpus=1, cpu="max,-erms,-la57",
                          extra=("-icount", "shift=0,sleep=off", *data_disk(make_disk(Path(folder)))))
        with Guest(machine, "bench linux", LIMIT_S) as guest:
            guest.expect(PROMPT)
            for _ in range(TRIES):
                if not re.search(r" ready +\d", guest.command("ps")):
                    break
            output = guest.command("run --grant /disk/work:r:/work cost", LIMIT_S)
    found = dict(re.findall(r"^(\w+) (\d+)\s*$", output, re.MULTILINE))
    if not ENDED.search(output) or found.keys() != NAMES.keys():
        raise GuestError(f"the program did not count all of {', '.join(NAMES)}:\n{output}")
    return {NAMES[name]: (int(value), "instructions") for name, value in found.items() if only in NAMES[name]}


if __name__ == "__main__":
    main(measure)
