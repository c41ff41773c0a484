# SPDX-License-Identifier: MIT
"""programs.py - which file a process runs, its symbols, and breakpoints in one process.

All programs are linked at the same address, so gdb can have the symbols of only one of them beside the kernel's: that of the
process that runs where the machine has stopped. Which file that is the program says itself, by its build ID (tools/buildid.py).
"""

import bisect
import tomllib
from pathlib import Path

import gdb

import kernel
from buildid import NoBuildId, build_id, code_end, note_at
from hardware import BUILD, ROOT
from mksymbols import read_functions
from x86_code import CALL_BYTES_MAX, follows_call

PLACES = ("user", "with", "examples", "tests", "tests/services", "bench")
# Where the notes of a program can be: lib/mnos/user.ld, programs/loader, personality/linux/lx/lx.ld.
PROGRAM, LOADER, LX = 0x400000, 0x40000000, 0x7FF000000000
NOTES_BYTES = 64
STACK_BYTES = 32768
PLACES_MAX = 12

by_id: dict[bytes, Path] = {}
functions_of: dict[Path, list[tuple[int, str]]] = {}
code_end_of: dict[Path, int] = {}
loaded: Path | None = None


def files() -> list[Path]:
    return sorted(path for place in PLACES for path in (BUILD / place).glob("*.elf"))


def find_builds() -> None:
    for path in files():
        try:
            by_id.setdefault(build_id(path), path)
        except NoBuildId:
            pass


def file_at(process: gdb.Value, address: int) -> Path | None:
    found = note_at(kernel.read_user(process, address, NOTES_BYTES))
    if not by_id:
        find_builds()
    return by_id.get(found) if found else None


def file_of(process: gdb.Value) -> Path | None:
    """The program of a process; None: it is no file of this build, or it is only being loaded."""
    return file_at(process, PROGRAM) or file_at(process, LX) or file_at(process, LOADER)


def functions(path: Path) -> list[tuple[int, str]]:
    if path not in functions_of:
        functions_of[path] = read_functions(str(path))
        code_end_of[path] = code_end(path)
    return functions_of[path]


def place(path: Path | None, address: int) -> str:
    """The function of an address, as `read_block+0x1c`; outside of the program's code the address."""
    known = functions(path) if path else []
    at = bisect.bisect_right(known, (address, "\x7f")) - 1
    if at < 0 or address >= code_end_of[path]:
        return f"0x{address:x}"
    return f"{known[at][1]}+0x{address - known[at][0]:x}"


# ---- the symbols of what runs ----

def show(path: Path | None) -> bool:
    """Has gdb know this program's symbols beside the kernel's, and no other one's; whether that is new."""
    global loaded
    if path == loaded:
        return False
    if loaded:
        gdb.execute(f"remove-symbol-file {loaded}", to_string=True)
    loaded = None
    if path:
        gdb.execute(f"add-symbol-file {path}", to_string=True)
        loaded = path
    return True


def in_user_mode() -> bool:
    return int(gdb.parse_and_eval("$cs")) & 3 == 3


def follow(_event=None) -> None:
    """The machine has stopped: the symbols are those of the process that runs there."""
    try:
        thread = kernel.current_thread()
        if thread is not None and show(file_of(thread["process"].dereference())) and in_user_mode():
            gdb.write(gdb.execute("frame", to_string=True))  # gdb has just shown it without the symbols
    except (gdb.error, gdb.GdbError):
        pass  # the kernel has no processes yet, or is not mapped here


# ---- breakpoints in one process ----

def file_of_service(name: str) -> Path:
    """The program that the manifest starts by this name."""
    services = tomllib.loads((ROOT / "system/manifest.toml").read_text())["service"]
    service = services.get(name) or services.get(name.rsplit(".", 1)[0])
    program = service["file"] if service else name
    for path in files():
        if path.stem == program:
            return path
    raise gdb.GdbError(f"there is no service and no program \"{name}\" in {BUILD}")


class ProcessBreakpoint(gdb.Breakpoint):
    """Stops where one process comes to an address, and lets others pass that have other code there."""

    def __init__(self, process: str, function: str) -> None:
        path = file_of_service(process)
        address = next((at for at, name in functions(path) if name.split(".")[0] == function), None)
        if address is None:
            raise gdb.GdbError(f"{path.name} has no function \"{function}\"")
        self.process, self.function = process, function
        super().__init__(f"*0x{address:x}")

    def stop(self) -> bool:
        name = kernel.current_name()
        # An instance has a number behind a dot, a program that was launched behind a #.
        return self.process in (name, name.split(".")[0], name.split("#")[0])


# ---- backtraces of threads that do not run ----

def backtrace(thread: gdb.Value) -> list[tuple[int, str]]:
    """Where a thread is in its program, and the return addresses on its stack: some may be of calls that have returned."""
    process, frame = thread["process"].dereference(), thread["frame"]
    path = file_of(process)
    found = [(int(frame["rip"]), place(path, int(frame["rip"])))]
    stack = kernel.read_user(process, int(frame["rsp"]), STACK_BYTES)
    for at in range(0, len(stack) - 7, 8):
        word = int.from_bytes(stack[at:at + 8], "little")
        if len(found) == PLACES_MAX:
            break
        if PROGRAM < word < kernel.HHDM and "+" in place(path, word):
            if follows_call(kernel.read_user(process, word - CALL_BYTES_MAX, CALL_BYTES_MAX)):
                found.append((word - 1, place(path, word - 1)))
    return found
