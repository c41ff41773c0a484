# SPDX-License-Identifier: MIT
"""test_capture.py - the command capture: files of frames as Wireshark's tshark reads them, lines, filters, and who may not."""

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Callable

from hardware import network_card
from qemu import PROMPT, Guest, Machine
from testlib import HANG_S, Suite, check

from tests.system import test_httpd
from tests.system.with_services import initrd as initrd_with

suite = Suite("capture")

CLOCK = ("-rtc", "base=2026-05-06T07:08:09,clock=vm")
BEGAN_S = 1778051289  # as seconds since 1970
FIELDS = ("frame.time_epoch", "frame.interface_name", "ip.src", "tcp.srcport", "frame.packet_flags", "http.request.uri")
COUNT = 20
RIGHT = ", capture = true"
QUIET_S = 0.1
CTRL_C = "\x03"


def tshark(capture: bytes, *arguments: str) -> list[str]:
    with tempfile.NamedTemporaryFile(suffix=".pcapng") as file:
        file.write(capture)
        file.flush()
        done = subprocess.run(["tshark", "-n", "-r", file.name, *arguments], capture_output=True, text=True, timeout=HANG_S, check=False)
    check(done.returncode == 0 and "cut short" not in done.stderr, done.stderr)
    return done.stdout.splitlines()


def shown(guest: Guest, pattern: str, meanwhile: Callable[[], object]) -> None:
    """Until the guest has shown that, however it comes between other text; what is done meanwhile makes frames."""
    for _ in guest.looks():
        meanwhile()
        guest.settle(QUIET_S)
        if re.search(pattern, guest.output()):
            return
    check(False, f"never '{pattern}'")


@suite.test("a file has the frames that passed, whole, with their time and which way, and no others")
def file() -> None:
    with test_httpd.prompt("capture", files="tmpfs", extra=CLOCK) as (guest, port):
        guest.command("write /tmp/small hello")
        guest.send(f"capture /tmp/frames port=80 count={COUNT}\r")
        shown(guest, rf"\n{COUNT} frames, 0 lost", lambda: check(test_httpd.get(port, "/small")[0] == 200, "not answered"))
        guest.command("uptime")
        capture = test_httpd.get(port, "/frames")[2]
    check(not tshark(capture, "-Y", "_ws.malformed || !(tcp.port == 80)"), "frames are malformed, or of others")
    rows = [line.split("\t") for line in tshark(capture, "-T", "fields", *(word for field in FIELDS for word in ("-e", field)))]
    check(len(rows) == COUNT, f"{len(rows)} frames")
    for at, name, source, from_port, way, _ in rows:
        check(BEGAN_S <= float(at) < BEGAN_S + 600 and name == "en0", f"{at} {name}")
        check((source == "10.0.2.15") == (from_port == "80") == (int(way, 0) & 3 == 2), f"{source} {from_port} {way}")
    check(any(row[-1] == "/small" for row in rows), "the request is not there")
    check(sorted(float(row[0]) for row in rows) == [float(row[0]) for row in rows], "not in order")


@suite.test("lines say what frames are, of the host and port that were asked for, and a death of net is told")
def lines() -> None:
    with test_httpd.prompt("capture lines") as (guest, port):
        guest.send("capture - port=80 host=10.0.2.15\r")
        for pattern in (r" en0 in  10\.0\.2\.2:\d+ > 10\.0\.2\.15:80 tcp S, 0 bytes", r" en0 out 10\.0\.2\.15:80 > 10\.0\.2\.2:\d+ tcp SA, 0 bytes"):
            shown(guest, pattern, lambda: test_httpd.get(port, "/"))
        guest.send(CTRL_C)
        guest.command("uptime")
        check("arp" not in guest.output().partition("capture -")[2], "of another port")
        guest.command("capture - host=10.0.2.2 &")
        shown(guest, r" en0 out 10\.0\.2\.15 > 10\.0\.2\.2 icmp, 64 bytes", lambda: guest.command("ping 10.0.2.2 1"))
        guest.command("kill net")
        shown(guest, "capture: the service of the network was started again(?s:.*) en0 in  10", lambda: guest.command("ping 10.0.2.2 1"))
        guest.command("kill capture")


@suite.test("two may capture at once, and who has ended does not any more; words that are none are told")
def several() -> None:
    with test_httpd.prompt("capture several") as (guest, _):
        for word in ("host=10.0.2", "host=a", "port=0", "port=65536", "count=0", "nonsense"):
            check(f"{word} is not host=ADDRESS, port=PORT or count=NUMBER" in guest.command(f"capture - {word}"), word)
        for _ in range(3):
            numbers = [re.search(r"(capture#\d+): started", guest.command(f"capture - port={port} &"))[1] for port in (9, 10)]
            guest.command("capture - port=11 &")
            shown(guest, "capture: as many capture already as may", lambda: guest.command("uptime"))
            for number in numbers:
                guest.command(f"kill {number}")


@suite.test("who may not capture cannot hand it on")
def denied() -> None:
    def change(text: str) -> str:
        check(text.count(RIGHT) == 2, "others than the monitors may capture")
        return text.replace(RIGHT, "")

    with tempfile.TemporaryDirectory() as folder:
        machine = Machine("direct", initrd=initrd_with(Path(folder), [], change), cpus=1, memory_mib=256, extra=network_card())
        with Guest(machine, "capture denied", 120) as guest:
            guest.expect(PROMPT)
            check("this monitor may not do that itself: the right is not given" in guest.command("capture -"), "it was begun")
