# SPDX-License-Identifier: MIT
"""test_files.py - files in memory, as a user at the prompt has them."""

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

from qemu import PROMPT, Guest, Machine
from testlib import Suite, check
from tests.system.with_services import added, initrd

suite = Suite("files")

NARROW = """
[service.narrow]
file = "narrow"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 256
bytes = 32768
stack_pages = 8
uses = { files = "vfs" }
log = "write"
"""
DENIED = 68  # MNOS_ERR_DENIED
# What `vfs` takes for the service of /boot: it says that it works, and never receives.
MUTE = """
[service.mute]
file = "mute"
restart = "always"
priority = 24
ceiling = 24
frames = 32
bytes = 16384
provides = { requests = "mute" }

"""


@contextmanager
def prompt(name: str, directory: str = "/tmp", limit_s: float = 120):
    with Guest(Machine("direct", cpus=2, memory_mib=128), f"files {name}", limit_s) as guest:
        guest.expect(PROMPT)
        if directory:
            says(guest, f"cd {directory}")
        yield guest


def says(guest: Guest, command: str, *texts: str) -> str:
    """Runs a command and checks that its output contains each of the texts; none: that it is silent."""
    output = guest.command(command)
    for text in texts:
        check(text in output, f"{command!r} does not say {text!r}:\n{output}")
    if not texts:
        check(not output.strip(), f"{command!r} says something:\n{output}")
    return output


@suite.test("a file is written, read, copied, moved, linked and removed")
def whole_life() -> None:
    with prompt("whole life") as guest:
        says(guest, "mkdir notes")
        says(guest, "write notes/today the first line")
        says(guest, "write /tmp/notes/today and a second one")
        says(guest, "cat notes/today", "the first line", "and a second one")
        says(guest, "cp notes/today copy")
        says(guest, "ln copy other")
        says(guest, "ln -s notes/today link")
        says(guest, "cat link", "and a second one")
        says(guest, "stat other", "names      2")
        listing = says(guest, "ls", "notes", "copy", "other", "link -> notes/today")
        check(re.search(r"^file +32 B  copy", listing, re.M), f"copy is not there with its size:\n{listing}")
        says(guest, "mv copy notes/today")
        says(guest, "rm other")
        says(guest, "stat notes/today", "names      1")
        says(guest, "rmdir notes", "not empty")
        says(guest, "rm notes/today")
        says(guest, "rmdir notes")
        says(guest, "cat link", "nothing has this name")
        for command in ("cat none", "ls none", "cp none copy", "mv none copy", "rm none", "ln none copy",
                        "stat none", "rmdir none", "ls none/deeper"):
            says(guest, command, "nothing has this name")
        says(guest, "ls link", "link -> notes/today")
        says(guest, "cat .", "directory")
        says(guest, "cp link link", "nothing has this name")


@suite.test("no path leads out of the root")
def no_way_out() -> None:
    with prompt("no way out") as guest:
        says(guest, "write file inside")
        says(guest, "mkdir dir")
        says(guest, "ln -s /tmp/file dir/absolute")
        says(guest, "ln -s ../../../tmp/file dir/up")
        says(guest, "ln -s loop loop")
        for path in ("../tmp/file", "/../../tmp/file", "dir/../../../tmp/file", "dir/absolute", "dir/up"):
            says(guest, f"cat {path}", "inside")
        says(guest, "cat loop", "too many symbolic links")


@suite.test("the root lists what is mounted, and is changed by nobody")
def the_root() -> None:
    with prompt("root", "") as guest:
        says(guest, "pwd", "/")
        says(guest, "ls", "tmp", "boot")
        says(guest, "mount", "/tmp ", "tmpfs", "/boot ", "initrdfs", "mounted", "read only")
        says(guest, "df", "/tmp", "/boot")
        for command in ("write none text", "mkdir none", "ln -s a none", "rm none", "rmdir none", "cat none", "cd none"):
            check(guest.command(command).strip() != "", f"{command!r} says nothing")
        says(guest, "mkdir tmp", "policy")
        says(guest, "rm tmp", "policy")
        says(guest, "cat .", "directory")
        says(guest, "umount /tmp", "state")
        says(guest, "umount /none", "nothing has this name")
        says(guest, "mount /tmp", "something has this name already")
        says(guest, "mount /none", "nothing has this name")
        says(guest, "ls", "tmp", "boot")


@suite.test("who was given the root to read only can change nothing where something is mounted")
def narrow_root() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = initrd(Path(folder), ["narrow"], added(NARROW))
        with Guest(Machine("direct", cpus=2, memory_mib=128, initrd=path), "files narrow", 120) as guest:
            guest.expect(PROMPT)
            guest.command("run narrow")
            log = guest.command("log")
            found = re.search(r"narrow: made (\d+), written (\d+), taken (\d+), charged to another (\d+)", log)
            check(found is not None, f"it did not end:\n{log}")
            check(set(found.groups()) == {str(DENIED)}, f"it can do more than read: {found[0]}")
            says(guest, "ls /tmp", "before")
            check("narrow: charged as the one who handed it on: yes" in log, log)
            check(f"narrow: looked 0, read {DENIED}, read the root {DENIED}" in log, log)


@suite.test("a file system that never answers holds nobody who does not ask for it")
def mute() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = initrd(Path(folder), ["mute"], lambda text: text.replace(
            'initrdfs = "initrdfs", ext4', 'initrdfs = "mute", ext4').replace("[mount.", MUTE + "[mount.", 1))
        with Guest(Machine("direct", cpus=2, memory_mib=128, initrd=path), "files mute", 120) as guest:
            guest.expect(PROMPT)
            says(guest, "mount", "starting")
            says(guest, "write /tmp/file text")
            guest.command("kill vfs")
            says(guest, "cat /tmp/file", "text")
            says(guest, "mount", "starting")


@suite.test("paths go from one file system to another, by names, links and ..")
def over_mounts() -> None:
    with prompt("over mounts") as guest:
        size = re.search(r"size +(\d+) bytes", says(guest, "stat /boot/hello", "type       file"))[1]
        says(guest, "cp /boot/hello .")
        says(guest, "stat hello", f"{size} bytes")
        says(guest, "ln -s /boot/hello absolute")
        says(guest, "ln -s ../boot/hello relative")
        for path in ("absolute", "relative", "../boot/hello", "/tmp/../boot/../boot/hello", "/boot/../tmp/hello"):
            says(guest, f"cp {path} copy")
            says(guest, "stat copy", f"{size} bytes")
        says(guest, "ln /boot/hello here", "different file systems")
        says(guest, "ln -s /boot/../tmp/two one")
        says(guest, "ln -s /boot/../tmp/one two")
        says(guest, "cat one", "too many symbolic links")
        says(guest, "mv /boot/none /tmp/x", "nothing has this name")
        says(guest, "mv /boot/hello moved", "policy")   # copied, and the name there stays
        says(guest, "cp hello /boot/new", "policy")
        says(guest, "cp hello hello", "are the same file")
        says(guest, "mkdir dir")
        says(guest, "cp hello dir")
        says(guest, "mv copy dir")
        listing = says(guest, "find . copy", "dir/copy")
        check("hello" not in listing, f"find gives more than it was asked for:\n{listing}")
        says(guest, "find /boot", "/boot/init", "/boot/hello")
        says(guest, "cd dir")
        says(guest, "pwd", "/tmp/dir")
        says(guest, "cd ../../boot")
        says(guest, "pwd", "/boot")
        says(guest, "cd hello", "no directory")
        says(guest, "hexdump hello 0 20", "7f 45 4c 46", "|.ELF")
        says(guest, "sync")


@suite.test("the Tab key completes paths, over mounts and from the current directory")
def completion() -> None:
    with prompt("completion") as guest:
        says(guest, "write notes text")
        says(guest, "mkdir folder")
        guest.send("cat no\t\r")
        guest.expect("text", 20)
        guest.expect(PROMPT)
        guest.send("cp /bo\tmani\t fol\tcopy\r")
        guest.expect(PROMPT)
        says(guest, "ls folder", "copy")


@suite.test("the death of the service that knows the mounts is not noticed")
def table_dies() -> None:
    with prompt("table dies") as guest:
        says(guest, "write file something")
        for _ in range(3):
            guest.command("kill vfs")
            says(guest, "cat file", "something")
            says(guest, "ls /", "tmp", "boot")
            says(guest, "mount", "/tmp ", "mounted")
        says(guest, "cp /boot/hello copy")


@suite.test("the service of files in memory may die at any time: files, links and what is open stay")
def survives() -> None:
    with prompt("survives") as guest:
        says(guest, "mkdir notes")
        says(guest, "write notes/today something")
        for number in range(1, 6):
            guest.command("kill tmpfs")
            says(guest, "cat notes/today", "something")
            says(guest, f"write notes/{number} text of {number}")
            says(guest, f"ln -s notes/{number} link{number}")
        text = guest.command("log")
        check(re.search(r"tmpfs: run 6 goes on with the files of the last: 0 requests were running", text), text)
        for number in range(1, 6):
            says(guest, f"cat link{number}", f"text of {number}")
        says(guest, "regions", "tmpfs_state", "run 6", "tmpfs_windows", "kept")
        says(guest, "caps tmpfs", "region tmpfs_state", "region tmpfs_windows")
