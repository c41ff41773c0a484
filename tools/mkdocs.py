#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""mkdocs.py - makes the pages of docs/ that are tables of the source in another form.

    mkdocs.py           writes docs/syscalls.md, docs/locking.md, docs/observability.md,
                        docs/figures.md and docs/protocols/
    mkdocs.py --check   writes nothing; fails when one of them is not what it would write

syscalls.md comes from abi/*.def and the texts in abi/syscalls.toml, locking.md from
kernel/base/lock_order.def and the text around it here, observability.md likewise from abi/trace.def, figures.md from what
bench/run.py recorded (mkfigures.py), docs/protocols from protocols/*.def (mkprotocols.py). A text that names a call, an argument, a
right or a status that does not exist, or leaves one out, is an error.
"""

from __future__ import annotations

import re
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path

import mkfigures
import mklinux
import mkprotocols

ROOT = Path(__file__).resolve().parent.parent
KEYS = {"text", "arguments", "rights", "errors", "blocks"}
REGISTERS = {"RDI", "RSI", "RDX R10 R8 R9", "R12", "R13"}
WRAP = {"break_long_words": False, "break_on_hyphens": False}
TYPES = {"mnos_cap_t": "handle", "uint64_t": "number", "int64_t": "number"}


class Problem(Exception):
    pass


# ---- tables ----

@dataclass(frozen=True)
class Call:
    number: int
    name: str
    arguments: list[tuple[str, str]]  # type and name
    is_ipc: bool
    has_value: bool


def entries(path: str, macro: str) -> list[tuple[str, list[str]]]:
    """Macro name and arguments of each line of a .def file whose macro matches."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / path).read_text(), flags=re.S)
    found = []
    for match in re.finditer(rf"^({macro})\(((?:[^()\"]|\"[^\"]*\")*)\)", text, re.M):
        fields = re.findall(r'(?:"[^"]*"\s*)+|[^,\s][^,]*', match[2])
        found.append((match[1], [unquote(field) for field in fields]))
    if not found:
        raise Problem(f"{path}: no line begins with {macro}")
    return found


def unquote(field: str) -> str:
    """The text of string literals, put together as C does; anything else as it is."""
    return "".join(re.findall(r'"([^"]*)"', field)) if '"' in field else field.strip()


def read_calls() -> list[Call]:
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "abi/syscalls.def").read_text(), flags=re.S)
    calls = []
    for line in re.finditer(r"^SYSCALL\((\w+), (\w+), (\w+), (\w+)((?:,\s*\(\w+, \w+\))*)\)", text, re.M):
        number, name, result, way, arguments = line.groups()
        pairs = re.findall(r"\((\w+), (\w+)\)", arguments)
        calls.append(Call(int(number, 16), name, pairs, way == "MESSAGE", result == "VALUE"))
    if len(calls) != text.count("SYSCALL("):
        raise Problem("abi/syscalls.def: a line is not understood")
    return calls


def read_statuses() -> dict[str, tuple[int, str]]:
    return {f[1]: (int(f[0]), f[2]) for _, f in entries("abi/status.def", "STATUS")}


def read_rights() -> list[list[str]]:
    return [fields for _, fields in entries("abi/rights.def", "RIGHT")]


def read_texts() -> dict:
    return tomllib.loads((ROOT / "abi/syscalls.toml").read_text())


def arguments_at_fault(where: str, said: str) -> set[int]:
    """The numbers in the text of an error: clauses are divided by "; ", and each begins with the
    arguments it is about, as in "1, 2" or "3: why", or is about none in particular, 0."""
    found = set()
    for clause in said.split("; "):
        numbers = re.match(r"(\d(?:, \d)*)(?=: |$)", clause)
        if numbers is None and clause[:1].isdigit():
            raise Problem(f"{where}: \"{clause}\" is neither \"1, 2\" nor \"1, 2: why\"")
        found |= {int(n) for n in numbers[1].split(", ")} if numbers else {0}
    return found


# ---- checking the texts ----

def same_names(where: str, has: set[str], wanted: set[str]) -> None:
    for name in sorted(wanted - has):
        raise Problem(f"{where}: nothing is said about {name}")
    for name in sorted(has - wanted):
        raise Problem(f"{where}: there is no {name}")


def check_texts(calls: list[Call], texts: dict, statuses: dict, rights: list[list[str]]) -> None:
    kernel_errors = {name for name, (code, _) in statuses.items() if 0 < code < 64}
    right_names = {fields[1] for fields in rights}
    same_names("abi/syscalls.toml", set(texts), {call.name for call in calls})
    for call in calls:
        text, where = texts[call.name], f"abi/syscalls.toml, {call.name}"
        same_names(where, set(text), KEYS | ({"value"} if call.has_value else set()))
        names = {name for _, name in call.arguments}
        if call.is_ipc:
            names = set(text["arguments"])
            if not names <= REGISTERS:
                raise Problem(f"{where}: no such registers: {sorted(names - REGISTERS)}")
        same_names(f"{where}, arguments", set(text["arguments"]), names)
        for argument, right in text["rights"].items():
            if argument not in names:
                raise Problem(f"{where}, rights: there is no argument {argument}")
            if not right_names & set(re.findall(r"\b[A-Z]+\b", right)):
                raise Problem(f"{where}, rights: {argument} names none of {sorted(right_names)}")
        for name, said in text["errors"].items():
            if name not in kernel_errors:
                raise Problem(f"{where}, errors: {name} is no status of the kernel")
            arguments_at_fault(f"{where}, errors, {name}", said)
    said = {name for text in texts.values() for name in text["errors"]}
    unsaid = kernel_errors - said - {"ERR_SYSCALL"}
    if unsaid:
        raise Problem(f"abi/syscalls.toml: no call returns {sorted(unsaid)}")


# ---- docs/syscalls.md ----

SYSCALLS_HEAD = """\
# System calls

<!-- Made by tools/mkdocs.py from abi/*.def and abi/syscalls.toml. Change those. -->

{count} calls, from number `0x{base:X}`. A number in the 65,536 from there on that is no call
returns `ERR_SYSCALL`; any other number is a fault of the thread: [faults.md](faults.md).

Arguments travel in RDI, RSI, RDX, R10, R8, R9 and the result in RAX: the status in the low 32 bits.
RCX, R11 and the argument registers are lost, all other general registers are kept. A value comes
back in RDX. The four
message calls move a message in registers and have a convention of their own (`abi/message.h`,
`docs/ipc.md`).

When the status is an error, the high half of RAX tells more: bits 32 to 39 the number of the
argument at fault (1 is the first; 0 none in particular), bits 40 to 47 the rights that are missing
(`ERR_RIGHTS`) or the type that was found (`ERR_TYPE`). In the tables below the numbers in front of
a colon are those arguments. An error that has to do with no argument may carry the number of the
last capability that was looked up.

No call reads or writes memory through an address that a program gives. Records and long messages
are in the thread's IPC buffer (`docs/decisions/arguments-in-ipc-buffer.md`). A call that runs long
is interrupted between two steps when something of the same or a higher priority is ready, and then
goes on by itself; a program does not notice.

`MNOS_SELF` (0), where a call says so, means the caller's own process or thread and needs no right.
A deadline is nanoseconds since boot; 0 polls and `MNOS_DEADLINE_NEVER` waits for ever.

"""

TYPE_COLUMNS = ["memory", "endpoint", "interrupt", "process", "thread"]


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines) + "\n"


def anchor(call: Call) -> str:
    return f"[`sys_{call.name}`](#sys_{call.name})"


def first_sentence(text: str) -> str:
    return re.split(r"(?<=[.:]) ", " ".join(text.split()), maxsplit=1)[0].rstrip(":")


def call_section(call: Call, text: dict) -> str:
    out = f"## sys_{call.name}\n\n"
    out += textwrap.fill(f"`0x{call.number:X}`. {text['text']}", 100, **WRAP) + "\n\n"
    rights = text["rights"]
    kinds = dict((name, TYPES[kind]) for kind, name in call.arguments)
    rows = [[f"`{name}`", kinds.get(name, "register"), what, rights.get(name, "-")]
            for name, what in text["arguments"].items()]
    if not call.is_ipc:  # in the order of the registers
        order = [name for _, name in call.arguments]
        rows.sort(key=lambda row: order.index(row[0].strip("`")))
        for number, row in enumerate(rows, 1):
            row[0] = f"{number} {row[0]}"
    if rows:
        out += table(["argument", "", "what", "rights needed"], rows)
    if call.has_value:
        out += f"Value: {text['value']}.\n\n"
    out += f"Blocks: {text['blocks']}.\n\n"
    if text["errors"]:
        out += table(["error", "when"], [[f"`{n}`", when] for n, when in text["errors"].items()])
    else:
        out += "It cannot fail.\n\n"
    return out


def syscalls_page() -> str:
    calls, statuses, rights = read_calls(), read_statuses(), read_rights()
    texts = read_texts()
    check_texts(calls, texts, statuses, rights)
    page = SYSCALLS_HEAD.format(count=len(calls), base=calls[0].number)
    page += table(["number", "call", "what it does"],
                  [[f"`0x{c.number:X}`", anchor(c), first_sentence(texts[c.name]["text"])]
                   for c in calls])
    page += "# Rights\n\nWhat each right means for each type. `-`: it can be held, and opens nothing.\n\n"
    page += table(["right", *TYPE_COLUMNS],
                  [[f"{f[1].capitalize()} (`{f[2].strip(chr(39))}`, {1 << int(f[0])})", *f[3:]]
                   for f in rights])
    page += "# The calls\n\n" + "".join(call_section(call, texts[call.name]) for call in calls)
    page += ("# Statuses\n\nFrom 64 on they belong to protocols between programs; the kernel returns "
             "none of those.\n\n")
    page += table(["code", "name", "meaning"],
                  [[str(code), f"`{name}`", text] for name, (code, text) in statuses.items()])
    return page.rstrip() + "\n"


# ---- docs/locking.md ----

LOCKING_HEAD = """\
# Locking

<!-- Made by tools/mkdocs.py from kernel/base/lock_order.def. Change that, or the text in mkdocs.py. -->

There is one kind of lock, a fair ticket spinlock (`kernel/base/spinlock.h`), and one global order.
There is no big kernel lock. Kernel code runs with interrupts off, so a lock never has to switch
them off, and an interrupt is never taken while one is held (`docs/interrupts.md`).

## The order

Locks are taken downwards only.

"""

LOCKING_TAIL = """\
Two locks of one rank are taken in the order of their addresses; two processes, a parent before its
child.

Who ends a process or a thread holds no lock for it: one core owns the end, and does it as work, in steps
(`docs/ending.md`).

## Rules

- **No lock is held while waiting for other cores.** `arch_ipi_round()` asserts it in debug builds,
  and so does the way out of the kernel. A core that waits serves requests to itself, so two that
  ask each other go on.
- **A lookup takes no lock.** `cap_lookup()` reads a slot between two reads of its key and needs
  nothing else (`docs/lifetime.md`). Whoever then needs the capability to be *still* there asks
  `cap_alive()` under a lock that its removal also takes: the derivation lock to make children, the
  endpoint's to queue, `mappings_lock` to map.
- **What belongs to one core needs no lock**: `struct core` except its run queue, its timer queue, its work and
  its list of objects to be freed; the magazines of frames and slabs.
- **What never changes after creation is listed apart** in its structure, and read by anyone.
- **The state of a thread** is guarded by a different lock in each state; `kernel/tcb.h`, T1 to
  T5 and T8, has the list. A thread that is `THREAD_PAIRED` belongs to the core that took it off its queue,
  and to nobody else.

## How it is checked

The debug kernel records the ranks that each core holds (`kernel/debug/on/lockdep.c`) and panics at
the first acquisition out of order, with both places. It also panics when more than eight are held.
The kernel that ships does not check and pays nothing.

## Costs

A ticket lock is fair and simple and moves one cache line per waiter at every release; with up to 32
cores and sections of tens of instructions that is bearable. The longest sections: a search for frames
looks at up to 32 words of the bitmap under `LOCK_FRAME`; a step of a mapping holds `LOCK_ASPACE` while it
enters up to 128 pages; until user space runs, or with `console=kernel`, a log line goes out on the serial
line under `LOCK_LOG`.
"""


def locking_page() -> str:
    rows = [[str(i), f"`{f[0]}`", f[1]]
            for i, (_, f) in enumerate(entries("kernel/base/lock_order.def", "LOCK_RANK"), 1)]
    return LOCKING_HEAD + table(["", "rank", "guards"], rows) + LOCKING_TAIL


# ---- docs/observability.md ----

OBSERVABILITY_HEAD = """\
# Observability

<!-- Made by tools/mkdocs.py from abi/trace.def. Change that, or the text in mkdocs.py. -->

What a program can learn about the rest of the system, and by which capability. All of it is read
without the help, and at no cost to, those observed.

| what | how | by | format |
| --- | --- | --- | --- |
| one capability, process or thread | `sys_cap_inspect` | a handle; Read for processes and threads | `abi/inspect.h` |
| the last 8 calls of a process that were refused | `sys_cap_inspect` | Read on it, or being it | `abi/inspect.h` |
| counters of cores, memory and interrupt lines | memory that is mapped | `statistics` | `abi/statistics.h` |
| what each core has done last | memory that is mapped | `trace` | `abi/trace.h` |
| what the kernel and services had to say | memory that is mapped | `log` | `abi/log.h` |

The last three are Memory capabilities of init's bootstrap table. They map read-only whatever their
rights; a manifest gives them to a service with `memory` and `log` ([manifest.md](manifest.md)). The
monitor shows all of them: `ps`, `caps`, `denials`, `mem`, `irq`, `cpu`, `trace`, `log`.

## What was refused

A call that fails for want of a capability, of a right, of quota, or above the priority ceiling is noted in the process:
what RAX said, which handle it was about, what object that named, and when (`kernel/object/denial.c`). Only the end of a call
that fails does so; the notes are a part of the process object, and gone with it. `error_explain()` of libmnos asks for
them to say more than the status does: the handle with its name, or of a spent quota what is used now and where its limit is set.
Why a right is missing is not for the process to know. The monitor's `denials` follows the capability up through the tables
from which it was derived, which only who may read those processes can do, and tells who has the right.

## Statistics

Each counter only grows and is written by one core. A reader takes two looks and subtracts. The idle
time of a core that idles at this moment is `idle_ns` and what has passed since `idle_since`.

## The event trace

Each core has a ring of 512 records of 32 bytes, made at boot and charged to the kernel. A record says
when (time stamp counter; the information page converts it), on which core, during which thread, what,
and two words more.

**It costs nothing while nobody watches.** The trace is on exactly while a page of it is mapped
somewhere. The memory object knows that it is the trace; making and undoing its mappings, under the
lock that guards them, counts and sets a byte in each core. That byte is beside the one that sends a
system call's way out, and messages, the long way, and one comparison sees both. So the fast paths
have no instruction for the trace, and while it is on, messages take the general path, which records
them. Elsewhere recording is one test of that byte.

A core writes only its own ring, with interrupts off, so no lock is needed and records are in order.
The count is stored after the record, with release order. A reader copies, looks at the count again,
and drops what has been overwritten meanwhile (`programs/monitor/trace.c`); it can slow down nobody.
Time stamps order the events of different cores as far as their counters agree
([time.md](time.md)).

Who holds the trace sees when everybody does what: a program that must not leak secrets through the
time and order of its system calls should run where nobody holds it.

| event | words | recorded when |
| --- | --- | --- |
"""

OBSERVABILITY_TAIL = """
Threads, processes and endpoints appear by the `object_id` that `sys_cap_inspect` tells.

## The log

The kernel writes lines of text into a ring; a reader follows the count of bytes ever written
([log-and-panic.md](log-and-panic.md)).
"""


def observability_page() -> str:
    rows = [f"| {f[0]} `{f[1]}` | {', '.join(word for word in f[2:4] if word != '-') or '-'} | {f[4]} |"
            for _, f in entries("abi/trace.def", "TRACE_EVENT")]
    return OBSERVABILITY_HEAD + "\n".join(rows) + "\n" + OBSERVABILITY_TAIL


# ---- all pages ----

PAGES = {"docs/syscalls.md": syscalls_page, "docs/locking.md": locking_page,
         "docs/observability.md": observability_page, "docs/figures.md": lambda: mkfigures.page(ROOT, table),
         "docs/linux-calls.md": lambda: mklinux.page(entries, table, unquote, Problem)}


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = []
    try:
        made = {name: make() for name, make in PAGES.items()} | \
            mkprotocols.pages(ROOT, entries, table, Problem)
        stale = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs/protocols").glob("*.md"))
                 if str(path.relative_to(ROOT)) not in made]  # of a protocol that is not any more
        if arguments != ["--check"]:
            (ROOT / "docs/protocols").mkdir(exist_ok=True)
            for name in stale:
                (ROOT / name).unlink()
        for name, text in made.items():
            path = ROOT / name
            if arguments == ["--check"]:
                if not path.exists() or path.read_text() != text:
                    stale.append(name)
            else:
                path.write_text(text)
    except Problem as problem:
        print(f"mkdocs: {problem}", file=sys.stderr)
        return 1
    for name in stale:
        print(f"mkdocs: {name} is not what the tables make; run tools/mkdocs.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
