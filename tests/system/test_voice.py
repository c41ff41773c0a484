# SPDX-License-Identifier: MIT
"""test_voice.py - the serial line and the screen are the kernel's while no service has them: what goes wrong
before there is a prompt can be read on one of them, and nothing that was said is lost.

`-global isa-serial.iobase` moves the only serial device away, so that the machine has no COM1.
"""

import tarfile
import tempfile
from pathlib import Path

from mkarchive import pack
from qemu import BUILD, PROMPT, ROOT, Guest, Machine
from testlib import Suite, check
from tests.system.screen import press, wait_for_text
from tests.system.socket_guest import SocketGuest
from tests.system.test_boot_matrix import PHASES
from tests.system.with_services import compile_manifest

suite = Suite("voice")

NO_COM1 = ("-global", "isa-serial.iobase=0x2e8")
BACKTRACE_END = "kernel_entry+0x"
NO_PROMPT = 'monitor: there is no prompt: the service "serial" is stopped'


def members() -> dict[str, bytes]:
    with tarfile.open(BUILD / "initrd.tar") as archive:
        return {m.name: archive.extractfile(m).read() for m in archive if m.name != ".pad"}


def manifest_with(old: str, new: str) -> bytes:
    """The manifest, compiled, with one change in its text."""
    text = (ROOT / "system/manifest.toml").read_text(encoding="utf-8")
    check(text.count(old) == 1, f"the manifest does not have '{old}' once")
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "manifest.toml", Path(folder) / "manifest.bin"
        source.write_text(text.replace(old, new), encoding="utf-8")
        compile_manifest(source, out)
        return out.read_bytes()


def boot_with(name: str, files: dict[str, bytes], *on_screen: str) -> str:
    """Boots a RAM disk; waits until the screen shows the texts, and returns what the line got."""
    with tempfile.TemporaryDirectory() as folder:
        initrd = Path(folder) / "initrd.tar"
        initrd.write_bytes(pack(files))
        with Guest(Machine(initrd=initrd), f"voice {name}", 60) as guest:
            wait_for_text(guest, "mnos>")
            press(guest, "alt-f2")
            wait_for_text(guest, *on_screen)
            guest.screenshot(BUILD / f"logs/voice-{name.replace(' ', '-')}.png")
            guest.expect(on_screen[-1])
            return guest.output()


@suite.test("the screen goes on with what the services say until the terminal has it, which shows all of that again")
def prompt_on_screen() -> None:
    with Guest(Machine(), "voice prompt", 60) as guest:
        guest.expect(PROMPT)
        wait_for_text(guest, "mnos>")
        press(guest, *["shift-pgup"] * 4)  # how much of the boot has scrolled away depends on what starts late
        wait_for_text(guest, "phase 5: Alive", "serial: started")
        guest.screenshot(BUILD / "logs/voice-prompt.png")
        check("the prompt is on" not in guest.output(), "the kernel writes on the driver's line")


@suite.test("a machine without COM1 says so on the screen, and where the prompt is not")
def no_com1() -> None:
    with Guest(Machine(extra=NO_COM1), "voice no COM1", 60) as guest:
        wait_for_text(guest, "mnos>")
        press(guest, "alt-f2")
        wait_for_text(guest, "COM1: nothing answers at I/O port 0x3f8, so there is no prompt on it",
                      "init: serial: stopped after", NO_PROMPT)
        guest.screenshot(BUILD / "logs/voice-no-com1.png")
        press(guest, *["shift-pgup"] * 4)  # how much of the boot has scrolled away depends on what starts late
        wait_for_text(guest, "no serial line: nothing answers at I/O port 0x3f8 (COM1)", *PHASES)
        press(guest, "alt-f1", *["shift-pgup"] * 4)
        wait_for_text(guest, "phase 5: Alive", "serial: stopped")
        check(guest.output().strip() == "", "something was written to a serial line all the same")
        guest.expect_halt()  # whoever has no line waits for it, and asks nobody without end


@suite.test("a line whose driver dies is the kernel's again, and says why")
def dying_driver() -> None:
    files = members()
    files["ns16550"] = (BUILD / "user/crash.stripped").read_bytes()
    text = boot_with("dying driver", files, "init: serial: ended (fault", "init: serial: stopped after", NO_PROMPT)
    check("phase 5: Alive" in text, "the line does not have the boot")  # on the screen it has scrolled away
    check(PROMPT not in text, "there is a prompt")


@suite.test("a driver that gets no interrupt line says so, on screen and line")
def no_interrupt() -> None:
    files = members() | {"manifest.bin": manifest_with("line = 4 }", "line = 100 }")}
    said = "COM1: this machine has no interrupt line 100, so there is no prompt on it"
    text = boot_with("no interrupt", files, said, "init: serial: stopped after", NO_PROMPT)
    check(said in text, f"the line does not say it:\n{text}")


@suite.test("while the driver is exchanged, the line shows what it has missed")
def exchanged_driver() -> None:
    with Guest(Machine(cpus=2), "voice exchanged", 60) as guest:
        guest.expect(PROMPT)
        guest.send("restart serial\r")
        guest.expect("the prompt is on the terminal")  # said when the line was the first driver's
        guest.expect("init: serial: ended (killed)")
        guest.expect(PROMPT)
        check("running" in guest.command("services"), "the line is not the new driver's")


def expect_boot(text: str) -> None:
    at = 0
    for phase in PHASES:
        check(phase in text[at:], f"'{phase}' was lost on the line, which got:\n{text}")
        at = text.index(phase, at)


@suite.test("a line that is read only after the boot has all of it, and then the prompt")
def late_reader() -> None:
    with SocketGuest(Machine(), "voice late", 120) as guest:
        wait_for_text(guest, "mnos>")
        check("phase 5" not in guest.unread(), "the line was never full")
        expect_boot(guest.expect(PROMPT))
        check("running" in guest.command("services"), "the prompt does not answer")


@suite.test("a line that is read only after a panic has the whole report")
def late_reader_of_panic() -> None:
    machine = Machine(cpus=2, kernel=BUILD / "debug/kernel.elf", cmdline="fault=5", exit_device=False)
    with SocketGuest(machine, "voice late panic", 120) as guest:
        wait_for_text(guest, "phase 5: Alive", "PANIC", BACKTRACE_END)
        check("PANIC" not in guest.unread(), "the line was never full")
        text = guest.expect(BACKTRACE_END)
    expect_boot(text)
    for part in ("PANIC", "core 0", "rax", "rip", "cr2", "backtrace:"):
        check(part in text, f"'{part}' is missing:\n{text}")
    check(text.count("PANIC") == 1, "the report is there twice")
