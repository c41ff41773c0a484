# SPDX-License-Identifier: MIT
"""test_console.py - the screen and the keyboard as a terminal: keys are sent through the emulator, and the screen is read by the
font that it is drawn with."""

import re
import tempfile
import time
from pathlib import Path

from qemu import BUILD, PROMPT, Guest, Machine
from testlib import Suite, check
from tests.system.screen import press, screen_text, type_text, wait_for_text
from tests.system.test_httpd import uptime_s
from tests.system.test_network import until
from tests.system.with_services import initrd

suite = Suite("console")

NO_COM1 = ("-global", "isa-serial.iobase=0x2e8")
PROMPT_ON_SCREEN = "\nmnos>"


def command(guest, text: str, *shown: str) -> str:
    type_text(guest, text + "\r")
    return wait_for_text(guest, "mnos> " + text + "\n", *shown, PROMPT_ON_SCREEN)


@suite.test("a machine without COM1 boots to a prompt on the screen, and commands and programs run there")
def without_com1() -> None:
    with Guest(Machine(cpus=2, extra=NO_COM1), "console no COM1", 90) as guest:
        wait_for_text(guest, PROMPT_ON_SCREEN)
        press(guest, "alt-f2")
        wait_for_text(guest, "COM1: nothing answers")
        press(guest, *["shift-pgup"] * 4)  # how much of the boot has scrolled away depends on what starts late
        wait_for_text(guest, "phase 5: Alive")
        press(guest, "alt-f1")
        wait_for_text(guest, PROMPT_ON_SCREEN)
        command(guest, "ls /boot", "manifest.bin")
        text = command(guest, "services", "serial       ns16550      failed", "console      monitor      running")
        guest.screenshot(BUILD / "logs/console-no-com1.png")
        check("terminal     terminal     running" in text, f"no terminal:\n{text}")


@suite.test("a machine with both has a prompt on each, and what is typed on one is not the other's")
def both() -> None:
    with Guest(Machine(cpus=2), "console both", 90) as guest:
        guest.expect(PROMPT)
        wait_for_text(guest, PROMPT_ON_SCREEN)
        command(guest, "up", "up: there is no such command")
        guest.command("down")
        check("up: there is" not in guest.output(), "the line has what was typed at the screen")
        check("down" not in screen_text(guest), "the screen has what was typed on the line")


@suite.test("Alt-F2 shows the log as it grows, Alt-F1 the prompt again")
def log_terminal() -> None:
    with Guest(Machine(cpus=2), "console log", 90) as guest:
        guest.expect(PROMPT)
        wait_for_text(guest, PROMPT_ON_SCREEN)
        press(guest, "alt-f2")
        wait_for_text(guest, "console: the prompt is on the terminal")
        guest.command("run hello")
        wait_for_text(guest, "init: hello: ended")
        check(PROMPT_ON_SCREEN not in screen_text(guest), "the log has a prompt")
        press(guest, *["shift-pgup"] * 4)
        wait_for_text(guest, "phase 5: Alive")
        press(guest, "alt-f1")
        wait_for_text(guest, PROMPT_ON_SCREEN)


@suite.test("what has scrolled off the screen comes back by Shift-PageUp, and any key shows the bottom again")
def scrolling_back() -> None:
    with Guest(Machine(cpus=2), "console scrolling", 90) as guest:
        wait_for_text(guest, PROMPT_ON_SCREEN)
        text = command(guest, "services", "fat.1")
        check("phase 1" not in text, f"nothing has scrolled:\n{text}")
        press(guest, *["shift-pgup"] * 4)
        wait_for_text(guest, "phase 1: Deaf and Blind")
        type_text(guest, "x")
        wait_for_text(guest, "mnos> x")


@suite.test("the terminal and the driver of the keyboard are killed in use, and the prompt is there again")
def killed() -> None:
    with Guest(Machine(cpus=2), "console killed", 90) as guest:
        guest.expect(PROMPT)
        wait_for_text(guest, PROMPT_ON_SCREEN)
        guest.command("kill ps2")
        until(guest, "ps", r"\d ps2 [^\n]*\n[^\n]* receiving ")  # its next run drops what it finds in the controller
        command(guest, "one", "one: there is")
        guest.command("kill terminal")
        wait_for_text(guest, "init: terminal: ended (killed)", PROMPT_ON_SCREEN)  # the log, and the line of the prompt
        command(guest, "two", "two: there is")
        guest.command("kill console")
        wait_for_text(guest, "two: there is", PROMPT_ON_SCREEN, PROMPT_ON_SCREEN)
        command(guest, "three", "three: there is")


@suite.test("keys are those of the layout that the kernel's command line names, with Shift, AltGr and dead keys")
def layout() -> None:
    with Guest(Machine(cpus=2, cmdline="keymap=de"), "console layout", 90) as guest:
        wait_for_text(guest, PROMPT_ON_SCREEN)
        type_text(guest, "a")
        press(guest, "y", "z", "semicolon", "shift-7", "alt_r-q", "equal", "e", "alt_r-minus")
        wait_for_text(guest, "mnos> azy\u00f6/@\u00e9\\")


@suite.test("a program that the screen's monitor runs is seen and heard by the keyboard alone, and Ctrl-C ends it")
def interrupt() -> None:
    with Guest(Machine(cpus=2), "console interrupt", 90) as guest:
        wait_for_text(guest, PROMPT_ON_SCREEN)
        type_text(guest, "run keys\r")
        wait_for_text(guest, "keys: q ends it", "columns, 48 rows, in front")
        press(guest, "up", "a")
        wait_for_text(guest, "5b  [", "41  A", "61  a")
        press(guest, "ctrl-c")
        shown = wait_for_text(guest, "61  a", "ended, killed", PROMPT_ON_SCREEN)
        check("03  Ctrl-C" not in shown, f"the program had the key:\n{shown}")
        command(guest, "one", "one: there is")


@suite.test("programs run on terminals of their own, which Alt-F3 and Alt-F4 show: keys, Ctrl-C, and what is refused")
def own_terminals() -> None:
    with Guest(Machine(cpus=2), "console terminals", 90) as guest:
        guest.expect(PROMPT)
        wait_for_text(guest, PROMPT_ON_SCREEN)
        press(guest, "alt-f4")
        wait_for_text(guest, "Terminal 4: no program.", "run PROGRAM with terminal:4")
        type_text(guest, "lost")  # nobody hears it
        press(guest, "alt-f1")
        command(guest, "run keys with terminal:3", "started on terminal 3 (Alt-F3)")
        command(guest, "run keys with terminal:3", "run: terminal 3 is that of keys#")
        command(guest, "run keys with terminal:4", "started on terminal 4 (Alt-F4)")
        check("q ends it" not in screen_text(guest), "the prompt has what a program of another terminal says")
        press(guest, "alt-f3")
        wait_for_text(guest, "keys: q ends it", "in front")
        press(guest, "a", "ctrl-bracket_right", "ctrl-bracket_right", "b")
        shown = wait_for_text(guest, "61  a", "1d  Ctrl-]", "1d  Ctrl-]", "62  b")
        check("mnos>" not in shown, f"something of another terminal:\n{shown}")
        guest.screenshot(BUILD / "logs/console-terminal-3.png")
        press(guest, "ctrl-c")
        shown = wait_for_text(guest, "62  b", "Terminal 3: no program.")
        check("Ctrl-C" not in shown, f"the program had the key:\n{shown}")
        press(guest, "alt-f4")
        wait_for_text(guest, "Terminal 4: no program.", "keys: q ends it", "in front")
        press(guest, "d")
        shown = wait_for_text(guest, "64  d")
        check("6c  l" not in shown, f"the program has what was typed before it came:\n{shown}")
        guest.command("kill terminal")
        wait_for_text(guest, "init: terminal: ended (killed)", PROMPT_ON_SCREEN)
        press(guest, "alt-f4", "c", "q")
        wait_for_text(guest, "63  c", "71  q", "Terminal 4: no program.")
        press(guest, "alt-f1")
        wait_for_text(guest, "ended, exit code 0", PROMPT_ON_SCREEN)


def calls(guest) -> int:
    row = re.search(r"^ +0 +\d+ +[\d.]+ +\d+ +(\d+) ", guest.command("cpu"), re.M)
    check(row is not None, "`cpu` has no row of core 0")
    return int(row[1])


@suite.test("on a machine without a keyboard controller the terminal waits for its driver, and does not ask again and again")
def no_controller() -> None:
    with Guest(Machine("direct", extra=("-machine", "i8042=off")), "console no controller", 90) as guest:
        guest.expect("ps2: stopped, it ended")
        wait_for_text(guest, PROMPT_ON_SCREEN)
        before, begun_s = calls(guest), uptime_s(guest)
        time.sleep(3)
        made, seconds = calls(guest) - before, uptime_s(guest) - begun_s  # of its own clock: this machine may sleep for longer
        check(made < 1000 * seconds, f"{made} system calls in {seconds:.1f} s in which nobody has asked for anything")


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        check(old in text, f"the manifest has no {old!r}")
        text = text.replace(old, new, 1)
    return text


SILENT = """[service.silent]
file = "mute"
restart = "always"
priority = 40
ceiling = 40
frames = 32
bytes = 16384
provides = { requests = "keyboard" }

[service.ps2]"""


def silenced(text: str) -> str:
    """The manifest with a driver of the keyboard that shows that it works, and answers nothing; the real one is nobody's."""
    return changed(text, ('provides = { requests = "keyboard" }', 'provides = { requests = "unheard" }'),
                   ("[service.ps2]", SILENT))


@suite.test("a driver of the keyboard that never answers costs the keys, and not the screen")
def silent_keyboard() -> None:
    with tempfile.TemporaryDirectory() as folder:
        image = initrd(Path(folder), ("mute",), silenced)
        with Guest(Machine("direct", cpus=2, initrd=image), "console silent keyboard", 90) as guest:
            guest.expect(PROMPT)
            wait_for_text(guest, PROMPT_ON_SCREEN)
            guest.command("kill console")
            wait_for_text(guest, PROMPT_ON_SCREEN, PROMPT_ON_SCREEN)
            guest.screenshot(BUILD / "logs/console-silent-keyboard.png")
            guest.command("kill silent")  # its next run, which answers as little
            guest.command("kill terminal")
            wait_for_text(guest, "init: terminal: ended (killed)", PROMPT_ON_SCREEN)
