# SPDX-License-Identifier: MIT
"""test_mkmounts.py - the mount table is checked, with the place of each error."""

from testlib import Suite, check
from tests.tools.manifest_tool import compiled_by, refuses

suite = Suite("tools")

SERVICES = '[service.vfs]\nfile = "vfs"\nuses = { tmpfs = "tmpfs", ext4 = "ext4" }\n[types]\next4 = "ext4"\n'
GUID = "0fc63daf-8483-4772-8e79-3d69d8477de4"

# What follows SERVICES, and words of the error.
REFUSED = (
    ('[mount.a]\nservice = "tmpfs"\n', "`at` has to be there"),
    ('[mount.a]\nat = "tmp"\nservice = "tmpfs"\n', "at is `/` and a name"),
    ('[mount.a]\nat = "/"\nservice = "tmpfs"\n', "at is `/` and a name"),
    ('[mount.a]\nat = "/a/b"\nservice = "tmpfs"\n', "at is `/` and a name"),
    ('[mount.a]\nat = "/.."\nservice = "tmpfs"\n', "at is `/` and a name"),
    ('[mount.a]\nat = "/a"\nservice = "fat"\n', 'uses no "fat"'),
    ('[mount.a]\nat = "/a"\n', "either `service`"),
    ('[mount.a]\nat = "/a"\nvolume = "first"\n', "either `service`"),
    ('[mount.a]\nat = "/a"\nservice = "tmpfs"\nvolume = "first"\ntypes = ["ext4"]\n', "either `service`"),
    ('[mount.a]\nat = "/a"\nvolume = "second"\ntypes = ["ext4"]\n', "the GUID of a partition"),
    ('[mount.a]\nat = "/a"\nvolume = "first"\ntypes = ["fat"]\n', "names of [types]"),
    ('[mount.a]\nat = "/a"\nservice = "tmpfs"\nread_only = 1\n', "keys are"),
    ('[mount.a]\nat = "/a"\nservice = "tmpfs"\nroot = true\n', "keys are"),
    ('[mount.a]\nat = "/a"\nservice = "tmpfs"\n[mount.b]\nat = "/a"\nservice = "tmpfs"\n', "two mounts are at /a"),
    ("".join(f'[mount.m{i}]\nat = "/m{i}"\nservice = "tmpfs"\n' for i in range(17)), "more than 16 mounts"),
)


@suite.test("a mount that cannot be is refused with its line")
def refused() -> None:
    refuses("mkmounts.py", SERVICES, REFUSED, "manifest.toml:")


@suite.test("good mounts are compiled, and there may be none")
def accepted() -> None:
    for text, count in (("", 0), ('[mount.a]\nat = "/a"\nservice = "tmpfs"\n', 1),
                        (f'[mount.a]\nat = "/a"\nvolume = "{GUID}"\ntypes = ["ext4"]\nread_only = true\n', 1)):
        done, out = compiled_by("mkmounts.py", SERVICES + text)
        check(done.returncode == 0 and not done.stderr, f"{text}: {done.stderr}")
        check(len(out) == 24 + 176 * count + 40, f"{text}: {len(out)} bytes")
    check(bytes.fromhex("af3dc60f838472478e793d69d8477de4") in out, "the GUID is not as GPT stores it")
