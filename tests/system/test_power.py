# SPDX-License-Identifier: MIT
"""test_power.py - the machine is switched off at the prompt."""

import time

from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

suite = Suite("power")


def switched_off(guest: Guest) -> bool:
    """Whether the machine is off, which a machine that was reset is not."""
    while guest.qmp("query-status")["status"] != "shutdown":
        if guest.life.is_over():
            return False
        time.sleep(0.1)
    return True


@suite.test("poweroff switches the machine off, by the tables of each firmware")
def off() -> None:
    for firmware in ("direct", "uefi", "bios"):
        machine = Machine(firmware, cpus=2, memory_mib=256, extra=("-no-shutdown",))
        with Guest(machine, f"power off {firmware}") as guest:
            guest.expect(PROMPT)
            guest.command("write /tmp/file text")
            guest.send("poweroff\r")
            guest.expect("The machine is switched off now.")
            check(switched_off(guest), f"{firmware}: the machine still runs")


@suite.test("poweroff and reboot take one word, and say what else they do not take")
def usage() -> None:
    with Guest(Machine("direct", memory_mib=128), "power usage") as guest:
        guest.expect(PROMPT)
        for command in ("poweroff", "reboot"):
            said = guest.command(f"{command} later")
            check(f"usage: {command} [now]" in said, said)
        said = guest.command("kill power")
        check("killed" in said, said)
