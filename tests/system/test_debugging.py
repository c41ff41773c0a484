# SPDX-License-Identifier: MIT
"""test_debugging.py - the sessions of docs/debugging.md happen as it shows them, in gdb and at the machine's prompt."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from hardware import wait_for_debugger
from qemu import BUILD, PROMPT, ROOT, Guest, Machine, Program, plain
from testlib import Suite, check

from tests.system.test_readme import must_show

suite = Suite("debugging")

GDB, INTERRUPT = "(gdb) ", "^C"
LIMIT_S = 1200  # of this machine
Step = tuple[str, str, list[str]]  # where it is typed: a shell's "$ ", GDB, PROMPT or INTERRUPT; what; what it says


def steps() -> list[Step]:
    """What the page types, in order. A block without a prompt in its first line goes on with what the last gdb command says."""
    found: list[Step] = []
    text = (ROOT / "docs/debugging.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```\n(.*?)^```", text, re.M | re.S):
        output = next((said for where, _, said in reversed(found) if where == GDB), [])
        for line in block.splitlines():
            where = next((mark for mark in ("$ ", GDB, PROMPT, INTERRUPT) if line.startswith(mark)), None)
            if where:
                output = []
                found.append((where, line.removeprefix(where), output))
            else:
                output.append(line)
    return found


class Debugger:
    """gdb as `make gdb` starts it, on a machine of this test's own."""

    def __init__(self, socket: Path) -> None:
        command = re.search(r"^gdb:.*\n\t\$\(Q\)gdb (.*)$", (ROOT / "Makefile").read_text(), re.M)[1]
        self.child = Program("gdb", ["-nx", *command.split()], encoding="utf-8", codec_errors="replace", cwd=str(ROOT),
                             timeout=LIMIT_S, dimensions=(50, 250),
                             env={**os.environ, "GDB_SOCKET": str(socket), "TERM": "dumb"})
        self.running = ""  # the command that has not stopped yet

    def answer(self) -> str:
        self.child.expect_exact(GDB)
        self.running = ""
        return plain(self.child.before)

    def type(self, command: str) -> str:
        self.child.sendline(command)
        if command == "continue":
            self.running = command
            return ""
        return self.answer()


def play(guest: Guest, debugger: Debugger, rest: list[Step]) -> None:
    waits: list[str] = []  # what gdb is to say when it stops
    busy = False  # a command runs whose end nobody has looked for: it stops in gdb
    for where, command, expected in rest:
        if where == PROMPT:
            if busy:
                guest.expect(PROMPT, LIMIT_S)
            guest.send(command + "\r")
            guest.expect(command)
            busy = not expected
            if not busy:
                must_show(command, guest.expect(PROMPT, LIMIT_S), expected)
            continue
        if where == INTERRUPT:
            debugger.child.sendintr()
        if debugger.running:
            must_show("the stop", debugger.answer(), waits)
        if where == GDB and command != "kill":
            said = debugger.type(command)
            if debugger.running:
                waits = expected
                if not guest.output().count(PROMPT):
                    guest.expect(PROMPT)
            else:
                must_show(command, said, expected)


@suite.test("the sessions of docs/debugging.md happen as it shows them")
def as_shown() -> None:
    page = steps()
    check([step[:2] for step in page[:2]] == [("$ ", "make debug"), ("$ ", "make gdb")], f"it begins with {page[:2]}")
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "gdb"
        with Guest(Machine("direct", cpus=2, memory_mib=256, extra=wait_for_debugger(socket)), "debugging", 400) as guest:
            debugger = Debugger(socket)
            with (BUILD / "logs/debugging-gdb.log").open("w", encoding="utf-8") as log:
                debugger.child.logfile_read = log
                try:
                    must_show("make gdb", debugger.answer(), page[1][2])
                    play(guest, debugger, page[2:])
                finally:
                    debugger.child.close(force=True)


@suite.test("without a machine that waits, the debugger says so in one line and ends")
def no_machine() -> None:
    done = subprocess.run(["gdb", "-q", "-nx", "-x", "tools/gdb/mnos.py"], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S,
                          stdin=subprocess.DEVNULL, env={**os.environ, "GDB_SOCKET": "/nowhere"})
    check(done.returncode == 1, f"it ends with {done.returncode}")
    check(done.stdout.splitlines()[-1].startswith("gdb: no machine waits, make debug starts one"), f"it says:\n{done.stdout}{done.stderr}")
    check("Traceback" not in done.stdout + done.stderr, f"a trace of Python:\n{done.stderr}")
