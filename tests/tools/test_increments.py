# SPDX-License-Identifier: MIT
"""test_increments.py - what was deleted is gone from the next build, and mistakes with files are said."""

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from qemu import ROOT
from testlib import HANG_S, WHOLE_MACHINE, Suite, check, require_success

suite = Suite("build")

FOLDERS = ("abi", "bench", "boot", "drivers", "examples", "kernel", "lib", "personality", "programs", "protocols", "services",
           "system", "tests", "third_party", "tools", "make")
RESULTS = ("kernel.elf", "initrd.tar", "loader.elf", "manifest.bin")

ADDED_PROGRAMS = ("programs/passing_by", "drivers/power/passing_driver")
ADDED_FILES = ("kernel/passing_kernel.c", "lib/mnos/passing_library.c", "boot/core/passing_loader.c",
               "programs/spin/passing_part.c")
FUNCTION = "int NAME(int a);\nint NAME(int a)\n{\n    return a + 1;\n}\n"
SERVICE = """
[service.NAME]
file = "NAME"
restart = "on-demand"
priority = 10
ceiling = 10
frames = 64
bytes = 65536
"""


class Copy:
    """A copy of the sources, to change and to build; without the settings of the make that runs the test."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="mnos-build-")
        self.root = Path(self.folder.name)
        for name in FOLDERS:
            shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "Makefile", self.root)

    def make(self, *arguments: str, runner=require_success):
        dropped = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BUILD")
        clean = {name: value for name, value in os.environ.items() if name not in dropped}
        return runner(["make", "DEPS=no", *arguments], cwd=self.root, env=clean)

    def fails(self, *arguments: str) -> str:
        def runner(command: list[str], **options) -> subprocess.CompletedProcess:
            return subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, **options)
        done = self.make(*arguments, runner=runner)
        check(done.returncode != 0, f"make {' '.join(arguments)} succeeded")
        return done.stderr

    def build(self, folder: str) -> None:
        self.make(f"BUILD={folder}", *(f"{folder}/{name}" for name in RESULTS))

    def add_program(self, path: str) -> None:
        """A program that needs nothing."""
        folder = self.root / path
        folder.mkdir(parents=True)
        (folder / "main.c").write_text("int main(void)\n{\n    return 0;\n}\n")

    def add_service(self, name: str) -> None:
        manifest = self.root / "system/manifest.toml"
        manifest.write_text(manifest.read_text() + SERVICE.replace("NAME", name))

    def results(self, folder: str) -> dict[str, bytes]:
        return {name: (self.root / folder / name).read_bytes() for name in RESULTS}

    def __enter__(self):
        return self

    def __exit__(self, *_exception) -> None:
        self.folder.cleanup()


@suite.test("what was deleted is gone: an incremental build gives the bytes of a fresh one", WHOLE_MACHINE)
def deleted() -> None:
    with Copy() as copy:
        manifest = (copy.root / "system/manifest.toml").read_text()
        added = [copy.root / path for path in ADDED_FILES]
        for path in ADDED_PROGRAMS:
            copy.add_program(path)
            copy.add_service(Path(path).name)
            added.append(copy.root / path)
        for path in ADDED_FILES:
            (copy.root / path).write_text(FUNCTION.replace("NAME", Path(path).stem))
        copy.build("build")
        before = copy.results("build")
        with tarfile.open(copy.root / "build/initrd.tar") as archive:
            names = archive.getnames()
        for path in ADDED_PROGRAMS:
            check(Path(path).name in names, f"{path} is not in the RAM disk: {names}")

        for path in added:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        (copy.root / "system/manifest.toml").write_text(manifest)
        copy.build("build")
        copy.build("fresh")
        incremental, fresh = copy.results("build"), copy.results("fresh")
        for name in RESULTS:
            check(before[name] != fresh[name], f"what was added is not in {name}")
            check(incremental[name] == fresh[name], f"what was deleted is still in {name}")


@suite.test("two folders with one program name are an error that names both")
def same_name() -> None:
    with Copy() as copy:
        copy.add_program("programs/ns16550")
        said = copy.fails("-n", "initrd")
        check("drivers/serial/ns16550 programs/ns16550" in said and len(said.splitlines()) == 1, said)


@suite.test("a program without an entry in the manifest is an error that names it")
def no_entry() -> None:
    with Copy() as copy:
        copy.add_program("programs/forgotten")
        said = copy.fails("build/manifest.bin").splitlines()
        check('no service has file = "forgotten"' in said[0] and len(said) <= 2, "\n".join(said))


@suite.test("a name that a program looks up and nothing grants is an error with the line of the program")
def not_granted() -> None:
    with Copy() as copy:
        path = copy.root / "programs/spin/main.c"
        text = path.read_text()
        for call, words in (("bootstrap_cap", "missing grant: programs/spin/main.c:{} looks up 'port'"),
                            ("bootstrap_find", "nothing grants 'port', which programs/spin/main.c:{} looks up")):
            path.write_text(f'#include "lib/mnos/bootstrap.h"\nmnos_cap_t port(void);\n'
                            f'mnos_cap_t port(void)\n{{\n    return {call}("port");\n}}\n{text}')
            said = copy.fails("build/manifest.bin").splitlines()
            check(said[0].endswith(words.format(5)) and len(said) <= 2, "\n".join(said))


@suite.test("WITH names folders of programs, each with a name of its own")
def with_folders() -> None:
    with Copy() as copy:
        copy.add_program("mine/spin")
        copy.add_program("mine/alone")
        for words, expected in ((("initrd", "WITH=nowhere"), "WITH=nowhere: no folder with C files"),
                                (("initrd", "WITH=mine/spin"), "each its own: spin"),
                                (("initrd", "WITH=mine/spin/"), "each its own: spin"),
                                (("initrd", "WITH=mine/alone mine/alone/"), "each its own: alone"),
                                (("initrd", "WITH=mine/*"), "names of folders are without *"),
                                (("initrd", "WITH=mine/a:b"), "names of folders are without :"),
                                (("release", "WITH=examples/counter"), "of the system alone")):
            said = copy.fails("-n", *words)
            check(expected in said and len(said.splitlines()) == 1, said)


@suite.test("the manifest of a folder of WITH begins with a table, and an error in it names its own line")
def with_manifests() -> None:
    with Copy() as copy:
        copy.add_program("mine/alone")
        manifest = copy.root / "mine/alone/manifest.toml"
        for text, line, expected in ((b"# mine\nread_only = true\n", 2, "begins with a table"),
                                     (b"[service.alone]\nfile = \"alone\n", 2, "Illegal character"),
                                     (b"[service.net]\nfile = \"alone\"\n", 1, "twice"),
                                     (b"[service.alone]\nfile = \"\xff\"\n", 1, "cannot be read")):
            manifest.write_bytes(text)
            said = copy.fails("build/with/manifest.bin", "WITH=mine/alone/")
            check(any(row.startswith(f"mine/alone/manifest.toml:{line}: ") and expected in row for row in said.splitlines()), said)


@suite.test("BUILD can be no folder of the sources, nor two")
def build_folder() -> None:
    with Copy() as copy:
        for name, words in ((".", "holds the sources"), ("..", "holds the sources"), ("/", "holds the sources"),
                            ("kernel", "among the sources"), ("docs/out", "among the sources"), ("a b", "without blanks"),
                            ("", "name of one folder")):
            said = copy.fails("clean", f"BUILD={name}")
            check(words in said and len(said.splitlines()) == 1, said)
