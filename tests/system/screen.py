# SPDX-License-Identifier: MIT
"""screen.py - reads the text on a guest's screen by comparing it with the console's fonts."""

import time
from functools import cache

import psf
from testlib import check

FOLDER = "/usr/share/consolefonts"
FONTS = ("Uni2-Terminus16", "Uni2-Terminus20x10", "Uni2-Terminus24x12", "Uni2-Terminus28x14", "Uni2-Terminus32x16")
COLUMNS, ROWS = 120, 36  # that a font leaves room for: services/terminal/font.h


@cache
def font(name: str) -> psf.Font:
    return psf.read(f"{FOLDER}/{name}.psf.gz")


@cache
def glyphs(name: str) -> dict[bytes, str]:
    """The character of each bitmap; of several that look the same, ASCII."""
    known: dict[bytes, str] = {}
    for code, bitmap in sorted(font(name).glyphs.items()):
        known.setdefault(bitmap, chr(code) if code != 0xA0 else " ")
    return known


def font_for(width: int, height: int) -> str:
    """What the terminal takes; the kernel's is the first, which it has, too, on screens that are not large."""
    fit = [name for name in FONTS if width // font(name).width >= COLUMNS and height // font(name).height >= ROWS]
    return fit[-1] if fit else FONTS[0]


@cache
def character(name: str, pixels: bytes) -> str:
    """What a cell shows, read by what differs from the colour of its corner, so that the cursor is seen through."""
    wide, high = font(name).width, font(name).height
    row_bytes = (wide + 7) // 8
    background, cell = pixels[:3], b""
    for line in range(0, 3 * wide * high, 3 * wide):
        bits = 0
        for x in range(line, line + 3 * wide, 3):
            bits = bits << 1 | (pixels[x:x + 3] != background)
        cell += (bits << row_bytes * 8 - wide).to_bytes(row_bytes, "big")
    return glyphs(name).get(cell, "?")


def read_text(width: int, height: int, rgb: bytes) -> list[str]:
    """The rows of text on a screen whose character cells start in the upper left corner."""
    name = font_for(width, height)
    wide, high = font(name).width, font(name).height
    rows = []
    for top in range(0, height - high + 1, high):
        lines = [rgb[3 * y * width:3 * (y + 1) * width] for y in range(top, top + high)]
        row = (character(name, b"".join(line[3 * left:3 * (left + wide)] for line in lines))
               for left in range(0, width - wide + 1, wide))
        rows.append("".join(row).rstrip())
    return rows


def screen_text(guest) -> str:
    """What is on a guest's screen; nothing, while QEMU has not come up."""
    try:
        return "\n".join(read_text(*guest.screen_pixels())).strip()
    except (FileNotFoundError, ConnectionRefusedError):
        return ""


def wait_for_text(guest, *texts: str) -> str:
    """Waits until all of the texts are on the screen, in this order; returns what it shows."""
    while True:
        shown = screen_text(guest)
        at = 0
        for text in texts:
            at = shown.find(text, at)
            if at < 0:
                break
            at += len(text.rstrip("\n"))
        else:
            return shown
        if guest.life.is_over():
            raise AssertionError(f"no {texts} on the screen, which shows:\n{shown}")
        time.sleep(0.2)


# What QEMU calls keys.
KEYS = {" ": "spc", ":": "shift-semicolon", "\r": "ret", "/": "slash", ".": "dot", "-": "minus", "\t": "tab"}


# The status of the keyboard's controller, whose lowest bit says that a byte waits for the driver (IBM PC AT, 8042).
STATUS, BYTE_WAITS = "i /b 0x64", 1


def press(guest, *keys: str) -> None:
    """Keys of the keyboard, one after the other: "a", "shift-a", "alt-f2". QEMU holds each for 20 ms of the guest's time. Its
    keyboard has room for 16 bytes, of which a key has up to six, and forgets what comes when they are full: the next one
    comes when the driver has taken those before, however slow the guest is."""
    for key in keys:
        guest.monitor(f"sendkey {key} 20")
        time.sleep(0.05)
        while int(guest.monitor(STATUS).rpartition("=")[2], 0) & BYTE_WAITS:
            check(not guest.life.is_over(), f"nobody takes the key {key}")
            time.sleep(0.02)


def type_text(guest, text: str) -> None:
    press(guest, *(KEYS.get(c, f"shift-{c.lower()}" if c.isupper() else c) for c in text))
