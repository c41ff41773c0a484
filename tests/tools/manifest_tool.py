# SPDX-License-Identifier: MIT
"""manifest_tool.py - runs a tool of tools/ on a manifest of a test, as the build does."""

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from qemu import ROOT
from testlib import HANG_S, check


def compiled_by(tool: str, manifest: str) -> tuple[subprocess.CompletedProcess, bytes]:
    """What it says, and what it has written: nothing if it has written nothing."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "manifest.toml", Path(folder) / "out"
        source.write_text(manifest)
        done = subprocess.run([sys.executable, tool, str(source), str(out)], cwd=ROOT / "tools",
                              capture_output=True, text=True, timeout=HANG_S)
        return done, out.read_bytes() if out.exists() else b""


def refuses(tool: str, before: str, refused: Iterable[tuple[str, str]], place: str) -> None:
    """Each of the texts, behind `before`, is refused at that place of the manifest, in these words."""
    for text, words in refused:
        done, out = compiled_by(tool, before + text)
        check(done.returncode != 0 and not out, f"{text}: it was accepted")
        check(words in done.stderr and place in done.stderr, f"{text}: no '{words}' in {done.stderr}")
        check("Traceback" not in done.stderr, done.stderr)
