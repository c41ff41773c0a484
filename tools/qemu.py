# SPDX-License-Identifier: MIT
"""qemu.py - starts QEMU for the tests and the benchmarks, and talks to the guest.

A Machine (hardware.py) says what to boot on what hardware. A Guest is a running machine: its
serial line is a pexpect session, its monitor (QMP) answers commands, and leaving the `with` block
ends it. Every guest dies after its time limit and never restarts by itself. All limits are seconds
of the guest (patience.py): a busy host makes a test longer, and no test fail.

    with Guest(Machine("uefi", cpus=4), "four cores") as guest:
        guest.expect("mnos> ")
        guest.send("help\\r")
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pexpect
import stacks

from hardware import BUILD, EXIT_FAIL, EXIT_PANIC, EXIT_PASS, ISO, LOADER, ROOT, Machine  # noqa: F401
from patience import Patience
from testlib import CRASHES, EmulatorCrash, GuestError

LOGS = BUILD / "logs"
# Between two looks whether a processor has halted.
HALT_PAUSE_S = 0.05
# So many of a line are looked for where it is echoed: a long one is not shown whole.
ECHO_CHARACTERS = 8
# What is waited for by looking again comes within seconds; so long between two looks, that the guest gets on with its work.
LOOKS_S, LOOK_PAUSE_S = 240, 0.1
PROMPT = "mnos> "

# QEMU answers its monitor at once when it gets the processor; this is for one that never will.
QMP_LIMIT_S = 600


ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[78])")


# What stood in the line before: how far a copy is, on a machine that takes a second for it; the prompt, before news.
ERASED = re.compile(r"[^\n]*\r\x1b\[K")


def plain(text: str) -> str:
    """What a reader of the terminal sees: no escape sequences, no carriage returns, and no line that was erased."""
    return ANSI.sub("", ERASED.sub("", text)).replace("\r", "")


def open_log(name: str) -> TextIO:
    """A log that is this session's alone: one whose name another running session has gets a number behind it."""
    LOGS.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    for number in itertools.count(1):
        path = LOGS / (f"{stem}.log" if number == 1 else f"{stem}-{number}.log")
        log = path.open("a", encoding="utf-8", errors="replace", newline="")
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.close()
            continue
        log.truncate(0)
        return log
    raise AssertionError("there is always a next number")


def signal_of(process: subprocess.Popen) -> int | None:
    """Waits for a program to end; the signal that ended it."""
    code = process.wait()
    return -code if code < 0 else None


class Session:
    """A program whose output is a guest's serial line; the base of Guest and of Bochs sessions."""

    def __init__(self, child, name: str, limit_s: float, pid: int, cores: int = 1) -> None:
        """`pid`: the emulator, whose time counts."""
        self.child, self.pid, self.cores = child, pid, cores
        self.life = Patience(pid, limit_s, cores)
        self.log = open_log(name)
        self.log_path = Path(self.log.name)
        child.logfile_read = self.log

    def expect(self, text: str, seconds: float | None = None) -> str:
        """Waits for `text`; returns what came before it, as a reader sees it."""
        return self.expect_pattern(re.escape(text), seconds, text)

    def expect_pattern(self, pattern: str, seconds: float | None = None, what: str = "") -> str:
        limit = self.life.limit_s if seconds is None else seconds
        try:
            if not self._wait(pattern, limit):
                raise GuestError(f"no '{what or pattern}' within {limit:.0f} s; {self._last()}{self._where()}")
        except pexpect.EOF:
            raise self._ended(f"ended before '{what or pattern}'") from None
        return plain(self.child.before)

    def _wait(self, pattern: str, limit_s: float) -> bool:
        """Whether `pattern` comes in so much time of the guest; pexpect.EOF when it cannot any more."""
        patience = Patience(self.pid, limit_s, self.cores)
        while True:
            over = patience.is_over() or self.life.is_over()
            try:
                self.child.expect(pattern, timeout=0 if over else min(patience.slice_s(), self.life.slice_s()))
                return True
            except pexpect.TIMEOUT:
                if over:
                    return False

    def _ended(self, what: str) -> GuestError:
        """What to raise about an emulator whose output has ended too early."""
        died_of = self._died_of()
        if died_of in CRASHES:
            return EmulatorCrash(f"the emulator crashed with {signal.Signals(died_of).name}; {what}; {self._last()}")
        return GuestError(f"{what}; {self._last()}")

    def _died_of(self) -> int | None:
        """Waits for the emulator to end; the signal that ended it."""
        self.child.wait()
        return self.child.signalstatus

    def matched(self, group: int = 0) -> str:
        return plain(self.child.match.group(group))

    def send(self, text: str) -> None:
        self.child.send(text)

    def send_bytes(self, data: bytes) -> None:
        """Few of them, which need not be text."""
        os.write(self.child.fileno(), data)

    def command(self, line: str, seconds: float = 20) -> str:
        """Types a line at the prompt; returns what was printed before the next prompt."""
        self.send(line + "\r")
        # What the prompt tells by itself, as that a service has ended, comes with a prompt of its own: it may stand before.
        begin = re.match(rf"[ -~]{{0,{ECHO_CHARACTERS}}}", line)[0]
        self.expect_pattern(re.escape(begin) + r"[^\n]*\n", seconds, f"echo of {line}")
        return self.expect(PROMPT, seconds)

    def looks(self, seconds: float = LOOKS_S) -> Iterator[int]:
        """For a loop that looks until something is so that happens beside the prompt: as many times as there are in so much
        time of the guest, and once after it. A fixed number of times would be a time of this machine."""
        patience = Patience(self.pid, seconds, self.cores)
        for number in itertools.count():
            over = patience.is_over() or self.life.is_over()
            yield number
            if over:
                return
            time.sleep(LOOK_PAUSE_S)

    def told(self, pattern: str, since: int = 0, seconds: float = LOOKS_S) -> re.Match:
        """Waits at the prompt for what comes by itself, as that a program in the background has ended: also if it came while a
        command was typed, which has read past it. `since`: how many characters of output() were there before."""
        for _ in self.looks(seconds):
            if found := re.search(pattern, self.output()[since:]):
                return found
            self.command("")
        raise GuestError(f"never told '{pattern}'; {self._last()}{self._where()}")

    def raw(self) -> str:
        """All output so far, with the escape sequences."""
        self.log.flush()
        return self.log_path.read_bytes().decode("utf-8", errors="replace")

    def output(self) -> str:
        """All output so far, as a reader sees it."""
        return plain(self.raw())

    def read_to_end(self) -> str:
        """All output until the machine ends."""
        if not self._wait(pexpect.EOF, self.life.limit_s):
            raise GuestError(f"did not end; {self._last()}{self._where()}")
        return self.output()

    def settle(self, quiet_s: float) -> bool:
        """Waits until nothing was printed for a while; whether the machine still runs then."""
        while not self.life.is_over():
            try:
                if not self._wait(r".+", quiet_s):
                    return True
            except pexpect.EOF:
                return False
        raise GuestError(f"does not stop printing; {self._last()}{self._where()}")

    def _where(self) -> str:
        """What else is known of a machine that does not do what is waited for; ends a sentence."""
        return ""

    def _last(self) -> str:
        lines = [line for line in self.output().splitlines() if line.strip()]
        return f"last line '{lines[-1].strip() if lines else ''}' ({os.path.relpath(self.log_path, ROOT)})"

    def __enter__(self):
        return self

    def __exit__(self, *_exception) -> None:
        self.child.close(force=True)
        self.log.close()


class Program(pexpect.spawn):
    """A program at a terminal of its own, however many files this process has open: select() knows 1024. It has ended when
    close() returns, however busy this machine is: pexpect gives one that was killed a tenth of a second, and fails."""

    def __init__(self, command: str, arguments: list[str], **options) -> None:
        super().__init__(command, arguments, use_poll=True, **options)

    def send(self, text: str) -> int:
        """All of it: one write has an end with a part of it when this process is stopped meanwhile and goes on."""
        data = text.encode()
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.child_fd, rest):]
        return len(data)

    def close(self, force: bool = True) -> None:
        try:
            super().close(force)
        except pexpect.ExceptionPexpect:
            self.wait()
            super().close(force)


class Guest(Session):
    """A machine running in QEMU."""

    def __init__(self, machine: Machine, name: str, limit_s: float = 120) -> None:
        self._folder = tempfile.mkdtemp(prefix="mnos-qemu-")
        self._qmp_path = f"{self._folder}/qmp"
        command = machine.command(Path(self._folder)) + [
            "-display", "none", "-monitor", "none",
            "-chardev", "stdio,id=line,signal=off", "-serial", "chardev:line",
            "-qmp", f"unix:{self._qmp_path},server=on,wait=off",
        ]
        child = Program(command[0], command[1:], encoding="utf-8", codec_errors="replace",
                        timeout=limit_s, echo=False, dimensions=(50, 250))
        child.delaybeforesend = None
        super().__init__(child, name, limit_s, child.pid, machine.cpus)
        self.kernel = machine.kernel

    def exit_code(self) -> int:
        """Waits for QEMU to end; its exit code, which the guest chooses through port 0xf4."""
        self.read_to_end()
        self.child.wait()
        if self.child.exitstatus is None:
            raise self._ended(f"QEMU died of signal {self.child.signalstatus}")
        return self.child.exitstatus

    def qmp(self, execute: str, **arguments):
        """Runs one command of QEMU's monitor protocol and returns its result."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(QMP_LIMIT_S)
            connection.connect(self._qmp_path)
            stream = connection.makefile("rw", encoding="utf-8")
            json.loads(stream.readline())  # greeting
            for request in ({"execute": "qmp_capabilities"},
                            {"execute": execute, "arguments": arguments}):
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                answer = {}
                while "return" not in answer and "error" not in answer:
                    answer = json.loads(stream.readline())
                if "error" in answer:
                    raise GuestError(f"QMP {execute}: {answer['error']['desc']}")
            return answer["return"]

    def monitor(self, line: str, core: int = 0) -> str:
        """Runs one line of QEMU's human monitor, as seen from a core."""
        return self.qmp("human-monitor-command", **{"command-line": line, "cpu-index": core})

    def _where(self) -> str:
        """Where its cores are, in a line; whole beside its log."""
        try:
            report = stacks.of_all_cores(self, self.cores, self.kernel)
        except Exception as error:  # whatever it is, it must not hide what was waited for
            return f"; its cores do not tell where they are ({error})"
        path = self.log_path.with_suffix(".stacks")
        path.write_text(report + "\n", encoding="utf-8")
        return f"; {stacks.in_a_line(report)} ({os.path.relpath(path, ROOT)})"

    def expect_halt(self) -> None:
        """Waits until the first core is seen to halt: where something runs without end, it never is."""
        while "HLT=1" not in self.monitor("info registers"):
            if self.life.is_over():
                raise GuestError(f"the processor does not stop; {self._last()}{self._where()}")
            time.sleep(HALT_PAUSE_S)

    def screenshot(self, path: Path) -> Path:
        """Writes the screen to a PNG or, by the name's ending, a PPM file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.qmp("screendump", filename=str(path), format=path.suffix[1:])
        return path

    def screen_pixels(self) -> tuple[int, int, bytes]:
        """Width, height and RGB bytes of the screen."""
        data = self.screenshot(Path(self._folder) / "screen.ppm").read_bytes()
        magic, width, height, _maximum = data.split(maxsplit=4)[:4]
        if magic != b"P6":
            raise GuestError("the screen dump is not a PPM file")
        return int(width), int(height), data[-3 * int(width) * int(height):]

    def __exit__(self, *exception) -> None:
        super().__exit__(*exception)
        shutil.rmtree(self._folder, ignore_errors=True)
