# SPDX-License-Identifier: MIT
"""test_mkdocs.py - what the tables say and the texts do not, or the other way round, is an error."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from qemu import ROOT
from testlib import HANG_S, Suite, check

suite = Suite("tools")

NEEDED = ("abi/syscalls.def", "abi/syscalls.toml", "abi/status.def", "abi/rights.def",
          "kernel/base/lock_order.def", "abi/trace.def", "bench/results.txt", "bench/targets.toml",
          "tools/mkdocs.py", "tools/mkfigures.py", "tools/mkprotocols.py", "tools/mklinux.py",
          "personality/linux/calls.def", "protocols/power.def", "protocols/stream.def")


def must_fail(path: str, old: str, new: str, message: str, *options: str) -> None:
    """With `old` replaced by `new` in one of the tables, the tool fails and says `message`."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in NEEDED:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        (root / "docs").mkdir()
        script = [sys.executable, str(root / "tools/mkdocs.py")]
        subprocess.run(script, check=True, timeout=HANG_S)
        text = (root / path).read_text()
        check(old in text, f"{path} does not hold {old!r}")
        (root / path).write_text(text.replace(old, new, 1))
        done = subprocess.run([*script, *options], capture_output=True, text=True, timeout=HANG_S)
        check(done.returncode != 0, "the mistake was accepted")
        check(message in done.stderr, f"it says {done.stderr!r}")


@suite.test("a call of Linux that is partial says what is missing, and numbers rise")
def call_of_linux() -> None:
    must_fail("personality/linux/calls.def", "CALL2(157, prctl, NO, PARTIAL, \"the name\"", "CALL2(157, prctl, NO, PARTIAL, \"\"",
              "what is missing")
    must_fail("personality/linux/calls.def", "CALL1(32, dup,", "CALL1(3, dup,", "numbers rise")


@suite.test("a system call without a text is refused")
def call_without_text() -> None:
    must_fail("abi/syscalls.def", "SYSCALL(0x4D4E0012, thread_yield, STATUS, GIVES_WAY)",
              "SYSCALL(0x4D4E0012, thread_yield, STATUS, GIVES_WAY)\nSYSCALL(0x4D4E001F, thread_nap, STATUS, WAITS)",
              "nothing is said about thread_nap")


@suite.test("a text for an argument that does not exist is refused")
def unknown_argument() -> None:
    must_fail("abi/syscalls.toml", "first_page =", "start_page =",
              "mem_map, arguments: nothing is said about first_page")


@suite.test("an error that the kernel does not have is refused")
def unknown_status() -> None:
    must_fail("abi/syscalls.toml", "ERR_OVERLAP =", "ERR_LABEL =",
              "ERR_LABEL is no status of the kernel")


@suite.test("a right that does not exist is refused")
def unknown_right() -> None:
    must_fail("abi/syscalls.toml", 'memory = "GRANT"', 'memory = "SHARE"', "memory names none of")


@suite.test("a page that is older than its table is noticed")
def stale_page() -> None:
    must_fail("kernel/base/lock_order.def", "frame bitmap", "bitmap of frames",
              "docs/locking.md is not what the tables make", "--check")


@suite.test("a request of a protocol without a class is refused")
def request_without_class() -> None:
    must_fail("protocols/power.def", "RESET, I, ", "RESET, ", "has 5 fields, not label, name, class")
    must_fail("protocols/power.def", "RESET, I, ", "RESET, Q, ", "'Q' is no class")


@suite.test("two requests of a protocol with one label are refused")
def label_twice() -> None:
    must_fail("protocols/stream.def", "REQUEST(2, WRITE", "REQUEST(1, WRITE", "READ has this name or label already")
    must_fail("protocols/stream.def", "REQUEST(2, WRITE", "REQUEST(256, WRITE", "its label is not 1 to 255")


@suite.test("a page of a protocol that is older than its table, or has none any more, is noticed")
def stale_protocol() -> None:
    must_fail("protocols/power.def", "Resets the machine:", "Resets it:",
              "docs/protocols/power.md is not what the tables make", "--check")
    must_fail("protocols/power.def", "power.def - ", "power - ", "its first comment does not begin with")
