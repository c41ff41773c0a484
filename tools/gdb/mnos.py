# SPDX-License-Identifier: MIT
"""mnos.py - what gdb knows of this system: its processes, capabilities, endpoints and page tables. docs/debugging.md.

    gdb -x tools/gdb/mnos.py      as `make gdb` does, beside a `make debug`

Connects to the machine that waits, and goes to the first line of the kernel. Each command has a `help`.
"""

import os
import sys
from pathlib import Path

import gdb

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import kernel  # noqa: E402
import programs  # noqa: E402
from hardware import GDB_SOCKET  # noqa: E402



def say(text: str) -> None:
    gdb.write(text + "\n")


class Command(gdb.Command):
    """A command of this system; the first line of its documentation is its use."""

    names: list["Command"] = []
    least, most = 0, 0  # words that it takes

    def __init__(self, name: str) -> None:
        super().__init__(name, gdb.COMMAND_DATA)
        self.name = name
        Command.names.append(self)

    def invoke(self, argument: str, _from_tty: bool) -> None:
        words = gdb.string_to_argv(argument)
        if not self.least <= len(words) <= self.most:
            raise gdb.GdbError(f"use: {(self.__doc__ or '').splitlines()[0]}")
        self.run(*words)

    def run(self, *words: str) -> None:
        raise NotImplementedError


class Processes(Command):
    """mnos-ps: the processes, with what they hold and what they use."""

    def run(self) -> None:
        say(f"{'PROCESS':>7} {'NAME':<16} {'STATE':<9} {'PARENT':>6} {'THREADS':>7} {'CAPS':>5} {'KIB':>7}  PROGRAM")
        for process in kernel.processes():
            path = programs.file_of(process)
            parent = process["parent"]
            say(f"{int(process['obj']['id']):>7} {kernel.text(process['name']):<16} "
                f"{kernel.PROCESS_STATES[int(process['state'])]:<9} "
                f"{int(parent.dereference()['obj']['id']) if int(parent) else '-':>6} {int(process['thread_count']):>7} "
                f"{int(process['captable']['used']):>5} {kernel.frames_used(process) * 4:>7}  "
                f"{path.name if path else '-'}")


class Threads(Command):
    """mnos-threads [PROCESS]: the threads, what they wait for, and where in their program they are."""

    most = 1

    def run(self, word: str = "") -> None:
        wanted = int(kernel.process_named(word).address) if word else 0
        say(f"{'THREAD':>6} {'NAME':<10} {'PROCESS':<16} {'STATE':<9} {'CORE':>4} {'PRIO':>4}  {'AT':<28} WAITS FOR")
        for thread in kernel.threads():
            process = thread["process"].dereference()
            if wanted and int(process.address) != wanted:
                continue
            at = programs.place(programs.file_of(process), int(thread["frame"]["rip"]))
            say(f"{int(thread['obj']['id']):>6} {kernel.text(thread['name']):<10} {kernel.text(process['name']):<16} "
                f"{kernel.thread_state(thread):<9} {int(thread['core']):>4} {int(thread['effective']):>4}  {at:<28} "
                f"{kernel.waits_for(thread)}".rstrip())


class Capabilities(Command):
    """mnos-caps PROCESS: the capabilities of a process, and what they are to."""

    least = most = 1

    def run(self, word: str) -> None:
        process = kernel.process_named(word)
        say(f"{'HANDLE':>12} {'TYPE':<10} {'RIGHTS':<6} {'OBJECT':>7} {'PAID BY':<16} RANGE OR BADGE")
        for slot in kernel.capabilities(process):
            kind, kobject = kernel.TYPES[int(slot["type"])], slot["object"].dereference()
            rights = "".join(letter if int(slot["rights"]) >> bit & 1 else "-"
                             for bit, letter in enumerate(kernel.RIGHTS))
            payer = kernel.text(kobject["payer"].dereference()["name"]) if int(kobject["payer"]) else "kernel"
            say(f"{int(slot['key']):>#12x} {kind:<10} {rights:<6} {int(kobject['id']):>7} {payer:<16} "
                f"{self.detail(kind, slot)}".rstrip())

    @staticmethod
    def detail(kind: str, slot: gdb.Value) -> str:
        if kind in ("memory", "interrupt"):
            return f"{int(slot['first'])}, {int(slot['count'])} of them"
        if kind == "endpoint" and int(slot["badge"]):
            return f"badge 0x{int(slot['badge']):x}"
        return ""


class Endpoints(Command):
    """mnos-endpoints [PROCESS]: the endpoints that processes pay for, and who waits there."""

    most = 1

    def run(self, word: str = "") -> None:
        waiting: dict[int, list[str]] = {}
        for thread in kernel.threads():
            if int(thread["state"]) in (2, 3):
                waiting.setdefault(int(thread["waits_on"]), []).append(
                    f"{kernel.text(thread['process'].dereference()['name'])}/{int(thread['obj']['id'])}")
        say(f"{'ENDPOINT':>8} {'PAID BY':<16} {'STATE':<16} {'EVENTS':>18}  THREADS")
        for process in [kernel.process_named(word)] if word else kernel.processes():
            for endpoint in kernel.objects(process, kernel.TYPES.index("endpoint"), "struct endpoint"):
                say(f"{int(endpoint['obj']['id']):>8} {kernel.text(process['name']):<16} "
                    f"{kernel.ENDPOINT_STATES[int(endpoint['state'])]:<16} {int(endpoint['events']):>#18x}  "
                    f"{', '.join(waiting.get(int(endpoint.address), []))}".rstrip())


class Pages(Command):
    """mnos-pages PROCESS [ADDRESS]: what its page tables map, neighbours together; or where one address leads."""

    least, most = 1, 2

    def run(self, word: str, address: str = "") -> None:
        process = kernel.process_named(word)
        if address:
            at = int(gdb.parse_and_eval(address))
            physical = kernel.translate(process, at)
            say(f"0x{at:x}: " + ("not mapped" if physical is None else f"physical 0x{physical:x}"))
            return
        say(f"{'FROM':>14} {'TO':>14} RIGHTS {'PAGES':>6} PHYSICAL")
        run: list[int] = []
        for begin, size, physical, rights in kernel.pages(int(process["aspace"]["arch"]["root"])):
            if run and [begin, physical, rights] == [run[1], run[2] + run[1] - run[0], run[3]]:
                run[1] += size
                continue
            self.tell(run)
            run = [begin, begin + size, physical, rights]
        self.tell(run)

    @staticmethod
    def tell(run: list[int]) -> None:
        if run:
            begin, end, physical, rights = run
            letters = ("r" + ("w" if rights & kernel.WRITE else "-") + ("-" if rights & kernel.NO_EXECUTE else "x"))
            say(f"{begin:>#14x} {end:>#14x} {letters:<6} {(end - begin) // kernel.PAGE:>6} 0x{physical:x}")


class Log(Command):
    """mnos-log [LINES]: the last lines of the kernel's log, 20 unless told."""

    most = 1

    def run(self, count: str = "20") -> None:
        if not count.isdigit() or count == "0":
            raise gdb.GdbError(f"mnos-log: {count} is no number of lines")
        for line in kernel.log().splitlines()[-int(count):]:
            say(line)


class Backtrace(Command):
    """mnos-bt THREAD: where a thread is that does not run now, by its number or its process's name.

Callers are the return addresses on its stack; some may be of calls that have returned. For what runs, `backtrace`."""

    least = most = 1

    def run(self, word: str) -> None:
        thread = kernel.thread_numbered(word)
        for number, (address, name) in enumerate(programs.backtrace(thread)):
            say(f"#{number:<2} 0x{address:x} {name}")


class Break(Command):
    """mnos-break SERVICE FUNCTION: stops when this service, and no other process, comes to the function.

It need not run yet. The breakpoint is one of gdb's: `info breakpoints`, `delete`, `condition`."""

    least = most = 2

    def run(self, service: str, function: str) -> None:
        programs.ProcessBreakpoint(service, function)


class Program(Command):
    """mnos-program PROCESS: uses the symbols of this process's program, until the machine runs again."""

    least = most = 1

    def run(self, word: str) -> None:
        path = programs.file_of(kernel.process_named(word))
        if path is None:
            raise gdb.GdbError(f"{word}: its program is not of this build")
        programs.show(path)
        say(f"symbols of {os.path.relpath(path, programs.ROOT)}")


class Help(Command):
    """mnos-help: these commands."""

    def run(self) -> None:
        for command in Command.names:
            say((command.__doc__ or "").splitlines()[0])


def connect() -> None:
    for setting in ("confirm off", "pagination off", "print pretty on", "breakpoint pending off",
                    f"substitute-path ./ {programs.ROOT}/"):
        gdb.execute(f"set {setting}")
    gdb.execute(f"directory {programs.ROOT}")
    gdb.execute(f"file {programs.BUILD / 'kernel.elf'}")
    try:
        gdb.execute(f"target remote {os.path.relpath(GDB_SOCKET)}", to_string=True)
    except gdb.error as problem:
        say(f"gdb: no machine waits, make debug starts one ({str(problem).rstrip('.')})")
        gdb.execute("quit 1")
    gdb.execute("tbreak kmain", to_string=True)
    gdb.execute("continue", to_string=True)
    say("The kernel begins. mnos-help lists the commands of this system, continue boots it.")


for word, kind in (("ps", Processes), ("threads", Threads), ("caps", Capabilities), ("endpoints", Endpoints),
                   ("pages", Pages), ("log", Log), ("bt", Backtrace), ("break", Break), ("program", Program),
                   ("help", Help)):
    kind(f"mnos-{word}")
gdb.events.stop.connect(programs.follow)
connect()
