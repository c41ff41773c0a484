# SPDX-License-Identifier: MIT
"""test_launcher.py - programs that are started from files: what they are given, and what becomes of them."""

import re
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import mkdisk
from hardware import data_disk
from qemu import PROMPT, Guest, Machine
from testlib import HANG_S, Suite, check
from tests.system import test_disk_files as disk_files
from tests.system.test_network import until
from tests.system.with_services import added, initrd

suite = Suite("launcher")

LOADED = [("memory", "r-x--"), ("memory", "r----"), ("memory", "rw---")]  # code, constants and data
COPIES_MAX = 5
CAP = re.compile(r"^[0-9a-f]+ +(\w+) +([rwxgv-]{5}) ", re.M)


BAD_CLIENT = """
[service.launch_bad]
file = "launch_bad"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 128
bytes = 65536
stack_pages = 8
uses = { launcher = "launcher", files = "vfs" }
log = "write"
"""


@contextmanager
def prompt(name: str, programs: tuple[str, ...] = (), memory_mib: int = 128, disk: Path | None = None,
           service: str = ""):
    with tempfile.TemporaryDirectory() as folder:
        image = {"initrd": initrd(Path(folder), programs, added(service))} if programs else {}
        extra = data_disk(disk) if disk else ()
        with Guest(Machine("direct", cpus=2, memory_mib=memory_mib, extra=extra, **image), f"launcher {name}",
                   200) as guest:
            guest.expect(PROMPT)
            yield guest


def says(guest: Guest, command: str, *texts: str) -> str:
    output = guest.command(command)
    for text in texts:
        check(text in output, f"{command!r} does not say {text!r}:\n{output}")
    return output


def has_caps(guest: Guest, name: str, wanted: list[tuple[str, str]]) -> bool:
    """That these are type and rights of its capabilities, once it is loaded and has opened what it was given; no, if it had
    ended before that was seen."""
    found: list[tuple[str, str]] = []
    for _ in guest.looks():
        text = guest.command(f"caps {name}")
        found = sorted(CAP.findall(text))
        if found == sorted(wanted):
            return True
        if "is not running" in text:
            return False
    raise AssertionError(f"the capabilities of {name} are others:\n{found}")


@suite.test("a program is called with its arguments, and has what the line names and no more")
def what_it_is_given() -> None:
    with prompt("given", ("given",)) as guest:
        says(guest, "mkdir /tmp/own")
        says(guest, "run given one two three with files=/tmp/own:wc")
        report = says(guest, "cat /tmp/own/report")
        check(report.split("\n")[:5] == ["argument given", "argument one", "argument two", "argument three",
                                         "given files"] and "given terminal" in report, f"the report is another one:\n{report}")
        started = says(guest, "run given stay with files=/tmp/own:wcg more=/boot/hello &")
        name = re.search(r"(given#\d+): started", started)[1]
        # The window of the session that it has opened; two sessions, of which it may hand one on; the terminal.
        check(has_caps(guest, name, LOADED + [("memory", "rw---"), ("endpoint", "-w-g-"), ("endpoint", "-w---"),
                                              ("endpoint", "-w---")]), "it has ended")
        says(guest, f"kill {name}", "killed")
        says(guest, "run given with files=/tmp/own", "exit code 2")  # it may read there, not make names
        says(guest, "run given with other=/tmp/own:wc", "exit code 1")
        says(guest, "run given write with files=/tmp/own:wc", "fault: page fault")


@suite.test("how a program ends is told: a code, a fault, and a file that is none")
def how_it_ends() -> None:
    with prompt("ends") as guest:
        text = says(guest, "run /boot/hello", "Hello from a process of its own.")
        check(re.search(r"hello#\d+: ended, exit code 0", text), f"no exit code:\n{text}")
        says(guest, "run /boot/crash", "ended, fault: page fault, vector 14")
        says(guest, "run /boot/manifest.bin", "not a program: not an ELF file")
        says(guest, "write /tmp/short x")
        says(guest, "run /tmp/short", "not a program: ")
        says(guest, "run /tmp", "not loaded: this is a directory")
        says(guest, "run /tmp/nothing", "nothing has this name")
        says(guest, "run nothing", "run /boot/nothing: nothing has this name")
        says(guest, "run /boot/spin with nonsense", "run: nonsense is nothing that can be given")
        says(guest, "run /boot/spin with a=/tmp a=/tmp", "a: something has this name already")
        says(guest, "run /boot/spin with a=/nothing", "nothing has this name")
        says(guest, "run /boot/spin with terminal:3", "run: there is no terminal 3 for programs; the prompt of the screen has")
        says(guest, "run /boot/spin with terminal:x", "run: terminal:x is nothing that can be given")
        says(guest, "run --terminal 33 spin", "run: 33 is no number of a terminal")
        check("spin" not in says(guest, "ps"), "one that was not run is there")
        # Their names are longer than there is room for with a number, or have what the launcher leaves out.
        for path in ("/tmp/name_of_23_bytes_at_most", "/tmp/sp#in"):
            says(guest, f"cp /boot/spin {path}")
            says(guest, f"run {path} with a=/nothing", "nothing has this name")
            left = re.findall(r"^ *\d+ ((?:name_of|sp\?in)\S*)", guest.command("ps"), re.M)
            check(not left, f"one that was not run is there: {left}")
            name = re.search(r"(\S+#\d+): started", says(guest, f"run {path} &"))[1]
            says(guest, f"kill {name}", "killed")
        says(guest, "run hello one", "is a service")
        says(guest, "run", "memory:SIZE", "kill ends it.")
        says(guest, "help", "leaves a service in the background.")


@suite.test("what a program may use is its own, and taken off what the launcher has")
def quota() -> None:
    with prompt("quota") as guest:
        says(guest, "run /boot/spin with memory:1G", "the launcher has not that much memory left")
        says(guest, "run /boot/spin with memory:64K", "too little for one")
        says(guest, "run /boot/ext4 with memory:240K", "not loaded: ")
        for _ in range(6):
            says(guest, "run /boot/spin with memory:8M &", "started")
        says(guest, "run /boot/spin with memory:32M", "the launcher has not that much memory left")
        names = re.findall(r"^ *(\d+) spin ", guest.command("ps"), re.M)
        check(len(names) == 6, f"there are {len(names)} of them")
        for number in names:
            says(guest, f"kill spin#{number}", "killed")
        says(guest, "run /boot/crash with memory:32M", "fault: page fault")
        check("spin" not in re.findall(r"^ *\d+ (\w+) ", guest.command("ps"), re.M), "one is left")


@suite.test("Ctrl-C ends what runs in front, and kill what is in the background")
def ending() -> None:
    with prompt("ending") as guest:
        guest.send("run /boot/spin\r")
        guest.expect("run /boot/spin")
        guest.expect_pattern("\n")
        guest.send("x\x03")
        guest.expect_pattern(r"spin#\d+: ended, killed", 20)
        guest.expect(PROMPT)
        says(guest, "cp /boot/spin /tmp/endless")
        says(guest, "run /tmp/endless &", "started")
        says(guest, "run /tmp/endless &", "started")
        says(guest, "kill endless", "no service")  # there are two
        first, second = re.findall(r"^ *(\d+) endless ", guest.command("ps"), re.M)
        says(guest, f"kill endless#{first}", "killed")
        says(guest, "kill endless", "killed")
        says(guest, f"kill endless#{second}", "has ended")
        says(guest, f"caps endless#{second}", "is not running")


@suite.test("Ctrl-] twice leaves what runs in front in the background")
def last_resort() -> None:
    with prompt("last resort") as guest:
        guest.send("run /boot/spin\r")
        guest.expect("run /boot/spin")
        guest.expect_pattern(r"\n")
        guest.send("\x1d\x1d")
        guest.expect_pattern(r"spin#\d+: goes on in the background", 20)
        guest.expect(PROMPT)
        check(re.search(r"^ *\d+ spin +alive", guest.command("ps"), re.M), "it does not go on")
        says(guest, "kill spin", "killed")


@suite.test("the launcher's end ends its programs, which is said at the prompt")
def death() -> None:
    with prompt("death") as guest:
        says(guest, "run /boot/spin &", "started")
        guest.send("kill launcher\r")
        guest.expect("launcher: killed")
        guest.expect_pattern(r"spin#\d+: ended, with the launcher", 20)
        guest.expect(PROMPT)
        check("spin" not in re.findall(r"^ *\d+ (\w+) ", guest.command("ps"), re.M), "it goes on")
        guest.send("run /boot/spin &\r")
        guest.expect_pattern(r"spin#\d+: started", 20)
        guest.expect(PROMPT)
        says(guest, "kill spin", "killed")


@suite.test("programs outlive the monitor that started them, and its next run ends them")
def next_monitor() -> None:
    with prompt("next monitor") as guest:
        name = re.search(r"(spin#\d+): started", says(guest, "run /boot/spin &"))[1]
        guest.send("restart monitor\r")
        guest.expect("restart monitor")
        guest.expect(PROMPT, 30)
        says(guest, "caps " + name, "memory")
        says(guest, f"kill {name}", "killed")


@suite.test("a program on the disk is run, with a directory there that it may write to")
def from_the_disk() -> None:
    with disk_files.disk() as path, prompt("program", (), 256, path) as guest:
        says(guest, "cp /boot/crash /disk/copy")
        says(guest, "run /disk/copy", "copy#", "fault: page fault")
        says(guest, "mkdir /disk/own")
        says(guest, "run /disk/copy write with files=/disk/own:rwc", "fault: page fault")
        says(guest, "rm /disk/copy")
        disk_files.switch_off(guest)
        disk_files.partition(path)


def dump(part: Path, name: str) -> bytes:
    """A file of the file system, as Linux' tools read it."""
    done = subprocess.run([mkdisk.tool("debugfs", "e2fsprogs"), "-R", f"cat {name}", str(part)], capture_output=True,
                          timeout=HANG_S)
    return done.stdout


def copy_seen(guest: Guest) -> str:
    """The name of a copy that runs in the background, and has what its line names. One that is over before that was seen, as
    the host held up who looks, has told nothing: then there is another one."""
    for _ in range(COPIES_MAX):
        name = re.search(r"(cp#\d+): started", says(guest, "cp /disk/own/large /disk/copy &"))[1]
        # The window of each session; the file to read and the directory to write in; the terminal.
        if has_caps(guest, name, LOADED + 2 * [("memory", "rw---")] + 3 * [("endpoint", "-w---")]):
            return name
    raise AssertionError("copies end before it is seen what they have")


@suite.test("a copy has what its line names; its disk's driver is killed in the middle, and it goes on")
def copy_in_the_background() -> None:
    with disk_files.disk() as path, prompt("copy", ("given",), 256, path) as guest:
        says(guest, "mkdir /disk/own")
        guest.command("run given large with files=/disk/own:rwc", 60)
        name = copy_seen(guest)
        for service in ("virtio_blk.0", "volumes"):
            guest.send(f"kill {service}\r")
            guest.expect(f"{service}: killed", 20)
        guest.expect(PROMPT)
        guest.told(name + ": ended, exit code 0")
        guest.send("hexdump /disk/own/large\r")
        guest.expect("00000040", 20)
        guest.send("\x03")
        guest.expect_pattern(r"hexdump#\d+: ended, killed", 30)
        guest.expect(PROMPT)
        disk_files.switch_off(guest)
        part = disk_files.partition(path)
        large, copy = dump(part, "own/large"), dump(part, "copy")
        check(len(large) == 16 << 20 and large == copy, f"the copy is another: {len(large)} and {len(copy)} bytes")


@suite.test("what a client may not ask is refused, what it repeats is done once, and what it leaves is ended")
def bad_client() -> None:
    with prompt("bad client", ("launch_bad", "given"), service=BAD_CLIENT) as guest:
        says(guest, "run given stay with files=/tmp:wc &", "started")
        for _ in range(2):  # what the first run has left is no hindrance to the second
            guest.command("run launch_bad", 60)
            log = guest.command("log")
            check(re.findall(r" [EWI] launch_bad: (?!tried|made).*", log) == [], f"it was answered wrongly:\n{log[-1500:]}")
        ends = re.findall(r"launch_bad: made (\d+) more\s+.*launch_bad: tried (\d+), (\d+) wrong", log)
        check([wrong for _, _, wrong in ends] == ["0", "0"], f"it did not end:\n{log[-1500:]}")
        check([made for made, _, _ in ends] == ["63", "63"], f"it could make others:\n{ends}")
        says(guest, "kill given", "killed")


@suite.test("a program that waits at its endpoint is told that a service was started again")
def news() -> None:
    with prompt("news", ("given",)) as guest:
        # It is told of whatever changes among the services; the last that starts by itself is the monitor on the screen.
        until(guest, "services", r"\nconsole +monitor +running ")
        name = re.search(r"(given#\d+): started", says(guest, "run given news with events &"))[1]
        until(guest, "ps", r"\d given [^\n]*\n[^\n]* receiving [^\n]* for a message at endpoint")
        guest.send("kill power\r")
        guest.expect("power: killed")
        guest.expect_pattern(name + ": ended, exit code 0", 20)
