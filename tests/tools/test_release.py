# SPDX-License-Identifier: MIT
"""test_release.py - what `make release` makes is what a release consists of, and its checksums are right."""

import subprocess
import tarfile

from qemu import BUILD, ROOT
from testlib import HANG_S, WHOLE_MACHINE, Suite, check, outside_make
from tests.system.with_services import programs

suite = Suite("tools")


@suite.test("a release has the images, the kernel, the symbols of every program, and checksums of all", WHOLE_MACHINE)
def release() -> None:
    subprocess.run(["make", "DEPS=no", f"BUILD={BUILD}", "release"], cwd=ROOT, env=outside_make(), check=True,
                   capture_output=True, timeout=HANG_S)
    folder = BUILD / "release"
    names = sorted(path.name for path in folder.iterdir())
    check(names == ["SHA256SUMS", "kernel.elf", "minimalos.iso", "minimalos.qcow2", "symbols.tar.xz"], f"{names}")
    sums = (folder / "SHA256SUMS").read_text().splitlines()
    check([line.split()[1] for line in sums] == names[1:], f"{sums}")
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=True, timeout=HANG_S)
    # Programs of Linux are for the user's disk alone. Two words, so that this file may be anywhere.
    raw = folder.with_name("release.raw")
    subprocess.run(["qemu-img", "convert", "-O", "raw", folder / "minimalos.qcow2", raw], check=True, timeout=HANG_S)
    for path in (raw, folder / "minimalos.iso", folder / "kernel.elf"):
        found = subprocess.run(["grep", "-c", "--binary-files=text", "-e", "BusyBox" + " v", path], capture_output=True,
                               text=True, timeout=HANG_S)
        check(found.stdout.strip() == "0", f"{path.name} has a program of Linux")
    raw.unlink()
    with tarfile.open(folder / "symbols.tar.xz") as archive:
        held = set(archive.getnames())
    wanted = {"kernel.elf", "debug/kernel.elf", "loader.elf"} | {f"user/{name}.elf" for name in ["init", *programs()]}
    check(held == wanted, f"{held ^ wanted}")
