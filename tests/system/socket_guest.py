# SPDX-License-Identifier: MIT
"""socket_guest.py - a guest whose serial line is a socket that is read only when a test asks for text.

A socket that nobody reads is full after a few hundred bytes, because QEMU writes them one by one; from then
on the line does not move, as a terminal's with flow control that is stopped.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from pexpect import fdpexpect

from patience import Patience
from qemu import Guest, GuestError, Machine, Session, signal_of

PEEK_BYTES = 1 << 20


class SocketGuest(Guest):
    def __init__(self, machine: Machine, name: str, limit_s: float = 120) -> None:
        self._folder = tempfile.mkdtemp(prefix="mnos-qemu-")
        self._qmp_path = f"{self._folder}/qmp"
        self.kernel = machine.kernel
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{self._folder}/line")
            listener.listen(1)
            self.process = subprocess.Popen([
                *machine.command(Path(self._folder)), "-display", "none", "-monitor", "none",
                "-chardev", f"socket,id=line,path={self._folder}/line", "-serial", "chardev:line",
                "-qmp", f"unix:{self._qmp_path},server=on,wait=off",
            ])
            try:
                self.line = self._accept(listener, Patience(self.process.pid, limit_s))
                child = fdpexpect.fdspawn(self.line.fileno(), use_poll=True, encoding="utf-8",
                                          codec_errors="replace", timeout=limit_s)
                Session.__init__(self, child, name, limit_s, self.process.pid, machine.cpus)
            except BaseException:
                self._end()
                raise

    @staticmethod
    def _accept(listener: socket.socket, patience: Patience) -> socket.socket:
        while not patience.is_over():
            listener.settimeout(patience.slice_s())
            try:
                line, _address = listener.accept()
                line.settimeout(None)
                return line
            except TimeoutError:
                continue
        raise GuestError("QEMU does not open the serial line")

    def _died_of(self) -> int | None:
        return signal_of(self.process)

    def unread(self) -> str:
        """What waits in the socket; it stays there."""
        return self.line.recv(PEEK_BYTES, socket.MSG_PEEK).decode("utf-8", errors="replace")

    def _end(self) -> None:
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __exit__(self, *_exception) -> None:
        self._end()
        self.line.close()
        self.log.close()
