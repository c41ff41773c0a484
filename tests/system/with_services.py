# SPDX-License-Identifier: MIT
"""with_services.py - the system with programs of tests/services in its RAM disk, and a manifest that has them."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, Iterable

from qemu import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tools"))

from mkarchive import pack  # noqa: E402
from tests.system.test_init import members  # noqa: E402


MOUNTS = "\n[mount."


def added(services: str) -> Callable[[str], str]:
    """What puts services into a manifest: in front of what is mounted."""
    def change(manifest: str) -> str:
        if MOUNTS not in manifest:
            raise ValueError("the manifest mounts nothing")
        return manifest.replace(MOUNTS, services + MOUNTS, 1)
    return change


def initrd(folder: Path, programs: Iterable[str], change: Callable[[str], str],
           where: str = "tests/services", extra: dict[str, bytes] | None = None) -> Path:
    """A RAM disk in `folder` with the programs of a folder, `extra` files, and what `change` makes of the manifest."""
    for name in ("system", "services", "drivers", "programs"):
        shutil.copytree(ROOT / name, folder / name)
    files = members() | (extra or {})
    for program in programs:
        shutil.copytree(ROOT / where / program, folder / "programs" / program)
        files[program] = (BUILD / where / f"{program}.stripped").read_bytes()
    manifest = folder / "system/manifest.toml"
    manifest.write_text(change(manifest.read_text()))
    subprocess.run([sys.executable, ROOT / "tools/mkmanifest.py", manifest, folder / "manifest.bin"], check=True,
                   timeout=60)
    subprocess.run([sys.executable, ROOT / "tools/mknet.py", manifest, folder / "net_limits"], check=True, timeout=60)
    for name in ("manifest.bin", "net_limits"):
        files[name] = (folder / name).read_bytes()
    path = folder / "initrd.tar"
    path.write_bytes(pack(files))
    return path
