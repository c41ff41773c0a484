# SPDX-License-Identifier: MIT
"""test_mkfiles.py - which directory a service is given is checked, and compiled as it is written."""

import struct
import subprocess

from testlib import Suite, check
from tests.tools.manifest_tool import compiled_by, refuses

suite = Suite("tools")

SERVICES = '[service.tmpfs]\nfile = "tmpfs"\nprovides = { requests = { endpoint = "tmpfs", exports = 1 } }\n[service.web]\n'
NAME = '"' + "a" * 32 + '"'

REFUSED = (
    ('uses = { f = { endpoint = "ext4", directory = "a", rights = "read" } }', "is not that of tmpfs"),
    ('uses = { f = { endpoint = "tmpfs", directory = "a" } }', 'rights is "read" or "write"'),
    ('uses = { f = { endpoint = "tmpfs", directory = "a", rights = "all" } }', 'rights is "read" or "write"'),
    ('uses = { f = { endpoint = "tmpfs", rights = "read" } }', "directory is the name of one"),
    ('uses = { f = { endpoint = "tmpfs", directory = "a/b", rights = "read" } }', "directory is the name of one"),
    ('uses = { f = { endpoint = "tmpfs", directory = "..", rights = "read" } }', "directory is the name of one"),
    ('uses = { f = { endpoint = "tmpfs", directory = %s, rights = "read" } }' % NAME, "directory is the name of one"),
    ('uses = { f = { endpoint = "tmpfs", directory = "a", rights = "read" }, '
     'g = { endpoint = "tmpfs", directory = "b", rights = "read" } }', "it has an entry with such keys already"),
)


def compile_limits(uses: str) -> tuple[subprocess.CompletedProcess, bytes]:
    return compiled_by("mkfiles.py", SERVICES + uses)


@suite.test("a directory that cannot be given is refused with its line")
def refused() -> None:
    refuses("mkfiles.py", SERVICES, REFUSED, "manifest.toml:4: service web: ")


@suite.test("which directory a service is given is compiled as it is written")
def compiled() -> None:
    for rights, number in (("read", 3), ("write", 15)):
        done, out = compile_limits(f'uses = {{ f = {{ endpoint = "tmpfs", directory = "tour", rights = "{rights}" }} }}')
        check(done.returncode == 0, done.stderr)
        check(struct.unpack_from("<QIIQ", out) == (0x54494D494C454C46, 1, 1, 0), "header")
        check(struct.unpack_from("<24s32sII", out, 24) == (b"web".ljust(24, b"\0"), b"tour".ljust(32, b"\0"), number, 0), "record")
    check(compile_limits('uses = { f = "tmpfs" }')[1] == struct.pack("<QIIQ", 0x54494D494C454C46, 1, 0, 0), "none")
