# SPDX-License-Identifier: MIT
"""test_e1000e.py - the system with an Intel 82574 as its network card: what comes through it is whole, it is quiet when nothing
comes, and a death of its driver is a pause."""

import re
import time

from qemu import LOOK_PAUSE_S
from testlib import Suite, check

from tests.system.test_httpd import get, kill_driver_often, prompt, uptime_s
from tests.system.test_init import members
from tests.system.test_network import until

suite = Suite("e1000e")

KILLS = 5
# It is quiet when there are fewer than so many interrupts a second, for so long by the machine's own clock.
QUIET_S, QUIET_RATE = 2, 2.5


def interrupts(guest) -> int:
    return int(re.search(r"^ +\d+ +(\d+) +devices e1000e\.0$", guest.command("irq"), re.MULTILINE)[1])


@suite.test("frames go both ways by an Intel 82574, and it is quiet when there are none")
def both_ways() -> None:
    with prompt("e1000e", card="e1000e") as (guest, port):
        expected = members()["net"]
        for _ in range(3):
            status, _, body = get(port, "/net")
            check(status == 200 and body[:len(expected)] == expected, f"other bytes came: {status}")
        until(guest, "ping 10.0.2.2", r"56 bytes from 10\.0\.2\.2")
        check(re.search(r"\nen0 +up +10\.0\.2\.15/24 .* +\d+ +\d+ +0\r?\n", guest.command("ip")), guest.command("ip"))
        fired = interrupts(guest)
        check(fired > 10, f"{fired} interrupts: it is polled")
        # QEMU's network announces itself now and then, and the addresses of IPv6 are looked for in the first seconds.
        for _ in guest.looks():
            begun_s, before = uptime_s(guest), interrupts(guest)
            while (now_s := uptime_s(guest)) < begun_s + QUIET_S:
                time.sleep(LOOK_PAUSE_S)
            if interrupts(guest) - before < QUIET_RATE * (now_s - begun_s):
                return
        check(False, "it interrupts though nothing comes")


@suite.test("kills of the 82574's driver during downloads: each comes whole")
def kills() -> None:
    kill_driver_often("kill e1000e", KILLS, "e1000e", "e1000e")
