# SPDX-License-Identifier: MIT
"""stacks.py - where each core of a running machine is, by QEMU's monitor, with names of functions.

The machine need not be able to do anything: registers and stacks are read from outside. There are no frame
pointers; as in the kernel's own panic report, a word of the stack that points behind a CALL instruction is
taken for a return address, so calls that have returned can be among them.
"""

from __future__ import annotations

import bisect
import re
from pathlib import Path
from typing import TYPE_CHECKING

from buildid import PF_X, PT_LOAD, segments
from mksymbols import read_functions
from testlib import GuestError
from x86_code import CALL_BYTES_MAX, follows_call

if TYPE_CHECKING:
    from qemu import Guest

KERNEL_BEGIN = 0xFFFFFFFF80000000
STACK_WORDS = 200
CALLS_MAX = 24


class Program:
    """Names and code of an ELF file."""

    def __init__(self, path: Path) -> None:
        found = read_functions(str(path))
        self.addresses = [address for address, _name in found]
        self.names = [name for _address, name in found]
        data = path.read_bytes()
        # Address and content of what is executed.
        self.loaded = [(address, data[at:at + size]) for kind, flags, at, address, size, _in_memory in segments(data)
                       if kind == PT_LOAD and flags & PF_X]

    def holds(self, address: int) -> bool:
        return any(begin <= address < begin + len(data) for begin, data in self.loaded)

    def place(self, address: int) -> str:
        at = bisect.bisect_right(self.addresses, address) - 1
        if at < 0 or not self.holds(address):
            return f"0x{address:x}"
        return f"{self.names[at]}+0x{address - self.addresses[at]:x}"

    def follows_call(self, address: int) -> bool:
        return any(follows_call(data[max(0, address - begin - CALL_BYTES_MAX):address - begin])
                   for begin, data in self.loaded if begin < address)


def _stack(guest: Guest, core: int, pointer: int) -> list[int]:
    try:
        text = guest.monitor(f"x /{STACK_WORDS}gx 0x{pointer:x}", core)
    except GuestError:
        return []
    return [int(word, 16) for word in re.findall(r" 0x([0-9a-f]{16})", text)]


def _core(guest: Guest, core: int, kernel: Program, user: Program | None) -> list[str]:
    registers = guest.monitor("info registers", core)
    value = {name: int(number, 16) for name, number in re.findall(r"\b([RE][A-Z0-9 ]{2}|CR3)=([0-9a-f]{8,16})", registers)}
    halted = "halted" if "HLT=1" in registers else "running"
    if "RIP" not in value:
        return [f"core {core} {halted}, not in 64-bit mode: {hex(value['EIP'])}"]
    rip, rsp = value["RIP"], value["RSP"]
    if rip < KERNEL_BEGIN:
        return [f"core {core} {halted}, in user space: {user.place(rip) if user else hex(rip)}"]
    lines = [f"core {core} {halted}, in the kernel, "
             + " ".join(f"{name.strip().lower()}={value[name]:x}" for name in ("RAX", "RBX", "RDI", "RSI", "RBP")),
             f"  #0 {kernel.place(rip)}"]
    calls = [word - 1 for word in _stack(guest, core, rsp) if kernel.follows_call(word)]
    return lines + [f"  #{i} {kernel.place(call)}" for i, call in enumerate(calls[:CALLS_MAX], 1)]


def in_a_line(report: str) -> str:
    """Of a report, how many cores are halted, and of each other one the innermost call."""
    parts = re.split(r"^core ", report, flags=re.M)[1:]
    running = ["core " + re.sub(r", in the kernel,.*\n\s+#0", ":", part.partition("\n  #1")[0]).strip()
               for part in parts if " halted" not in part]
    return "; ".join([f"{len(parts) - len(running)} of {len(parts)} cores halted", *running])


def of_all_cores(guest: Guest, cores: int, kernel_path: Path, user_path: Path | None = None) -> str:
    """The report, one line for each call of each core. The machine is stopped meanwhile."""
    kernel = Program(kernel_path)
    user = Program(user_path) if user_path else None
    guest.qmp("stop")
    try:
        lines = [line for core in range(cores) for line in _core(guest, core, kernel, user)]
    finally:
        guest.qmp("cont")
    return "\n".join(lines)
