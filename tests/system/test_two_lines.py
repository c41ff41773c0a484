# SPDX-License-Identifier: MIT
"""test_two_lines.py - a machine with two serial lines, each with a driver and a monitor of its own: what one
user sees of what the other waits for, and of what the other loses."""

import re
import socket
import sys
import tarfile
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pexpect.fdpexpect

from qemu import BUILD, PROMPT, ROOT, Guest, Machine, Session
from testlib import Suite, check

sys.path.insert(0, str(ROOT / "tools"))

from mkarchive import pack  # noqa: E402
from tests.system.with_services import compile_manifest  # noqa: E402

suite = Suite("two lines")

SECOND_LINE = """
[service.serial2]
file = "ns16550"
restart = "always"
priority = 40
ceiling = 40
frames = 128
bytes = 65536
arguments = "holder=monitor2"
provides = { requests = { endpoint = "serial2", exports = 176 } }
uses = { observer = "observer" }
ports = [{ name = "ports", first = 0x2f8, count = 8 }]
interrupts = [{ name = "interrupt", line = 3 }]
log = "write"

[service.monitor2]
file = "monitor"
restart = "always"
priority = 20
ceiling = 20
frames = 128
bytes = 65536
uses = { terminal = "serial2", manager = "manager", power = "power" }
log = "read, write"
memory = ["statistics", "trace"]
kernel_arguments = true
"""


def initrd(folder: Path) -> Path:
    """With the second line; and the power service, which never answers, is a program that computes."""
    source = folder / "manifest.toml"
    source.write_text((ROOT / "system/manifest.toml").read_text(encoding="utf-8") + SECOND_LINE,
                      encoding="utf-8")
    compile_manifest(source, folder / "manifest.bin")
    with tarfile.open(BUILD / "initrd.tar") as archive:
        files = {m.name: archive.extractfile(m).read() for m in archive if m.name != ".pad"}
    files |= {"manifest.bin": (folder / "manifest.bin").read_bytes(), "acpi_reset": files["spin"]}
    path = folder / "initrd.tar"
    path.write_bytes(pack(files))
    return path


class Line(pexpect.fdpexpect.fdspawn):
    """The other end of a serial line that QEMU offers as a socket."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection, use_poll=True, encoding="utf-8", codec_errors="replace")

    def close(self, force: bool = True) -> None:
        """The connection closes it."""


def connect(connection: socket.socket, path: Path) -> None:
    """Once QEMU is there; it waits, so that nothing is missed."""
    while connection.connect_ex(str(path)) != 0:
        time.sleep(0.05)


@contextmanager
def two_lines(name: str):
    """The first and the second line, both at the prompt."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as connection:
        path = Path(folder) / "line2"
        machine = Machine("direct", cpus=2, initrd=initrd(Path(folder)), extra=(
            "-chardev", f"socket,id=line2,path={path},server=on,wait=on",
            "-device", "isa-serial,iobase=0x2f8,irq=3,chardev=line2"))
        with Guest(machine, f"two lines {name}", 120) as first:
            connect(connection, path)
            with Session(Line(connection), f"two lines {name} second", 120, first.pid, machine.cpus) as second:
                first.expect(PROMPT)
                second.expect(PROMPT)
                yield first, second


@suite.test("ps names the service that a thread waits for")
def ps_names_a_peer() -> None:
    with two_lines("ps") as (first, second):
        first.send("reboot\r")
        first.expect("The machine resets now.")
        text = ""
        while "for power to receive" not in text:  # it is printed before it waits
            text = second.command("ps", 60)
        check(re.search(r"monitor  .*\n.* main +sending .* for power to receive\n", text),
              f"ps does not name what monitor waits for:\n{text}")


@suite.test("input that a driver held when it was ended is reported, and its line is not run")
def lost_input_is_reported() -> None:
    with two_lines("lost input") as (first, second):
        first.send("reboot\r")
        first.expect("The machine resets now.")
        first.send("uptime\r")  # stays in the driver: the monitor waits for the power service
        while "for power to receive" not in second.command("ps", 60):
            pass
        check("serial: killed" in second.command("kill serial", 60), "the driver is not ended")
        check("monitor: killed" in second.command("kill monitor", 60), "the monitor is not ended")
        first.expect("The terminal has lost input.")
        first.send("and more\r")
        first.expect("This line was not run: part of it was lost on the line")
        first.expect(PROMPT)
        check("up" in first.command("uptime"), "the prompt does not work afterwards")
