# SPDX-License-Identifier: MIT
"""test_layers.py - the table of who may use whom is kept, and its exceptions only become fewer."""

import layers
from testlib import Suite, check

suite = Suite("tools")

TABLE = """
free = ["tests"]
search = ["."]
made = []
freestanding = []
runtime = []
[contracts]
arch_ = "kernel/arch/arch.h"
[folders]
"abi" = []
"lib/base" = ["abi/types.h"]
"lib/*" = []
"drivers/*/*" = ["abi", "lib/base"]
"drivers/serial/old" = ["lib"]
"kernel/b" = ["lib/format"]
[order]
all = ["abi"]
steps = [["kernel/a", "kernel/b"], ["kernel/c"]]
[[exception]]
from = "lib/base"
to = ["kernel/debug"]
reason = "a reason"
"""


@suite.test("a folder may use what its line in the table says, and itself")
def allowed() -> None:
    table = layers.Layers(TABLE)
    for source, target, may in (
            ("drivers/serial/a/main.c", "drivers/serial/a/uart.h", True),
            ("drivers/serial/a/main.c", "drivers/serial/b/uart.h", False),
            ("drivers/serial/a/main.c", "lib/base/list.h", True),
            ("drivers/serial/a/main.c", "lib/basement/list.h", False),
            ("drivers/serial/old/main.c", "abi/types.h", False),
            ("lib/base/list.h", "abi/types.h", True),
            ("kernel/a/a.c", "kernel/b/b.h", True),
            ("kernel/a/a.c", "kernel/c/c.h", False),
            ("kernel/a/a.c", "lib/format/elf.h", False),
            ("kernel/b/b.c", "lib/format/elf.h", True),
            ("kernel/c/c.c", "kernel/a/a.h", True),
            ("kernel/c/c.c", "abi/types.h", True),
            ("lib/base/list.h", "abi/message.h", False),
            ("tests/unit/a.c", "lib/base/list.h", True)):
        check(table.allows(source, target) == may, f"{source} uses {target}: {not may}")


@suite.test("an exception is for one folder, and counts as needed when it is used")
def excepted() -> None:
    table = layers.Layers(TABLE)
    check(table.excepted("lib/base/tree.c", "kernel/debug/on/assert.h") == {("lib/base", "kernel/debug")}, "not found")
    check(not table.excepted("lib/base/tree.c", "kernel/mm/frame.h"), "allows what it does not name")
    check(not table.excepted("abi/a.h", "kernel/debug/on/assert.h"), "allows another folder")


@suite.test("a file in no folder of the table is an error")
def unknown() -> None:
    try:
        layers.Layers(TABLE).of("programs/a/main.c")
    except AssertionError as problem:
        check("programs/a/main.c" in str(problem), str(problem))
    else:
        raise AssertionError("it was accepted")
