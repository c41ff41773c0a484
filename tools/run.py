#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py - boots the system in QEMU with its serial line on this terminal.

    run.py uefi|bios|direct     boot the build's image, or kernel and RAM disk without firmware
    run.py debug                as direct, and wait for a debugger before the first instruction (docs/debugging.md)
    run.py check                only look at the settings

The settings are in the environment: CPUS (2), MEMORY in MiB (512), CPU model (max), MEDIUM cdrom, disk
or usb (cdrom), DISK the file of a disk to keep files on, or none (disk.img of the build, which is made once
and then left alone), LINUX=no for a new one of these without programs of Linux, NETWORK user, QEMU's own network, or none (user), NIC virtio or
e1000e (virtio), DEVICES further devices by QEMU's names (none), DISPLAY_QEMU none, gtk, sdl or curses (none), KVM=1 to use the host's processor. CMDLINE is the kernel's command line of a direct boot, and WITH
says that its RAM disk has programs of one's own (make/with.mk); an image has its own inside (mkconfig.py). A setting that cannot be is refused with one line.
Ctrl-A X ends QEMU; a shutdown or a reboot of the guest ends it too.
"""

import fcntl
import os
import re
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import linux_disk
import mkconfig
import mkdisk
from hardware import (BUILD, CARDS, DISK, ISO, LOADER, QEMU, ROOT, Machine, Missing, data_disk, network_card,
                      wait_for_debugger)

CPUS_MAX = 255        # of QEMU's machine without interrupt remapping
MEMORY_MIN_MIB = 64   # the smallest machine that the tests boot
MEMORY_MAX_MIB = 1 << 20
HOST, WEB_PORT = "127.0.0.1", 8080
DISPLAYS = ("none", "gtk", "sdl", "curses")
KVM_GET_API_VERSION, KVM_API = 0xAE00, 12


class Refused(Exception):
    """A setting that cannot be; the text is the one line for the user."""


def setting(name: str, default: str) -> str:
    return os.environ.get(name, "").strip() or default


def number(name: str, default: int, low: int, high: int, what: str) -> int:
    text = setting(name, str(default))
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise Refused(f"{name}={text}: {what}, a number from {low} to {high}")
    return int(text)


def choice(name: str, default: str, *allowed: str) -> str:
    text = setting(name, default)
    if text not in allowed:
        raise Refused(f"{name}={text}: one of {', '.join(allowed)}")
    return text


def use_kvm(device: str = "/dev/kvm") -> bool:
    if choice("KVM", "0", "0", "1") == "0":
        return False
    try:
        with open(device, "rb+", buffering=0) as kvm:
            if fcntl.ioctl(kvm, KVM_GET_API_VERSION) != KVM_API:
                raise Refused(f"KVM=1: {device} is not what QEMU needs")
    except OSError as problem:
        raise Refused(f"KVM=1: the host's processor cannot be used, {device}: {problem.strerror}") from None
    return True


def display() -> str:
    """The display, when this QEMU has it and there is a desktop for its window."""
    name = choice("DISPLAY_QEMU", "none", *DISPLAYS)
    if name == "none":
        return name
    listed = subprocess.run([QEMU, "-display", "help"], capture_output=True, text=True).stdout.split()
    if name not in listed:
        package = "qemu-system-common" if name == "curses" else "qemu-system-gui"
        raise Refused(f"DISPLAY_QEMU={name}: this QEMU has no such display (Debian's package {package})")
    if name != "curses" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise Refused(f"DISPLAY_QEMU={name}: there is no desktop to show it on "
                      "(neither DISPLAY nor WAYLAND_DISPLAY is set)")
    return name


def cpu_model(kvm: bool) -> str:
    """A processor model that this QEMU has, with its features as QEMU has them: NAME or NAME,+FEATURE."""
    text = setting("CPU", "max")
    if kvm:
        return "host"
    if text == "max":
        return text
    listed = subprocess.run([QEMU, "-cpu", "help"], capture_output=True, text=True).stdout
    if text.split(",")[0] not in re.findall(r"^x86 (\S+)", listed, re.MULTILINE):
        raise Refused(f"CPU={text}: a processor model, and {QEMU} -cpu help lists no such; CPUS is how many processors")
    return text


def disk() -> Path | None:
    """The disk for files that are to stay; that of the build need not be there yet."""
    text = setting("DISK", "")
    if text == "none":
        return None
    path = ROOT / text if text else DISK
    if text and not path.is_file():
        raise Refused(f"DISK={text}: there is no such file; tools/mkdisk.py makes a disk")
    if text and not os.access(path, os.R_OK | os.W_OK):
        raise Refused(f"DISK={text}: the file cannot be read and written by you")
    return path


def devices() -> tuple[str, ...]:
    """Further devices of the machine, as QEMU names them."""
    words = setting("DEVICES", "").split()
    for word in words:
        if not re.fullmatch(r"[a-z][\w.-]*(,[\w.-]+=[\w.:-]+)*", word):
            raise Refused(f"DEVICES={word}: a device as QEMU's -device has it, NAME or NAME,KEY=VALUE")
    return tuple(part for word in words for part in ("-device", word))


def free_port() -> int:
    """A port of this machine for the guest's web server: the first that is free from WEB_PORT on, or any."""
    for port in (*range(WEB_PORT, WEB_PORT + 20), 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise Refused("NETWORK=user: no port of this machine is free; NETWORK=none runs without")


def settings(firmware: str) -> tuple[Machine, str]:
    """The machine that the settings describe, and its display."""
    kvm = use_kvm()
    disk()
    machine = Machine(
        firmware=firmware,
        cpus=number("CPUS", 2, 1, CPUS_MAX, "how many processors"),
        memory_mib=number("MEMORY", 512, MEMORY_MIN_MIB, MEMORY_MAX_MIB, "MiB of memory"),
        cpu=cpu_model(kvm),
        medium=choice("MEDIUM", "cdrom", "cdrom", "disk", "usb"),
        cmdline=mkconfig.command_line(),
        initrd=BUILD / ("with/initrd.tar" if setting("WITH", "") else "initrd.tar"),
        extra=(("-accel", "kvm") if kvm else ()) + devices(),
    )
    choice("NETWORK", "user", "user", "none")
    choice("NIC", "virtio", *CARDS)
    choice("LINUX", "yes", "yes", "no")
    return machine, display()


def make_disk(path: Path) -> None:
    """The disk of the build, with programs of Linux if they can be had."""
    print(f"making {os.path.relpath(path, ROOT)}, a disk for files: it is kept, DISK=none runs without", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder) / "content"
        content.mkdir()
        if setting("LINUX", "yes") == "yes":
            print(linux_disk.make(content), flush=True)
        mkdisk.make(path, content=content)


def boot(firmware: str, debug: bool = False) -> None:
    machine, screen = settings(firmware)
    for path in (LOADER, machine.kernel, machine.initrd) if firmware == "direct" else (ISO,):
        if not path.exists():
            raise Missing(f"there is no {path}; make builds it")
    path = disk()
    if path == DISK and not path.exists():
        make_disk(path)
    if path:
        machine = replace(machine, extra=machine.extra + data_disk(path))
    notes: list[str] = []
    if setting("NETWORK", "user") == "user":
        port = free_port()
        machine = replace(machine, extra=machine.extra + network_card((f"tcp:{HOST}:{port}-:80",), setting("NIC", "virtio")))
        notes.append(f"the system's web server is at http://{HOST}:{port}/")
    if debug:
        machine = replace(machine, extra=machine.extra + wait_for_debugger())
        notes.append("waits for a debugger: type `make gdb` in another terminal")
    command = machine.command(BUILD) + ["-display", screen, "-serial", "mon:stdio"]
    print("\n".join((*notes, "Ctrl-A X ends QEMU")), flush=True)
    os.execvp(command[0], command)


def main(arguments: list[str]) -> None:
    if len(arguments) != 1 or arguments[0] not in ("uefi", "bios", "direct", "debug", "check"):
        sys.exit(__doc__)
    try:
        if arguments[0] == "check":
            settings("uefi")
        elif arguments[0] == "debug":
            if setting("KVM", "0") == "1":
                raise Refused("KVM=1: breakpoints in programs need the emulated processor")
            boot("direct", debug=True)
        else:
            boot(arguments[0])
    except (Refused, Missing, mkdisk.Problem, ValueError) as problem:
        sys.exit(f"run: {problem}")
    except FileNotFoundError as problem:
        sys.exit(f"run: there is no {problem.filename} (Debian's package qemu-system-x86)")


if __name__ == "__main__":
    main(sys.argv[1:])
