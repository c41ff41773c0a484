# SPDX-License-Identifier: MIT
"""disk.py - measures files on a disk: the system as it is, with a service that is a benchmark (bench/disk), on a virtio
disk and on NVMe. Part of run.py.

The core idles while it waits for the disk, so the machine's time goes on with the host's then (`sleep=on`), and the
service leaves idle time out. How often it idles depends on how fast the host answers: these figures differ by some per
cent from run to run.
"""

import re
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tools"))

import mkdisk  # noqa: E402
from hardware import data_disk  # noqa: E402
from qemu import PROMPT, Guest, GuestError, Machine  # noqa: E402
from reported import MACHINES, VARIANTS, Metrics, main, reported  # noqa: E402
from tests.system.with_services import added, initrd as initrd_with  # noqa: E402

LIMIT_S = 300
DISK_MIB = 640
INODES = 120_000
MIB = 1 << 20
# Names and sizes as bench/disk has them: each of `big` is read once, cold.
FILES = {"big-0": 32 * MIB, "big-1": 32 * MIB, "big-2": 32 * MIB, "random": 64 * MIB, "small": 2 * MIB}

SERVICE = """
[service.disk]
file = "disk"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 512
bytes = 65536
stack_pages = 8
uses = { files = "vfs", observer = "observer" }
memory = ["statistics"]
kernel_arguments = true
log = "write"
"""

METRICS = ("memory-kib", "disk-cold-per-kib", "disk-nvme-cold-per-kib", "disk-cached-per-kib", "disk-random-4k",
           "disk-write-per-kib", "file-fsync-4k", "file-fsync-4k-append", "file-open-close-ext4",
           "file-stat-ext4", "file-read-4k-ext4", "file-write-4k-ext4", "file-create-unlink-ext4",
           "directory-100-lookup", "directory-100-create", "directory-100000-lookup",
           "directory-100000-create", "file-512k-random", "file-4g-random", "open-files-1-read",
           "open-files-1000-read")

# Measured again on VARIANTS and MACHINES, all but what takes minutes to prepare. Not with a second core: the whole system is
# measured here, services may run on either core, and what is busy on one while the other idles cannot be told apart.
CHOSEN = "disk-|fsync|-ext4|directory-100-"
VARIED = tuple(name for name in METRICS
               if name != "disk-nvme-cold-per-kib" and any(part in name for part in CHOSEN.split("|")))

# "since then      11988 KiB  by processes", and one line for each process.
TAKEN = re.compile(r"^since then +(\d+) KiB", re.MULTILINE)
PROCESS = re.compile(r"^(\S+) +(\d+) +\d+ +\d+ +\d+ *$", re.MULTILINE)


def make_disk(folder: Path) -> Path:
    content, image = folder / "content", folder / "disk.img"
    content.mkdir()
    page = bytes(range(256)) * 16
    for name, size in FILES.items():
        with (content / name).open("wb") as file:
            for at in range(0, size, MIB):
                file.write((at // MIB).to_bytes(8, "little") + page[8:] + page * (MIB // len(page) - 1))
    mkdisk.make(image, DISK_MIB, content=content, inodes=INODES)
    return image


def memory_of(text: str) -> Metrics:
    """What the monitor's `mem` says: all that is taken since the boot, and by which process. Regions are init's."""
    taken = TAKEN.search(text)
    if not taken:
        raise GuestError("the monitor did not tell how much memory is taken")
    return {"memory-kib": (int(taken[1]), "KiB"),
            **{f"memory-kib-{name}": (int(used), "KiB") for name, used in PROCESS.findall(text)}}


def memory_now(guest: Guest) -> Metrics:
    """The kernel counts what is free when a core idles: until then all that is taken is less than the parts of it."""
    for _ in guest.looks():
        memory = memory_of(guest.command("mem"))
        if memory["memory-kib"][0] >= sum(value for name, (value, _) in memory.items() if name != "memory-kib"):
            return memory
    raise GuestError("the kernel did not count what memory is free")


def measure_on(folder: Path, image: Path, device: str, words: str, cpu: str = "max,-erms,-la57") -> Metrics:
    machine = Machine("direct", cpus=1, cpu=cpu, initrd=folder / "initrd.tar", cmdline=words,
                      extra=("-icount", "shift=0,sleep=on", *data_disk(image, device, snapshot="on")))
    with Guest(machine, f"bench disk {device} {words}", LIMIT_S) as guest:
        guest.expect(PROMPT)
        guest.command("ls /disk", 60)  # typed at the first prompt, it waits for the mount
        memory = memory_now(guest)
        guest.command("run disk", LIMIT_S)
        output = guest.command("log")
    return memory | reported(output, "disk")


@contextmanager
def prepared():
    with tempfile.TemporaryDirectory(prefix="mnos-bench-") as name:
        folder = Path(name)
        image = make_disk(folder)
        initrd_with(folder, ["disk"], added(SERVICE), "bench")
        yield folder, image


def measure_variants() -> Metrics:
    metrics: Metrics = {}
    with prepared() as (folder, image):
        for suffix, settings in (VARIANTS | MACHINES).items():
            if "cpus" in settings:
                continue
            words = f"only={CHOSEN} {settings.get('cmdline', '')}"
            found = measure_on(folder, image, "virtio-blk-pci", words, *(v for k, v in settings.items() if k == "cpu"))
            metrics |= {f"{name}-{suffix}": found[name] for name in VARIED if name in found}
    return metrics


def measure(only: str = "") -> Metrics:
    """Metrics whose name contains `only`; all without it."""
    chosen = f"only={only}" if only else ""
    with prepared() as (folder, image):
        metrics = measure_on(folder, image, "virtio-blk-pci", chosen)
        if only in "disk-nvme-cold-per-kib":
            nvme = measure_on(folder, image, "nvme,serial=1", "only=disk-nvme-cold cold=disk-nvme-cold-per-kib")
            metrics |= {name: found for name, found in nvme.items() if name not in metrics}
        return metrics


if __name__ == "__main__":
    main(measure)
