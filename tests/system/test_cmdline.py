# SPDX-License-Identifier: MIT
"""test_cmdline.py - CMDLINE= of make reaches the kernel, from an image as well as in a direct boot."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from qemu import BUILD, PROMPT, ROOT, Guest, Machine
from testlib import Suite, check

suite = Suite("system")

LINE = "made=by-make a.b=c,d with words"


def expect_line(machine: Machine, name: str) -> None:
    with Guest(machine, f"command line {name}") as guest:
        guest.expect(PROMPT)
        check(f'command line "{LINE}"' in guest.output(), guest.output())


def image(folder: str) -> Path:
    """What `make iso CMDLINE=...` makes, beside the one that other tests boot."""
    config, iso = f"{folder}/limine.conf", f"{folder}/image.iso"
    subprocess.run([sys.executable, ROOT / "tools/mkconfig.py", ROOT / "boot/limine.conf", config], check=True,
                   env=os.environ | {"CMDLINE": LINE})
    files = (BUILD / name for name in ("kernel.elf", "initrd.tar", "BOOTX64.EFI", "loader.elf"))
    subprocess.run([ROOT / "tools/mkiso.sh", iso, config, *files], check=True)
    return Path(iso)


@suite.test("the command line that make was given reaches the kernel: UEFI, BIOS, direct boot")
def reaches_the_kernel() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = image(folder)
        for firmware in ("uefi", "bios"):
            expect_line(Machine(firmware, image=path), firmware)
    expect_line(Machine("direct", cmdline=LINE), "direct")


@suite.test("an image made without a command line has the configuration as it is")
def none() -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "limine.conf"
        command = [sys.executable, ROOT / "tools/mkconfig.py", ROOT / "boot/limine.conf", config]
        for line, same in (("", True), (LINE, False), ("", True)):
            subprocess.run(command, check=True, env=os.environ | {"CMDLINE": line})
            check((config.read_bytes() == (ROOT / "boot/limine.conf").read_bytes()) == same, f"with '{line}'")
        before = config.stat().st_mtime_ns
        subprocess.run(command, check=True, env=os.environ | {"CMDLINE": ""})
        check(config.stat().st_mtime_ns == before, "it was written again with the same text")
