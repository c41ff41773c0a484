# SPDX-License-Identifier: MIT
"""test_screen.py - what is on the screen can be read: the same boot lines as on the serial line, and a prompt."""

from qemu import BUILD, PROMPT, Guest, Machine
from testlib import Suite, check
from tests.system.screen import read_text, wait_for_text
from tests.system.test_boot_matrix import PHASES

suite = Suite("screen")


def read_screen(machine: Machine, name: str, size: tuple[int, int] = (1024, 768)) -> None:
    with Guest(machine, f"screen {name}", 120) as guest:
        guest.expect(PROMPT)
        wait_for_text(guest, *PHASES[1:], PROMPT.strip())  # the terminal has it, and shows what was there before
        width, height, pixels = guest.screen_pixels()
        guest.screenshot(BUILD / f"logs/screen-{name}.png")
    check((width, height) == size, f"the screen has {width}x{height} pixels")
    text = "\n".join(read_text(width, height, pixels))
    check("?" not in text, f"something that is no text is on the screen:\n{text.strip()}")
    for phase in PHASES[1:]:  # phase 1 has no screen yet
        check(phase in text, f"'{phase}' is not on the screen, which shows:\n{text.strip()}")


@suite.test("the boot lines are on the screen that UEFI gives")
def uefi_screen() -> None:
    read_screen(Machine("uefi"), "uefi", (1920, 1080))


@suite.test("nothing of the firmware's stays on a screen whose mode need not change")
def uefi_same_mode() -> None:
    screen = ("-device", "VGA,edid=on,xres=1920,yres=1080")
    read_screen(Machine("uefi", framebuffer=False, extra=screen), "uefi-same", (1920, 1080))


@suite.test("the boot lines are on the screen that GRUB gives")
def bios_screen() -> None:
    read_screen(Machine("bios"), "bios")


@suite.test("the boot lines are on the screen of a direct boot")
def direct_screen() -> None:
    read_screen(Machine("direct"), "direct")
