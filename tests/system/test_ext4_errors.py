# SPDX-License-Identifier: MIT
"""test_ext4_errors.py - errors of the medium below ext4 (QEMU's blkdebug), at sectors that debugfs names: a block of a file
that cannot be read is that request's error; one that cannot be written is told once through each file that has it open; where the log cannot be written nothing is changed any more, and what was there
is there after the next start. A disk that is only read is mounted so."""

import os
import re
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path

import mkdisk
from hardware import data_disk
from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

from tests.ext4 import images
from tests.system.test_disk_files import SIZE_MIB, partition, says, switch_off
from tests.system.with_services import added, initrd

suite = Suite("ext4 errors")

BLOCK = 4096
DEVICE = 69  # MNOS_ERR_DEVICE
SYNC_ERRORS = """
[service.sync_errors]
file = "sync_errors"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 128
bytes = 32768
uses = { files = "vfs", observer = "observer" }
log = "write"
"""
DEVICE_FAILED = "device"  # in the text of ERR_DEVICE


@contextmanager
def filled():
    """A disk whose file system has two files, and the file system alone."""
    with tempfile.TemporaryDirectory(prefix="mnos-errors-") as name:
        folder = Path(name)
        content = folder / "content"
        content.mkdir()
        (content / "victim").write_bytes(b"v" * 3 * BLOCK)
        (content / "other").write_bytes(b"another text\n")
        path, part = folder / "disk.img", folder / "made.img"
        mkdisk.make(path, SIZE_MIB)
        images.make(part, SIZE_MIB - mkdisk.FIRST_MIB - mkdisk.LAST_MIB, "-b", str(BLOCK), folder=content)
        with path.open("r+b") as file:
            file.seek(mkdisk.FIRST_MIB * mkdisk.MIB)
            file.write(part.read_bytes())
        yield path, part


def sector_of(part: Path, file: str, index: int) -> int:
    """Of the disk: where a block of a file begins."""
    block = int(images.command("debugfs", "-R", f"blocks {file}", part).split()[index])
    return (mkdisk.FIRST_MIB * mkdisk.MIB + block * BLOCK) // mkdisk.SECTOR


@contextmanager
def failing(path: Path, event: str, sector: int, name: str, archive: Path | None = None):
    """The disk answers each request of a kind that touches the sector with an error."""
    drive = ("-drive", f"if=none,id=data,driver=raw,file.driver=blkdebug,file.image.filename={path},"
             f"file.inject-error.0.event={event},file.inject-error.0.errno=5,file.inject-error.0.sector={sector},"
             "rerror=report,werror=report", "-device", "virtio-blk-pci,drive=data")
    machine = Machine("direct", cpus=2, memory_mib=256, extra=drive, **({"initrd": archive} if archive else {}))
    with Guest(machine, f"ext4 {name}", 300) as guest:
        guest.expect(PROMPT)
        yield guest


@suite.test("a block of a file that cannot be read is an error of that file, and of nothing else")
def not_read() -> None:
    with filled() as (path, part):
        with failing(path, "read_aio", sector_of(part, "/victim", 1), "not read") as guest:
            says(guest, "cat /disk/other", "another text")
            for _ in range(2):
                check(DEVICE_FAILED in guest.command("cat /disk/victim"), "the error was not told")
                says(guest, "cp /disk/victim /tmp/copy", "cp /disk/victim: ")
                says(guest, "write /disk/new text")
                says(guest, "sync")
                says(guest, "cat /disk/new", "text")
            switch_off(guest)
        partition(path)


@suite.test("bytes that cannot be written are told once by a sync through each file that had them open, and by no other")
def not_written() -> None:
    with filled() as (path, part), tempfile.TemporaryDirectory() as folder:
        archive = initrd(Path(folder), ["sync_errors"], added(SYNC_ERRORS))
        with failing(path, "write_aio", sector_of(part, "/victim", 1), "not written", archive) as guest:
            says(guest, "cat /disk/other", "another text")
            guest.command("run sync_errors")
            log = guest.command("log")
            for line in (f"reader {DEVICE}, again 0", f"writer {DEVICE}, again 0", "other 0, again 0", "opened later: 0",
                         "later 0, again 0", f"all {DEVICE}, again 0", "goes on: 0", "writer 0, again 0"):
                check(f"sync_errors: {line}" in log, f"it does not say {line!r}:\n{log}")
            says(guest, "write /disk/new text")  # the file system goes on
            says(guest, "sync")
            says(guest, "cat /disk/new", "text")
            check("read only" not in guest.command("mount").split("/disk ")[1].split("\n")[0], "it is read-only")
            switch_off(guest)
        partition(path)


@suite.test("where the log cannot be written nothing changes any more, and what was there stays")
def not_logged() -> None:
    with filled() as (path, part):
        with failing(path, "write_aio", sector_of(part, "<8>", 1), "not logged") as guest:
            says(guest, "cat /disk/other", "another text")
            guest.command("write /disk/new text")
            check(DEVICE_FAILED in guest.command("sync"), "the error was not told")
            check(guest.command("write /disk/newer text").strip(), "it is written to although nothing can be logged")
            check(guest.command("rm /disk/other").strip(), "it is changed although nothing can be logged")
            says(guest, "cat /disk/other", "another text")
            check(re.search(r"ext4\.0: .*only", guest.command("log")), "the log does not say that it is read-only")
            os.kill(guest.pid, signal.SIGKILL)
            guest.read_to_end()
        with Guest(Machine("direct", cpus=2, memory_mib=256, extra=data_disk(path)), "ext4 after not logged", 300) as guest:
            guest.expect(PROMPT)
            says(guest, "cat /disk/other", "another text")
            says(guest, "write /disk/new text")
            switch_off(guest)
        partition(path)


@suite.test("a disk that is only read is mounted so, and says it")
def read_only() -> None:
    with filled() as (path, _part):
        before = path.read_bytes()
        extra = data_disk(path, readonly="on")
        with Guest(Machine("direct", cpus=2, memory_mib=256, extra=extra), "ext4 read-only", 300) as guest:
            guest.expect(PROMPT)
            says(guest, "cat /disk/other", "another text")
            check(guest.command("write /disk/new text").strip(), "it is written to")
            check("not allow" in guest.command("rm /disk/other"), "it is changed, or another error is told")
            says(guest, "mount", "/disk ", "mounted", "read only")
            switch_off(guest)
        check(path.read_bytes() == before, "the disk is another one")
