# SPDX-License-Identifier: MIT
"""test_caching.py - how memory is cached, as QEMU reads it from the page tables of a program."""

import re

from qemu import BUILD, Guest, Machine
from testlib import Suite, check

suite = Suite("caching")

# tests/guest/scene.h
ARENA = 0x20000000000
PAGE = 0x1000
# QEMU's "info tlb": X no execute, G global, P large, D dirty, A accessed, C cache disable, T write through,
# U user, W writable. It does not show the PAT bit, which together with T means write-combining.
KINDS = {"RAM": "X--DA--UW", "device memory": "X--DACTUW", "write-combining": "X--DA-TUW"}


@suite.test("RAM is cached, device memory is not, and a framebuffer combines writes")
def kinds() -> None:
    machine = Machine(
        "direct", cpus=1, initrd=BUILD / "tests/guest-initrd.tar",
        cmdline="console=kernel debug-exit only=caching watched",
    )
    with Guest(machine, "caching", 60) as guest:
        guest.expect("mapped")
        pages = dict(re.findall(r"^([0-9a-f]{16}): [0-9a-f]+ (\S+)", guest.monitor("info tlb"), re.MULTILINE))
    for number, (kind, wanted) in enumerate(KINDS.items()):
        found = pages.get(f"{ARENA + number * PAGE:016x}")
        check(found == wanted, f"the page of {kind} has {found}, not {wanted}")
