# SPDX-License-Identifier: MIT
"""test_init.py - an initial RAM disk that init cannot work with ends in a panic that shows why."""

import re
import sys
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path

from qemu import BUILD, PROMPT, ROOT, Guest, Machine
from testlib import Suite, check

sys.path.insert(0, str(ROOT / "tools"))

from buildid import SHOWN, build_id  # noqa: E402
from mkarchive import pack  # noqa: E402
from mkimageid import image_id  # noqa: E402

suite = Suite("init")

BLOCK = 512


def members() -> dict[str, bytes]:
    with tarfile.open(BUILD / "initrd.tar") as archive:
        return {m.name: archive.extractfile(m).read() for m in archive if m.name != ".pad"}


def boot_must_say(name: str, initrd: bytes, *expected: str) -> None:
    """Init ends at boot; one of its last log lines has all of `expected`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "initrd.tar"
        path.write_bytes(initrd)
        with Guest(Machine("direct", initrd=path), f"init {name}", 60) as guest:
            guest.expect("PANIC: init has ended")
            text = guest.output()
    check(PROMPT not in text, "it booted")
    check(any(all(part in line for part in expected) for line in text.splitlines()),
          f"no line says {expected}:\n{text[-1500:]}")


@suite.test("a missing manifest is named")
def missing_manifest() -> None:
    files = members()
    del files["manifest.bin"]
    boot_must_say("no manifest", pack(files), "manifest.bin", "no file")


@suite.test("a damaged manifest is named, with what is wrong in it")
def damaged_manifest() -> None:
    files = members()
    manifest = files["manifest.bin"]
    boot_must_say("manifest cut", pack(files | {"manifest.bin": manifest[:100]}), "manifest.bin", "size")
    boot_must_say("manifest magic", pack(files | {"manifest.bin": b"?" + manifest[1:]}),
                  "manifest.bin", "not a compiled manifest")


@suite.test("a missing program is named, with its service")
def missing_program() -> None:
    files = members()
    del files["ns16550"]
    boot_must_say("no driver", pack(files), "serial: ", "no file", "ns16550")


@suite.test("a damaged program is named, with what is wrong in it")
def damaged_program() -> None:
    files = members()
    boot_must_say("program cut", pack(files | {"monitor": files["monitor"][:100]}), "file monitor", "cut short")


@suite.test("a missing program that is started on demand does not stop the boot")
def missing_on_demand() -> None:
    files = members()
    del files["hello"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "initrd.tar"
        path.write_bytes(pack(files))
        with Guest(Machine("direct", initrd=path), "init no hello", 60) as guest:
            guest.expect(PROMPT)
            check("nothing has this name" in guest.command("run hello"), "run does not say what is wrong")
            check('no file "hello"' in guest.command("log"), "the log does not name the file")


@suite.test("a damaged header in the RAM disk is reported, with its place")
def damaged_header() -> None:
    data = bytearray((BUILD / "initrd.tar").read_bytes())
    header = next(at for at in range(0, len(data), BLOCK) if data[at:at + 8] == b"monitor\0")
    data[header] = ord("M")
    boot_must_say("damaged header", bytes(data), "initial RAM disk", "checksum")


@contextmanager
def prompt_with(name: str, **files: str):
    """The system with some programs in the place of others, at its prompt."""
    programs = members()
    programs |= {file: programs[other] for file, other in files.items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "initrd.tar"
        path.write_bytes(pack(programs))
        with Guest(Machine("direct", initrd=path, cpus=2), f"init {name}", 120) as guest:
            guest.expect(PROMPT)
            yield guest


CAUSE = "fault: page fault, vector 14, error 0x6"


@suite.test("a service that keeps dying is stopped; its first cause is at the prompt, in services and in the log")
def keeps_dying() -> None:
    with prompt_with("keeps dying", acpi_reset="crash") as guest:
        guest.expect(f'power: stopped, it ended 5 times in a row, first with: {CAUSE}. "restart power"')
        guest.expect(PROMPT)
        text = guest.command("services")
        check(re.search(rf"power .* failed .* {CAUSE}, the first of 5;", text), f"services says:\n{text}")
        text = guest.command("log")
        check(f"power: stopped after 5 tries, it ended first with: {CAUSE}" in text, f"log says:\n{text}")
        text = guest.command("kill power")
        check(f"power is not running, it has ended: {CAUSE}" in text, f"kill says:\n{text}")


@suite.test("whoever waits for a service that is given up is told, and so is whoever calls it later")
def waits_for_the_dying() -> None:
    with prompt_with("waits for the dying", acpi_reset="crash") as guest:
        for _ in range(2):
            guest.send("reboot\r")  # news of the service may come before or after the answer
            guest.expect("reboot: the service for it is stopped", 60)


@suite.test("restart begins anew with a service that was given up")
def restart_begins_anew() -> None:
    with prompt_with("begins anew", acpi_reset="crash") as guest:
        for _ in range(2):
            guest.expect("power: stopped, it ended 5 times in a row")
            guest.expect(PROMPT)
            check("power: restarted" in guest.command("restart power"), "it is not started")


@suite.test("ends by order do not count and do not wait")
def ordered_ends() -> None:
    with prompt_with("ordered ends") as guest:
        for number in range(20):
            check("power: killed" in guest.command("kill power"), f"kill {number} found it not running")
        text = guest.command("services")
        check(re.search(r"power .* running .* 20  killed, away \d+\.\d ms", text), f"services says:\n{text}")


@suite.test("the log names the image that was booted, by kernel and RAM disk, and says when the kernel is of another build")
def image() -> None:
    files = members()
    name, kernel = files["image"].decode().split()
    whole = {key: data for key, data in files.items() if key != "image"}
    check(name == image_id((BUILD / "kernel.elf").read_bytes(), whole), f"{name} is not made of kernel and RAM disk")
    check(kernel == build_id(BUILD / "kernel.elf").hex()[:SHOWN], f"the kernel is not of build {kernel}")
    for file, said in (("kernel.elf", ""), ("debug/kernel.elf", ", with a kernel of another build")):
        with Guest(Machine("direct", kernel=BUILD / file), f"init image {Path(file).parent.name}", 60) as guest:
            guest.expect_pattern(rf"init: image {name}{said}[\r\n]")


@suite.test("a serial driver that keeps dying ends in a log that says why there is no prompt")
def no_serial_driver() -> None:
    files = members()
    files["ns16550"] = files["crash"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "initrd.tar"
        path.write_bytes(pack(files))
        machine = Machine("direct", initrd=path, cpus=2, cmdline="console=kernel")
        with Guest(machine, "init no serial driver", 120) as guest:
            guest.expect(f"serial: stopped after 5 tries, it ended first with: {CAUSE}")
            guest.expect('monitor: there is no prompt: the service "serial" is stopped')
