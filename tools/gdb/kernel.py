# SPDX-License-Identifier: MIT
"""kernel.py - reads the kernel's objects in a stopped machine, by the types that its debug information has.

Nothing here changes the machine. Memory of processes is read through their page tables and the kernel's map of RAM, so it does
not matter whose address space is loaded. With page-table isolation the kernel is not mapped while user code runs; then all of
this says so, and works again where the kernel runs.

The machine may be stopped anywhere, in the middle of a change, too: every walk ends after a bounded number of steps.
"""

import gdb

HHDM = 0xFFFF800000000000  # HHDM_BASE of kernel/arch/x86_64/arch_types.h
PAGE = 4096
STEPS_MAX = 100000
# Of a page-table entry: Intel SDM vol 3A, "Paging-Structure Entries".
PRESENT, WRITE, USER, LARGE, NO_EXECUTE = 1, 2, 4, 1 << 7, 1 << 63
FRAME = 0x000FFFFFFFFFF000
LEVELS = 4

THREAD_STATES = ("ready", "running", "sends", "receives", "calls", "parked", "suspended", "dead", "paired", "ending")
THREAD_CALLS = 4
SLOW_FAULTED = 4
STOP_SUSPENDED = 1 | 4
PROCESS_STATES = ("alive", "suspended", "dying", "dead")
TYPES = ("none", "memory", "endpoint", "interrupt", "process", "thread")
ENDPOINT_STATES = ("idle", "senders wait", "receivers wait")
RIGHTS = "rwxgv"


def value(expression: str) -> gdb.Value:
    try:
        found = gdb.parse_and_eval(expression)
        if not found.is_optimized_out:
            found.fetch_lazy()
        return found
    except gdb.MemoryError:
        raise gdb.GdbError("the kernel is not mapped here: stop where it runs (break syscall_general, continue)") from None
    except gdb.error as problem:
        raise gdb.GdbError(f"{expression}: {problem}; are these the kernel's symbols (make gdb)?") from None


def text(array: gdb.Value) -> str:
    return array.string("utf-8", "replace")


def field_offset(type_name: str, field: str) -> int:
    return next(f.bitpos // 8 for f in gdb.lookup_type(type_name).fields() if f.name == field)


def container(link: gdb.Value, type_name: str, field: str) -> gdb.Value:
    """The structure that a link lies in, as container_of() has it."""
    address = int(link) - field_offset(type_name, field)
    return gdb.Value(address).cast(gdb.lookup_type(type_name).pointer()).dereference()


def listed(head: gdb.Value, type_name: str, field: str):
    """The members of a struct list."""
    end, at = int(head.address), head["next"]
    for _ in range(STEPS_MAX):
        if int(at) in (0, end):
            return
        yield container(at, type_name, field)
        at = at["next"]


def read(address: int, size: int) -> bytes:
    try:
        return bytes(gdb.selected_inferior().read_memory(address, size))
    except gdb.MemoryError:
        raise gdb.GdbError(f"0x{address:x} cannot be read here: stop where the kernel runs") from None


def read_physical(address: int, size: int) -> bytes:
    return read(HHDM + address, size)


# ---- threads and processes ----

def threads() -> list[gdb.Value]:
    """All threads, by the kernel's table of them."""
    found = []
    kind = gdb.lookup_type("struct thread").pointer()
    per_page = PAGE // gdb.lookup_type("struct number").sizeof
    for number in range(1, min(int(value("number_next")), STEPS_MAX)):
        entry = value(f"number_pages[{number // per_page}][{number % per_page}]")
        # A free number has the next free one in the place of the thread: that is no address of the kernel's.
        address = int(entry["thread"])
        if address >= HHDM:
            found.append(gdb.Value(address).cast(kind).dereference())
    return found


def root() -> gdb.Value:
    """Init, the first process."""
    for thread in threads():
        process = thread["process"].dereference()
        while int(process["parent"]):
            process = process["parent"].dereference()
        return process
    raise gdb.GdbError("there is no process yet: the kernel has not come to phase 5 (tbreak kernel_start_init)")


def processes() -> list[gdb.Value]:
    """All processes that have not ended, parents before their children."""
    found, waiting = [], [root()]
    while waiting and len(found) < STEPS_MAX:
        process = waiting.pop(0)
        found.append(process)
        waiting += listed(process["children"], "struct process", "sibling_link")
    return found


def process_named(word: str) -> gdb.Value:
    """By name or number; a name without a number is that of the only instance."""
    everyone = processes()
    for process in everyone:
        if word in (text(process["name"]), str(int(process["obj"]["id"]))):
            return process
    instances = [p for p in everyone if text(p["name"]).split(".")[0] == word]
    if len(instances) == 1:
        return instances[0]
    raise gdb.GdbError(f"there is no process \"{word}\"; mnos-ps lists them")


def thread_numbered(word: str) -> gdb.Value:
    """By number, or a process's first thread by its name."""
    for thread in threads():
        if word == str(int(thread["obj"]["id"])):
            return thread
    if not word.isdigit():
        for thread in listed(process_named(word)["threads"], "struct thread", "process_link"):
            return thread
    raise gdb.GdbError(f"there is no thread \"{word}\"; mnos-threads lists them")


def thread_state(thread: gdb.Value) -> str:
    state = int(thread["state"])
    if int(thread["slow"]) & SLOW_FAULTED and state in (2, THREAD_CALLS):
        return "faulted"
    return THREAD_STATES[state] if state < len(THREAD_STATES) else f"state {state}"


def waits_for(thread: gdb.Value) -> str:
    state = int(thread["state"])
    if state in (2, 3) and int(thread["waits_on"]):
        return f"endpoint {int(thread['waits_on'].dereference()['obj']['id'])}"
    if state == THREAD_CALLS and int(thread["owed_by"]):
        server = thread["owed_by"].dereference()
        return f"thread {int(server['obj']['id'])} of {text(server['process'].dereference()['name'])}"
    return ""


def core() -> gdb.Value:
    """What belongs to the processor core that gdb has selected: its GS base, or the one that SWAPGS brings, leads there."""
    cores, size = int(value("&cores[0]")), gdb.lookup_type("struct core").sizeof
    for register in ("$k_gs_base", "$gs_base"):
        index, rest = divmod((int(value(register)) - cores) % (1 << 64), size)
        if rest == 0 and 0 <= index < int(value("core_count")):
            return value(f"cores[{index}]")
    raise gdb.GdbError("the kernel has not set up this core yet")


def current_thread() -> gdb.Value | None:
    """What runs on the selected core; None: it idles, or the kernel has not begun."""
    try:
        thread = core()["current"]
        return thread.dereference() if int(thread) else None
    except gdb.GdbError:
        return None


def current_name() -> str:
    """The name of the process that runs on the selected core; "" when it idles."""
    thread = current_thread()
    return "" if thread is None else text(thread["process"].dereference()["name"])


def frames_used(process: gdb.Value) -> int:
    account = process["quota"]["frames"]
    return int(account["limit"]) - int(account["left"])


def capabilities(process: gdb.Value):
    """The used slots of its table."""
    table = process["captable"]
    for page in range(min(int(table["page_count"]), STEPS_MAX)):
        slots = table["root"][page]
        for index in range(64):
            slot = slots[index]
            if int(slot["type"]) and int(slot["object"]):
                yield slot


def objects(process: gdb.Value, type_number: int, type_name: str):
    """What it pays for, of one type."""
    kind = gdb.lookup_type(type_name).pointer()
    for kobject in listed(process["objects"], "struct kobject", "payer_link"):
        if int(kobject["type"]) == type_number:
            yield gdb.Value(int(kobject.address)).cast(kind).dereference()


# ---- address spaces ----

def entries(table: int) -> list[int]:
    data = read_physical(table, PAGE)
    return [int.from_bytes(data[at:at + 8], "little") for at in range(0, PAGE, 8)]


def pages(table: int, level: int = LEVELS, base: int = 0, rights: int = WRITE | USER):
    """Address, size, physical address and rights of each page of the user half, in order."""
    size = PAGE << 9 * (level - 1)
    for index, entry in enumerate(entries(table)[:256] if level == LEVELS else entries(table)):
        if not entry & PRESENT:
            continue
        address = base + index * size
        allowed = rights & entry | (rights | entry) & NO_EXECUTE
        if level > 1 and not entry & LARGE:
            yield from pages(entry & FRAME, level - 1, address, allowed)
        else:
            yield address, size, entry & FRAME & -size, allowed


def translate(process: gdb.Value, address: int) -> int | None:
    """The physical address behind an address of the process."""
    table = int(process["aspace"]["arch"]["root"])
    for level in range(LEVELS, 0, -1):
        shift = 12 + 9 * (level - 1)
        entry = int.from_bytes(read_physical(table + (address >> shift) % 512 * 8, 8), "little")
        if not entry & PRESENT:
            return None
        if level == 1 or entry & LARGE:
            return (entry & FRAME & -(1 << shift)) + address % (1 << shift)
        table = entry & FRAME
    return None


def read_user(process: gdb.Value, address: int, size: int) -> bytes:
    """What the process has there, up to the first page that is not mapped."""
    data = b""
    while len(data) < size:
        at = address + len(data)
        physical = translate(process, at)
        if physical is None:
            break
        data += read_physical(physical, min(size - len(data), PAGE - at % PAGE))
    return data


# ---- the log ----

def log() -> str:
    """What the ring still has, from the first whole line on."""
    ring = value("ring.log")
    written, capacity = int(ring["written"]), int(ring["capacity"])
    if written == 0:
        return ""
    data = read(int(ring["data"].address), capacity)
    begin = max(0, written - capacity)
    kept = b"".join(data[at % capacity:at % capacity + 1] for at in range(begin, written))
    if begin:
        kept = kept[kept.index(b"\n") + 1:]
    return kept.decode("utf-8", "replace")
