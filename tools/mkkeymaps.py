#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkkeymaps.py CKBCOMP XKB OUTPUT - the file `keymaps` of the boot image: what is printed on keys, for `terminal`.

Responsible for: the format that services/terminal/layout.h describes. CKBCOMP is the program of Debian's console-setup that makes a
keymap of the console out of a layout of X, XKB the folder of xkb-data; what a dead key makes of a letter is Unicode's to
say. The first layout is the one without a choice.
"""
import re
import struct
import subprocess
import sys
import unicodedata
from pathlib import Path

MAGIC = 0x5359454B
LAYOUTS = ("us", "gb", "de", "ch", "fr", "es", "it", "se")
CODES, LEVELS = 128, 4
DEAD, CAPS = 1 << 30, 1 << 31
# Names of the console's keymaps for dead keys, and the combining characters of Unicode.
MARKS = {"grave": 0x300, "acute": 0x301, "circumflex": 0x302, "tilde": 0x303, "macron": 0x304, "breve": 0x306,
         "kbreve": 0x306, "abovedot": 0x307, "diaeresis": 0x308, "abovering": 0x30A, "doubleacute": 0x30B,
         "kdoubleacute": 0x30B, "caron": 0x30C, "kcaron": 0x30C, "cedilla": 0x327, "ogonek": 0x328, "kogonek": 0x328}
# Their own pictures.
ALONE = {0x300: "`", 0x301: "\u00b4", 0x302: "^", 0x303: "~", 0x304: "\u00af", 0x306: "\u02d8", 0x307: "\u02d9",
         0x308: "\u00a8", 0x30A: "\u02da", 0x30B: "\u02dd", 0x30C: "\u02c7", 0x327: "\u00b8", 0x328: "\u02db"}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def symbol(name: str) -> int:
    """0 for what is no character: the terminal knows the other keys by their numbers."""
    caps = CAPS if name.startswith("+") else 0
    name = name.lstrip("+")
    if name.startswith("dead_"):
        mark = MARKS.get(name[len("dead_"):], 0)
        return mark | DEAD if mark else 0
    found = re.fullmatch(r"U\+([0-9a-fA-F]{4,6})", name)
    return int(found[1], 16) | caps if found and int(found[1], 16) >= 0x20 else 0


def layout(ckbcomp: str, xkb: str, name: str) -> bytes:
    text = subprocess.run(["perl", ckbcomp, f"-I{xkb}", "-layout", name], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    keys = [[0] * LEVELS for _ in range(CODES)]
    for number, names in re.findall(r"^keycode (\d+) = (.*)$", text, re.MULTILINE):
        if int(number) < CODES:
            keys[int(number)] = [symbol(word) for word in names.split()[:LEVELS]]
    if sum(key[0] != 0 for key in keys) < 45:
        sys.exit(f"mkkeymaps: layout {name}: ckbcomp tells of too few keys")
    return name.encode().ljust(8, b"\0") + b"".join(struct.pack(f"<{LEVELS}I", *key) for key in keys)


def pairs() -> list[tuple[int, int, int]]:
    found = [(mark, 0x20, ord(alone)) for mark, alone in ALONE.items()]
    for mark in ALONE:
        for letter in LETTERS:
            both = unicodedata.normalize("NFC", letter + chr(mark))
            if len(both) == 1:
                found.append((mark, ord(letter), ord(both)))
    return sorted(found)


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    ckbcomp, xkb, out = sys.argv[1:]
    maps = [layout(ckbcomp, xkb, name) for name in LAYOUTS]
    combined = pairs()
    Path(out).write_bytes(struct.pack("<4I", MAGIC, len(maps), len(combined), 0) + b"".join(maps) +
                          b"".join(struct.pack("<3I", *pair) for pair in combined))


main()
