# SPDX-License-Identifier: MIT
"""test_ext4_foreign.py - twenty of e2fsprogs' own damaged images and journals (tests/ext4/e2fsprogs.py; the others are tried
on this machine) as partitions of one disk: each is mounted at the prompt or refused with a reason, looked through, written
to and let go, and the file system beside them never notices."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import mkdisk
from hardware import data_disk
from qemu import PROMPT, Guest, Machine
from testlib import HANG_S, Suite, check

from tests.ext4 import e2fsprogs, images
from tests.system.test_disk_files import says, switch_off

suite = Suite("ext4 foreign")

JOURNALS = ("j_corrupt_commit_csum", "j_corrupt_commit_tid", "j_corrupt_descr_csum", "j_corrupt_descr_tid",
            "j_corrupt_journal_block", "j_corrupt_revoke_block", "j_corrupt_revoke_csum", "j_corrupt_revoke_rcount",
            "j_corrupt_sb_csum", "j_recover_fast_commit")
DAMAGED = ("f_badorphan", "f_bad_fname", "f_extent_bad_node", "f_extents", "f_htree_bad_csum", "f_inlinedata_repair",
           "f_itable_collision", "f_orphan", "f_detect_xfs", "f_collapse_extent_tree")
FIRST_MIB, OWN_MIB = 1, 32  # the first partition is a whole file system, which is mounted at /disk


class Part:
    """A partition: what it holds, and where."""

    def __init__(self, case: str, image: Path, mib: int) -> None:
        self.case, self.image, self.first_mib = case, image, mib
        self.mib = -(-image.stat().st_size // mkdisk.MIB)


def put(disk: Path, part: Part) -> None:
    with disk.open("r+b") as file:
        file.seek(part.first_mib * mkdisk.MIB)
        file.write(part.image.read_bytes())


def take(disk: Path, part: Part, to: Path) -> None:
    with disk.open("rb") as file:
        file.seek(part.first_mib * mkdisk.MIB)
        to.write_bytes(file.read(part.image.stat().st_size))


def lay_out(disk: Path, found: dict[str, Path]) -> list[Part]:
    """A disk with a partition for each image, and before them one of its own, which is mounted at /disk."""
    own = disk.with_name("own.img")
    images.make(own, OWN_MIB)
    parts, at = [], FIRST_MIB
    for case, image in ({"own": own} | found).items():
        parts.append(Part(case, image, at))
        at += parts[-1].mib
    with disk.open("wb") as file:
        file.truncate((at + mkdisk.LAST_MIB) * mkdisk.MIB)
    for number, part in enumerate(parts, 1):
        first = part.first_mib * mkdisk.MIB // mkdisk.SECTOR
        end = first + part.mib * mkdisk.MIB // mkdisk.SECTOR - 1
        mkdisk.run(mkdisk.tool("sgdisk", "gdisk"), f"--new={number}:{first}:{end}", f"--typecode={number}:8300", str(disk))
        put(disk, part)
    return parts


def make_disk(disk: Path, folder: Path) -> list[Part]:
    found = {}
    for case in (*JOURNALS, *DAMAGED):
        found[case] = folder / f"{case}.img"
        shutil.copy(e2fsprogs.images_of(case, folder)[0], found[case])
    return lay_out(disk, found)


def try_at_prompt(guest: Guest, number: int) -> str:
    """Answers why it was refused, "" when it is mounted."""
    at = f"/image-{number}"
    says(guest, f"mount virtio_blk.0/{number} {at}")
    guest.command(f"ls {at}", 120)  # waits until it is mounted or is not
    line = next(line for line in guest.command("mount").splitlines() if line.startswith(at + " "))
    for state in (" failed ", " absent "):
        if state in line:
            return line.split(state)[1].split(maxsplit=1)[1].strip()
    check(" mounted " in line, line)
    for command in (f"find {at} no-such-name", f"write {at}/made some text", f"mkdir {at}/below", f"cat {at}/made",
                    f"rm {at}/made", "sync", f"umount {at}"):
        guest.command(command, 120)  # whatever it says: it says something
    return ""


@suite.test("twenty of e2fsprogs' images are mounted or refused at the prompt, and what is beside them is whole")
def foreign() -> None:
    with tempfile.TemporaryDirectory(prefix="mnos-foreign-") as name:
        folder = Path(name)
        disk = folder / "disk"
        parts = make_disk(disk, folder)
        said = {}
        with Guest(Machine("direct", cpus=2, memory_mib=256, extra=data_disk(disk)), "ext4 foreign", 900) as guest:
            guest.expect(PROMPT)
            says(guest, "ls /disk", "lost+found")
            for number, part in enumerate(parts[1:], 2):
                said[part.case] = try_at_prompt(guest, number)
                says(guest, f"write /disk/after-{number} {part.case}")
                says(guest, f"cat /disk/after-{number}", part.case)
            log = guest.command("log")
            check(not re.search(r"ext4\.\d.*(fault|ended)", log), f"the service died: {log[-2000:]}")
            switch_off(guest)
        mounted = [case for case, text in said.items() if not text]
        print(f"{len(mounted)} of {len(said)} mounted; refused: {sorted(set(said) - set(mounted))}")
        own = folder / "own.after"
        take(disk, parts[0], own)
        images.must_be_clean(own)
        for part in parts[1:]:
            must_be_as_on_this_machine(part, said[part.case])


def must_be_as_on_this_machine(part: Part, said: str) -> None:
    """What is refused at the prompt is refused here, for the same reason or because `volumes` saw no file system in it."""
    done = subprocess.run([str(images.TOOL), str(part.image), "foreign"], capture_output=True, text=True, errors="replace",
                          timeout=HANG_S)
    check(done.returncode == 0, f"{part.case}: {done.stderr[-1000:]}")
    here = done.stdout.splitlines()[0]
    check(here.startswith("refused") == bool(said), f"{part.case}: {said!r} at the prompt, {here!r} on this machine")
    check(not said or said in here or "mounts what the volume holds" in said, f"{part.case}: {said!r}, but here {here!r}")
