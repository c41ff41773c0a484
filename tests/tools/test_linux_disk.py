# SPDX-License-Identifier: MIT
"""test_linux_disk.py - the programs of Linux on the disk of `make run`: what is there, and what is said without."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import linux_disk
from testlib import Suite, check

suite = Suite("tools")

@contextmanager
def content() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "content"
        path.mkdir()
        yield path


@suite.test("a new disk has Debian's packages whole, with their copyright and their versions")
def whole() -> None:
    with content() as path:
        said = linux_disk.make(path)
        linux = path / "linux"
        check(os.access(linux / "bin/busybox", os.X_OK), f"there is no busybox: {said}")
        check((linux / "usr/share/doc/busybox-static/copyright").exists(), "its copyright is not there")
        versions = (linux / "versions").read_text().splitlines()
        check(versions and all(line in said for line in versions), f"{versions} are not told: {said}")
        check(sorted(path.parent.iterdir()) == [path], "something is left over")


@contextmanager
def without_network() -> Iterator[dict[str, str]]:
    """An environment in which nothing was fetched before, and apt answers as it does when nothing can be reached."""
    with tempfile.TemporaryDirectory() as folder:
        apt = Path(folder) / "apt-get"
        apt.write_text("#!/bin/sh\ncase $* in *indextargets*) echo http://mirror.example bookworm ;; *) exit 100 ;; esac\n")
        apt.chmod(0o755)
        yield os.environ | {"MNOS_DEPS": f"{folder}/deps", "PATH": f"{folder}:{os.environ['PATH']}"}


@suite.test("without network and without what was fetched before, one line says so and the disk is made all the same")
def offline() -> None:
    with content() as path, without_network() as environment:
        said = linux_disk.make(path, environment=environment)
        check(said.startswith("the disk has no programs of Linux: ") and "\n" not in said, said)
        check(not list(path.iterdir()), "something is on the disk")
        check(sorted(path.parent.iterdir()) == [path], "something is left over")
