# SPDX-License-Identifier: MIT
"""test_network_idle.py - the system with a network card, an address and a web server that nobody asks for anything, for hours
of virtual time: how often it is woken, and that nothing grows."""

import re
import time

from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

from tests.system.test_network import OWN, until

suite = Suite("network idle")

HOUR_S = 3600
LIMIT_S = 1800
SETTLED_S = 600  # what ARP has learned while the address was asked for is forgotten
LOOK_S = 2  # of this machine, between two looks at the guest's clock
WAKES_OF_A_DAY = 100
# Without IPv6: QEMU's network announces itself by it each few minutes, and each frame is a wake.
CARD = ("-netdev", "user,id=net,ipv6=off", "-device", "virtio-net-pci,netdev=net")


def uptime_s(guest: Guest) -> float:
    days, hours, minutes, seconds = re.search(r"up (\d+) days, (\d+):(\d+):([\d.]+)", guest.command("uptime")).groups()
    return ((int(days) * 24 + int(hours)) * 60 + int(minutes)) * 60 + float(seconds)


def frames_sent(guest: Guest) -> int:
    return int(re.search(r"en0 .* (\d+) +\d+\s*$", guest.command("ip"), re.MULTILINE)[1])


def memory_of(guest: Guest) -> dict[str, str]:
    """Pages and objects of each process of the network."""
    text = guest.command("ps")
    return {name: re.search(rf"^ *\d+ {re.escape(name)} .*?max \d+ +[\d.]+ +(.*?)\s*$", text, re.MULTILINE)[1]
            for name in ("net", "httpd", "virtio_net.0")}


def switches(guest: Guest) -> int:
    """How often the core was given to another thread."""
    return int(re.search(r"CORE +APIC.*SWITCHES.*\n +0 +\d+ +[\d.]+ +(\d+)", guest.command("cpu"))[1])


def idle(name: str, hours: int) -> None:
    """Of what the core did meanwhile, what the test's own commands cost is taken off. (Interrupts of the timer are no
    measure: a counter of 32 bits reaches 4 s, and who waits for longer is not woken by them.)"""
    machine = Machine("direct", cpus=1, cpu="max,-erms,-la57", memory_mib=256,
                      extra=(*CARD, "-icount", "shift=7,sleep=off", "-rtc", "clock=vm"))
    with Guest(machine, name, LIMIT_S) as guest:
        guest.expect(PROMPT)
        until(guest, "ip", OWN)
        until(guest, "log", "httpd: port 80")
        while uptime_s(guest) < SETTLED_S:
            time.sleep(LOOK_S)
        begin, before, sent = uptime_s(guest), memory_of(guest), frames_sent(guest)
        counts = [switches(guest), switches(guest)]
        for _ in range(5):
            uptime_s(guest)
        counts.append(switches(guest))
        of_count = counts[1] - counts[0]
        of_look = (counts[2] - counts[1] - of_count) // 5
        looks = 1
        while (passed := uptime_s(guest) - begin) < hours * HOUR_S:
            looks += 1
            time.sleep(LOOK_S)
        wakes = switches(guest) - counts[2] - of_count - looks * of_look
        after, frames = memory_of(guest), frames_sent(guest) - sent
    most = WAKES_OF_A_DAY * passed / (24 * HOUR_S)
    check(wakes < most, f"{wakes} wakes in {passed / HOUR_S:.1f} hours, and {frames} frames were sent")
    check(before == after, f"memory was {before}, and is {after}")


@suite.test("two hours without a client are a few wakes, and nothing grows")
def hours() -> None:
    idle("idle hours", 2)


def long_suite() -> Suite:
    """The campaign of make test-long."""
    campaign = Suite("network-idle")

    @campaign.test("a day without a client is under 100 wakes, and nothing grows")
    def day() -> None:
        idle("idle day", 26)  # the lease of a day is renewed twice

    return campaign
