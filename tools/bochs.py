# SPDX-License-Identifier: MIT
"""bochs.py - runs the ISO in Bochs for the tests.

Bochs's corei7_skylake_x model has what QEMU's emulator lacks: x2APIC, PCID, INVPCID, TSC-deadline
timer. It boots by BIOS and GRUB. The display goes to an X server without a screen; COM1 is a
connection to this process, so that a test can read and type.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from pexpect import fdpexpect

from patience import Patience
from qemu import ISO, GuestError, Session, signal_of

CONFIGURATION = """\
config_interface: textconfig
display_library: x
cpu: model=corei7_skylake_x, count={cpus}, ips=10000000, reset_on_triple_fault=0
memory: guest={memory_mib}, host={memory_mib}
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.stdvga.bin
vga: extension=vbe, update_freq=2
pci: enabled=1, chipset=i440fx
ata0: enabled=1
ata0-master: type=cdrom, path={image}, status=inserted
boot: cdrom
com1: enabled=1, mode=socket-client, dev=localhost:{port}
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
speaker: enabled=0
clock: sync=none
log: {folder}/bochs.log
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
"""

CONNECT_LIMIT_S = 60


class BochsGuest(Session):
    """A machine running in Bochs, with its display and its folder; used like qemu.Guest."""

    def __init__(self, name: str, cpus: int = 2, memory_mib: int = 512, image: Path = ISO,
                 limit_s: float = 300) -> None:
        if not image.exists():
            raise GuestError(f"there is no {image}")
        self._folder = Path(tempfile.mkdtemp(prefix="mnos-bochs-"))
        self._processes: list[subprocess.Popen] = []
        self._line: socket.socket | None = None
        try:
            self._line = self._start(cpus, memory_mib, image)
            child = fdpexpect.fdspawn(self._line, use_poll=True, encoding="utf-8", codec_errors="replace",
                                      timeout=limit_s)
            super().__init__(child, name, limit_s, self._processes[-1].pid)
        except BaseException:
            self._end_processes()
            raise

    def _start(self, cpus: int, memory_mib: int, image: Path) -> socket.socket:
        display = self._start_display()
        with socket.create_server(("localhost", 0)) as server:
            configuration = self._folder / "bochsrc"
            configuration.write_text(CONFIGURATION.format(
                cpus=cpus, memory_mib=memory_mib, image=image, folder=self._folder,
                port=server.getsockname()[1]))
            # Debian's Bochs stops in its debugger before the first instruction.
            commands = self._folder / "commands"
            commands.write_text("continue\n")
            self._processes.append(subprocess.Popen(
                ["bochs", "-q", "-f", str(configuration), "-rc", str(commands)],
                env=os.environ | {"DISPLAY": display}, cwd=self._folder,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            return self._accept(server, Patience(self._processes[-1].pid, CONNECT_LIMIT_S))

    def _accept(self, server: socket.socket, patience: Patience) -> socket.socket:
        """The connection that is Bochs's COM1."""
        while not patience.is_over():
            server.settimeout(patience.slice_s())
            try:
                line = server.accept()[0]
                line.settimeout(None)
                return line
            except TimeoutError:
                continue
        log = self._folder / "bochs.log"
        tail = log.read_text(errors="replace")[-300:] if log.exists() else "no log"
        raise GuestError(f"Bochs did not start: {tail}")

    def _start_display(self) -> str:
        """Starts an X server on a free display and returns its name."""
        read_end, write_end = os.pipe()
        self._processes.append(subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1280x1024x24",
             "-nolisten", "tcp"],
            pass_fds=[write_end], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        os.close(write_end)
        with os.fdopen(read_end) as stream:
            number = stream.readline().strip()
        if not number:
            raise GuestError("Xvfb did not start")
        return f":{number}"

    def _died_of(self) -> int | None:
        return signal_of(self._processes[-1])

    def emulator_log(self) -> str:
        return (self._folder / "bochs.log").read_text(errors="replace")

    def _end_processes(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __exit__(self, *_exception) -> None:
        if self._line:
            self._line.close()
        self.log.close()
        self._end_processes()
