# SPDX-License-Identifier: MIT
"""test_authority.py - each process has exactly the capabilities that docs/authority.md says, no more and no less.

The page's table is the input: it is compared both ways with what `caps PROCESS` shows of every process that runs."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from hardware import network_card
from qemu import PROMPT, ROOT
from testlib import Suite, check
from tests.system import test_disk_files as disk_files

suite = Suite("authority")

PAGE = ROOT / "docs/authority.md"
ROW = re.compile(r"^(?P<handle>[0-9a-f]+) +(?P<type>\w+) +(?P<rights>[rwxgv-]{5}) +(?P<object>\d+) "
                 r"(?:original|(?P<origin>\S+) +[0-9a-f]+) +(?:(?P<name>\S+) +)??"
                 r"(?P<details>(?:\d+ KiB|ports 0x|no badge|badge|lines? |id ).*?)\s*$", re.M)
# What the kernel gives init, in this order, behind the memory that init is loaded into: kernel/boot.
FROM_KERNEL = ["initrd", "device memory", "ports", "interrupts", "log", "statistics", "trace", "acpi", "framebuffer"]
FIRST_SESSION_BADGE = 1 << 62  # badges that services mint are above it, those that init mints for services below
CONTROL_BADGE = 1 << 63        # the manager's: may start and end services
FIRST_MESSAGE_LINE = 128


@dataclass(frozen=True)
class Capability:
    """As a row of the page names it."""
    process: str
    what: str
    rights: str
    origin: str

    def row(self, count: object) -> str:
        return f"| {self.process} | {self.what} | {self.rights} | {self.origin} | {count} | |"


def manifest_endpoints() -> Iterable[str]:
    """As init makes them: its own, then those of the services, in order."""
    document = tomllib.loads((ROOT / "system/manifest.toml").read_text(encoding="utf-8"))
    yield "manager"
    for table in document["service"].values():
        for number in range(table.get("count", 1)):
            for value in table.get("provides", {}).values():
                name = value["endpoint"] if isinstance(value, dict) else value
                yield f"{name}.{number}" if "count" in table else name


class System:
    """The capabilities of all processes, as the prompt shows them."""

    def __init__(self, guest) -> None:
        services = guest.command("services")
        self.names = ["init"] + re.findall(r"^(\S+) +\S+ +running ", services, re.M)
        programs = re.findall(r"^ *\d+ (\S+) +alive ", guest.command("ps"), re.M)
        self.names += [name for name in programs if name not in self.names]
        self.rows = {name: [match.groupdict() for match in ROW.finditer(guest.command(f"caps {name}", 60))]
                     for name in self.names}
        self.objects: dict[str, str] = {}
        self._name_objects()

    def _name_objects(self) -> None:
        """By their number: what the kernel gave init, and the endpoints of the manifest, in its order."""
        own = [row for row in self.rows["init"] if row["origin"] is None]
        given = [row for row in own[:next(i for i, row in enumerate(own) if row["type"] == "process")]
                 if row["rights"] != "rwxgv"]
        check(len(given) == len(FROM_KERNEL), f"the kernel gave init something else:\n{given}")
        self.objects |= {row["object"]: name for row, name in zip(given, FROM_KERNEL, strict=True)}
        made = [row["object"] for row in own if row["type"] == "endpoint"]
        self.objects |= dict(zip(made, manifest_endpoints()))
        for name, rows in self.rows.items():
            for row in rows:
                if row["type"] == "endpoint" and row["origin"] is None and name != "init":
                    self.objects[row["object"]] = f"of {name}"

    def capabilities(self) -> Counter:
        return Counter(Capability(name, self._what(name, row), row["rights"], row["origin"] or "itself")
                       for name, rows in self.rows.items() for row in rows)

    def _what(self, process: str, row: dict) -> str:
        return {"endpoint": self._endpoint, "memory": self._memory, "interrupt": self._interrupt}.get(
            row["type"], lambda *_: row["type"])(process, row)

    def _endpoint(self, process: str, row: dict) -> str:
        name = self.objects.get(row["object"], "")
        badge = int((re.search(r"badge 0x([0-9a-f]+)", row["details"]) or [0, "0"])[1], 16)
        if row["origin"] is None:
            return "endpoint"  # its own; init has all of the manifest
        if name == "manager":
            return "endpoint manager" if badge & CONTROL_BADGE else "endpoint observer"
        if badge >= FIRST_SESSION_BADGE and row["origin"] != name:
            return f"session of {name}"
        return f"endpoint {name}"

    def _memory(self, process: str, row: dict) -> str:
        details = row["details"]
        region = re.search(r"region (\S+)", details)
        if region:
            return "region" if process == "init" else f"region {region[1]}"
        if row["origin"] is not None and details.startswith("ports"):
            return details
        return self.objects.get(row["object"], "device memory" if "device memory" in details else "RAM")

    def _interrupt(self, process: str, row: dict) -> str:
        if row["origin"] is None:
            return self.objects[row["object"]]
        number = int(re.search(r"\d+", row["details"])[0])
        return "message line" if row["details"].startswith("line ") and number >= FIRST_MESSAGE_LINE else \
            row["details"]


def page() -> dict[Capability, str]:
    """The rows of the table, and how many there are of each: a number, `some` (one or more) or `any`."""
    rows = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 6 and re.fullmatch(r"[rwxgv-]{5}", cells[2]):
            capability = Capability(*cells[:4])
            check(capability not in rows, f"the page has two rows for {capability}")
            check(re.fullmatch(r"\d+|some|any", cells[4]), f"'{cells[4]}' is no number of capabilities")
            check(cells[5], f"the page does not say what {capability} is for")
            rows[capability] = cells[4]
    check(len(rows) > 50, f"the page has {len(rows)} rows only")
    return rows


def fits(count: int, said: str) -> bool:
    return said == "any" or (count >= 1 if said == "some" else count == int(said))


@suite.test("each process has exactly the capabilities that docs/authority.md says")
def exact() -> None:
    said = page()
    with disk_files.disk() as path, disk_files.prompt(path, "authority", more=network_card()) as guest:
        guest.command("ls /disk", 60)
        guest.command("run keys &")
        guest.expect("behind")
        guest.send("settle\r")  # what it and the prompt have said before is behind us, whatever came first
        guest.expect("settle: there is no such command")
        guest.expect(PROMPT)
        found = System(guest).capabilities()
    more = [capability.row(count) for capability, count in found.items() if capability not in said]
    other = [f"{capability.row(found[capability])} (the page says {count})" for capability, count in said.items()
             if not fits(found[capability], count)]
    check(not more and not other, "docs/authority.md differs from the system.\nNot on the page:\n" +
          "\n".join(more) + "\nIn another number:\n" + "\n".join(other))
