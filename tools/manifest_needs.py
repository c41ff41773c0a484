# SPDX-License-Identifier: MIT
"""manifest_needs.py - what programs look up in their bootstrap tables, for mkmanifest.py.

Each look-up leaves a line in a section of the program (lib/mnos/bootstrap.h), which the build takes out into
NAME.needs: "required ports drivers/serial/ns16550/main.c:197", or "optional" or "listed" with a name, or "launched -".
"""

import re
from pathlib import Path
from typing import Iterable

from manifest_grants import CONTROL

SYSTEM = ("lib/", "services/", "drivers/", "programs/", "personality/")
PLAIN = re.compile(r"\.\d+\Z")  # the capabilities of several instances have one name and a number


class Program:
    """The names that one program looks up, each with where it does so first; whether `launcher` starts it."""

    def __init__(self, path: Path) -> None:
        self.name = path.name.removesuffix(".needs")
        self.required: dict[str, str] = {}
        self.optional: dict[str, str] = {}
        self.listed: dict[str, str] = {}
        self.is_launched = False
        for line in sorted(path.read_text(encoding="utf-8").splitlines()):
            how, name, where = line.split(" ")
            if how == "launched":
                self.is_launched = True
            else:
                getattr(self, how).setdefault(name, where)

    def folder(self) -> Path | None:
        """Of one's own (WITH), where the first look-up of its own is; None: it is the system's, or only libraries look something up."""
        own = sorted(where for names in (self.required, self.optional, self.listed) for where in names.values()
                     if not where.startswith(SYSTEM))
        return Path(own[0]).parent if own else None

    def mentions(self, name: str) -> bool:
        return name in self.required or name in self.optional or name in self.listed

    def vain(self, granted: set[str]) -> list[tuple[str, str]]:
        """What it looks up and never gets. A library can do without what it asks for; who launches a program decides
        what it gets."""
        return [] if self.is_launched else [(name, where) for name, where in sorted(self.optional.items())
                                            if name not in granted and not where.startswith("lib/")]


def read_programs(paths: Iterable[Path]) -> dict[str, Program]:
    return {program.name: program for program in map(Program, sorted(paths))}


def granted_to(service) -> set[str]:
    return {PLAIN.sub("", grant[0]) for grant in service.grants if grant[1] != CONTROL}


def check_launched(manifest, services: list, programs: dict[str, Program]) -> None:
    """A program that no service is made of, and that is not launched, would be in the image for nothing."""
    used = {service.table["file"] for service in services}
    for name, program in programs.items():
        if name not in used and not program.is_launched:
            folder = program.folder()
            remedy = f"; a service of it would be in {folder / 'manifest.toml'}" if folder else ""
            manifest.error(1, f"no service has file = \"{name}\", and that program does not say BOOTSTRAP_LAUNCHED{remedy}")


def check_needs(service, programs: dict[str, Program]) -> None:
    """What the program of a service cannot do without is granted, and what is granted it looks up."""
    program = programs.get(service.table["file"])
    if program is None:
        service.error(f"unknown file: no program '{service.table['file']}' in services, drivers, programs or the folders of WITH", "file")
        return
    service.optional = (set(program.optional) | set(program.listed)) - set(program.required)
    for name, where in sorted(program.required.items()):
        if name not in granted_to(service):
            service.error(f"missing grant: {where} looks up '{name}'")
    for grant in service.grants:
        if grant[1] != CONTROL and not program.mentions(PLAIN.sub("", grant[0])):
            service.error(f"unused grant: the program '{program.name}' never looks up '{grant[0]}'", grant[6], grant[0])


def check_vain(services: list, programs: dict[str, Program]) -> None:
    """A look-up that can be done without, and that no service of the program is ever granted, is a mistake in one of
    the two names."""
    for name, program in programs.items():
        of_it = [service for service in services if service.table["file"] == name]
        granted = {grant for service in of_it for grant in granted_to(service)}
        for missing, where in program.vain(granted) if of_it else []:
            of_it[0].error(f"nothing grants '{missing}', which {where} looks up")
