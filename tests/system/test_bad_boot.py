# SPDX-License-Identifier: MIT
"""test_bad_boot.py - a boot that cannot succeed ends in one clear message and a stopped machine.

QEMU runs with -no-reboot, so a reset would end it: a guest that stays and is silent has stopped.
"""

import re
import tempfile
from pathlib import Path

from qemu import BUILD, EXIT_PANIC, PROMPT, Guest, Machine
from testlib import Suite, check

suite = Suite("bad boot")

QUIET_S = 4
COMPLAINT = re.compile(r"^minimalos loader: .*: |PANIC")


def boot_must_stop(machine: Machine, name: str, *expected: str) -> None:
    """The boot prints one error that has all of `expected`, and then stops for good."""
    with Guest(machine, f"bad boot {name}", 90) as guest:
        stays = guest.settle(QUIET_S)
        text = guest.output()
        code = None if stays else guest.exit_code()
    check(PROMPT not in text, "it booted")
    complaints = [line for line in text.splitlines() if COMPLAINT.search(line)]
    check(len(complaints) == 1, f"{len(complaints)} messages instead of one:\n{text[-1500:]}")
    for part in expected:
        check(part.lower() in complaints[0].lower(), f"'{complaints[0]}' does not say '{part}'")
    check(stays or code == EXIT_PANIC, "the machine reset instead of stopping")


def changed_copy(folder: str, source: Path, change) -> Path:
    copy = Path(folder) / source.name
    copy.write_bytes(change(source.read_bytes()))
    return copy


@suite.test("a corrupted initial RAM disk is named")
def corrupted_initrd() -> None:
    with tempfile.TemporaryDirectory() as folder:
        initrd = changed_copy(folder, BUILD / "initrd.tar", lambda data: b"\xa5" * len(data))
        boot_must_stop(Machine("direct", initrd=initrd), "corrupted initrd", "initrd")


@suite.test("an initial RAM disk with a damaged init is named")
def damaged_init() -> None:
    def damage(data: bytes) -> bytes:
        return data.replace(b"\x7fELF", b"\x7fBAD")

    with tempfile.TemporaryDirectory() as folder:
        initrd = changed_copy(folder, BUILD / "initrd.tar", damage)
        boot_must_stop(Machine("direct", initrd=initrd), "damaged init", "init")


@suite.test("a missing module is named")
def missing_module() -> None:
    boot_must_stop(Machine("direct", initrd=None), "missing module", "module")


@suite.test("a truncated kernel is named")
def truncated_kernel() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # In the middle of its code: what the file has behind the segments is for debuggers, and more than they.
        kernel = changed_copy(folder, BUILD / "kernel.elf", lambda data: data[:64 * 1024])
        boot_must_stop(Machine("direct", kernel=kernel), "truncated kernel", "kernel")


@suite.test("16 MiB of memory are too little, and it says so")
def little_memory() -> None:
    boot_must_stop(Machine("direct", memory_mib=16), "little memory", "memory")
