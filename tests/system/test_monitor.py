# SPDX-License-Identifier: MIT
"""test_monitor.py - types each command of the monitor at the prompt and reads what it says."""

import re
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path

from hardware import network_card
from qemu import PROMPT, Guest, Machine
from testlib import Suite, check
from tests.system.test_network import PATIENCE_S, until
from tests.system.with_services import added, initrd as initrd_with

suite = Suite("monitor")

CPUS, MEMORY_MIB = 2, 512
STACK_MIB = 24  # what all services and the kernel may take at the prompt (bench: memory-kib)
OBJECTS_KIB = 1024  # of kernel objects made for them, at most
COMMANDS = ("help", "ps", "caps", "mem", "irq", "cpu", "log", "trace", "services", "restart", "kill", "run",
            "uptime", "date", "reboot")
HELP_COLUMNS = 110
CTRL_C = "\x03"


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
        # Name, arguments and text have columns of their own, and a row fits a terminal.
        wrong = [row for row in text.splitlines() if row.startswith("  ") and
                 not (re.match(r"  \S.{8} .{21} \S", row) and len(row) <= HELP_COLUMNS)]
        check(not wrong, "rows that leave their columns:\n" + "\n".join(wrong))


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
        own = until(guest, "caps power", r"endpoint +rw\S+ +(\d+)")  # it starts beside the prompt
        until(guest, "ps", rf"power .*\n.*receiving .* for a message at endpoint {own[1]}\n")


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


@suite.test("caps names what a process was started with, and takes the number that ps shows")
def caps_names() -> None:
    with prompt("caps names") as guest:
        text = guest.command("caps serial")
        for name, detail in (("ports", "ports 0x3f8"), ("interrupt", "line 4"), ("requests", "no badge")):
            check(re.search(rf" {name} +{detail}", text), f"{name} is not named:\n{text}")
        found = re.search(r"^ *(\d+) serial .*\n *(\d+)   main", guest.command("ps"), re.M)
        check(found, "ps does not show serial")
        check(guest.command(f"caps {found[1]}") == text, "by its number another table is shown")
        said = guest.command(f"caps {found[2]}")
        check(f'{found[2]} is the thread "main" of serial, whose process is {found[1]}' in said, said)
        said = guest.command("caps 99999")
        check('there is no process "99999"' in said, said)
        own = guest.command("caps")
        check(re.search(r" launcher +badge", own), f"the monitor's own are not named:\n{own}")
        guest.command("run /boot/spin &")
        program = guest.command("caps spin")
        check(re.search(r" terminal +badge", program), f"what a program was given is not named:\n{program}")


REFUSED = """
[service.refused]
file = "refused"
restart = "always"
priority = 10
ceiling = 10
frames = 16
bytes = 16384
log = "write"
"""


@suite.test("a program says what it was refused, and denials shows it with who has the right")
def denials() -> None:
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine("direct", cpus=CPUS, memory_mib=MEMORY_MIB,
                          initrd=initrd_with(Path(folder), ["refused"], added(REFUSED)))
        with Guest(machine, "monitor denials", 120) as guest:
            guest.expect(PROMPT)
            text = until(guest, "log refused", "allocate").string  # it starts behind all others
            check(re.search(r'refused: read the log: .*\(cap_create, argument rights: missing READ; memory 0x\w+ "log"\)', text),
                  f"handle and right are not named:\n{text}")
            check(re.search(r"refused: allocate: .*\(mem_alloc: of frames; refused has \d+ of \d+ now; "
                            r"raise frames = of \[service.refused\] in the manifest\)", text), f"no quota is named:\n{text}")
            text = guest.command("denials refused")
            check(re.search(r"refused: .* \(cap_create, argument rights: missing READ\), memory 0x\w+, object \d+\n"
                            r" +init has it, as 0x", text), f"denials refused:\n{text}")
            check("(mem_alloc: of frames)" in text, f"denials refused:\n{text}")
            check("refused: refused last" in guest.command("denials"), "denials does not show it among all")
            check("has refused nothing" in guest.command("denials power"), "power was refused something")
            check("hello is not running" in guest.command("denials hello"), "nothing is said of a service that does not run")


@suite.test("kill takes the number that ps shows, of a service and of a program, and nothing else")
def kill_numbers() -> None:
    with prompt("kill numbers") as guest:
        guest.command("run spin &")
        guest.command("run /boot/spin &")
        found = re.findall(r"^ *(\d+) (spin\S*) +alive.*\n *(\d+)   main", guest.command("ps"), re.M)
        check(len(found) == 2, f"there are not two: {found}")
        for number, name, thread in found:
            said = guest.command(f"kill {thread}")
            check(f"whose process is {number}" in said and "killed" not in said, said)
            said = guest.command(f"kill {number}")
            check(re.fullmatch(r"spin(#\d+)?: killed", said.strip()), f"kill {number}: {said}")
        check("spin" not in guest.command("ps"), "one of them still runs")
        said = guest.command("kill 99999")
        check('there is no process "99999"' in said, said)


@suite.test("trace shows what the cores did, in order, with names and what it has counted")
def trace() -> None:
    with prompt("trace") as guest:
        # While services still start, their records push the others out.
        text = until(guest, "trace 300", r"(?s)^(?=.*core \d+ +\d+ monitor/main)(?=.*endpoint \d+ \(serial\))").string
        found = rows(text)
        end = re.search(r"(\d+) of (\d+) events, the last ([\d.]+) ms of ([\d.]+) ms recorded", text)
        check(end, f"it does not say how many events in which time:\n{text}")
        check(int(end[1]) == min(40, int(end[2])) and 300 <= float(end[4]) and float(end[3]) <= float(end[4]),
              f"{end[0]}")
        times = [float(row[0]) for row in found if len(row) > 4 and row[1] == "core"]
        check(len(times) == int(end[1]), f"{len(times)} events are shown: {end[0]}")
        check((times[-1] - times[0]) * 1000 <= float(end[3]) + 0.1, f"{times} and {end[0]}")
        check(len(times) >= 5, f"trace shows {len(times)} events:\n{found}")
        check(times == sorted(times), f"the events are in no order:\n{found}")
        check(any("SWITCH" in row for row in found), f"no thread has run:\n{found}")


@suite.test("trace refuses what is no number of milliseconds, and Ctrl-C ends it early")
def trace_limits() -> None:
    with prompt("trace limits") as guest:
        for word in ("0", "x", "10x", "-1", "10001", "99999999999999999999"):
            said = guest.command(f"trace {word}")
            check(f'not "{word}"' in said and "events" not in said, f"trace {word}: {said}")
        text = ""
        for _ in guest.looks():  # a host that is busy for ten seconds brings the key too late
            guest.command("uptime")  # which is then at the prompt
            guest.send("trace 10000\r")
            guest.expect("trace 10000")
            guest.send(CTRL_C)
            text = guest.expect(PROMPT, 60)
            end = re.search(r"of ([\d.]+) ms recorded", text)
            if "^C" in text and end and float(end[1]) < 9000:
                return
        check(False, f"it goes on:\n{text}")


def memory(guest: Guest) -> tuple[int, int, int]:
    """What `mem` says in KiB: what is free, what was taken since the boot, and what all processes have."""
    text = guest.command("mem")
    free, since = re.search(r"^free +(\d+) KiB", text, re.M), re.search(r"^since then +(\d+) KiB", text, re.M)
    used = [int(row[1]) for row in rows(text) if len(row) == 5 and all(word.isdigit() for word in row[1:])]
    check(free and since and used, f"mem does not say it:\n{text}")
    return int(free[1]), int(since[1]), sum(used)


@suite.test("mem accounts for all memory")
def mem() -> None:
    with prompt("mem") as guest:
        # Services that are being started have, for a moment, more than they keep, and some memory is theirs before it is taken.
        for _ in guest.looks():
            free, since, used = memory(guest)
            if used <= since <= used + OBJECTS_KIB and free >= (MEMORY_MIB - STACK_MIB) * 1024:
                break
        check(used <= since <= used + OBJECTS_KIB, f"{since} KiB were taken, and processes have {used}")
        check((MEMORY_MIB - STACK_MIB) * 1024 <= free <= MEMORY_MIB * 1024, f"{free} KiB of {MEMORY_MIB} MiB are free")


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


@suite.test("log shows lines of a level and of a program, and goes on with -f until Ctrl-C")
def log_filters() -> None:
    with prompt("log filters") as guest:
        guest.command("run crash")
        lines = guest.command("log serial").strip().splitlines()
        check(lines and all("serial: " in line for line in lines), f"log serial: {lines}")
        check(any("] I init: serial: started" in line for line in lines), f"init's line about it is missing: {lines}")
        lines = guest.command("log warning").strip().splitlines()
        check(any("crash: thread main: page fault" in line for line in lines), f"log warning: {lines}")
        check(all(re.match(r"\[ *\d+\.\d+\] [EW] ", line) for line in lines), f"log warning: {lines}")
        check(guest.command("log w") == guest.command("log warning crash"), "something else warns")
        for line, said in (("log nobody", "no line about nobody is there"),
                           ("log error hello", "no line of that level about hello is there")):
            check(said in guest.command(line), f"{line} does not say that there is none")
        for line in ("log w e", "log serial tmpfs", "log -x"):
            check("help log" in guest.command(line), f"{line} is not refused")
        guest.send("log -f init\r")
        guest.expect("monitor: started")
        guest.expect("crash: started")
        guest.send(CTRL_C)
        check("^C" in guest.expect(PROMPT), "Ctrl-C does not end it")


WRONG = """
[service.wrong]
file = "crash"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 32
bytes = 16384
arguments = "fault=no_such_way"
log = "write"
"""


@suite.test("what a program cannot do is logged as an error, and log error shows that and not what it says otherwise")
def log_levels() -> None:
    with tempfile.TemporaryDirectory() as folder:
        image = initrd_with(Path(folder), (), added(WRONG))
        with Guest(Machine("direct", cpus=2, memory_mib=128, initrd=image), "monitor levels", 200) as guest:
            guest.expect(PROMPT)
            guest.command("run wrong")
            guest.command("run crash")
            errors = guest.command("log error")
            check(re.search(r"\] E \w+: there is no way", errors), f"it is not among the errors:\n{errors}")
            check("about to write" not in errors and "] I " not in errors and "] W " not in errors, f"others are:\n{errors}")
            check("] I crash: about to write" in guest.command("log crash"), "what is no error has another level")


@suite.test("log -f shows a line that comes while it runs")
def log_follows() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        machine = Machine("direct", cpus=CPUS, memory_mib=MEMORY_MIB, extra=network_card())
        server.settimeout(PATIENCE_S)
        with Guest(machine, "monitor log follows", 120) as guest:
            guest.expect(PROMPT)
            guest.command(f"fetch http://10.0.2.2:{server.getsockname()[1]}/x /tmp/x &", 60)
            connection, _ = server.accept()
            guest.send("log -f launcher\r")
            guest.expect("launcher: started")
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            connection.close()
            guest.expect_pattern(r"I launcher: fetch#\d+: ended \(exit code", 20)
            guest.send(CTRL_C)
            guest.expect(PROMPT)


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


@suite.test("how a service ended that was started in the background is told at the prompt, once")
def background_end() -> None:
    with prompt("background end") as guest:
        check("crash: started" in guest.command("run crash &"), "it does not return")
        said = guest.expect("crash: ended, fault: page fault")
        guest.expect(PROMPT)
        check("ended" not in guest.command("uptime"), "it is told twice")


@suite.test("help COMMAND says how a command is used, and refuses what is none")
def help_of_one() -> None:
    with prompt("help of one") as guest:
        names = [line.split()[0] for line in guest.command("help").splitlines() if line.startswith("  ")]
        check(len(names) > 40, f"help lists {names}")
        for name in names:
            check(f"usage: {name}" in guest.command(f"help {name}"), f"help {name}")
        check("memory:SIZE" in guest.command("help run"), "help run does not say what can be given")
        check('no command "nix"' in guest.command("help nix"), "what is no command is explained")


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
        for _ in guest.looks():
            text = guest.command("date")
            found = re.search(r"2024-0(2-29 23:59:5[89]|3-01 0\d:\d\d:\d\d) UTC", text)
            check(found is not None, f"another time: {text}")
            if found[1].startswith("3"):
                return
        check(False, f"the clock stands still: {text}")


@suite.test("an unknown command is named, an empty line is nothing")
def unknown_command() -> None:
    with prompt("unknown") as guest:
        check("frobnicate" in guest.command("frobnicate"), "the error does not name the command")
        check(guest.command("").strip() == "", "an empty line printed something")


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
