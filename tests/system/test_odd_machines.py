# SPDX-License-Identifier: MIT
"""test_odd_machines.py - machines that firmware, emulators and other projects' bug reports know.

Each row boots to the prompt with its number of processors, or is refused in one line, and says what its
oddity means; what it must not say is in a column of its own. Where the firmware has no part in the
oddity the boot is direct, which takes a second.
"""

import struct
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from qemu import BUILD, LOADER, PROMPT, Guest, Machine
from testlib import Suite, check
from tests.system.memory_map import BIOS, GIB, LOW, RAM, Told, holes, loader_told, pieces
from tests.system.test_boot_matrix import PHASES, expect_boot

suite = Suite("odd machines")


@dataclass(frozen=True)
class Row:
    name: str
    cpus: int = 1            # that `cpu` lists at the prompt; 0: there is no line for a prompt
    options: str = ""        # QEMU's
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ("PANIC", "minimalos loader:")
    machine: Machine = field(default_factory=lambda: Machine(framebuffer=False))
    told: Told | None = None
    unanswered: tuple[int, ...] = ()  # requests that the loader does not know


# The first words of requests that other loaders leave unanswered.
MP, RSDP, FRAMEBUFFER, LOADER_INFO, TIME = (0x95A67B819A1B857E, 0xC5E77B6B397E7B43, 0x9D5827DCD881DD75,
                                            0xF55038D8E2A1202F, 0x502746E184C088AA)
NO_TABLES = "firmware: its ACPI tables list no processor, and there is no MP table"
NO_LINES = "no interrupt lines"
SILENT = ("PANIC", "minimalos loader:", "ignored", "not used")

BOOTS = (
    # No ACPI: the MP table, or a line that names what is missing.
    Row("microvm", 2, "-machine microvm -smp 2", never=SILENT),
    Row("microvm without ACPI", 2, "-machine microvm,acpi=off -smp 2",
        ("no tables; the MP table lists 2 processors and 1 I/O APICs",), SILENT),
    Row("microvm without 8259s", 1, "-machine microvm,pic=off", never=SILENT),
    Row("microvm with a second I/O APIC", 1, "-machine microvm,ioapic2=on", never=SILENT),
    Row("microvm with a clock and a PCI bus", 1, "-machine microvm,rtc=on,pcie=on", never=SILENT),
    Row("PC without ACPI", 4, "-machine pc,acpi=off -smp 4,sockets=4",
        ("no tables; the MP table lists 4 processors and 1 I/O APICs",), SILENT),
    Row("Q35 without ACPI", 2, "-machine q35,acpi=off -smp 2,sockets=2",
        never=SILENT),  # SeaBIOS then makes tables of its own
    Row("BIOS disk without ACPI", 2, "-machine pc,acpi=off -smp 2,sockets=2",
        ("no tables; the MP table lists 2 processors and 1 I/O APICs",), SILENT,
        machine=Machine("bios", medium="disk")),
    Row("UEFI without ACPI", 0, "-machine q35,acpi=off -smp 2", (NO_TABLES, NO_LINES), ("PANIC",),
        machine=Machine("uefi")),
    # Loaders that do not answer what they need not.
    Row("no RSDP from the loader", 2, "-smp 2,sockets=2", ("no tables; the MP table lists 2",), SILENT,
        unanswered=(RSDP,)),
    Row("no processors from the loader", 1, "-smp 2",
        ("lists no processors", "firmware lists 2 processors, the loader hands over 1"),
        unanswered=(MP,)),
    Row("no answer that is optional", 1, "-smp 1", ("loaded by unknown", "lists no processors"),
        unanswered=(MP, RSDP, FRAMEBUFFER, LOADER_INFO, TIME)),
    Row("an RSDP nowhere", 2, "-smp 2", never=SILENT, told=Told(rsdp=0xFFFFFFFFFFFFF000)),
    Row("an RSDP that is none", 2, "-smp 2", never=SILENT, told=Told(rsdp=0x300000)),
    # Memory maps.
    Row("8,000 ranges that merge", 1, "-m 512", ("memory: 511 MiB",), SILENT,
        told=Told((LOW, *pieces(1 << 16), BIOS))),
    Row("400 ranges that do not merge", 1, "-m 512", ("memory: 509 MiB",), SILENT,
        told=Told((BIOS, *holes(400), LOW))),
    Row("700 ranges that do not merge", 1, "-m 512", ("memory: more than 512 ranges: the smallest free ones",),
        ("PANIC", "minimalos loader"), told=Told((LOW, *holes(700), BIOS))),
    Row("1,400 ranges that do not merge", 1, "-m 512",
        ("memory: more than 1024 ranges", "more than 512 ranges", "are not used"), ("PANIC",),
        told=Told((LOW, *holes(1400), BIOS))),
    Row("64 GiB above 256 GiB", 1, "-m 512", ("memory: 65536 MiB above 256 GiB are not used",),
        told=Told((LOW, *holes(1), (256 * GIB, 64 * GIB, RAM)))),
    Row("memory beyond the processor's width", 1, "-m 512", never=SILENT,
        told=Told((LOW, *holes(1), (1 << 52, 64 * GIB, RAM), (1 << 63, 1 << 63, RAM)))),
    Row("64 MiB", 1, "-m 64", never=SILENT),
    # What has no memory fails, and takes none from others.
    Row("48 MiB", 1, "-m 48", ("init: volumes: started",), SILENT),
    Row("32 MiB", 1, "-m 32", ("init: net: ended (not started: a quota or another limit is used up)",),
        SILENT),
    Row("two nodes of memory", 2, "-m 512 -smp 2 -object memory-backend-ram,id=a,size=256M "
        "-object memory-backend-ram,id=b,size=256M -numa node,memdev=a,cpus=0 "
        "-numa node,memdev=b,cpus=1", never=SILENT),
    Row("memory split at 1 GiB", 1, "-machine pc,max-ram-below-4g=1G -m 1536", never=SILENT),
    # Processors.
    Row("gaps between APIC ids", 6, "-smp 6,sockets=2,cores=3,threads=1", never=SILENT),
    Row("no x2APIC", 2, "-smp 2 -cpu max,-x2apic", never=SILENT),
    # Clocks and tables.
    Row("Q35 without HPET", 1, "-machine q35,hpet=off", never=SILENT),
    Row("PC without HPET", 2, "-machine pc,hpet=off -smp 2", never=SILENT),
    Row("a bare Q35", 2, "-machine q35,smm=off,sata=off,smbus=off,kernel-irqchip=split -smp 2",
        never=SILENT),
    Row("a bare PC", 2, "-machine pc-i440fx-6.0,smm=off,usb=off,vmport=off -smp 2",
        never=SILENT),
    Row("a second MADT", 2, "-smp 2 -acpitable sig=APIC,data={madt}", never=SILENT),
    Row("a second MADT, and one that is cut short", 2,
        "-smp 2 -acpitable sig=APIC,data={short} -acpitable sig=APIC,data={madt}", never=SILENT),
)

NO_APIC = "minimalos loader: processor: has no local APIC"
BY_LOADER = ("PANIC", "phase", PROMPT)  # what then is never reached
REFUSED = (
    Row("no local APIC", options="-cpu max,-apic", says=(NO_APIC,), never=BY_LOADER),
    Row("no local APIC, two processors", options="-cpu max,-apic -smp 2", says=(NO_APIC,),
        never=BY_LOADER),
    Row("no local APIC, microvm", options="-machine microvm -cpu max,-apic", says=(NO_APIC,),
        never=BY_LOADER),
    Row("no local APIC, and a loader that is not asked for processors", options="-cpu max,-apic",
        says=("PANIC: this processor has no local APIC",), never=("minimalos loader:", PROMPT),
        unanswered=(MP,)),
    Row("16 MiB", options="-m 16", says=("minimalos loader: memory: only 16 MiB",), never=BY_LOADER),
)


def madt_body(apic_ids: range) -> bytes:
    """A MADT's bytes behind its header: registers, flags, processors."""
    return struct.pack("<II", 0xFEE00000, 0) + b"".join(
        struct.pack("<BBBBI", 0, 8, n, n, 1) for n in apic_ids)


def prepare(row: Row, folder: Path) -> Machine:
    """The machine of a row, and its files."""
    (folder / "madt").write_bytes(madt_body(range(40, 60)))
    (folder / "short").write_bytes(b"\0\0")
    options = row.options.format(madt=folder / "madt", short=folder / "short").split()
    machine = replace(row.machine, extra=tuple(options))
    if row.unanswered:
        kernel = (BUILD / "kernel.elf").read_bytes()
        for word in row.unanswered:
            known = struct.pack("<Q", word)
            check(kernel.count(known) == 1, f"{word:#x} is not once in the kernel")
            kernel = kernel.replace(known, struct.pack("<Q", word ^ 0xFFFF))
        (folder / "kernel.elf").write_bytes(kernel)
        machine = replace(machine, kernel=folder / "kernel.elf")
    if row.told:
        (folder / "loader.elf").write_bytes(loader_told(LOADER.read_bytes(), row.told))
        machine = replace(machine, loader=folder / "loader.elf")
    return machine


def check_words(row: Row, text: str) -> None:
    for words in row.says:
        check(words in text, f"it does not say '{words}':\n{text[-2000:]}")
    for words in row.never:
        check(words not in text, f"it says '{words}':\n{text[-2000:]}")


def boot(row: Row) -> None:
    with tempfile.TemporaryDirectory(prefix="mnos-odd-") as folder, \
            Guest(prepare(row, Path(folder)), f"odd {row.name}", 240) as guest:
        if row.cpus:
            expect_boot(guest, row.cpus)
        else:
            guest.expect(PHASES[-1])
        text = guest.output()
    check_words(row, text)


def refuse(row: Row) -> None:
    """The line comes, and the processor stops for good."""
    with tempfile.TemporaryDirectory(prefix="mnos-odd-") as folder, \
            Guest(prepare(row, Path(folder)), f"odd {row.name}", 120) as guest:
        guest.expect(row.says[0])
        guest.expect("\n")
        guest.expect_halt()
        text = guest.output()
    check(text.count("minimalos loader:") <= 1, f"not one line:\n{text}")
    check_words(row, text)


for row in BOOTS:
    suite.test(f"{row.name}: boots")(lambda row=row: boot(row))
for row in REFUSED:
    suite.test(f"{row.name}: refused in one line")(lambda row=row: refuse(row))
