#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_loader.py [--list] [TEXT...] - boots the loader in QEMU, with good and with hostile input.

Without arguments all tests run, otherwise those whose names contain one of the texts. Each prints
"ok NAME" or "FAIL NAME: reason"; the last line counts them.
"""
import concurrent.futures
import sys
import threading

import images
import machine
from images import MODULE_SIZE, Probes, archive, boot_files, iso, pattern, plain_archive, volume
from machine import direct, disk, expect_refusal, firmware, folder, run_probe
from testlib import past_crashes

TESTS = []


def test(function):
    TESTS.append((function.__name__, function))
    return function


def each(**cases):
    """One test for each case; the arguments are the case's value."""
    def register(function):
        for name, arguments in cases.items():
            TESTS.append((f"{function.__name__}_{name}", lambda f=function, a=arguments: f(*a)))
        return function
    return register


def words(cpus, mib, *more):
    return " ".join(["probe", f"cpus={cpus}", f"mib={mib}", f"module={MODULE_SIZE}", *more])


_isos = {}
_iso_lock = threading.Lock()


def probe_iso(cmdline):
    with _iso_lock:
        if cmdline not in _isos:
            _isos[cmdline] = iso(f"probe-{len(_isos)}", boot_files(cmdline))
        return _isos[cmdline]


# ---- Good boots ------------------------------------------------------------------------------------

@each(default=(1, 512, [], "screen"), two_cpus=(2, 512, [], "screen"),
      four_cpus_64_mib=(4, 64, [], "screen"), cpus_32=(32, 512, [], "screen"),
      cpus_32_64_mib=(32, 64, [], "screen"), gib_8=(2, 8192, ["-cpu", "max"], "screen"),
      no_screen=(1, 512, ["-vga", "none"], ""), cirrus=(1, 512, ["-vga", "cirrus"], ""),
      cpu_max=(2, 512, ["-cpu", "max"], "screen"), cpu_qemu64=(2, 512, ["-cpu", "qemu64"], "screen"),
      no_nx=(2, 512, ["-cpu", "qemu64,-nx"], "screen"), q35=(2, 512, ["-M", "q35"], "screen"),
      no_acpi=(1, 512, ["-machine", "acpi=off"], "screen"))
def direct_boot(cpus, mib, options, screen):
    if "acpi=off" in options:
        # QEMU's firmware then leaves no tables; the probe insists on an RSDP.
        with machine.Machine([*direct(archive("no-acpi", boot_files(words(1, mib, screen)))),
                              "-m", str(mib), *options]) as m:
            m.wait_for("probe failed", 30)
        bad = [line for line in m.lines() if line.startswith("FAIL")]
        assert len(bad) == 1 and "RSDP" in bad[0], bad
        return
    files = boot_files(words(cpus, mib, screen))
    name = f"direct-{cpus}-{mib}-{'-'.join(options)}".replace("/", "_")
    run_probe([*direct(archive(name, files)), "-smp", str(cpus), "-m", str(mib), *options])


@test
def direct_boot_64_gib():
    """A sparse file stands for the memory: hardly any of it is touched."""
    memory = images.WORK / "memory-64-gib"
    with open(memory, "wb") as file:
        file.truncate(64 << 30)
    try:
        files = boot_files(words(2, 65536, "screen"))
        run_probe([*direct(archive("gib-64", files)), "-smp", "2", "-m", "64G", "-object",
                   f"memory-backend-file,id=ram,size=64G,mem-path={memory},share=on",
                   "-machine", "memory-backend=ram"])
    finally:
        memory.unlink()


@test
def direct_sparse_apic_ids():
    """Three cores in a socket leave a gap after every third identifier."""
    files = boot_files(words(12, 512, "screen"))
    run_probe([*direct(archive("sparse", files)), "-m", "512",
               "-smp", "12,sockets=4,cores=3,threads=1"])


@test
def direct_internal_module():
    files = boot_files(words(1, 512, "screen", "internal"), internal=pattern(5000))
    run_probe([*direct(archive("internal", files)), "-m", "512"])


@test
def direct_relocatable_kernel():
    files = boot_files(words(1, 512, "screen"), kernel=Probes.relocatable)
    run_probe([*direct(archive("relocatable", files)), "-m", "512"])


@test
def direct_unaligned_archive():
    files = boot_files(words(1, 512, "screen"))
    run_probe([*direct(plain_archive("unaligned", files)), "-m", "512"])


@test
def direct_own_command_line_replaces_the_configured_one():
    files = boot_files("probe wrong")
    lines = run_probe([*direct(archive("append", files)), "-m", "512",
                       "-append", words(1, 512, "screen", "appended")])
    assert "probe: " + words(1, 512, "screen", "appended") in lines, lines[0]


@test
def direct_under_instruction_counting():
    files = boot_files(words(1, 512, "screen"))
    run_probe([*direct(archive("icount", files)), "-m", "512",
               "-icount", "shift=0,sleep=off"])


@test
def unknown_key_is_reported_and_ignored():
    files = boot_files("", config=images.config(words(1, 512, "screen"), ["    colour: blue"]))
    lines = run_probe([*direct(archive("unknown-key", files)), "-m", "512"])
    assert any(line.endswith("boot/limine.conf: line 9: unknown key: colour") for line in lines)


@test
def second_entry_is_reported_and_ignored():
    files = boot_files("", config=images.config(words(1, 512, "screen"), ["/Other", "path: x"]))
    lines = run_probe([*direct(archive("second-entry", files)), "-m", "512"])
    assert any("line 9: entry ignored, the first one is started: /Other" in x for x in lines)


@each(cdrom=("cdrom", 2), disk=("ide", 2), usb=("usb", 2), cpus_32=("cdrom", 32))
def bios_boot(kind, cpus):
    run_probe([*disk(probe_iso(words(cpus, 512, "screen")), kind), "-smp", str(cpus), "-m", "512"])


@test
def bios_boot_without_screen():
    run_probe([*disk(probe_iso(words(1, 512)), "cdrom"), "-m", "512", "-vga", "none"])


@each(cdrom=("cdrom", 2), disk=("ide", 2), usb=("usb", 2), cpus_32=("cdrom", 32))
def uefi_boot(kind, cpus):
    run_probe([*firmware(), *disk(probe_iso(words(cpus, 512, "screen", "uefi")), kind),
               "-smp", str(cpus), "-m", "512"])


@each(max_8_gib=(2, 8192, ["-cpu", "max"]), q35=(2, 512, ["-M", "q35"]))
def uefi_boot_folder(cpus, mib, options):
    files = boot_files(words(cpus, mib, "screen", "uefi"))
    run_probe([*firmware(), *folder(volume(f"uefi-{mib}", files)), "-smp", str(cpus),
               "-m", str(mib), *options])


@test
def uefi_boot_without_screen():
    files = boot_files(words(1, 512, "uefi"))
    run_probe([*firmware(), *folder(volume("uefi-blind", files)), "-m", "512", "-vga", "none"])


@test
def uefi_relocatable_kernel_and_internal_module():
    files = boot_files(words(1, 512, "screen", "uefi", "internal"), kernel=Probes.relocatable,
                       internal=pattern(5000))
    run_probe([*firmware(), *folder(volume("uefi-relocatable", files)), "-m", "512"])


# ---- Refusals --------------------------------------------------------------------------------------

def duplicate_request():
    common = (0xC7B1DD30DF4C8B88, 0x0A82E883A194F07B)
    return images.replace_words(Probes.fixed, (*common, 0x1111111122222222, 0x3333333344444444),
                                (*common, 0x67CF3D9D378A806F, 0xE304ACDFC50C3C62))


def old_base_revision():
    tag = (0xF9562B2D5C95A6C8, 0x6A7B384944536BDC)
    return images.replace_words(Probes.fixed, (*tag, 3), (*tag, 2))


def five_levels():
    paging = (0x95C1A0EDAB0944CB, 0xA4E5CB3842F7488A, 1, 0, 0)
    return images.replace_words(Probes.fixed, (*paging, 1, 0), (*paging, 1, 1))


def refusals():
    """Name: (files, message). Each is tried by direct boot, and a few under UEFI."""
    config = images.config("probe")
    lower_half = images.move_kernel(Probes.fixed, -0xFFFFFFFF80000000)
    kernel_bytes = len(Probes.fixed)
    kernel = "boot/kernel.elf: "
    cases = {
        "no_configuration": (boot_files("", config=None),
                             "boot/limine.conf: configuration not found"),
        "empty_configuration": (boot_files("", config=b"# nothing\n"),
                                "boot/limine.conf: no boot entry"),
        "other_protocol": (boot_files("", config=config.replace(b"limine\n", b"linux\n")),
                           "boot/limine.conf: line 4: boot protocol is not limine"),
        "no_kernel": (boot_files("", kernel_file=None),
                      kernel + "kernel not found (named in boot/limine.conf line 5)"),
        "no_module": (boot_files("", module=None),
                      "boot/initrd.tar: module not found (named in boot/limine.conf line 6)"),
        "not_elf": (boot_files("", kernel=b"#!/bin/sh\n" * 20), kernel + "not an ELF file"),
        "lower_half_kernel": (boot_files("", kernel=lower_half),
                              kernel + "ELF segment is outside the permitted addresses"),
        "duplicate_request": (boot_files("", kernel=duplicate_request()),
                              kernel + "duplicate request"),
        "old_base_revision": (boot_files("", kernel=old_base_revision()),
                              kernel + "kernel wants a base revision older than 3"),
        "five_level_paging": (boot_files("", kernel=five_levels()),
                              kernel + "kernel needs a paging mode that is not supported"),
    }
    for size in (1, 63, 100, 4096, kernel_bytes // 2):
        reason = "ELF file is cut short" if size < 288 else "ELF segment lies outside the file"
        cases[f"kernel_of_{size}_bytes"] = (boot_files("", kernel=Probes.fixed[:size]),
                                            kernel + reason)
    return cases


REFUSALS = ["no_configuration", "empty_configuration", "other_protocol", "no_kernel", "no_module",
            "not_elf", "lower_half_kernel", "duplicate_request", "old_base_revision",
            "five_level_paging"]
REFUSALS_UEFI = ["no_configuration", "no_kernel", "no_module", "not_elf", "duplicate_request"]


@each(**{name: (name,) for name in REFUSALS})
def refuses(name):
    files, message = refusals()[name]
    expect_refusal([*direct(archive(f"refuse-{name}", files)), "-m", "128"], message)


@each(**{name: (name,) for name in REFUSALS_UEFI})
def uefi_refuses(name):
    files, message = refusals()[name]
    expect_refusal([*firmware(), *folder(volume(f"refuse-{name}", files)), "-m", "256"], message)


@test
def refuses_truncated_kernels():
    for name, (files, message) in refusals().items():
        if name.startswith("kernel_of_"):
            expect_refusal([*direct(archive(f"refuse-{name}", files)), "-m", "128"], message)


@test
def refuses_16_mib():
    expect_refusal([*direct(archive("small", boot_files("probe"))), "-m", "16"],
                   "memory: only 16 MiB, 32 MiB are needed")


@test
def refuses_a_module_larger_than_memory():
    # The second copy that an unaligned archive needs does not fit.
    files = boot_files("probe", module=bytes(40 << 20))
    expect_refusal([*direct(plain_archive("large", files)), "-m", "64"],
                   "boot/initrd.tar: module does not fit into memory "
                   "(named in boot/limine.conf line 6)")


@test
def refuses_a_damaged_archive():
    path = archive("damaged", boot_files("probe"))
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    expect_refusal([*direct(path), "-m", "64"],
                   "boot/limine.conf: configuration archive header has a wrong checksum")


@test
def refuses_to_start_without_an_archive():
    expect_refusal(["-kernel", str(images.BUILD / "loader.elf"), "-m", "64"],
                   "boot.tar: not given (qemu -initrd)")


@test
def image_is_reproducible():
    files = boot_files(words(1, 512))
    first, second = iso("same-1", files).read_bytes(), iso("same-2", files).read_bytes()
    assert first == second, "two images of the same files differ"


# ---- Runner ----------------------------------------------------------------------------------------

def run(test_case):
    name, function = test_case
    try:
        past_crashes(name, function)
    except Exception as error:  # any failure of a test is that test's failure
        return name, f"{type(error).__name__}: {error}"
    return name, None


def main():
    texts = [a for a in sys.argv[1:] if not a.startswith("-")]
    chosen = [t for t in TESTS if not texts or any(text in t[0] for text in texts)]
    if "--list" in sys.argv[1:]:
        print("\n".join(name for name, _ in chosen))
        return 0
    images.prepare()
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, problem in pool.map(run, chosen):
            print(f"ok {name}" if problem is None else f"FAIL {name}: {problem}", flush=True)
            failed += problem is not None
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
