# SPDX-License-Identifier: MIT
"""images - what the loader tests boot: probe kernels, archives and ISO images.

Everything goes to build/tests/loader. Left to others: running it (machine.py).
"""
import io
import os
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from hardware import BUILD, ROOT  # noqa: E402

WORK = BUILD / "tests" / "loader"
SOURCES = Path(__file__).resolve().parent

FLAGS = ("-std=gnu2x -O2 -ffreestanding -mgeneral-regs-only -mno-red-zone -fno-stack-protector "
         "-fcf-protection=none -fno-asynchronous-unwind-tables -Wall -Wextra -Werror -nostdlib "
         "-Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack").split()
FIXED = ["-fno-pic", "-mcmodel=kernel", "-static", "-no-pie"]
RELOCATABLE = ["-fpie", "-fvisibility=hidden", "-static-pie", "-Wl,-z,norelro"]

MODULE_SIZE = 70000


def pattern(size):
    """The contents of module files; has_pattern() in probe.c knows them."""
    return bytes((i * 7 + (i >> 8)) & 0xFF for i in range(size))


def config(cmdline, lines=()):
    text = ["# loader test", "timeout: 0", "/Probe", "    protocol: limine",
            "    path: boot():/boot/kernel.elf", "    module_path: boot():/boot/initrd.tar",
            "    module_cmdline: module words", f"    cmdline: {cmdline}", *lines]
    return ("\n".join(text) + "\n").encode()


def build_probe(name, base, mode):
    output = WORK / name
    sources = [str(p) for p in sorted(SOURCES.glob("*.c")) + sorted(SOURCES.glob("*.S"))]
    subprocess.run([f"{os.environ.get('CROSS_COMPILE', '')}gcc", *FLAGS, *mode, f"-Wl,--defsym=PROBE_BASE={base:#x}",
                    f"-Wl,-T,{SOURCES}/probe.ld", *sources, "-o", str(output)], check=True)
    return output.read_bytes()


class Probes:
    """Built once; the tests change copies of these bytes."""
    fixed = b""
    relocatable = b""


def prepare():
    for name in ("loader.elf", "BOOTX64.EFI"):
        if not (BUILD / name).exists():
            sys.exit(f"test_loader: {BUILD / name} is missing: run make first")
    WORK.mkdir(parents=True, exist_ok=True)
    Probes.fixed = build_probe("probe.elf", 0xFFFFFFFF80200000, FIXED)
    Probes.relocatable = build_probe("probe-relocatable.elf", 0, RELOCATABLE)


def boot_files(cmdline, kernel=None, **changes):
    """The files of a boot volume; a change to None takes one away."""
    files = {"boot/limine.conf": config(cmdline), "boot/kernel.elf": kernel or Probes.fixed,
             "boot/initrd.tar": pattern(MODULE_SIZE)}
    names = {"config": "boot/limine.conf", "kernel_file": "boot/kernel.elf",
             "module": "boot/initrd.tar", "internal": "boot/internal.bin"}
    for key, value in changes.items():
        if value is None:
            files.pop(names[key], None)
        else:
            files[names[key]] = value
    return files


def archive(name, files):
    """A boot.tar, made by the same tool as the real one."""
    folder = WORK / f"{name}.files"
    arguments = []
    for index, (member, data) in enumerate(files.items()):
        folder.mkdir(exist_ok=True)
        (folder / str(index)).write_bytes(data)
        arguments.append(f"{member}={folder / str(index)}")
    output = WORK / f"{name}.tar"
    if not arguments:
        output.write_bytes(bytes(1024))
        return output
    subprocess.run([sys.executable, str(ROOT / "tools/mkarchive.py"), str(output), *arguments],
                   check=True)
    return output


def plain_archive(name, files):
    """An archive as tar makes it, with no member on a page of its own."""
    output = WORK / f"{name}.tar"
    with tarfile.open(output, "w", format=tarfile.USTAR_FORMAT) as tar:
        for member, data in files.items():
            if (tar.offset + tarfile.BLOCKSIZE) % 4096 == 0:
                tar.addfile(tarfile.TarInfo("gap"))
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return output


def iso(name, files):
    paths = []
    for member in ("boot/limine.conf", "boot/kernel.elf", "boot/initrd.tar"):
        path = WORK / f"{name}.{os.path.basename(member)}"
        path.write_bytes(files[member])
        paths.append(str(path))
    output = WORK / f"{name}.iso"
    subprocess.run([str(ROOT / "tools/mkiso.sh"), str(output), *paths, str(BUILD / "BOOTX64.EFI"),
                    str(BUILD / "loader.elf")], check=True)
    return output


def volume(name, files):
    """A folder that QEMU shows as a FAT disk: the quickest way to try UEFI with odd files."""
    folder = WORK / f"{name}.volume"
    subprocess.run(["rm", "-rf", str(folder)], check=True)
    files = dict(files)
    files["EFI/BOOT/BOOTX64.EFI"] = (BUILD / "BOOTX64.EFI").read_bytes()
    for member, data in files.items():
        path = folder / member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def replace_words(kernel, old, new):
    """Replaces a run of 64-bit words, wherever it is, exactly once after the start marker."""
    start = kernel.index(struct.pack("<Q", 0xF6B8F4B39DE7D1AE))
    old, new = struct.pack(f"<{len(old)}Q", *old), struct.pack(f"<{len(new)}Q", *new)
    at = kernel.index(old, start)
    return kernel[:at] + new + kernel[at + len(new):]


def program_headers(kernel):
    offset, = struct.unpack_from("<Q", kernel, 32)
    count, = struct.unpack_from("<H", kernel, 56)
    return [offset + 56 * i for i in range(count)]


def move_kernel(kernel, distance):
    """The same ELF file, linked elsewhere as far as its headers say."""
    image = bytearray(kernel)
    fields = [24] + [at + 16 for at in program_headers(kernel)]
    for at in fields:
        value, = struct.unpack_from("<Q", image, at)
        struct.pack_into("<Q", image, at, (value + distance) % 2 ** 64)
    return bytes(image)
