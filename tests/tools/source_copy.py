# SPDX-License-Identifier: MIT
"""source_copy.py - copies of the sources, for tests that change them and build them."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from qemu import BUILD, ROOT
from testlib import HANG_S, check, outside_make, require_success

FOLDERS = ("abi", "bench", "boot", "drivers", "examples", "kernel", "lib", "personality", "programs", "protocols", "services",
           "system", "tests", "third_party", "tools", "make")
RESULTS = ("kernel.elf", "debug/kernel.elf", "initrd.tar", "loader.elf", "manifest.bin")
# What RESULTS are made of, and themselves: what is missing there is made by make.
MADE = (".compiler", ".sources", ".with", "debug", "gen", "loader", "lx", "obj", "src", "user", "kernel.elf", "initrd.tar",
        "loader.elf", "manifest.bin", "mounts.bin", "net_limits", "file_limits", "symbols", "pci_names", "fonts", "keymaps")

SERVICE = """
[service.NAME]
file = "NAME"
restart = "on-demand"
priority = 10
ceiling = 10
frames = 64
bytes = 65536
"""


def make_in(folder: Path, *arguments: str, dropped: tuple[str, ...] = (), runner=require_success):
    """make without the settings of the make that runs the test, and without the variables that are dropped."""
    return runner(["make", "DEPS=no", *arguments], cwd=folder, env=outside_make(*dropped))


def results_in(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in RESULTS}


class Copy:
    """A copy of the sources, to change and to build. One that is built begins with what was made of them here, all with its
    times, so that make makes only what the test changes; its build folder is then named as the one here."""

    def __init__(self, built: bool = False) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="mnos-build-")
        self.root = Path(self.folder.name)
        self.made = "build"
        for name in FOLDERS:
            shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy2(ROOT / "Makefile", self.root)
        name = Path(os.environ.get("BUILD", self.made))
        # What was made knows its folder by the name that make was given: one elsewhere cannot be that of the copy.
        if built and not name.is_absolute() and ".." not in name.parts:
            self.made = str(name)
            self._take_over()

    def _take_over(self) -> None:
        to = self.root / self.made
        to.mkdir(parents=True)
        made = [path for path in (BUILD / name for name in MADE) if path.exists()]
        require_success(["cp", "-a", "--reflink=auto", *map(str, made), *map(str, BUILD.glob(".python-*")), str(to)])

    def make(self, *arguments: str, runner=require_success):
        return make_in(self.root, f"BUILD={self.made}", *arguments, dropped=("BUILD",), runner=runner)

    def fails(self, *arguments: str) -> str:
        def runner(command: list[str], **options) -> subprocess.CompletedProcess:
            return subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, **options)
        done = self.make(*arguments, runner=runner)
        check(done.returncode != 0, f"make {' '.join(arguments)} succeeded")
        return done.stderr

    def build(self, folder: str) -> dict[str, bytes]:
        self.make(f"BUILD={folder}", *(f"{folder}/{name}" for name in RESULTS))
        return results_in(self.root / folder)

    def add_program(self, path: str) -> None:
        """A program that needs nothing."""
        folder = self.root / path
        folder.mkdir(parents=True)
        (folder / "main.c").write_text("int main(void)\n{\n    return 0;\n}\n")

    def add_service(self, name: str) -> None:
        manifest = self.root / "system/manifest.toml"
        manifest.write_text(manifest.read_text() + SERVICE.replace("NAME", name))

    def __enter__(self):
        return self

    def __exit__(self, *_exception) -> None:
        self.folder.cleanup()
