# SPDX-License-Identifier: MIT
"""test_line.py - the line at the monitor's prompt: its keys, earlier lines, completion, and pastes of which nothing is lost."""

import threading

from qemu import PROMPT, Guest
from testlib import Suite, check
from tests.system.test_monitor import CTRL_C, prompt

suite = Suite("line")

UP, DOWN, LEFT = "\x1b[A", "\x1b[B", "\x1b[D"
HOME, END, BACKSPACE, DELETE, TAB = "\x01", "\x05", "\x7f", "\x1b[3~", "\t"
CTRL_R, CTRL_U, CTRL_W = "\x12", "\x15", "\x17"
ALT_B, CTRL_LEFT, ESCAPE = "\x1bb", "\x1b[1;5D", "\x1b"


@suite.test("the line can be edited")
def line_editing() -> None:
    with prompt("editing") as guest:
        check("up" in guest.command("uptimx" + BACKSPACE + "e"), "backspace")
        check("up" in guest.command("utime" + LEFT * 4 + "p"), "insertion with the left arrow")
        check("up" in guest.command("ptime" + HOME + "u" + END), "start and end of the line")
        check("up" in guest.command("xuptime" + HOME + DELETE), "delete")
        check("up" in guest.command("garbage" + CTRL_U + "uptime"), "erase the line")
        check("up" in guest.command("uptime garbage" + CTRL_W), "erase a word")
        check("up" in guest.command("up two" + ALT_B + BACKSPACE + DELETE * 3 + "time"), "a word back")
        check("up" in guest.command("a ptime" + CTRL_LEFT * 2 + DELETE * 2 + "u"), "two words back")
        guest.send("garbage" + CTRL_C)
        guest.expect(PROMPT)
        check("up" in guest.command("uptime"), "cancel the line")


@suite.test("the line is edited by characters, and bytes that are none are shown as such")
def line_editing_utf8() -> None:
    with prompt("editing characters") as guest:
        check("up" in guest.command("größe日本" + BACKSPACE * 7 + "uptime"), "backspace")
        check("up" in guest.command("日uptimeé" + LEFT + DELETE + HOME + DELETE), "delete")
        check("é日: there is no such command" in guest.command("éx日" + LEFT + BACKSPACE), "arrow")
        guest.send_bytes(b"a\xff\xe6\x97\r")
        guest.expect("a\ufffd\ufffd: there is no such command")
        guest.expect(PROMPT)


@suite.test("a control character ends an escape sequence, strings of the terminal are no input")
def escape_sequences() -> None:
    with prompt("escape sequences") as guest:
        check("up" in guest.command("uptime" + ESCAPE), "Escape, Return")
        check("up" in guest.command("uptime" + ESCAPE + "[1;"), "half a sequence, Return")
        guest.send("garbage" + ESCAPE + CTRL_C)
        guest.expect("^C")
        guest.expect(PROMPT)
        check("up" in guest.command("upt" + ESCAPE + "]11;rgb:0/0/0" + ESCAPE + "\\ime"), "a string")


@suite.test("the terminal is asked for its width, and used to it")
def terminal_width() -> None:
    # Each question is answered before there is a reason for the next one: while one is open nothing more is asked.
    asks_again = {40: END + CTRL_U + "\f", 132: CTRL_C}  # Ctrl-L, and each new line
    with prompt("width") as guest:
        check(ESCAPE + "[6n" in guest.raw(), "the terminal was not asked")
        for width, keys in asks_again.items():
            guest.send(ESCAPE + f"[24;{width}R")
            guest.send(CTRL_U + "x" * 200 + HOME)
            guest.expect_pattern(rf"mnos> x{{{width - 7}}}\x1b\[K\x1b", 20, f"a line of {width} columns")
            guest.send(keys)
            guest.expect_pattern(r"\x1b\[6n", 20, "the question where the cursor is")


@suite.test("arrow up brings earlier lines back")
def history() -> None:
    with prompt("history") as guest:
        guest.command("uptime")
        guest.command("mem")
        check("free" in guest.command(UP).lower(), "the last line is not mem")
        check("up" in guest.command(UP * 3), "three lines up is not uptime")
        check("up" in guest.command(UP * 2 + DOWN), "down does not go back to the last line")


@suite.test("Ctrl-R finds an earlier line")
def history_search() -> None:
    with prompt("search") as guest:
        guest.command("uptime")
        guest.command("mem")
        check("up" in guest.command(CTRL_R + "pti"), "uptime is not found")


@suite.test("tab completes commands and names")
def completion() -> None:
    with prompt("completion") as guest:
        check("up" in guest.command("upt" + TAB), "upt is not completed to uptime")
        check("interrupt" in guest.command("caps ser" + TAB).lower(), "ser is not completed to serial")


def paste(guest: Guest, lines: list[str], answer) -> None:
    """Sends all lines at once, as fast as they are taken; answer(line) must come for each, in order."""
    text = "".join(line + "\r" for line in lines)
    sender = threading.Thread(target=guest.child.send, args=(text,), daemon=True)
    sender.start()
    for line in lines:
        guest.expect(answer(line), 60)
    sender.join()  # all is answered, so all was taken
    guest.expect(PROMPT, 60)


def long_lines(count: int) -> list[str]:
    """Commands that do not exist, which the answer repeats; each is a line of 250 bytes."""
    return [f"line-{number:04}-" + "".join(chr(ord("a") + (number + i) % 26) for i in range(239))
            for number in range(count)]


def refusal(line: str) -> str:
    return f"{line}: there is no such command"


@suite.test("a paste of 100 kB loses nothing")
def long_paste() -> None:
    with prompt("paste", 300) as guest:
        paste(guest, long_lines(400), refusal)
        check("up" in guest.command("uptime", 60), "the prompt does not work afterwards")


@suite.test("a paste loses nothing when it ends the serial driver, again and again")
def paste_and_kill() -> None:
    with prompt("paste and kill", 300) as guest:
        lines = long_lines(200)
        lines[5::20] = ["kill serial"] * len(lines[5::20])
        lines[100:100] = ["kill serial"] * 30  # all of them read at once, most likely
        paste(guest, lines, lambda line: "serial: killed" if line == "kill serial" else refusal(line))


@suite.test("a line that is too long is refused")
def line_too_long() -> None:
    with prompt("too long") as guest:
        check("This line was not run: it is too long" in guest.command("uptime" + " " * 600 + "x"), "it was run")
