# SPDX-License-Identifier: MIT
"""test_network_loopback.py - a program that sends itself bytes over loopback (tests/services/net_loop), and kills of the
stack while it does."""

import re

from testlib import Suite, check

from tests.system.test_network import prompt
from tests.system.test_network_kills import KILLS, kill_net

suite = Suite("network loopback")


@suite.test("ten kills of net while a program sends itself bytes over loopback: none is lost or comes twice")
def kill_loopback() -> None:
    with prompt("kill loopback", limit_s=900, streams=True) as (guest, _, _):
        def passed() -> int:
            text = guest.command("log")
            check(not re.search(r"[EWI] loop: (?!stream: \d+ MiB)", text), f"it broke: {text}")
            return max((int(count) for count in re.findall(r"loop: stream: (\d+) MiB", text)), default=0)

        for kill in range(KILLS + 1):
            whole = passed()
            while passed() == whole:
                guest.command("uptime")  # it flows again
            if kill < KILLS:
                kill_net(guest, kill + 2)
