# SPDX-License-Identifier: MIT
"""test_serial_kills.py - the driver of the serial line is ended again and again while a client writes lines to it
(tests/services/serial_load): each line arrives, whole and in order, and no request fails."""

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

from tests.system.with_services import added, initrd

suite = Suite("serial kills")

KILLS = 10
RUNS_MAX = 10
LOAD = """
[service.serial_load]
file = "serial_load"
restart = "on-demand"
priority = 15
ceiling = 45
frames = 64
bytes = 32768
arguments = "{kills}"
uses = {{ serial = "serial", observer = "observer", manager = {{ endpoint = "manager", start = ["serial"] }} }}
log = "write"
"""
SUM = r"serial_load: (\d+) kills, (\d+) in the middle of a write, (\d+) failed, (\d+) lines"


@contextmanager
def prompt(kills: int, limit_s: float):
    with tempfile.TemporaryDirectory() as folder:
        load = LOAD.format(kills=kills)
        path = initrd(Path(folder), ["serial_load"], added(load))
        with Guest(Machine("direct", cpus=2, memory_mib=128, initrd=path), f"serial kills {kills}", limit_s) as guest:
            guest.expect(PROMPT)
            yield guest


def lines_arrive(said: str, count: int) -> None:
    """Whole, in order, and each; one that was sent again may be there in part before."""
    at = 0
    for number in range(count):
        line = f"<{number:06}:{chr(ord('a') + number % 26) * 189}>"
        found = said.find(line, at)
        check(found >= 0, f"line {number} of {count} is not there behind those before it")
        at = found + 1


def kill_many(kills: int, least: int, limit_s: float) -> None:
    """So many kills in each run, and runs until `least` of them came in the middle of a write."""
    total = middle = lines = 0
    with prompt(kills, limit_s) as guest:
        while middle < least or total == 0:
            check(total < RUNS_MAX * kills, f"of {total} kills only {middle} came in the middle of a write")
            before = len(guest.raw())
            guest.command("run serial_load", 300)
            done = re.findall(SUM, guest.command("log"))[-1]
            check(done[0] == f"{kills}" and done[2] == "0", f"requests failed: {done}")
            lines_arrive(guest.raw()[before:], int(done[3]))
            total, middle, lines = total + kills, middle + int(done[1]), lines + int(done[3])
        restarts = re.search(r"\nserial +ns16550 +running +always +(\d+) ", guest.command("services"))
        check(restarts is not None and int(restarts[1]) == total, f"the driver was not ended {total} times")
        check("up" in guest.command("uptime"), "the prompt does not work afterwards")
    print(f"{total} kills of the serial driver, {middle} in the middle of a write, {lines} lines, none failed")


@suite.test("no line is lost when the serial driver is ended in the middle of it, again and again")
def some_kills() -> None:
    kill_many(KILLS, 1, 300)


def long_suite() -> Suite:
    """The campaign of make test-long."""
    campaign = Suite("serial-kills")

    @campaign.test("200 kills of the serial driver, 20 of them in the middle of a write")
    def many_kills() -> None:
        kill_many(200, 20, 1800)

    return campaign
