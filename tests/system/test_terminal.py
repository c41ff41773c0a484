# SPDX-License-Identifier: MIT
"""test_terminal.py - who is in front of the terminal: programs that the monitor lets have what is typed, the key of
last resort, ends of the program and of the driver, and the size of the terminal (docs/user-space.md)."""

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

from qemu import PROMPT, Guest, Machine
from testlib import Suite, check
from tests.system.test_two_lines import two_lines
from tests.system.with_services import initrd

suite = Suite("terminal")

CTRL_C, LAST_RESORT, ESCAPE = "\x03", "\x1d\x1d", "\x1b"


@contextmanager
def prompt(name: str):
    with Guest(Machine("direct", cpus=2, memory_mib=256), f"terminal {name}", 60) as guest:
        guest.expect(PROMPT)
        yield guest


def start_keys(guest, raw: bool = False) -> None:
    guest.send("run keys" + (" with raw" if raw else "") + "\r")
    guest.expect("keys: q ends it", 40)
    guest.expect("in front")


def settle(guest) -> None:
    """What programs in the background and the prompt have said before is behind us, whatever came first."""
    guest.send("settle\r")
    guest.expect("settle: there is no such command")
    guest.expect(PROMPT)


@suite.test("what is typed goes to the program in front and not to the prompt, until it ends")
def keys_go_to_the_front() -> None:
    with prompt("front") as guest:
        start_keys(guest)
        guest.send("ls\r")
        guest.expect("6c  l")
        guest.expect("73  s")
        guest.expect("0d  Ctrl-M")
        guest.send(ESCAPE + "[Aq")
        guest.expect("41  A")
        text = guest.expect(PROMPT)
        check(re.search(r"keys#\d+: ended, exit code 0", text), f"its end is not told:\n{text}")
        check("boot" not in text, f"the prompt has run what was typed to the program:\n{text}")
        check("up" in guest.command("uptime"), "the prompt does not work afterwards")


@suite.test("Ctrl-C ends a program with the terminal, which gets that key only if it is to have all")
def ctrl_c() -> None:
    with prompt("Ctrl-C") as guest:
        start_keys(guest)
        guest.send("a" + CTRL_C)
        text = guest.expect(PROMPT)
        check("^C" in text and re.search(r"keys#\d+: ended, killed", text), f"it was not ended:\n{text}")
        start_keys(guest, raw=True)
        guest.send(CTRL_C)
        guest.expect("03  Ctrl-C")
        guest.send("q")
        guest.expect(PROMPT)
        guest.send("run /boot/spin\r")  # takes no key out of the line
        guest.expect_pattern(r"boot/spin\s*\n", 20, "the end of the line")
        guest.send("typed for nobody" + CTRL_C)
        check("ended, killed" in guest.expect(PROMPT), "a program that reads nothing was not ended")


@suite.test("Ctrl-] twice brings the prompt back, whatever the program does; what was typed for it is dropped")
def last_resort() -> None:
    with prompt("last resort") as guest:
        guest.send("run /boot/spin with raw\r")
        guest.expect_pattern(r"with raw\s*\n", 20, "the end of the line")
        guest.send("kill monitor\r" + CTRL_C + LAST_RESORT)
        text = guest.expect(PROMPT)
        check(re.search(r'spin#\d+: goes on in the background; "kill spin#\d+" ends it', text), f"it is not told:\n{text}")
        check("spin" in guest.command("ps"), "it has ended")
        check("spin: killed" in guest.command("kill spin"), "kill does not end it")
        start_keys(guest, raw=True)
        guest.send("x" + LAST_RESORT)
        guest.expect("behind")  # the program is told
        settle(guest)
        check("up" in guest.command("uptime"), "the prompt does not get what is typed")
        check("keys: killed" in guest.command("kill keys"), "kill does not end it")


@suite.test("a program in the background only writes")
def behind() -> None:
    with prompt("behind") as guest:
        guest.send("run keys &\r")
        guest.expect_pattern(r"keys: q ends it", 40, "what it writes")
        guest.expect("behind")
        settle(guest)
        check("up" in guest.command("uptime"), "the prompt does not get what is typed")
        check("keys: killed" in guest.command("kill keys"), "it does not run")


@suite.test("a program in front that faults gives the front back")
def program_faults() -> None:
    with prompt("fault") as guest:
        for _ in range(10):
            text = guest.command("run /boot/crash", 40)
            check("ended, fault" in text, f"its end is not told:\n{text}")
        check("up" in guest.command("uptime"), "the prompt does not work afterwards")


@suite.test("the driver and the program's parent are killed while a program is in front: a pause, and the prompt")
def killed_from_outside() -> None:
    with two_lines("front") as (first, second):
        start_keys(first, raw=True)
        for round_ in range(3):
            check("serial: killed" in second.command("kill serial", 60), "the driver is not ended")
            first.send("k")
            first.expect("6b  k", 60)
        first.send(LAST_RESORT)
        first.expect("goes on in the background", 60)
        first.expect(PROMPT)
        first.command("kill keys")
        start_keys(first)
        check("launcher: killed" in second.command("kill launcher", 60), "the launcher is not ended")
        first.expect("with the launcher, which has ended", 60)
        first.expect(PROMPT)
        start_keys(first)
        check("monitor: killed" in second.command("kill monitor", 60), "the monitor is not ended")
        first.expect(PROMPT, 60)  # of its next run, which is in front
        check("up" in first.command("uptime"), "what is typed does not go to the next monitor")


@suite.test("a terminal that answers has the size that it tells, another one 80 columns and 24 rows")
def size() -> None:
    with prompt("size") as guest:
        start_keys(guest)
        check("80 columns, 24 rows (the terminal does not tell), in front" in guest.output(), "the size is another one")
        guest.send(ESCAPE + "[40;120R")  # late, over a slow line
        guest.expect("120 columns, 40 rows, in front")
        guest.send("q")
        guest.expect(PROMPT)
        start_keys(guest)
        check("120 columns, 40 rows, in front" in guest.output(), "what the terminal has told is forgotten")
        guest.send("q")
        guest.expect(PROMPT)
        # The prompt has the terminal asked, which answers that its window has changed.
        guest.send(ESCAPE + "[50;100R")
        settle(guest)
        start_keys(guest)
        check("100 columns, 50 rows, in front" in guest.output(), "the change was not seen")


def kept_by_driver(guest) -> int:
    return len(guest.command("caps serial").splitlines())


@suite.test("a program that asks for what it must not get, breaks its rings and takes them away harms nobody")
def bad_program() -> None:
    with tempfile.TemporaryDirectory() as folder:
        image = initrd(Path(folder), ("terminal_bad",), lambda text: text)
        with Guest(Machine("direct", cpus=2, memory_mib=256, initrd=image), "terminal bad program", 60) as guest:
            guest.expect(PROMPT)
            before = kept_by_driver(guest)
            for _ in range(3):
                text = guest.command("run terminal_bad", 60)
                check("all was refused" in text and "exit code 0" in text,
                      f"the line of tests/services/terminal_bad/main.c is its exit code:\n{text}")
            # It learns of a client's end beside the prompt.
            check(any(kept_by_driver(guest) == before for _ in guest.looks()), "the driver has kept something")
            services = guest.command("services")
            check(re.search(r"^serial +ns16550 +running +always +0 ", services, re.M), f"it was restarted:\n{services}")
