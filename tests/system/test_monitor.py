# SPDX-License-Identifier: MIT
"""test_monitor.py - types each command of the monitor at the prompt and reads what it says."""

import re
import threading
import time
from contextlib import contextmanager

from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

suite = Suite("monitor")

CPUS, MEMORY_MIB = 2, 512
STACK_MIB = 24  # what all services and the kernel may take at the prompt (bench: memory-kib)
COMMANDS = ("help", "ps", "caps", "mem", "irq", "cpu", "log", "trace", "services", "restart", "kill", "run",
            "uptime", "date", "reboot")
UP, DOWN, LEFT, RIGHT = "\x1b[A", "\x1b[B", "\x1b[D", "\x1b[C"
HOME, END, BACKSPACE, DELETE, TAB = "\x01", "\x05", "\x7f", "\x1b[3~", "\t"
CTRL_C, CTRL_R, CTRL_U, CTRL_W = "\x03", "\x12", "\x15", "\x17"
ALT_B, CTRL_LEFT, ESCAPE = "\x1bb", "\x1b[1;5D", "\x1b"


@contextmanager
def prompt(name: str, limit_s: float = 120):
    """A machine that has booted to the prompt."""
    machine = Machine("direct", cpus=CPUS, memory_mib=MEMORY_MIB)
    with Guest(machine, f"monitor {name}", limit_s) as guest:
        guest.expect(PROMPT)
        yield guest


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.strip()]


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def has_row(text: str, *words: str) -> bool:
    return any(all(word in row for word in words) for row in rows(text))


@suite.test("help names every command")
def help_lists_commands() -> None:
    with prompt("help") as guest:
        text = guest.command("help")
        for name in COMMANDS:
            check(re.search(rf"^\s*{name}\b", text, re.M), f"help does not name {name}:\n{text}")


@suite.test("ps shows the processes with state, core, time and memory")
def ps() -> None:
    with prompt("ps") as guest:
        text = guest.command("ps")
        for name in ("init", "serial", "monitor"):
            check(re.search(rf"\b{name}\b", text), f"ps does not show {name}:\n{text}")
        check(re.search("receiving|running|ready", text), f"ps shows no state:\n{text}")


@suite.test("ps names what a thread waits for")
def ps_waits() -> None:
    with prompt("ps waits") as guest:
        own = re.search(r"endpoint +rw\S+ +(\d+)", guest.command("caps power"))
        check(own, "power has no endpoint")
        text = guest.command("ps")
        check(re.search(rf"power .*\n.*receiving .* for a message at endpoint {own[1]}\n", text),
              f"power does not wait at endpoint {own[1]}:\n{text}")


@suite.test("caps shows types, rights and the capabilities of another process")
def caps() -> None:
    with prompt("caps") as guest:
        own = guest.command("caps")
        check("endpoint" in own, f"the monitor holds no endpoint:\n{own}")
        serial = guest.command("caps serial")
        for kind in ("endpoint", "interrupt", "memory"):
            check(kind in serial.lower(), f"the serial driver holds no {kind}:\n{serial}")
        check(serial != own, "caps serial shows the monitor's own table")
        missing = guest.command("caps nobody")
        check("nobody" in missing, f"an unknown process is not named:\n{missing}")


@suite.test("trace shows what the cores did, in order")
def trace() -> None:
    with prompt("trace") as guest:
        found = rows(guest.command("trace 300"))
        times = [float(row[0]) for row in found if len(row) > 5 and row[1] == "core"]
        check(len(times) >= 5, f"trace shows {len(times)} events:\n{found}")
        check(times == sorted(times), f"the events are in no order:\n{found}")
        check(any("SWITCH" in row for row in found), f"no thread has run:\n{found}")


@suite.test("mem accounts for all memory")
def mem() -> None:
    with prompt("mem") as guest:
        text = guest.command("mem")
        check("free" in text.lower(), f"mem does not say what is free:\n{text}")
        free = re.search(r"free\D*(\d+)\s*(KiB|MiB)?", text, re.I)
        check(free, f"mem gives no number:\n{text}")
        amount = int(free[1]) // (1024 if free[2] == "KiB" else 1)
        check(MEMORY_MIB - STACK_MIB <= amount <= MEMORY_MIB, f"{amount} MiB of {MEMORY_MIB} are free")


@suite.test("irq counts the interrupts of the serial line")
def irq() -> None:
    with prompt("irq") as guest:
        first, second = guest.command("irq"), guest.command("irq")
        check("serial" in first or re.search(r"^\s*4\b", first, re.M), f"no serial line:\n{first}")
        check(sum(numbers(second)) > sum(numbers(first)), f"typing did not count:\n{first}{second}")


@suite.test("cpu lists each processor")
def cpu() -> None:
    with prompt("cpu") as guest:
        text = guest.command("cpu")
        for number in range(CPUS):
            check(re.search(rf"^\s*{number}\b", text, re.M), f"no processor {number}:\n{text}")


@suite.test("log shows the kernel's log from its first line")
def log() -> None:
    with prompt("log") as guest:
        text = guest.command("log")
        for number in range(1, 6):
            check(f"phase {number}:" in text, f"the log lacks phase {number}:\n{text}")


@suite.test("services shows states and restarts")
def services() -> None:
    with prompt("services") as guest:
        text = guest.command("services")
        for name in ("serial", "monitor"):
            check(re.search(rf"\b{name}\b.*running", text), f"{name} does not run:\n{text}")


@suite.test("kill serial brings the prompt back")
def kill_serial() -> None:
    with prompt("kill serial") as guest:
        check("serial: killed" in guest.command("kill serial", 30), "the kill is not confirmed")
        text = guest.command("services")
        check(re.search(r"\bserial\b.*\b1\b", text), f"no restart is counted:\n{text}")
        check("phase 5" in guest.command("log"), "the new driver does not work")


@suite.test("kill serial ten times in a row brings the prompt back each time")
def kill_serial_often() -> None:
    with prompt("kill serial often") as guest:
        for _ in range(10):
            guest.send("kill serial\r")
            # The echo was acknowledged, so no kill can lose it; the new driver's question how large the terminal is may
            # come in its middle, and the line is drawn once more then.
            said = guest.expect("serial: killed", 60)
            check("kill serial" in said, f"no echo: {said}")
            guest.expect(PROMPT, 60)
        check("up" in guest.command("uptime"), "no answer after ten restarts")


@suite.test("restart starts a service anew")
def restart() -> None:
    with prompt("restart") as guest:
        check("serial: restarted" in guest.command("restart serial", 30), "it is not confirmed")
        text = guest.command("services")
        check(re.search(r"\bserial\b.*running", text), f"serial does not run again:\n{text}")
        missing = guest.command("restart nobody")
        check("nobody" in missing, f"an unknown service is not named:\n{missing}")


@suite.test("kill monitor brings a new monitor")
def kill_monitor() -> None:
    with prompt("kill monitor") as guest:
        guest.send("kill monitor\r")
        guest.expect("kill monitor")
        guest.expect(PROMPT, 30)
        check("monitor" in guest.command("services"), "the new monitor does not answer")


@suite.test("run waits for a program and says how it ended")
def run_program() -> None:
    with prompt("run") as guest:
        for _ in range(5):
            text = guest.command("run hello")
            check(text.split("\n")[0].startswith("Hello from") and "hello: ended, exit code 0" in text,
                  f"run hello printed:\n{text}")
        missing = guest.command("run nothing")
        check("nothing" in missing, f"an unknown program is not named:\n{missing}")


@suite.test("Ctrl-C and & leave a program in the background, kill ends it")
def run_in_background() -> None:
    with prompt("background") as guest:
        guest.send("run spin\r")
        guest.expect("run spin")
        guest.send("typed for nobody" + CTRL_C)
        guest.expect("spin: goes on in the background")
        guest.expect(PROMPT)
        check(has_row(guest.command("ps"), "spin", "alive"), "it does not go on")
        check("is running already" in guest.command("run spin"), "a second one was started")
        check("spin: killed" in guest.command("kill spin"), "kill does not end it")
        for line in ("run spin &", "run spin&"):
            check("spin: started" in guest.command(line), f"{line} does not return")
            check("spin: killed" in guest.command("kill spin"), f"{line} did not start it")


@suite.test("a program that faults is ended, explained and harms nobody")
def crash() -> None:
    with prompt("crash") as guest:
        check("crash: ended, fault: page fault" in guest.command("run crash"), "run does not say why")
        text = guest.command("services")
        check(re.search(r"\bcrash\b.*fault", text), f"services does not say why it ended:\n{text}")
        check("crash" in guest.command("log"), "the log does not mention it")
        check(re.search(r"\bserial\b.*running", text), f"serial suffered:\n{text}")


@suite.test("uptime goes forward")
def uptime() -> None:
    with prompt("uptime") as guest:
        first, second = guest.command("uptime"), guest.command("uptime")
        check(numbers(first) and numbers(first) <= numbers(second), f"{first} then {second}")


@suite.test("date is that of the machine's clock, and goes on")
def date() -> None:
    machine = Machine("direct", cpus=CPUS, memory_mib=MEMORY_MIB, extra=("-rtc", "base=2024-02-29T23:59:58,clock=vm"))
    with Guest(machine, "monitor date", 120) as guest:
        guest.expect(PROMPT)
        text = ""
        for _ in range(200):
            text = guest.command("date")
            found = re.search(r"2024-0(2-29 23:59:5[89]|3-01 00:0\d:\d\d) UTC", text)
            check(found is not None, f"another time: {text}")
            if found[1].startswith("3"):
                return
            time.sleep(0.05)
        check(False, f"the clock stands still: {text}")


@suite.test("an unknown command is named, an empty line is nothing")
def unknown_command() -> None:
    with prompt("unknown") as guest:
        check("frobnicate" in guest.command("frobnicate"), "the error does not name the command")
        check(guest.command("").strip() == "", "an empty line printed something")


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
    with prompt("width") as guest:
        check(ESCAPE + "[6n" in guest.raw(), "the terminal was not asked")
        for width in (40, 132):
            guest.send(ESCAPE + f"[24;{width}R")
            guest.send(CTRL_U + "x" * 200 + HOME)
            guest.expect_pattern(rf"mnos> x{{{width - 7}}}\x1b\[K\x1b", 20, f"a line of {width} columns")
            guest.send(CTRL_C + "\f")  # Ctrl-L asks again
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


@suite.test("reboot resets the machine")
def reboot() -> None:
    with prompt("reboot") as guest:
        guest.send("reboot\r")
        check(guest.exit_code() == 0, "QEMU did not end as it does when the machine resets")


@suite.test("reboot of the ISO comes back to the prompt")
def reboot_and_return() -> None:
    with Guest(Machine("uefi", cpus=CPUS, extra=("-action", "reboot=reset")), "monitor reboots", 120) as guest:
        guest.expect(PROMPT)
        guest.send("reboot\r")
        guest.expect("phase 1: Deaf and Blind")
        guest.expect(PROMPT)
