# SPDX-License-Identifier: MIT
"""test_increments.py - mistakes with files and manifests are said by make."""

from testlib import Suite, check

from tests.tools.source_copy import Copy

suite = Suite("build")


@suite.test("two folders with one program name are an error that names both")
def same_name() -> None:
    with Copy() as copy:
        copy.add_program("programs/ns16550")
        said = copy.fails("-n", "initrd")
        check("drivers/serial/ns16550 programs/ns16550" in said and len(said.splitlines()) == 1, said)


@suite.test("a program without an entry in the manifest is an error that names it")
def no_entry() -> None:
    with Copy(built=True) as copy:
        copy.add_program("programs/forgotten")
        said = copy.fails(f"{copy.made}/manifest.bin").splitlines()
        check('no service has file = "forgotten"' in said[0] and len(said) <= 2, "\n".join(said))


@suite.test("a name that a program looks up and nothing grants is an error with the line of the program")
def not_granted() -> None:
    with Copy(built=True) as copy:
        path = copy.root / "programs/spin/main.c"
        text = path.read_text()
        for call, words in (("bootstrap_cap", "missing grant: programs/spin/main.c:{} looks up 'port'"),
                            ("bootstrap_find", "nothing grants 'port', which programs/spin/main.c:{} looks up")):
            path.write_text(f'#include "lib/mnos/bootstrap.h"\nmnos_cap_t port(void);\n'
                            f'mnos_cap_t port(void)\n{{\n    return {call}("port");\n}}\n{text}')
            said = copy.fails(f"{copy.made}/manifest.bin").splitlines()
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
    with Copy(built=True) as copy:
        copy.add_program("mine/alone")
        manifest = copy.root / "mine/alone/manifest.toml"
        for text, line, expected in ((b"# mine\nread_only = true\n", 2, "begins with a table"),
                                     (b"[service.alone]\nfile = \"alone\n", 2, "Illegal character"),
                                     (b"[service.net]\nfile = \"alone\"\n", 1, "twice"),
                                     (b"[service.alone]\nfile = \"\xff\"\n", 1, "cannot be read")):
            manifest.write_bytes(text)
            said = copy.fails(f"{copy.made}/with/manifest.bin", "WITH=mine/alone/")
            check(any(row.startswith(f"mine/alone/manifest.toml:{line}: ") and expected in row for row in said.splitlines()), said)


@suite.test("BUILD can be no folder of the sources, nor two")
def build_folder() -> None:
    with Copy() as copy:
        for name, words in ((".", "holds the sources"), ("..", "holds the sources"), ("/", "holds the sources"),
                            ("kernel", "among the sources"), ("docs/out", "among the sources"), ("a b", "without blanks"),
                            ("", "name of one folder")):
            said = copy.fails("clean", f"BUILD={name}")
            check(words in said and len(said.splitlines()) == 1, said)
