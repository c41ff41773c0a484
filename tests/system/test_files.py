# SPDX-License-Identifier: MIT
"""test_files.py - files in memory, as a user at the prompt has them."""

import re
from contextlib import contextmanager

from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

suite = Suite("files")


@contextmanager
def prompt(name: str, limit_s: float = 120):
    with Guest(Machine("direct", cpus=2, memory_mib=128), f"files {name}", limit_s) as guest:
        guest.expect(PROMPT)
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
        says(guest, "write /notes/today and a second one")
        says(guest, "cat notes/today", "the first line", "and a second one")
        says(guest, "cp notes/today copy")
        says(guest, "ln copy other")
        says(guest, "ln -s notes/today link")
        says(guest, "cat link", "and a second one")
        says(guest, "stat other", "names      2")
        listing = says(guest, "ls", "notes", "copy", "other", "link -> notes/today")
        check(re.search(r"^file +32  copy", listing, re.M), f"copy is not there with its size:\n{listing}")
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
        says(guest, "ln -s /file dir/absolute")
        says(guest, "ln -s ../../../file dir/up")
        says(guest, "ln -s loop loop")
        for path in ("../file", "/../../file", "dir/../../../file", "dir/absolute", "dir/up"):
            says(guest, f"cat {path}", "inside")
        says(guest, "cat loop", "too many symbolic links")


@suite.test("when the service of files in memory dies, its files are gone, which is said once")
def loss_is_told() -> None:
    with prompt("loss") as guest:
        says(guest, "write file something")
        says(guest, "cat file", "something")
        guest.command("kill tmpfs")
        says(guest, "cat file", "lost", "was started again")
        says(guest, "cat file", "nothing has this name")
        says(guest, "write file again")
        says(guest, "cat file", "again")
        says(guest, "services", "tmpfs")
