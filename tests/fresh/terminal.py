# SPDX-License-Identifier: MIT
"""terminal.py - a program on a terminal of its own: types, and waits for what it prints.

What qemu.py has from pexpect, in little, since a bare system has no pexpect.
"""

from __future__ import annotations

import codecs
import os
import pty
import re
import select
import signal
import time
from pathlib import Path

ANSI = re.compile(r"\x1b(?:\[[0-9;?=]*[A-Za-z]|[78])")
PARTIAL = re.compile(r"\x1b(\[[0-9;?=]*)?\Z")


class TerminalError(Exception):
    """The program did not print what was waited for."""


class Terminal:
    def __init__(self, command: list[str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log.open("wb")
        self.log_path = log
        self.text = ""    # all that was printed, as a reader sees it
        self.seen = 0     # how much of it was waited for
        self._partial = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            try:
                os.execvp(command[0], command)
            finally:
                os._exit(127)

    def type(self, text: str) -> None:
        os.write(self.file, text.encode())

    def _read(self, seconds: float) -> bool:
        """Takes in what is printed within some time; False at the end of the program."""
        if not select.select([self.file], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.file, 65536)
        except OSError:  # EIO: the last process on the terminal has ended
            data = b""
        self.log.write(data)
        self.log.flush()
        text = self._partial + self._decoder.decode(data)
        # An escape sequence that is not whole yet waits for its rest.
        cut = PARTIAL.search(text) if data else None
        text, self._partial = (text[:cut.start()], cut[0]) if cut else (text, "")
        self.text += ANSI.sub("", text).replace("\r", "")
        return bool(data)

    def expect(self, pattern: str, seconds: float) -> re.Match:
        """Waits until what is printed from now on matches; what comes after it is for the next wait."""
        end = time.monotonic() + seconds
        alive = True
        while True:
            if found := re.compile(pattern, re.MULTILINE).search(self.text, self.seen):
                self.seen = found.end()
                return found
            if not alive:
                raise TerminalError(f"ended before '{pattern}'; {self._last()}")
            if time.monotonic() > end:
                raise TerminalError(f"no '{pattern}' within {seconds:.0f} s; {self._last()}")
            alive = self._read(min(1.0, max(0.0, end - time.monotonic())))

    def _last(self) -> str:
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        return f"last line '{lines[-1] if lines else ''}' ({self.log_path})"

    def close(self) -> None:
        """Ends the program, and with it all that it began."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.close(self.file)
        os.waitpid(self.pid, 0)
        self.log.close()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_exception) -> None:
        self.close()
