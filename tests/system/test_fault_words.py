# SPDX-License-Identifier: MIT
"""test_fault_words.py - what the log says when a service faults: the function, who had called it, the usual cause."""

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

import mkdisk
from hardware import data_disk
from qemu import BUILD, PROMPT, Guest, Machine
from testlib import Suite, check

from buildid import SHOWN, build_id
from mkarchive import pack
from tests.system.test_init import members
from tests.system.test_network import until
from tests.system.with_services import added, initrd
from where import find, places

suite = Suite("words of faults")

SERVICE = """
[service.crash_{way}]
file = "crash"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 64
bytes = 32768
arguments = "fault={way}"
log = "write"
"""
# What is said of each, and the functions that are named behind it, innermost first.
SAYS = {
    "write": (r"write_nowhere\+0x\w+ writes to 0x1000, where nothing is mapped", ["write_nowhere", "main"]),
    "call": (r"calls or jumps to 0x2000, where it has no code", ["0x2000", "call_nowhere", "main"]),
    "stack": (r"stack overflow in sink\+0x\w+: its 4 pages are used up; .*stack_pages", ["sink", "sink", "sink"]),
    "thread": (r"stack overflow of a thread in sink\+0x\w+: .*thread_create", ["sink"]),
    "port": (r"use_port\+0x\w+ writes to port 0x60, which it has not opened: .*`ports`", ["use_port", "main"]),
    "linux": (r"call_linux\+0x\w+ makes system call 39, which is not of this system", ["call_linux", "main"]),
    "divide": (r"division error in divide\+0x\w+", ["divide", "main"]),
}
SYMBOLS_READ_MAX = 256 << 10  # SYMBOLS_BYTES_MAX of programs/monitor/program_fault.c
SERVICES = "".join(SERVICE.format(way=way) for way in SAYS)


@contextmanager
def prompt(name: str, image: Path):
    with Guest(Machine("direct", cpus=2, memory_mib=128, initrd=image), f"words of faults {name}", 200) as guest:
        guest.expect(PROMPT)
        yield guest


def lines_about(guest: Guest, service: str) -> list[str]:
    """What init has logged about a service, without time and prefix."""
    return re.findall(rf"I init: {service}: ([^\r\n]*)", guest.command("log init"))


def names(lines: list[str]) -> list[str]:
    return [re.match(r"  #\d+ (?:0x[0-9a-f]+ )?([^\s+]+)", line)[1] for line in lines if line.startswith("  #")]


@suite.test("the log names cause, function and callers of a fault; a used-up stack, a port and foreign calls are told as such")
def causes() -> None:
    with tempfile.TemporaryDirectory() as folder, prompt("causes", initrd(Path(folder), (), added(SERVICES))) as guest:
        for way, (said, functions) in SAYS.items():
            service = f"crash_{way}"
            ended = guest.command(f"run {service}")
            check(f"{service}: ended, fault:" in ended, f"{service} does not fault")
            check(("fault: foreign system call, " in ended) == (way == "linux"), f"how it ended:\n{ended}")
            lines = lines_about(guest, service)
            check(any(re.match(said, line) for line in lines), f"{way}: nothing matches {said!r}:\n{lines}")
            check(names(lines)[:len(functions)] == functions, f"{way}: wants {functions}:\n{lines}")
            command = re.search(r"^  file and line: make where PROGRAM=(\S+) ADDRESS=(\S+)$", "\n".join(lines), re.M)
            check(command is not None, f"{way}: what to type for file and line is not there:\n{lines}")
            found = places(find(command[1]), command[2].split(","))
            wanted = [name for name in functions if not name.startswith("0x")]
            check(all(f"{name} at programs/crash/main.c:" in "\n".join(found) for name in wanted), f"{way}: {found}")
            warning = guest.command(f"log warning {service}")
            check(f"{service}: thread " in warning, f"the kernel's line is missing:\n{warning}")
        for _ in SAYS:  # one that faults again and again makes no other one's fault be forgotten
            guest.command("run crash_divide")
        for way, function in (("write", "page fault in write_nowhere+"), ("divide", f"in start {1 + len(SAYS)}, ")):
            said = guest.command(f"services crash_{way}")
            check(function in said, f"the last fault of crash_{way} is not kept:\n{said}")


def prompt_lines(said: str) -> tuple[str, list[str]]:
    """Name and lines of the program whose fault a command shows."""
    name = re.search(r"(\S+#\d+): ended, fault:", said)
    check(name is not None, f"it does not fault:\n{said}")
    return name[1], re.findall(rf"^{re.escape(name[1])}: ([^\r\n]*)", said, re.M)[1:]


LAUNCHED = SAYS | {
    "stack": (r"stack overflow in sink\+0x\w+: its 16 pages are used up; use less$", ["sink", "sink", "sink"]),
    "port": (r"use_port\+0x\w+ writes to port 0x60, .*which it has not been given", ["use_port", "main"]),
}


@suite.test("who has started a program reads its fault in words at the prompt, and has its registers; the log has neither")
def launched() -> None:
    with prompt("launched", BUILD / "initrd.tar") as guest:
        for way, (wanted, functions) in LAUNCHED.items():
            name, lines = prompt_lines(guest.command(f"run /boot/crash {way}"))
            check(re.match(wanted, lines[0]) is not None, f"{way}: not {wanted!r}:\n{lines}")
            check(names(lines)[:len(functions)] == functions, f"{way}: wants {functions}:\n{lines}")
            check(not any("not known" in line for line in lines), f"{way}: {lines}")
        said = guest.command(f"services {name}")
        rip = re.search(r"rip 0*([0-9a-f]+) ", said)
        check(rip is not None and f"#0 0x{rip[1]} divide" in "\n".join(lines), f"the registers are others:\n{said}")
        log = guest.command("log")
        check(" divide+" not in log and f"{name}: ended (fault" in log and "crash: thread main: " in log,
              f"the log has words of programs, or not their ends:\n{log}")
        guest.send("run /boot/crash &\r")
        guest.expect_pattern(r"crash#\d+: ended, fault: [^\n]*\ncrash#\d+: write_nowhere\+0x\w+ writes to 0x1000")


@suite.test("a program in a file system is named by its own symbols; of one without, and of one that was changed, addresses are told")
def own_symbols() -> None:
    crash = (BUILD / "user/crash.elf").read_bytes()
    stripped = (BUILD / "user/crash.stripped").read_bytes()
    build = crash[crash.index(b"GNU\0") + 4:][:20]
    elsewhere = bytes(20)
    with tempfile.TemporaryDirectory() as folder:
        disk, content = Path(folder) / "disk.img", Path(folder) / "content"
        content.mkdir()
        own = crash.replace(build, elsewhere)
        given = (BUILD / "tests/services/given.elf").read_bytes()
        for name, file in (("own", own), ("given", given), ("stripped", stripped), ("strange", stripped.replace(build, elsewhere)),
                           ("hostile", own.replace(b"write_nowhere", b"\x1b[31mnowhere\n"))):
            (content / name).write_bytes(file)
        mkdisk.make(disk, 64, content=content)
        with Guest(Machine("direct", cpus=2, memory_mib=128, extra=data_disk(disk)), "words of faults own", 200) as guest:
            guest.expect(PROMPT)
            for file in ("own", "stripped"):
                _, lines = prompt_lines(guest.command(f"run /disk/{file}"))
                check(re.match(SAYS["write"][0], lines[0]) and names(lines)[:2] == ["write_nowhere", "main"], f"{file}: {lines}")
            _, lines = prompt_lines(guest.command("run /disk/strange"))
            check(re.match(r"0x4\w+ writes to 0x1000, where nothing", lines[0]) and len(lines) > 2 and
                  lines[-1].startswith("names of functions are not known: the file has none"), f"strange: {lines}")
            name, lines = prompt_lines(guest.command("run /disk/hostile"))
            check("0x1000, where nothing is mapped" in lines[0] and len(lines) < 11, f"hostile: {lines}")
            check("?[31mnowhere?+0x" in lines[0], f"hostile: what a file says commands the terminal: {lines}")
            guest.command("cp /disk/given /tmp/given")
            until(guest, "services", r"\nconsole +monitor +running ")  # the last that starts by itself: that would be an event
            guest.command("run /tmp/given later with events &")
            until(guest, "ps", r"\d given [^\n]*\n[^\n]* receiving [^\n]* for a message at endpoint")
            guest.command("rm /tmp/given")
            guest.command("cp /disk/own /tmp/given")
            guest.send("restart hello\r")
            guest.expect_pattern(r"given#\d+: names of functions are not known: the file has changed")


@suite.test("a monitor without the memory to read the RAM disk's symbols says that, and not that there are none")
def no_memory_for_symbols() -> None:
    files = members()
    files["symbols"] += bytes(SYMBOLS_READ_MAX)  # sound, and more than a monitor spends on it
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "initrd.tar"
        image.write_bytes(pack(files))
        with prompt("no memory for symbols", image) as guest:
            _, lines = prompt_lines(guest.command("run /boot/crash divide"))
            check(lines[0].startswith("division error in 0x4") and lines[-1] == "names of functions are not known: the file "
                  "has none, and /boot/symbols could not be read: a quota or another limit is used up", f"{lines}")


@suite.test("services NAME shows the build of a service, and place and registers of its last fault; log and cpu show the kernel's build")
def registers() -> None:
    build, kernel = (build_id(BUILD / name).hex()[:SHOWN] for name in ("user/crash.elf", "kernel.elf"))
    with prompt("registers", BUILD / "initrd.tar") as guest:
        said = guest.command("services crash")
        check(f"build {build}" in said and "no fault is kept of it" in said, f"before its fault:\n{said}")
        said = guest.command("run crash")
        check("log crash and services crash tell more" in said, f"run does not name what tells more:\n{said}")
        said = guest.command("services crash")
        check(re.search(r"last fault at \d+\.\d{3} s, in start 1, thread \d+: page fault in write_nowhere\+0x\w+, "
                        r"address 0x1000, error 0x6", said), f"after it:\n{said}")
        rip, logged = re.search(r"rip 0*([0-9a-f]+) ", said)[1], guest.command("log crash")
        check(f"page fault at rip 0x{rip}:" in logged, f"another RIP is in the log than 0x{rip}:\n{logged}")
        check("there is no service" in guest.command("services nobody"), "a name that no service has is not refused")
        for command in ("log", "cpu"):
            check(f", build {kernel}" in guest.command(command), f"{command} does not show the kernel's build {kernel}")


@suite.test("a RAM disk without symbols, with damaged ones or with those of another build tells addresses, and boots")
def without_symbols() -> None:
    files = members()
    symbols = files["symbols"]
    crash = (BUILD / "user/crash.stripped").read_bytes()
    other = symbols.replace(crash[crash.index(b"GNU\0") + 4:][:20], bytes(20))
    check(other != symbols, "the symbols do not have the build of this program")
    for name, content in (("none", None), ("damaged", symbols[:-1]), ("other", other)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "initrd.tar"
            path.write_bytes(pack({key: value for key, value in (files | {"symbols": content}).items()
                                   if value is not None}))
            with prompt(f"symbols {name}", path) as guest:
                guest.command("run crash")
                lines = lines_about(guest, "crash")
                check(any(re.match(r"0x4\w+ writes to 0x1000, where nothing", line) for line in lines),
                      f"{name}: {lines}")
                said = "damaged" in guest.command("log init")
                check(said == (name == "damaged"), f"{name}: whether the file is damaged is told wrongly")
