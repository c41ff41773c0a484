#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mkmanifest.py - checks system/manifest.toml and compiles it for init.

    mkmanifest.py MANIFEST.toml OUT.bin PROGRAM.needs...

What the manifest grants is held against what each program looks up (PROGRAM.needs, manifest_needs.py): an
unknown name, a missing, an unused or a duplicate grant is an error. Every error names
the file and the line. The output format is protocols/manifest_format.h; docs/manifest.md explains
the keys.
"""

import re
import struct
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from join_manifest import line_in, line_of_table, place  # noqa: E402
from manifest_grants import (CALL, CONTROL, GRANT, NAME, READ, SERVE, WRITE, add_resources,  # noqa: E402
                             check_shared, well_typed)
from manifest_needs import Program, check_launched, check_needs, check_vain, read_programs  # noqa: E402
from manifest_regions import Region, add_regions, share_of  # noqa: E402
from manifest_uses import Use, add_control, add_matches, read_use, used  # noqa: E402

NAME_BYTES = 24
ARGUMENT_BYTES = 96
SERVICES_MAX, ENDPOINTS_MAX, GRANTS_MAX = 64, 96, 1024
INSTANCES_MAX = 16
EXPORTS_MAX = 4096
PRIORITY_COUNT, CORES_MAX = 64, 32
MAGIC, VERSION = 0x54464E414D4D4E31, 3
GRACE_SECONDS = 5

RESTART = {"never": 0, "always": 1, "on-demand": 2, "when-started": 3}
# Endpoints that init serves itself.
INIT_ENDPOINTS = ["manager", "observer"]
PROVIDER_INIT = 0xFFFFFFFF

# Key: whether it must be there, and the type of its value.
KEYS = {
    "file": (True, str), "restart": (True, str), "priority": (True, int), "ceiling": (True, int),
    "count": (False, int), "frames": (True, (int, dict)), "bytes": (True, int), "stack_pages": (False, int),
    "affinity": (False, int), "arguments": (False, str), "kernel_arguments": (False, bool),
    "provides": (False, dict), "uses": (False, dict), "ports": (False, list),
    "interrupts": (False, list), "devices": (False, list), "memory": (False, list),
    "files": (False, list), "log": (False, str), "started_by": (False, list), "delegate": (False, bool), "grace": (False, int), "match": (False, list),
}
TYPE_TEXT = {str: "a string", int: "a number", bool: "true or false", dict: "a table",
             list: "a list", (int, dict): "a number or { share = \"N%\" }"}


class Manifest:
    """The source text, for line numbers, and the errors found so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.errors: list[str] = []
        self.lines = path.read_text(encoding="utf-8").splitlines()

    def section(self, name: str, kind: str) -> tuple[int, int]:
        """First and past-the-last index of the lines of [KIND.NAME]."""
        start = line_of_table(self.lines, kind, name) - 1
        end = next((number for number in range(start + 1, len(self.lines))
                    if self.lines[number].lstrip().startswith("[")
                    and re.match(r"\s*\[+\s*[\w\"'.-]+\s*\]+\s*(#.*)?\Z", self.lines[number])),
                   len(self.lines))
        return start, end

    def line_of(self, name: str, key: str | None = None, word: object = None,
                kind: str = "service") -> int:
        """The line of a key of a service or region, or of a word after it; the header's when not found."""
        start, end = self.section(name, kind)
        if key is None:
            return start + 1
        found = None
        for number in range(start + 1, end):
            code = self.lines[number].split("#")[0]
            if found is None and re.match(r"\s*[\"']?" + re.escape(key) + r"[\"']?\s*[=.]", code):
                found = number
                if word is None:
                    break
            elif found is not None and re.match(r"[\w\"'-]+\s*=", code):
                break
            if found is not None and word is not None and \
                    re.search(r"(?<![\w-])" + re.escape(str(word)) + r"(?![\w-])", code):
                return number + 1
        return (start if found is None else found) + 1

    def error(self, line: int, text: str) -> None:
        message = f"{place(self.path, self.lines, line)}: {text}"
        if message not in self.errors:  # each instance of a service finds it
            self.errors.append(message)


class Service:
    """One service, or one instance of it, called NAME.0, NAME.1 and so on."""

    def __init__(self, manifest: Manifest, base: str, table: dict, instance: int | None) -> None:
        self.manifest, self.base, self.table, self.instance = manifest, base, table, instance
        self.name = self.numbered(base)
        self.grants: list[tuple] = []  # name, kind, rights, a, b, object, key in the manifest
        self.optional: set[str] = set()
        self.provides: dict[str, tuple[str, int]] = {}  # collect_endpoints()
        self.uses: dict[str, Use] = {}

    def error(self, text: str, key: str | None = None, word: object = None) -> None:
        self.manifest.error(self.manifest.line_of(self.base, key, word),
                            f"service {self.base}: {text}")

    def numbered(self, name: str) -> str:
        return name if self.instance is None else f"{name}.{self.instance}"

    def number(self, key: str, default: int, low: int, high: int) -> int:
        value = self.table.get(key, default)
        if not low <= value <= high:
            self.error(f"{key} is {value}, outside {low} to {high}", key)
        return value

    def add(self, name: str, kind: int, rights: int, a: int, b: int, obj: int, key: str) -> None:
        if not NAME.match(re.sub(r"\.\d+\Z", "", name)) or len(name) >= NAME_BYTES:
            self.error(f"{key}: '{name}' is not a name (a-z, 0-9, _ and -, at most "
                       f"{NAME_BYTES - 1} characters)", key, name)
        elif any(grant[0] == name for grant in self.grants):
            self.error(f"duplicate grant: the name '{name}' is given twice", key, name)
        self.grants.append((name, kind, rights, a, b, obj, key))


def name_ok(name: str, reserve: int = 0) -> bool:
    """Whether something may be called so; `reserve`: characters for the number of an instance."""
    return NAME.match(name) is not None and len(name) < NAME_BYTES - reserve


def check_keys(service: Service) -> bool:
    """Unknown and missing keys, and types; False when the rest cannot be looked at."""
    good = True
    for key, value in service.table.items():
        if key not in KEYS:
            service.error(f"unknown key '{key}'", key)
            good = False
        elif not well_typed(value, KEYS[key][1]):
            service.error(f"{key} must be {TYPE_TEXT[KEYS[key][1]]}", key)
            good = False
    for key, (needed, _) in KEYS.items():
        if needed and key not in service.table:
            service.error(f"missing key '{key}'")
            good = False
    return good


def provided(service: Service) -> dict[str, tuple[str, int]]:
    """Name of each endpoint that a service receives on -> what others call it, and how many sessions the
    service may hand out itself."""
    found = {}
    for name, value in service.table.get("provides", {}).items():
        endpoint, exports = value, 0
        if isinstance(value, dict):
            endpoint, exports = value.get("endpoint"), value.get("exports")
            if set(value) != {"endpoint", "exports"} or type(exports) is not int or \
                    not 1 <= exports <= EXPORTS_MAX:
                service.error(f"provides: {name} is the name of an endpoint, or {{ endpoint = \"NAME\", "
                              f"exports = 1 to {EXPORTS_MAX} }}", "provides")
                continue
        if not isinstance(endpoint, str) or not name_ok(endpoint, 3):
            service.error(f"provides: {name} must be the name of an endpoint", "provides")
            continue
        found[name] = (service.numbered(endpoint), exports)
    return found


def collect_endpoints(services: list[Service]) -> dict[str, int]:
    """Name of each endpoint -> index of its provider."""
    endpoints = {name: PROVIDER_INIT for name in INIT_ENDPOINTS}
    for index, service in enumerate(services):
        service.provides = provided(service)
        service.uses = {name: read_use(service, name, value)
                        for name, value in service.table.get("uses", {}).items()}
        for endpoint, _ in service.provides.values():
            if endpoint in endpoints:
                other = endpoints[endpoint]
                owner = "init" if other == PROVIDER_INIT else services[other].name
                service.error(f"duplicate grant: endpoint '{endpoint}' is provided by {owner} "
                              "already", "provides", re.sub(r"\.\d+\Z", "", endpoint))
            else:
                endpoints[endpoint] = index
    return endpoints


def add_endpoints(service: Service, endpoints: dict[str, int]) -> None:
    order = list(endpoints)
    for name, (endpoint, exports) in service.provides.items():
        if endpoint in order:
            rights = READ | WRITE | (GRANT if exports else 0)
            service.add(name, SERVE, rights, order.index(endpoint), 0, 0, "provides")
    for name, use in service.uses.items():
        found = used(name, use.endpoint, endpoints)
        if not found:
            service.error(f"uses: no service provides an endpoint '{use.endpoint}'", "uses", use.endpoint)
            # One mistake, one error: the name counts as granted all the same.
            found = [(name, order[0])]
        for given, one in found:
            if use.events and endpoints[one] == PROVIDER_INIT:
                service.error(f"uses: {name} has events, which '{one}' does not take", "uses", name)
            service.add(given, CALL, WRITE, order.index(one), use.events, 1 if use.start is not None else 0, "uses")


def check_cycles(services: list[Service], endpoints: dict[str, int]) -> None:
    """A calls B calls A: both would wait for each other's reply for ever."""
    calls = [[endpoints[one] for name, use in s.uses.items() if use.calls
              for _, one in used(name, use.endpoint, endpoints) if endpoints[one] != PROVIDER_INIT]
             for s in services]
    done: set[int] = set()

    def visit(index: int, path: list[int]) -> None:
        if index in path:
            names = [services[i].name for i in path[path.index(index):] + [index]]
            services[index].error(f"services wait for each other: {' -> '.join(names)}", "uses")
            return
        if index in done:
            return
        for callee in calls[index]:
            visit(callee, path + [index])
        done.add(index)

    for start in range(len(services)):
        visit(start, [])


def check_values(service: Service) -> None:
    if not name_ok(service.base, 3 if "count" in service.table else 0) or service.base == "init":
        service.error(f"'{service.base}' cannot be the name of a service (a-z, 0-9, _ and -, at most "
                      f"{NAME_BYTES - 1} characters with the number of an instance, and not init)")
    if len(service.table["file"]) >= NAME_BYTES:
        service.error(f"file names have at most {NAME_BYTES - 1} characters", "file")
    if service.table["restart"] not in RESTART:
        service.error(f"restart is one of {', '.join(RESTART)}", "restart")
    arguments = service.table.get("arguments", "")
    if len(arguments.encode()) >= ARGUMENT_BYTES or not arguments.isascii():
        service.error(f"arguments are ASCII, at most {ARGUMENT_BYTES - 1} characters", "arguments")
    ceiling = service.number("ceiling", 0, 0, PRIORITY_COUNT - 1)
    if service.number("priority", 0, 0, PRIORITY_COUNT - 1) > ceiling:
        service.error(f"priority {service.table['priority']} is above the ceiling {ceiling}",
                      "priority")
    if isinstance(service.table["frames"], dict):
        if set(service.table["frames"]) != {"share"} or share_of(service.table["frames"]["share"]) is None:
            service.error('frames is a number, or { share = "N%" }', "frames")
    else:
        service.number("frames", 0, 16, 1 << 30)
    service.number("bytes", 0, 4096, 1 << 40)
    service.number("stack_pages", 4, 1, 256)
    service.number("affinity", 0, 0, CORES_MAX - 1)
    service.number("grace", GRACE_SECONDS, 1, 3600)


def text(value: str, size: int) -> bytes:
    return value.encode("ascii").ljust(size, b"\0")


def compile_binary(services: list[Service], endpoints: dict[str, int], regions: list[bytes],
                   matches: list[bytes]) -> bytes:
    exports = {endpoint: count for service in services for endpoint, count in service.provides.values()}
    body = b"".join(struct.pack("<24sII", text(name, NAME_BYTES), provider, exports.get(name, 0))
                    for name, provider in endpoints.items())
    records, grants = b"", b""
    grant_count = 0
    for service in services:
        table = service.table
        share = share_of(table["frames"]["share"]) if isinstance(table["frames"], dict) else 0
        records += struct.pack(
            "<24s24s96sQQIIIIIIIIII", text(service.name, NAME_BYTES), text(table["file"], NAME_BYTES),
            text(table.get("arguments", ""), ARGUMENT_BYTES), 0 if share else table["frames"], table["bytes"],
            table["priority"], table["ceiling"], table.get("affinity", 0xFFFFFFFF),
            table.get("stack_pages", 4), RESTART[table["restart"]],
            1 if table.get("kernel_arguments") else 0, grant_count, len(service.grants),
            share, table.get("grace", GRACE_SECONDS))
        for name, kind, rights, a, b, obj, _ in service.grants:
            grants += struct.pack("<24sIIQQII", text(name, NAME_BYTES), kind, rights, a, b, obj,
                                  1 if re.sub(r"\.\d+\Z", "", name) in service.optional else 0)
        grant_count += len(service.grants)
    body += records + grants + b"".join(regions + matches)
    header = struct.pack("<QIIIIIIII", MAGIC, VERSION, 40 + len(body), len(endpoints), len(services),
                         grant_count, len(regions), len(matches), 0)
    return header + body


def instances(manifest: Manifest, name: str, table: dict) -> list[Service]:
    """One service, or with `count` several, each with endpoints and regions of its own."""
    count = table.get("count")
    if count is None:
        return [Service(manifest, name, table, None)]
    if type(count) is not int or not 1 <= count <= INSTANCES_MAX:
        service = Service(manifest, name, table, None)
        service.error(f"count is 1 to {INSTANCES_MAX}", "count")
        return [service]
    return [Service(manifest, name, table, number) for number in range(count)]


def region_tables(manifest: Manifest, document: dict) -> dict[str, dict]:
    tables = document.get("region", {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        manifest.error(1, "regions are tables: [region.NAME]")
        return {}
    return tables


def check(manifest: Manifest, programs: dict[str, Program]) -> bytes | None:
    """The compiled manifest, or None and the reasons in manifest.errors."""
    try:
        document = tomllib.loads("\n".join(manifest.lines) + "\n")
    except tomllib.TOMLDecodeError as problem:
        manifest.error(line_in(str(problem)), str(problem))
        return None
    for key in document:
        if key not in ("service", "region", "mount", "types"):  # the last two are mkmounts.py's
            line = next((n + 1 for n, line in enumerate(manifest.lines)
                         if re.match(r"\s*\[*\s*[\"']?" + re.escape(key) + r"\b", line)), 1)
            manifest.error(line, f"unknown key '{key}'; there are [service.NAME], [region.NAME], [mount.NAME] "
                                 "and [types]")
    tables = document.get("service", {})
    if not isinstance(tables, dict) or not tables or \
            not all(isinstance(table, dict) for table in tables.values()):
        manifest.error(1, "there is no [service.NAME]")
        return None
    services = [service for name, table in tables.items() for service in instances(manifest, name, table)]
    regions = [Region(manifest, name, table) for name, table in region_tables(manifest, document).items()]
    if not all([check_keys(service) for service in services] +
               [region.check_keys(well_typed, TYPE_TEXT) for region in regions]):
        return None
    endpoints = collect_endpoints(services)
    for service in services:
        check_values(service)
        add_resources(service)
        add_endpoints(service, endpoints)
    records = add_regions(regions, services, name_ok)
    add_control(services)
    matches = add_matches(services)
    for service in services:
        check_needs(service, programs)
    check_cycles(services, endpoints)
    check_shared(services)
    check_launched(manifest, services, programs)
    if not manifest.errors:  # one mistake, one error
        check_vain(services, programs)
    if len(services) > SERVICES_MAX or len(endpoints) > ENDPOINTS_MAX or \
            sum(len(service.grants) for service in services) > GRANTS_MAX:
        manifest.error(1, f"more than {SERVICES_MAX} services, {ENDPOINTS_MAX} endpoints or "
                          f"{GRANTS_MAX} grants")
    return None if manifest.errors else compile_binary(services, endpoints, records, matches)


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    source, out = Path(arguments[0]), Path(arguments[1])
    try:
        manifest = Manifest(source)
    except (OSError, UnicodeDecodeError) as problem:
        print(f"{source}:1: cannot be read: {problem}", file=sys.stderr)
        return 1
    binary = check(manifest, read_programs(map(Path, arguments[2:])))
    for line in manifest.errors:
        print(line, file=sys.stderr)
    if binary is None:
        return 1
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(binary)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
