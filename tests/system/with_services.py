# SPDX-License-Identifier: MIT
"""with_services.py - the system with programs of tests/services in its RAM disk, and a manifest that has them."""

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Callable, Iterable

from qemu import BUILD, ROOT
from testlib import HANG_S

sys.path.insert(0, str(ROOT / "tools"))

from mkarchive import pack  # noqa: E402
from tests.system.test_init import members  # noqa: E402


MOUNTS = "\n[mount."
WEB = 'uses = { files = { endpoint = "tmpfs", directory = "tour", rights = "read" }, net'


def needs_of(programs: Iterable[str], where: str = "user") -> list[Path]:
    """What these programs look up, as the build found it; of init, which no manifest starts, there is none."""
    return [BUILD / where / f"{program}.needs" for program in programs]


def programs() -> list[str]:
    """The programs of the system's RAM disk but init."""
    return [name for name in members() if name != "init" and (BUILD / "user" / f"{name}.elf").exists()]


def compile_manifest(source: Path, out: Path, more: Iterable[Path] = ()) -> None:
    """Compiles a manifest for the system's programs, and for those that look up what is in `more`."""
    subprocess.run([sys.executable, ROOT / "tools/mkmanifest.py", source, out, *needs_of(programs()), *more],
                   check=True, timeout=HANG_S)


def added(services: str) -> Callable[[str], str]:
    """What puts services into a manifest: in front of what is mounted."""
    def change(manifest: str) -> str:
        if MOUNTS not in manifest:
            raise ValueError("the manifest mounts nothing")
        return manifest.replace(MOUNTS, services + MOUNTS, 1)
    return change


def killer(name: str, program: str, arguments: str, uses: str, killed: str) -> str:
    """A service that is started by hand, uses another one and kills that meanwhile."""
    return f"""
[service.{name}]
file = "{program}"
restart = "on-demand"
priority = 15
ceiling = 30
frames = 256
bytes = 65536
arguments = "{arguments}"
uses = {{ {uses}, manager = {{ endpoint = "manager", start = ["{killed}"] }} }}
log = "write"
"""


def web_from(endpoint: str) -> Callable[[str], str]:
    """What lets the web server show all of a file system, and not the tour."""
    def change(manifest: str) -> str:
        if WEB not in manifest:
            raise ValueError("the manifest gives httpd other files")
        return manifest.replace(WEB, f'uses = {{ files = "{endpoint}", net', 1)
    return change


@cache
def made_of(text: str, added_programs: tuple[str, ...], where: str) -> dict[str, bytes]:
    """The files of the RAM disk that are made of a manifest. Most tests of a suite have the same one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = folder / "manifest.toml"
        manifest.write_text(text)
        compile_manifest(manifest, folder / "manifest.bin", needs_of(added_programs, where))
        for tool, out in (("mknet.py", "net_limits"), ("mkfiles.py", "file_limits")):
            subprocess.run([sys.executable, ROOT / "tools" / tool, manifest, folder / out], check=True, timeout=HANG_S)
        return {out: (folder / out).read_bytes() for out in ("manifest.bin", "net_limits", "file_limits")}


def initrd(folder: Path, added_programs: Iterable[str], change: Callable[[str], str],
           where: str = "tests/services", extra: dict[str, bytes] | None = None) -> Path:
    """A RAM disk in `folder` with the programs of a folder, `extra` files, and what `change` makes of the manifest."""
    files = members() | (extra or {})
    for program in added_programs:
        files[program] = (BUILD / where / f"{program}.stripped").read_bytes()
    files |= made_of(change((ROOT / "system/manifest.toml").read_text()), tuple(added_programs), where)
    path = folder / "initrd.tar"
    path.write_bytes(pack(files))
    return path
