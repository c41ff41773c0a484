# SPDX-License-Identifier: MIT
"""fsstress.py - random operations of e2fsprogs' contrib/fsstress.c. It runs on a folder of this machine, which says what each
operation does; its trace is carried out by the ext4 service, and on a second folder. What writes put into files is made
here, so that both have the same bytes."""

import os
import re
import subprocess
from pathlib import Path

from qemu import BUILD
from testlib import HANG_S, check

SOURCE = BUILD / "src/e2fsprogs/contrib/fsstress.c"
# Without what the service has not: owners, and files of devices.
WITHOUT = ("chown", "mknod")
TRACE = re.compile(r"0/\d+: (\w+) (?:(.*) )?(\d+)")
LINK_TEXT = "a/text/that/leads/nowhere"


def build(folder: Path) -> Path:
    program = folder / "fsstress"
    subprocess.run(["gcc", "-w", "-D_GNU_SOURCE", "-DNO_XFS", "-o", str(program), str(SOURCE)], check=True, timeout=HANG_S)
    return program


def trace(program: Path, folder: Path, seed: int, count: int) -> list[tuple[str, ...]]:
    """The operations that changed something or ask for it to be durable, in order: name and arguments."""
    folder.mkdir()
    without = [word for name in WITHOUT for word in ("-f", f"{name}=0")]
    said = subprocess.run([str(program), "-d", str(folder), "-n", str(count), "-p", "1", "-s", str(seed), "-v", *without],
                          capture_output=True, text=True, check=True, timeout=HANG_S).stdout
    steps = []
    for line in said.splitlines():
        found = TRACE.fullmatch(line)
        if found and found[3] == "0" or line.endswith(": sync"):
            steps.append(step_of(found[1] if found else "sync", (found and found[2]) or ""))
    return [step for step in steps if step]


def step_of(name: str, rest: str) -> tuple[str, ...] | None:
    words = rest.split()
    match name:
        case "creat":
            return ("creat", words[0])
        case "write" | "dwrite":
            offset, length = words[1].strip("[]").split(",")
            return ("write", words[0], offset, length)
        case "rename":
            return ("rename", words[0], words[2])
        case "link":
            return ("link", words[0], words[1])
        case "truncate":
            return ("truncate", words[0], words[1])
        case "mkdir" | "rmdir" | "unlink" | "symlink" | "fsync":
            return (name, words[0])
        case "fdatasync":
            return ("fsync", words[0])
        case "sync":
            return ("sync",)
    return None


def content(offset: int, length: int, seed: int) -> bytes:
    """As the service's command `write` makes it."""
    return bytes((at * 31 + seed + (at >> 12)) & 0xFF for at in range(offset, offset + length))


def command(step: tuple[str, ...], seed: int) -> str:
    """What the host's service is told (tests/ext4_service/commands.c)."""
    match step:
        case ("creat", path):
            return f"fill {path} 0 0"
        case ("write", path, offset, length):
            return f"write {path} {offset} {length} {seed}"
        case ("rename", old, new):
            return f"mv {old} {new}"
        case ("link", old, new):
            return f"ln {old} {new}"
        case ("unlink", path):
            return f"rm {path}"
        case ("symlink", path):
            return f"symlink {LINK_TEXT} {path}"
    return " ".join(step)


def carry_out(folder: Path, step: tuple[str, ...], seed: int) -> None:
    match step:
        case ("creat", path):
            (folder / path).write_bytes(b"")
        case ("write", path, offset, length):
            with (folder / path).open("r+b") as file:
                file.seek(int(offset))
                file.write(content(int(offset), int(length), seed))
        case ("rename", old, new):
            os.rename(folder / old, folder / new)
        case ("link", old, new):
            os.link(folder / old, folder / new, follow_symlinks=False)
        case ("unlink", path):
            (folder / path).unlink()
        case ("symlink", path):
            (folder / path).symlink_to(LINK_TEXT)
        case ("truncate", path, size):
            os.truncate(folder / path, int(size))
        case ("mkdir", path):
            (folder / path).mkdir()
        case ("rmdir", path):
            (folder / path).rmdir()


def carry_out_all(folder: Path, steps: list[tuple[str, ...]]) -> None:
    folder.mkdir()
    for seed, step in enumerate(steps):
        carry_out(folder, step, seed & 0xFF)


def commands(steps: list[tuple[str, ...]]) -> list[str]:
    check(steps, "fsstress has done nothing")
    return [command(step, seed & 0xFF) for seed, step in enumerate(steps)]
