# SPDX-License-Identifier: MIT
"""test_screen.py - what is on the screen can be read: the same boot lines as on the serial line."""

from qemu import BUILD, PROMPT, Guest, Machine
from testlib import Suite, check
from tests.system.screen import read_text
from tests.system.test_boot_matrix import PHASES

suite = Suite("screen")


def read_screen(machine: Machine, name: str) -> None:
    with Guest(machine, f"screen {name}", 120) as guest:
        guest.expect(PROMPT)
        text = "\n".join(read_text(*guest.screen_pixels()))
        guest.screenshot(BUILD / f"logs/screen-{name}.png")
    for phase in PHASES[1:]:  # phase 1 has no screen yet
        check(phase in text, f"'{phase}' is not on the screen, which shows:\n{text.strip()}")


@suite.test("the boot lines are on the screen that UEFI gives")
def uefi_screen() -> None:
    read_screen(Machine("uefi"), "uefi")


@suite.test("the boot lines are on the screen that GRUB gives")
def bios_screen() -> None:
    read_screen(Machine("bios"), "bios")


@suite.test("the boot lines are on the screen of a direct boot")
def direct_screen() -> None:
    read_screen(Machine("direct"), "direct")
