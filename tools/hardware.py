# SPDX-License-Identifier: MIT
"""hardware.py - what QEMU boots on what hardware, as its command line; where the build's files are.

Needs nothing but Python's own library: `make run` and the tests of the loader use it, too. Left to
others: running QEMU and talking to the guest (qemu.py), the settings of `make run` (run.py).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import mkarchive

ROOT = Path(__file__).resolve().parent.parent
# `make BUILD=dir` hands its folder on; a relative one is meant from the top folder.
BUILD = ROOT / os.environ.get("BUILD", "build")
ISO = BUILD / "minimalos.iso"
LOADER = BUILD / "loader.elf"
DISK = BUILD / "disk.img"
QEMU = "qemu-system-x86_64"

# UEFI firmware, code and variables, where distributions put it; the first that is there is used.
FIRMWARE = tuple((Path("/usr/share") / code, Path("/usr/share") / variables) for code, variables in (
    ("OVMF/OVMF_CODE_4M.fd", "OVMF/OVMF_VARS_4M.fd"),              # Debian 12 and 13, Ubuntu
    ("OVMF/OVMF_CODE.fd", "OVMF/OVMF_VARS.fd"),                    # older ones
    ("edk2/ovmf/OVMF_CODE.fd", "edk2/ovmf/OVMF_VARS.fd"),          # Fedora
    ("edk2/x64/OVMF_CODE.4m.fd", "edk2/x64/OVMF_VARS.4m.fd"),      # Arch Linux
    ("qemu/ovmf-x86_64-code.bin", "qemu/ovmf-x86_64-vars.bin"),    # openSUSE
))

# The guest ends QEMU by writing a value to port 0xf4; QEMU exits with 2 * value + 1.
EXIT_PASS, EXIT_FAIL, EXIT_PANIC = 33, 35, 37
EXIT_DEVICE = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]


QCOW2_MAGIC = b"QFI\xfb"


def data_disk(path: Path, device: str = "virtio-blk-pci", **options: str) -> tuple[str, ...]:
    """QEMU's arguments for a disk beside the one that is booted from: Machine.extra. `options` are of the
    drive: snapshot="on" leaves the file as it is, and each of several has an id."""
    with path.open("rb") as file:
        kind = "qcow2" if file.read(4) == QCOW2_MAGIC else "raw"
    drive = {"if": "none", "id": "data", "format": kind, "discard": "unmap",
             "file": str(path).replace(",", ",,"), **options}
    return ("-drive", ",".join(f"{key}={value}" for key, value in drive.items()),
            "-device", f"{device},drive={drive['id']}")


# What QEMU calls the network cards that there are drivers for.
CARDS = {"virtio": "virtio-net-pci", "e1000e": "e1000e"}


def network_card(forwards: tuple[str, ...] = (), card: str = "virtio") -> tuple[str, ...]:
    """QEMU's arguments for a card on its user network: Machine.extra. `forwards`: ports of this machine that lead to
    the guest, as `tcp:127.0.0.1:8080-:80`."""
    return ("-netdev", ",".join(["user,id=net", *(f"hostfwd={forward}" for forward in forwards)]),
            "-device", f"{CARDS[card]},netdev=net")


# Where a machine that is debugged is reached: make debug waits there, make gdb connects.
# Each test has a place of its own.
GDB_SOCKET = Path(os.environ.get("GDB_SOCKET") or BUILD / "gdb.sock")


def wait_for_debugger(path: Path = GDB_SOCKET) -> tuple[str, ...]:
    """QEMU's arguments for a machine that stops before its first instruction until a debugger has it: Machine.extra."""
    # The name of a socket is short: as seen from here.
    place = min(str(path), os.path.relpath(path), key=len).replace(",", ",,")
    return ("-S", "-chardev", f"socket,id=gdb,path={place},server=on,wait=off", "-gdb", "chardev:gdb")


class Missing(Exception):
    """Something that the machine is made of is not there; the text is for the user."""


def firmware() -> tuple[Path, Path]:
    """The UEFI firmware of this host: its code, and a pattern of its variables."""
    for code, variables in FIRMWARE:
        if code.exists() and variables.exists():
            return code, variables
    places = ", ".join(str(code) for code, _ in FIRMWARE)
    raise Missing(f"there is no UEFI firmware for QEMU (Debian's package ovmf); looked for {places}")


@dataclass(frozen=True)
class Machine:
    """What to boot: `firmware` uefi or bios boot `image`; direct boots `kernel` with `initrd`."""

    firmware: str = "direct"
    cpus: int = 1
    memory_mib: int = 512
    cpu: str = "max"
    framebuffer: bool = True
    medium: str = "cdrom"  # or disk, usb, virtio; virtio: a disk that the system has a driver for, written to
    image: Path = ISO
    loader: Path = LOADER  # of direct boot
    kernel: Path = BUILD / "kernel.elf"
    initrd: Path | None = BUILD / "initrd.tar"
    cmdline: str = ""
    exit_device: bool = True
    extra: tuple[str, ...] = ()

    def command(self, folder: Path) -> list[str]:
        """QEMU's command line; what has to be made for it is put into `folder`."""
        # QEMU 9 and later emulate x2APIC, but stop with "Bad icount read" when its timer is set under -icount.
        cpu = f"{self.cpu},-x2apic" if "-icount" in self.extra else self.cpu
        command = [
            QEMU, "-machine", "pc" if self.firmware == "bios" else "q35",
            "-cpu", cpu, "-smp", str(self.cpus), "-m", str(self.memory_mib),
            "-vga", "std" if self.framebuffer else "none",
            "-nic", "none", "-no-reboot", *(EXIT_DEVICE if self.exit_device else ()),
        ]
        if self.firmware == "direct":
            command += self._direct(folder)
        elif self.firmware == "uefi":
            code, variables = firmware()
            command += [
                "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}",
                "-drive", f"if=pflash,unit=1,format=raw,snapshot=on,file={variables}",
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
        """Firmware tries the medium first, whatever other disks there are."""
        match self.medium:
            case "cdrom":
                return ["-cdrom", str(self.image), "-boot", "order=d"]
            case "disk":
                return ["-drive", f"if=ide,format=raw,snapshot=on,file={self.image}"]
            case "usb":
                return [
                    "-drive", f"if=none,id=stick,format=raw,snapshot=on,file={self.image}",
                    "-device", "qemu-xhci", "-device", "usb-storage,drive=stick,bootindex=0",
                ]
            case "virtio":
                return list(data_disk(self.image, "virtio-blk-pci,bootindex=0", id="boot"))
        raise ValueError(self.medium)
