# SPDX-License-Identifier: MIT
"""test_network_loopback.py - a program that sends itself bytes over loopback (tests/services/net_loop), and kills of the
stack while it does."""

import re

from testlib import Suite, check

from tests.system.test_network import prompt
from tests.system.test_network_kills import KILLS

suite = Suite("network loopback")


@suite.test("ten kills of net while a program sends itself bytes over loopback: none is lost or comes twice")
def kill_loopback() -> None:
    with prompt("kill loopback", limit_s=900, streams=True) as (guest, _, _):
        runs, whole = 0, 0

        def passed() -> int:
            text = guest.command("log")
            check(not re.search(r"[EWI] loop: (?!stream: \d+ MiB)", text), f"it broke: {text}")
            return max((int(count) for count in re.findall(r"loop: stream: (\d+) MiB", text)), default=0)

        for _ in range(KILLS + 1):
            while passed() == whole:
                guest.command("uptime")  # it flows again
            whole = passed()
            runs += 1
            if runs <= KILLS:
                guest.command("kill net")
        check(len(set(re.findall(r"net: run (\d+) goes on with \d+ connections", guest.command("log")))) == KILLS,
              "not each run has gone on with it")
