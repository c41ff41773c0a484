# SPDX-License-Identifier: MIT
"""test_readme.py - what the README shows at the prompt is what the system does.

Each block of it with a prompt is typed, command by command. Every line that the README shows must come, in that order; any
number may be another one, and where it has three dots there may be more lines."""

import os
import re
import tempfile
import threading
from collections.abc import Iterable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import linux_disk
import mkdisk
from hardware import data_disk, network_card
from patience import Patience
from qemu import PROMPT, ROOT, Guest, Machine
from testlib import HANG_S, Suite, check, require_success

from tests.system.test_network import until

suite = Suite("readme")

FILM_MIB, FETCHED_MIB, DISK_MIB = 24, 8, 128
MARK = "mnos> "
# What shows the system at one moment, in which a thread may work instead of waiting, and what starts may not be there.
LOOKS = ("ps", "services", "netstat")
SHOWN_S = 60
# Of what takes longer than a second, as it does on a busy host; it is drawn over, and wiped in the end.
BAR = re.compile(r"\[[#.]+\] [\d.]+ \w*?(?:B|bytes) of [\d.]+ \w*?(?:B|bytes)")
Session = list[tuple[str, list[str]]]  # commands and what they say; the first command is that of the host


def blocks(page: str = "README.md") -> Iterable[list[str]]:
    """The sessions of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = [block.splitlines() for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
             if not language and MARK in block]
    check(sum(line.startswith(MARK) for block in found for line in block) == len(re.findall(f"^{MARK}", text, re.M)),
          f"{page}: a line that is typed is in no session")
    return found


def sessions(block: list[str]) -> Iterable[Session]:
    """A new one begins with each `$ make run`."""
    session: Session = [("make run", [])]
    for line in block:
        if line.startswith("$ make run"):
            if len(session) > 1 or session[0][1]:
                yield session
            session = [(line[2:], [])]
        elif line.startswith(MARK):
            session.append((line.removeprefix(MARK), []))
        else:
            session[-1][1].append(line)
    yield session


def pattern(line: str) -> str:
    """Numbers, hexadecimal ones too, may be others, and columns wider."""
    parts = re.split(r"(\b0x[0-9a-f]+|\b[0-9a-f]{7}\b|\d+|\s+)", line.strip())
    return "".join(r"(0x)?[0-9a-f]+" if re.fullmatch(r"0x[0-9a-f]+|[0-9a-f]*\d[0-9a-f]*", part) else
                   r"\s+" if part.isspace() else re.escape(part) for part in parts)


def must_show(command: str, said: str, expected: list[str]) -> None:
    lines, at = [BAR.sub("", line).strip() for line in said.splitlines()], 0
    for line in expected:
        if line.strip() in ("...", ""):
            continue
        wanted = pattern(line)
        at = next((i + 1 for i in range(at, len(lines)) if re.fullmatch(wanted, lines[i])), 0)
        check(at, f"{command!r} does not say, or not there, {line!r}:\n{said}")


def answer(guest: Guest, command: str, expected: list[str]) -> str:
    """What it says up to the prompt; and, when the last line of it is the end of something in the background, up to that."""
    if command == "poweroff":
        return guest.read_to_end()
    guest.expect(command, 20)
    said = guest.expect(PROMPT, 60)
    while expected and "ended" in expected[-1] and not re.search(pattern(expected[-1]), said):
        said += guest.expect(PROMPT, 90)
    return said


def must_come(guest: Guest, command: str, said: str, expected: list[str], seconds: float = SHOWN_S) -> None:
    """As must_show(), of what a command has said at the prompt, which now waits: a look is taken again until it is as shown."""
    patience = Patience(guest.pid, seconds, guest.cores)
    while True:
        try:
            return must_show(command, said, expected)
        except AssertionError:
            if command not in LOOKS or patience.is_over():
                raise
        said = guest.command(command)


class Films(BaseHTTPRequestHandler):
    """A server of the host with one file, which counts how often it is asked for."""

    film, asked = b"", 0

    def do_GET(self) -> None:
        Films.asked += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.film)))
        self.end_headers()
        self.wfile.write(self.film)

    def log_message(self, *_arguments) -> None:
        pass


def play(disk: Path, session: Session, name: str) -> None:
    machine = Machine("direct", cpus=2, memory_mib=512, extra=data_disk(disk) + network_card())
    with Guest(machine, f"readme {name}", 200) as guest:
        # What `make run` itself says, before the kernel does, is not the guest's.
        must_show("the boot", guest.expect(PROMPT), [line for line in session[0][1] if line.startswith("[")])
        commands, typed = session[1:], 0
        if any(command == "netstat" for command, _ in commands):  # people type slower than the web server starts
            until(guest, "log", "httpd: port 80")
        for number, (command, expected) in enumerate(commands):
            # What runs in the background must not be done before the next line is typed: it comes with it.
            while typed <= number or commands[typed - 1][0].endswith("&"):
                guest.send(commands[typed][0] + "\r")
                typed += 1
            said = answer(guest, command, expected)
            if typed > number + 1:
                must_show(command, said, expected)
            else:
                must_come(guest, command, said, expected)


@suite.test("the sessions of the README happen as it shows them")
def as_shown() -> None:
    with tempfile.TemporaryDirectory() as folder:
        content, disk = Path(folder) / "content", Path(folder) / "disk.img"
        content.mkdir()
        said = linux_disk.make(content, limit_s=HANG_S)  # as `make run` has it
        check((content / "linux").exists(), said)
        mkdisk.make(disk, DISK_MIB, content=content)
        for number, block in enumerate(blocks()):
            if "film" in "".join(block):
                continue
            for session in sessions(block):
                play(disk, session, str(number))


@suite.test("the README's copy goes on when the disk's driver is killed in its middle, and is a good copy")
def copy_survives_the_driver() -> None:
    with tempfile.TemporaryDirectory() as folder:
        content, disk = Path(folder) / "content", Path(folder) / "disk.img"
        content.mkdir()
        (content / "film").write_bytes(os.urandom(FILM_MIB << 20))
        mkdisk.make(disk, DISK_MIB, content=content)
        block = next(block for block in blocks() if "film" in "".join(block))
        for session in sessions(block):
            play(disk, [*session, ("poweroff", [])], "copy")
        offset = mkdisk.FIRST_MIB * mkdisk.MIB
        copy = Path(folder) / "copy"
        require_success([mkdisk.tool("debugfs", "e2fsprogs"), "-R", f"dump /copy {copy}", f"{disk}?offset={offset}"])
        check(copy.read_bytes() == (content / "film").read_bytes(), "the copy is another one")


@suite.test("the README's download goes on by its one connection when net is killed in its middle, and is a good copy")
def download_survives_the_stack() -> None:
    Films.film, Films.asked = os.urandom(FETCHED_MIB << 20), 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Films)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        disk, got = Path(folder) / "disk.img", Path(folder) / "got"
        mkdisk.make(disk, DISK_MIB)
        block = next(block for block in blocks() if "fetch" in "".join(block) and "film" in "".join(block))
        here = [line.replace("10.0.2.2:8000", f"10.0.2.2:{server.server_port}") for line in block]
        for session in sessions(here):
            play(disk, [*session, ("poweroff", [])], "download")
        offset = mkdisk.FIRST_MIB * mkdisk.MIB
        require_success([mkdisk.tool("debugfs", "e2fsprogs"), "-R", f"dump /film {got}", f"{disk}?offset={offset}"])
        check(sha256(got.read_bytes()).digest() == sha256(Films.film).digest(), "the file is another one")
    server.shutdown()
    check(Films.asked == 1, f"it was asked for {Films.asked} times")
