# SPDX-License-Identifier: MIT
"""machine - runs QEMU for the loader tests and reads its serial line.

Limits are seconds of the machine, as tools/patience.py counts them: no test fails because the host is busy.
"""
import os
import signal
import subprocess
import threading
import time

import images  # first: the tools are found through it
import hardware
from patience import Patience
from testlib import CRASHES, HANG_S, EmulatorCrash

PASS, FAIL = 33, 35


def firmware():
    """Read-only flash; variables then live in memory, so no run influences another."""
    code, _ = hardware.firmware()
    return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}"]


def direct(archive):
    return ["-kernel", str(images.BUILD / "loader.elf"), "-initrd", str(archive)]


def disk(path, kind="ide"):
    if kind == "cdrom":
        return ["-cdrom", str(path)]
    if kind == "usb":
        return ["-device", "qemu-xhci", "-drive", f"id=stick,file={path},format=raw,if=none,snapshot=on",
                "-device", "usb-storage,drive=stick"]
    return ["-drive", f"file={path},format=raw,if=ide,snapshot=on"]


def folder(path):
    return ["-drive", f"file=fat:rw:{path},format=raw,if=ide"]


class Machine:
    """A QEMU that is ended, whatever happens, when its `with` block ends."""

    def __init__(self, arguments):
        # QEMU ends with this process, even if that is killed.
        command = ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-no-reboot", "-display", "none",
                   "-serial", "stdio", "-monitor", "none",
                   "-device", "isa-debug-exit,iobase=0xf4,iosize=4", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, start_new_session=True)
        self.output = b""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while data := os.read(self.process.stdout.fileno(), 4096):
            self.output += data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """A crash of the emulator takes the place of whatever the test has found wrong because of it."""
        ended_as = self.process.poll()
        if ended_as is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self.reader.join(HANG_S)
        self.process.stdout.close()
        if ended_as is not None and -ended_as in CRASHES:
            raise EmulatorCrash(f"the emulator crashed with {signal.Signals(-ended_as).name}; {self.lines()[-1:]}")

    def lines(self):
        return self.output.decode("latin-1").replace("\r", "").splitlines()

    def has_ended(self, seconds):
        """Waits so long for the machine to end by itself; whether it has."""
        patience = Patience(self.process.pid, seconds)
        while not patience.is_over():
            try:
                self.process.wait(patience.slice_s())
                return True
            except subprocess.TimeoutExpired:
                continue
        return self.process.poll() is not None

    def wait_for(self, text, seconds):
        patience = Patience(self.process.pid, seconds)
        while not patience.is_over():
            if text in "\n".join(self.lines()):
                time.sleep(0.1)
                return
            if self.process.poll() is not None:
                self.reader.join(HANG_S)
                if text in "\n".join(self.lines()):
                    return
                break
            time.sleep(0.02)
        raise AssertionError(f"no {text!r} in: " + " | ".join(self.lines()[-5:]))


def run_probe(arguments, seconds=90):
    """Boots the probe to its end; every line of it must be ok."""
    with Machine(arguments) as machine:
        if not machine.has_ended(seconds):
            raise AssertionError("hangs after: " + " | ".join(machine.lines()[-3:]))
        machine.reader.join(HANG_S)
    lines = machine.lines()
    failures = [line for line in lines if line.startswith("FAIL")]
    if failures:
        raise AssertionError("; ".join(failures))
    if machine.process.returncode != PASS or "probe passed" not in lines:
        raise AssertionError(f"exit code {machine.process.returncode} after: "
                             + " | ".join(lines[-5:]))
    return lines


def expect_refusal(arguments, message, seconds=60):
    """The loader must print this one line and stop for good: no second line, no reset."""
    with Machine(arguments) as machine:
        machine.wait_for("minimalos loader: ", seconds)
        if machine.has_ended(1.5):
            raise AssertionError(f"the machine did not stay: exit {machine.process.returncode}")
    lines = [line for line in machine.lines() if "minimalos loader: " in line]
    if len(lines) != 1 or not lines[0].endswith(f"minimalos loader: {message}"):
        raise AssertionError("got " + " | ".join(lines))
