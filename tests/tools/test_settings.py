# SPDX-License-Identifier: MIT
"""test_settings.py - a setting of `make run` that cannot be is refused with one clear line."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from qemu import ROOT
from testlib import HANG_S, Suite, check, outside_make

suite = Suite("tools")

QEMU_WITHOUT_WINDOWS = "#!/bin/sh\nprintf 'Available display backend types:\\nnone\\ncurses\\n'\n"
QEMU_WITH_WINDOWS = "#!/bin/sh\nprintf 'Available display backend types:\\nnone\\ngtk\\nsdl\\n'\n"

# Setting, value, and words of the one line; the setting itself is always named.
REFUSED = (
    ("CPUS", "abc", "processors, a number from 1 to"),
    ("CPUS", "0", "processors, a number from 1 to"),
    ("CPUS", "-1", "processors, a number from 1 to"),
    ("CPUS", "256", "processors, a number from 1 to"),
    ("MEMORY", "1G", "MiB of memory, a number from"),
    ("MEMORY", "0", "MiB of memory, a number from"),
    ("MEMORY", "9999999999", "MiB of memory, a number from"),
    ("CPU", "2", "a processor model", "CPUS is how many"),
    ("CPU", "maxx,+avx", "a processor model"),
    ("MEDIUM", "floppy", "one of cdrom, disk, usb"),
    ("DISK", "/nowhere/disk.img", "there is no such file; tools/mkdisk.py makes"),
    ("DISK", "/", "there is no such file"),
    ("KVM", "yes", "one of 0, 1"),
    ("NETWORK", "tap", "one of user, none"),
    ("NIC", "ne2000", "one of virtio, e1000e"),
    ("LINUX", "maybe", "one of yes, no"),
    ("DEVICES", "edu -monitor", "a device as QEMU's -device has it"),
    ("DISPLAY_QEMU", "vga", "one of none, gtk, sdl, curses"),
    ("CMDLINE", "two\nlines", "printable ASCII"),
    ("CMDLINE", "grün", "printable ASCII"),
    ("CMDLINE", "x" * 512, "at most 511"),
)


def environment(**settings: str) -> dict[str, str]:
    """That of a shell without settings, but for the given ones."""
    ours = ("CPUS", "MEMORY", "CPU", "MEDIUM", "DISK", "KVM", "DISPLAY_QEMU", "CMDLINE", "DISPLAY", "WAYLAND_DISPLAY")
    return outside_make(*ours) | settings


def must_refuse(command: list[str], *words: str, **settings: str) -> None:
    done = subprocess.run(command, cwd=ROOT / "tools", env=environment(**settings), capture_output=True, text=True,
                          timeout=HANG_S)
    check(done.returncode != 0, f"{settings} was accepted")
    lines = done.stderr.splitlines()
    check(len(lines) == 1 and not done.stdout, f"{settings}: not one line:\n{done.stdout}{done.stderr}")
    for word in words:
        check(word in lines[0], f"{settings}: '{word}' is not in: {lines[0]}")


def run(*arguments: str) -> list[str]:
    return [sys.executable, "run.py", *arguments]


def python(code: str) -> list[str]:
    """Runs with what is missing on this host only in the test."""
    return [sys.executable, "-c", f"import sys, pathlib, hardware, run\n{code}"]


@suite.test("what a setting of make run cannot be is refused with one line that names it")
def refused() -> None:
    for name, value, *words in REFUSED:
        must_refuse(run("check"), name, *words, **{name: value})


def make(arguments: list[str], **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "DEPS=no", *arguments], cwd=ROOT, env=environment(**settings), capture_output=True,
                          text=True, timeout=HANG_S)


@suite.test("make says it, too, before it builds anything")
def refused_by_make() -> None:
    with tempfile.TemporaryDirectory() as folder:
        done = make([f"BUILD={folder}/out", "settings", "CPUS=abc"])
        check(done.returncode != 0, "make succeeded")
        lines = done.stderr.splitlines()
        check(lines[0].startswith("run: CPUS=abc: ") and len(lines) == 2, done.stderr)
        made = [path.name for path in Path(folder).glob("out/*") if not path.name.startswith(".")]
        check(not made, f"{made} was built")


@suite.test("what is no setting is refused by make with one line, and what is one or is make's own is not")
def no_such_setting() -> None:
    for given in (["MEMROY=64"], ["CPSU=3", "CPUS=3", "V=1"], ["NO-NAME=1"], ["memory=1"]):
        done = make(["help", *given])
        check(done.returncode != 0 and not done.stdout, f"{given} was accepted")
        lines = done.stderr.splitlines()
        check(len(lines) == 1 and f"{given[0]}: there is no such setting" in lines[0], f"{given}: {done.stderr}")
        check("make help" in lines[0] and "CPUS=3" not in lines[0], done.stderr)
    settings = re.findall(r"^#: ([A-Z_]+)=", (ROOT / "Makefile").read_text(), re.MULTILINE)
    good = {name: "x" for name in settings} | {"BUILD": "build", "PYTHON": sys.executable, "WITH": "", "SHELL": "/bin/sh"}
    done = make(["help", *(f"{name}={value}" for name, value in good.items())])
    check(done.returncode == 0 and "CPUS=2" in done.stdout, done.stderr)
    done = make(["help", "DISPLAY=:0", "TMPDIR=/tmp", "LC_ALL=C"])  # of programs that make starts
    check(done.returncode == 0, done.stderr)
    done = make(["help"], MEMROY="64")  # a shell has variables of its own
    check(done.returncode == 0, done.stderr)


@suite.test("good settings are accepted")
def accepted() -> None:
    for settings in ({}, {"CPUS": ""}, {"CPU": "Nehalem-v1,+avx"}, {"CPU": "qemu64"}, {"DISK": "none"}, {"DISK": "README.md"},
                     {"CPUS": "8", "MEMORY": "64", "MEDIUM": "usb", "CMDLINE": "trace a=b"}):
        done = subprocess.run(run("check"), cwd=ROOT / "tools", env=environment(**settings),
                              capture_output=True, text=True, timeout=HANG_S)
        check(done.returncode == 0 and not done.stdout + done.stderr, f"{settings}: {done.stdout}{done.stderr}")


@suite.test("KVM=1 where there is no KVM is refused with one line")
def no_kvm() -> None:
    code = "try: run.use_kvm('/nowhere/kvm')\nexcept run.Refused as problem: sys.exit(str(problem))"
    must_refuse(python(code), "KVM=1", "/nowhere/kvm: No such file or directory", KVM="1")
    must_refuse(python(code.replace("/nowhere/kvm", "/dev/null")), "KVM=1", "/dev/null", KVM="1")


@suite.test("a display that this QEMU or this host lacks is refused with one line")
def no_display() -> None:
    for text, words in ((QEMU_WITHOUT_WINDOWS, "package qemu-system-gui"), (QEMU_WITH_WINDOWS, "no desktop")):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "qemu-system-x86_64"
            program.write_text(text)
            program.chmod(0o755)
            for name in ("gtk", "sdl"):
                must_refuse(run("check"), f"DISPLAY_QEMU={name}", words, DISPLAY_QEMU=name, PATH=f"{folder}:/bin")


@suite.test("what a run needs and this host lacks is named: QEMU, firmware, the image")
def missing() -> None:
    with tempfile.TemporaryDirectory() as folder:
        must_refuse(run("check"), "qemu-system-x86", PATH=folder, DISPLAY_QEMU="gtk")
        must_refuse(run("uefi"), f"there is no {folder}/minimalos.iso", BUILD=folder)
        must_refuse(run("direct"), f"there is no {folder}/loader.elf", BUILD=folder)
        (Path(folder) / "minimalos.iso").touch()
        must_refuse(python("hardware.FIRMWARE = ((pathlib.Path('/a.fd'), pathlib.Path('/b.fd')),)\nrun.main(['uefi'])"),
                    "no UEFI firmware", "ovmf", "/a.fd", BUILD=folder, DISK="none")


@suite.test("make help lists every setting")
def help_lists() -> None:
    said = make(["help"]).stdout
    source = "".join((ROOT / "tools" / name).read_text() for name in ("run.py", "mkconfig.py", "hardware.py"))
    names = set(re.findall(r'(?:setting|number|choice|environ\.get)\("([A-Z_]+)"', source)) - {
        "DISPLAY", "WAYLAND_DISPLAY"}
    check({"CPUS", "KVM", "CMDLINE", "BUILD"} <= names, f"found only {sorted(names)}")
    for name in sorted(names | {"CC", "CROSS_COMPILE", "LD", "HOSTCC", "PYTHON", "DEPS", "SUITES"}):
        check(re.search(rf"^  {name}=", said, re.MULTILINE), f"{name} is not there:\n{said}")
