# SPDX-License-Identifier: MIT
"""qemu.py - starts QEMU for the tests, the benchmarks and `make run`, and talks to the guest.

A Machine says what to boot on what hardware and gives QEMU's command line. A Guest is a running
machine: its serial line is a pexpect session, its monitor (QMP) answers commands, and leaving the
`with` block ends it. Every guest dies after its time limit and never restarts by itself. All limits are
seconds of the guest (patience.py): a busy host makes a test longer, and no test fail.

    with Guest(Machine("uefi", cpus=4), "four cores") as guest:
        guest.expect("mnos> ")
        guest.send("help\\r")
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pexpect

import mkarchive
from patience import Patience

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
ISO = BUILD / "minimalos.iso"
LOADER = BUILD / "loader.elf"
LOGS = BUILD / "logs"
PROMPT = "mnos> "

FIRMWARE_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
FIRMWARE_VARS = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")

# QEMU answers its monitor at once when it gets the processor; this is for one that never will.
QMP_LIMIT_S = 600

# The guest ends QEMU by writing a value to port 0xf4; QEMU exits with 2 * value + 1.
EXIT_PASS, EXIT_FAIL, EXIT_PANIC = 33, 35, 37
EXIT_DEVICE = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]


@dataclass(frozen=True)
class Machine:
    """What to boot: `firmware` uefi or bios boot `image`; direct boots `kernel` with `initrd`."""

    firmware: str = "direct"
    cpus: int = 1
    memory_mib: int = 512
    cpu: str = "max"
    framebuffer: bool = True
    medium: str = "cdrom"  # or disk, usb
    image: Path = ISO
    loader: Path = LOADER  # of direct boot
    kernel: Path = BUILD / "kernel.elf"
    initrd: Path | None = BUILD / "initrd.tar"
    cmdline: str = ""
    exit_device: bool = True
    extra: tuple[str, ...] = ()

    def command(self, folder: Path) -> list[str]:
        """QEMU's command line; what has to be made for it is put into `folder`."""
        command = [
            "qemu-system-x86_64", "-machine", "pc" if self.firmware == "bios" else "q35",
            "-cpu", self.cpu, "-smp", str(self.cpus), "-m", str(self.memory_mib),
            "-vga", "std" if self.framebuffer else "none",
            "-nic", "none", "-no-reboot", *(EXIT_DEVICE if self.exit_device else ()),
        ]
        if self.firmware == "direct":
            command += self._direct(folder)
        elif self.firmware == "uefi":
            command += [
                "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={FIRMWARE_CODE}",
                "-drive", f"if=pflash,unit=1,format=raw,snapshot=on,file={FIRMWARE_VARS}",
                *self._medium(),
            ]
        else:
            command += self._medium()
        return command + list(self.extra)

    def _direct(self, folder: Path) -> list[str]:
        """The loader is QEMU's kernel; its boot volume is an archive in the place of a RAM disk."""
        files = {"boot/limine.conf": ROOT / "boot/limine.conf", "boot/kernel.elf": self.kernel}
        if self.initrd:
            files["boot/initrd.tar"] = self.initrd
        volume = folder / "boot.tar"
        volume.write_bytes(mkarchive.pack({name: path.read_bytes() for name, path in files.items()}))
        return [
            "-kernel", str(self.loader), "-initrd", str(volume), "-append", self.cmdline,
        ]

    def _medium(self) -> list[str]:
        match self.medium:
            case "cdrom":
                return ["-cdrom", str(self.image)]
            case "disk":
                return ["-drive", f"if=ide,format=raw,snapshot=on,file={self.image}"]
            case "usb":
                return [
                    "-drive", f"if=none,id=stick,format=raw,snapshot=on,file={self.image}",
                    "-device", "qemu-xhci", "-device", "usb-storage,drive=stick",
                ]
        raise ValueError(self.medium)


class GuestError(Exception):
    """The guest did not do what the test waits for."""


ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[78])")


def plain(text: str) -> str:
    """What a reader of the terminal sees: no escape sequences, no carriage returns."""
    return ANSI.sub("", text).replace("\r", "")


class Session:
    """A program whose output is a guest's serial line; the base of Guest and of Bochs sessions."""

    def __init__(self, child, name: str, limit_s: float, pid: int, cores: int = 1) -> None:
        """`pid`: the emulator, whose time counts."""
        self.child, self.pid, self.cores = child, pid, cores
        self.life = Patience(pid, limit_s, cores)
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log_path = LOGS / (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") + ".log")
        self.log = self.log_path.open("w", encoding="utf-8", errors="replace", newline="")
        child.logfile_read = self.log

    def expect(self, text: str, seconds: float | None = None) -> str:
        """Waits for `text`; returns what came before it, as a reader sees it."""
        return self.expect_pattern(re.escape(text), seconds, text)

    def expect_pattern(self, pattern: str, seconds: float | None = None, what: str = "") -> str:
        limit = self.life.limit_s if seconds is None else seconds
        try:
            if not self._wait(pattern, limit):
                raise GuestError(f"no '{what or pattern}' within {limit:.0f} s; {self._last()}")
        except pexpect.EOF:
            raise GuestError(f"ended before '{what or pattern}'; {self._last()}") from None
        return plain(self.child.before)

    def _wait(self, pattern: str, limit_s: float) -> bool:
        """Whether `pattern` comes in so much time of the guest; pexpect.EOF when it cannot any more."""
        patience = Patience(self.pid, limit_s, self.cores)
        while True:
            over = patience.is_over() or self.life.is_over()
            try:
                self.child.expect(pattern, timeout=0 if over else patience.slice_s())
                return True
            except pexpect.TIMEOUT:
                if over:
                    return False

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
        self.expect_pattern(r"\n", seconds, f"echo of {line}")
        return self.expect(PROMPT, seconds)

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
            raise GuestError(f"did not end; {self._last()}")
        return self.output()

    def settle(self, quiet_s: float) -> bool:
        """Waits until nothing was printed for a while; whether the machine still runs then."""
        while not self.life.is_over():
            try:
                if not self._wait(r".+", quiet_s):
                    return True
            except pexpect.EOF:
                return False
        raise GuestError(f"does not stop printing; {self._last()}")

    def _last(self) -> str:
        lines = [line for line in self.output().splitlines() if line.strip()]
        return f"last line '{lines[-1].strip() if lines else ''}' ({self.log_path.relative_to(ROOT)})"

    def __enter__(self):
        return self

    def __exit__(self, *_exception) -> None:
        self.child.close(force=True)
        self.log.close()


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
        child = pexpect.spawn(command[0], command[1:], encoding="utf-8", codec_errors="replace",
                              timeout=limit_s, echo=False, dimensions=(50, 250))
        child.delaybeforesend = None
        super().__init__(child, name, limit_s, child.pid, machine.cpus)

    def exit_code(self) -> int:
        """Waits for QEMU to end; its exit code, which the guest chooses through port 0xf4."""
        self.read_to_end()
        self.child.wait()
        if self.child.exitstatus is None:
            raise GuestError(f"QEMU died of signal {self.child.signalstatus}")
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

    def monitor(self, line: str) -> str:
        """Runs one line of QEMU's human monitor."""
        return self.qmp("human-monitor-command", **{"command-line": line})

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
