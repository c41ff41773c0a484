# SPDX-License-Identifier: MIT
"""test_disk_files.py - files on a disk: mounted at the prompt, there after the next start, good to Linux' tools."""

import os
import re
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import mkdisk
from hardware import data_disk
from qemu import PROMPT, Guest, Machine
from testlib import HANG_S, Suite, check, require_success

suite = Suite("disk files")

SIZE_MIB = 64
BIG_BYTES = 22 << 20  # two of them fit, three do not


@contextmanager
def disk():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "disk.img"
        mkdisk.make(path, SIZE_MIB)
        yield path


@contextmanager
def prompt(path: Path | None, name: str, limit_s: float = 180, more: tuple[str, ...] = ()):
    extra = (data_disk(path) if path else ()) + more
    with Guest(Machine("direct", cpus=2, memory_mib=256, extra=extra), f"disk files {name}", limit_s) as guest:
        guest.expect(PROMPT)
        yield guest


def says(guest: Guest, command: str, *texts: str) -> str:
    output = guest.command(command, 60)
    for text in texts:
        check(text in output, f"{command!r} does not say {text!r}:\n{output}")
    if not texts:
        check(not output.strip(), f"{command!r} says something:\n{output}")
    return output


def switch_off(guest: Guest) -> None:
    guest.send("poweroff\r")
    guest.expect("The machine is switched off now.", 60)
    guest.read_to_end()


def partition(path: Path) -> Path:
    """The file system of the disk, which e2fsck finds nothing wrong with."""
    part = path.with_name("part.img")
    with path.open("rb") as file:
        file.seek(mkdisk.FIRST_MIB * mkdisk.MIB)
        part.write_bytes(file.read((SIZE_MIB - mkdisk.FIRST_MIB - mkdisk.LAST_MIB) * mkdisk.MIB))
    done = subprocess.run([mkdisk.tool("e2fsck", "e2fsprogs"), "-fn", str(part)], capture_output=True, text=True,
                          timeout=HANG_S)
    check(done.returncode == 0, f"e2fsck: {done.stdout}{done.stderr}")
    return part


@suite.test("names on a disk from elsewhere do not command the terminal")
def foreign_names() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, content = Path(folder) / "disk.img", Path(folder) / "content"
        (content / "x\x1b[31my").mkdir(parents=True)
        (content / "x\x1b[31my" / "below").write_text("")
        (content / "x\x1b[32my").symlink_to("to\x1b[33m")
        mkdisk.make(path, SIZE_MIB, content=content)
        with prompt(path, "names") as guest:
            for command, texts in (("ls /disk", ("x?[31my", "x?[32my -> to?[33m")),
                                   ("find /disk", ("/disk/x?[31my/below", "/disk/x?[32my"))):
                says(guest, command, *texts)
            says(guest, "ls /disk/x\t\tz", "ls /disk/xz: nothing has this name")  # they are no candidates


@suite.test("what is written to /disk is there after the next start, and is what Linux' tools read")
def kept() -> None:
    with disk() as path:
        with prompt(path, "first start") as guest:
            says(guest, "ls /disk", "lost+found")  # typed at the first prompt, it waits for the mount
            says(guest, "mount", "/disk ", "ext4", "mounted")
            says(guest, "mkdir /disk/notes")
            says(guest, "write /disk/notes/today the first line")
            says(guest, "cp /boot/hello /disk")
            says(guest, "cp /boot/hello /tmp/hello")
            says(guest, "mv /tmp/hello /disk/notes")
            check("hello" not in says(guest, "ls /tmp", "tour"), "the file is in /tmp still")
            says(guest, "ln -s notes/today /disk/link")
            says(guest, "cat /disk/link", "the first line")
            says(guest, "ln -s /disk/notes/today /tmp/far")
            says(guest, "cat /tmp/far", "the first line")
            says(guest, "df", "/disk", "ext4")
            says(guest, "find /disk today", "/disk/notes/today")
            switch_off(guest)
        part = partition(path)
        text = require_success([mkdisk.tool("debugfs", "e2fsprogs"), "-R", "cat /notes/today", str(part)])
        check("the first line" in text, text)
        with prompt(path, "second start") as guest:
            says(guest, "cat /disk/notes/today", "the first line")
            says(guest, "rm /disk/notes/hello")
            says(guest, "rm /disk/hello")
            switch_off(guest)
        partition(path)


def modified(guest: Guest, path: str) -> str:
    return re.search(r"^modified +(.+ UTC)", says(guest, f"stat {path}", "modified"), re.M)[1]


@suite.test("cp -p, and mv to another file system, keep the date of a file")
def dated() -> None:
    at_s, words = 1305296828, "2011-05-13 14:27:08 UTC"
    with tempfile.TemporaryDirectory() as folder:
        path, content = Path(folder) / "disk.img", Path(folder) / "content"
        content.mkdir()
        (content / "old").write_text("of long ago")
        os.utime(content / "old", (at_s, at_s))
        mkdisk.make(path, SIZE_MIB, content=content)
        with prompt(path, "dates") as guest:
            check(modified(guest, "/disk/old") == words, "the image has another date")
            for command in ("cp /disk/old /tmp/new", "cp -p /disk/old /tmp/copy", "cp -p /disk/old /tmp",
                            "cp -p /tmp/copy /tmp/new-name", "mv /disk/old /tmp/moved", "mv /tmp/copy /disk/back"):
                guest.command(command, 60)  # it shows how far it is when that takes long
            check(modified(guest, "/tmp/new") != words, "cp alone keeps the date")
            for file in ("/tmp/old", "/tmp/new-name", "/tmp/moved", "/disk/back"):
                check(modified(guest, file) == words, f"{file} has another date")
            guest.command("cp -p /tmp/moved /tmp/new", 60)  # over what is there
            check(modified(guest, "/tmp/new") == words, "a file that was there keeps its own date")
            says(guest, "cp -x /tmp/new /tmp/newer", "usage: cp [-p] FROM TO")
            says(guest, "cp -p /disk /tmp/newer", "directory")
            switch_off(guest)
        said = require_success([mkdisk.tool("debugfs", "e2fsprogs"), "-R", "stat /back", str(partition(path))])
        check(f"mtime: 0x{at_s:08x}:00000000" in said, f"ext4 has another date:\n{said}")


@suite.test("a full disk says so, keeps what it has, and has room again when something is removed")
def full() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, content = Path(folder) / "disk.img", Path(folder) / "content"
        content.mkdir()
        big = bytes(range(251)) * (BIG_BYTES // 251)
        (content / "big").write_bytes(big)
        mkdisk.make(path, SIZE_MIB, content=content)
        with prompt(path, "full", 400) as guest:
            guest.command("cp /disk/big /disk/second", 120)
            says(guest, "ls /disk", "second")
            check("the file system is full" in guest.command("cp /disk/big /disk/third", 120), guest.output()[-1000:])
            says(guest, "cat /disk/note", "nothing has this name")
            says(guest, "rm /disk/second")
            guest.command("rm /disk/third")  # as much of it as there was room for, if it is there
            says(guest, "write /disk/note there is room")
            guest.command("cp /disk/big /disk/fourth", 120)
            switch_off(guest)
        part = partition(path)
        for name in ("big", "fourth"):
            got = Path(folder) / "got"
            require_success([mkdisk.tool("debugfs", "e2fsprogs"), "-R", f"dump /{name} {got}", str(part)])
            check(got.read_bytes() == big, f"{name} has other bytes than what was copied")
        text = require_success([mkdisk.tool("debugfs", "e2fsprogs"), "-R", "cat /note", str(part)])
        check("there is room" in text, text)


@suite.test("a disk that can only be read is read, and nothing of it is changed")
def only_read() -> None:
    with disk() as path:
        with prompt(path, "before it is only read") as guest:
            says(guest, "mkdir /disk/notes")
            says(guest, "write /disk/notes/today the first line")
            switch_off(guest)
        before = path.read_bytes()
        with Guest(Machine("direct", cpus=2, memory_mib=256, extra=data_disk(path, readonly="on")),
                   "disk files only read", 180) as guest:
            guest.expect(PROMPT)
            says(guest, "cat /disk/notes/today", "the first line")
            says(guest, "mount", "/disk ", "read only")
            for command in ("write /disk/new text", "mkdir /disk/new", "rm /disk/notes/today", "mv /disk/notes /disk/other",
                            "ln /disk/notes/today /disk/new", "cp /boot/hello /disk", "write /disk/notes/today other"):
                check(guest.command(command, 60).strip(), f"{command!r} says nothing")
            guest.command("kill ext4.0")
            says(guest, "cat /disk/notes/today", "the first line")
            says(guest, "find /disk", "/disk/notes/today")
            says(guest, "sync")
            switch_off(guest)
        check(path.read_bytes() == before, "something of the disk was changed")


@suite.test("a file that mv took to a disk is there after the power was cut")
def moved() -> None:
    with disk() as path:
        with prompt(path, "moved") as guest:
            says(guest, "ls /disk", "lost+found")
            says(guest, "write /tmp/only the one copy")
            says(guest, "mv /tmp/only /disk")
            os.kill(guest.pid, signal.SIGKILL)  # /tmp was memory: what is not on the disk is nowhere
            guest.read_to_end()
        with prompt(path, "after the cut") as guest:
            says(guest, "cat /disk/only", "the one copy")
            switch_off(guest)
        partition(path)


@suite.test("a volume is unmounted, stays so, and is mounted again")
def unmounted() -> None:
    with disk() as path, prompt(path, "unmounted") as guest:
        says(guest, "write /disk/file text")
        says(guest, "umount /disk")
        says(guest, "mount", "absent", "it was unmounted")
        says(guest, "umount /disk", "state")
        guest.command("kill vfs")
        says(guest, "mount", "absent", "it was unmounted")
        guest.command("cat /disk/file")  # the session that ended is told once
        says(guest, "cat /disk/file", "/disk is absent: it was unmounted")
        says(guest, "mount /disk")
        says(guest, "cat /disk/file", "text")


@suite.test("a volume of another disk is mounted by a command, where nothing was, and goes with it")
def by_command() -> None:
    with disk() as path:
        other = path.with_name("other.img")
        mkdisk.make(other, SIZE_MIB)
        extra = data_disk(path) + data_disk(other, id="other")
        with Guest(Machine("direct", cpus=2, memory_mib=256, extra=extra), "disk files by command", 180) as guest:
            guest.expect(PROMPT)
            says(guest, "ls /disk", "lost+found")
            says(guest, "disks", "virtio_blk.0", "virtio_blk.1")
            first_is_used = "in-use" in guest.command("disks").split("virtio_blk.1")[0]
            free = "virtio_blk.1/1" if first_is_used else "virtio_blk.0/1"
            says(guest, "mount virtio_blk.7/1 /other", "nothing has this name")
            says(guest, f"mount {free} other", "outside the range")
            says(guest, f"mount {free} /disk", "something has this name already")
            says(guest, f"mount {free} /other")
            says(guest, "ls /other", "lost+found")
            says(guest, "mount", "/other ", "ext4.1")
            says(guest, "cp /boot/hello /other")
            says(guest, "mv /other/hello /disk")
            says(guest, "ls /disk", "hello")
            guest.command("kill vfs")
            says(guest, "write /other/file text")
            says(guest, "umount /other")
            says(guest, "mount /other")
            guest.command("ls /other")  # the session that ended is told once
            says(guest, "cat /other/file", "text")
            switch_off(guest)
        partition(path)
        partition(other)


@suite.test("the deaths of the mount table and of the services of volumes and devices are not noticed")
def deaths() -> None:
    with disk() as path:
        with prompt(path, "deaths") as guest:
            says(guest, "ls /disk", "lost+found")
            for number, service in enumerate(("vfs", "volumes", "devices", "vfs")):
                guest.command(f"kill {service}")
                says(guest, f"write /disk/file{number} after {service}")
                says(guest, f"cat /disk/file{number}", f"after {service}")
                says(guest, "mount", "/disk ", "mounted")
            switch_off(guest)
        partition(path)


@suite.test("without a disk, who asks for /disk is told after some seconds")
def none() -> None:
    with prompt(None, "none") as guest:
        said = guest.command("ls /disk", 120)
        check("nothing has this name" in said and "/disk is absent: no disk has such a volume" in said, said)
        says(guest, "ls /", "disk")
        says(guest, "df", "absent")
