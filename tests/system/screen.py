# SPDX-License-Identifier: MIT
"""screen.py - reads the text on a guest's screen by comparing it with the console font."""

import gzip
import time
from pathlib import Path

FONT = Path("/usr/share/consolefonts/Uni2-Terminus16.psf.gz")
WIDTH, HEIGHT = 8, 16
PSF1_MAGIC, PSF1_HEADER = b"\x36\x04", 4


def printable_glyphs() -> dict[bytes, str]:
    """Bitmap of each printable ASCII character; Debian's console fonts keep ASCII in its places."""
    data = gzip.decompress(FONT.read_bytes())
    if data[:2] != PSF1_MAGIC or data[3] != HEIGHT:
        raise AssertionError(f"{FONT} is not a PSF1 font of {HEIGHT} rows")
    return {data[PSF1_HEADER + HEIGHT * code:][:HEIGHT]: chr(code) for code in range(0x20, 0x7F)}


def read_text(width: int, height: int, rgb: bytes) -> list[str]:
    """The rows of text on a screen whose character cells start in the upper left corner."""
    glyphs = printable_glyphs()
    pixels = memoryview(rgb)
    rows = []
    for top in range(0, height - HEIGHT + 1, HEIGHT):
        row = []
        for left in range(0, width - WIDTH + 1, WIDTH):
            cell = []
            background = None
            for y in range(top, top + HEIGHT):
                start = 3 * (y * width + left)
                line = bytes(pixels[start:start + 3 * WIDTH])
                if background is None:
                    background = line[:3]
                bits = 0
                for x in range(WIDTH):
                    bits = bits << 1 | (line[3 * x:3 * x + 3] != background)
                cell.append(bits)
            row.append(glyphs.get(bytes(cell), "?"))
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
        else:
            return shown
        if guest.life.is_over():
            raise AssertionError(f"no {texts} on the screen, which shows:\n{shown}")
        time.sleep(0.2)
