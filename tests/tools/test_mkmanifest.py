# SPDX-License-Identifier: MIT
"""test_mkmanifest.py - mistakes in the manifest are build errors that name the line."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from qemu import ROOT
from testlib import HANG_S, Suite, check
from tests.system.with_services import needs_of, programs

suite = Suite("tools")

def compile_manifest(change) -> tuple[subprocess.CompletedProcess, bytes | None, str]:
    """Compiles a copy of the system's manifest whose text went through `change`."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "system").mkdir()
        manifest, out = root / "system/manifest.toml", root / "manifest.bin"
        text = change((ROOT / "system/manifest.toml").read_text())
        manifest.write_text(text)
        done = subprocess.run(
            [sys.executable, ROOT / "tools/mkmanifest.py", "system/manifest.toml", "manifest.bin",
             *needs_of(programs())],
            cwd=root, capture_output=True, text=True, timeout=HANG_S)
        return done, out.read_bytes() if out.exists() else None, text


def must_fail(change, offending: str, *words: str) -> None:
    """The change is refused, with an error that names the line that holds `offending`."""
    done, output, text = compile_manifest(change)
    message = done.stdout + done.stderr
    check(done.returncode != 0, "the mistake was accepted")
    check(output is None, "an output was written all the same")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if offending in line]
    check(any(f"manifest.toml:{n}:" in message for n in lines), f"not line {lines}:\n{message}")
    for word in words:
        check(word in message, f"'{word}' is not named:\n{message}")


def replace(old: str, new: str):
    def change(text: str) -> str:
        check(old in text, f"the manifest has no '{old}'; the test must follow it")
        return text.replace(old, new, 1)
    return change


@suite.test("the manifest compiles, each time to the same bytes")
def compiles() -> None:
    (first, a, _), (_, b, _) = compile_manifest(str), compile_manifest(str)
    check(first.returncode == 0, first.stdout + first.stderr)
    check(a and a == b, "two runs differ")


@suite.test("an unknown endpoint in the manifest is an error with its line")
def unknown_endpoint() -> None:
    must_fail(replace('uses = { serial = "serial"', 'uses = { serial = "cereal"'), "cereal", "cereal")


@suite.test("an unknown key in the manifest is an error with its line")
def unknown_key() -> None:
    must_fail(replace('file = "ns16550"', 'file = "ns16550"\ncolour = "red"'), "colour", "colour")


@suite.test("an unknown program in the manifest is an error with its line")
def unknown_program() -> None:
    must_fail(replace('file = "ns16550"', 'file = "ns16999"'), "ns16999", "ns16999")


@suite.test("a grant that the program does not use is an error with its line")
def unused_grant() -> None:
    must_fail(replace('file = "ns16550"', 'file = "ns16550"\nmemory = ["acpi"]'),
              'memory = ["acpi"]', "acpi")


@suite.test("an interrupt granted twice is an error with its line")
def duplicate_grant() -> None:
    once = '{ name = "interrupt", line = 4 }'
    must_fail(replace(once, f"{once}, {once}"), once)


@suite.test("a grant that a program needs and does not get is an error with its line")
def missing_grant() -> None:
    def change(text: str) -> str:
        return re.sub(r"^interrupts = .*\n", "", text, count=1, flags=re.M)
    must_fail(change, "[service.serial]", "interrupt")


@suite.test("a service named twice is an error with its line")
def duplicate_service() -> None:
    must_fail(replace("[service.monitor]", "[service.serial]"), "[service.serial]")


@suite.test("a file of the RAM disk is given to read, and to run only where the manifest says so")
def files_to_run() -> None:
    entry = '{ name = "loader", execute = true }'
    for bad in ('{ name = "loader", execute = 1 }', '{ name = "loader" }', '7', '"../loader"',
                '{ name = "loader", delegate = true }', '{ name = "loader", execute = true, more = true }'):
        must_fail(replace(entry, bad), bad, "files are names of files")
    _, with_execute, _ = compile_manifest(str)
    done, without, _ = compile_manifest(replace(entry, '"loader"'))
    check(done.returncode == 0 and without != with_execute, f"the right is not in the output:\n{done.stderr}")
