#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py - boots the system in QEMU with its serial line on this terminal.

    run.py uefi|bios|direct [COMMAND-LINE...]

Environment: CPUS (2), MEMORY in MiB (512), CPU model (max), MEDIUM cdrom, disk or usb (cdrom),
DISPLAY_QEMU none, gtk, sdl or curses (none), KVM=1 to use the host's processor.
Ctrl-A X ends QEMU; a shutdown or a reboot of the guest ends it too.
"""

import os
import sys

from hardware import BUILD, Machine


def main(arguments: list[str]) -> None:
    if not arguments or arguments[0] not in ("uefi", "bios", "direct"):
        sys.exit(__doc__)
    setting = os.environ.get
    kvm = setting("KVM") == "1"
    machine = Machine(
        firmware=arguments[0],
        cpus=int(setting("CPUS", "2")),
        memory_mib=int(setting("MEMORY", "512")),
        cpu="host" if kvm else setting("CPU", "max"),
        medium=setting("MEDIUM", "cdrom"),
        cmdline=" ".join(arguments[1:]),
        extra=("-accel", "kvm") if kvm else (),
    )
    command = machine.command(BUILD) + ["-display", setting("DISPLAY_QEMU", "none"), "-serial", "mon:stdio"]
    print("Ctrl-A X ends QEMU", flush=True)
    os.execvp(command[0], command)


main(sys.argv[1:])
