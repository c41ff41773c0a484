# SPDX-License-Identifier: MIT
"""manifest_grants.py - what of the machine a service of system/manifest.toml is given, for mkmanifest.py: ports,
interrupts, devices, files of the initial RAM disk, memory, the log. docs/manifest.md explains the keys,
protocols/manifest_format.h the records."""

import re

NAME = re.compile(r"[a-z][a-z0-9_-]*\Z")
READ, WRITE, EXECUTE, GRANT, REVOKE = 1, 2, 4, 8, 16
SERVE, CALL, PORTS, INTERRUPT, DEVICE, MEMORY, CONTROL, FILE = 1, 2, 3, 4, 5, 6, 8, 9
LOG = 2
LOG_RIGHTS = {"read": READ, "write": WRITE, "read, write": READ | WRITE}
SHARED = 1  # `object` of a grant of ports: another service may have them, too
# What `memory` may name: number in the format, and the rights a service gets.
OBJECTS = {"initrd": (1, READ), "statistics": (3, READ), "acpi": (4, READ),
           "framebuffer": (5, READ | WRITE), "trace": (6, READ)}
# The forms that an entry of a list may have.
PORT_KEYS = ({"name": str, "first": int, "count": int},
             {"name": str, "first": int, "count": int, "shared": bool})
LINE_KEYS = ({"name": str, "line": int}, {"name": str, "first": int, "count": int})
DEVICE_KEYS = ({"name": str, "address": int, "bytes": int}, {"name": str, "all": bool})
LINES = 192


def well_typed(value: object, kind: type) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def entries(service, key: str, shapes: tuple[dict[str, type], ...]) -> list[dict]:
    """The well-formed inline tables of a list."""
    found = []
    for entry in service.table.get(key, []):
        if not isinstance(entry, dict) or not any(
                set(entry) == set(shape) and all(well_typed(entry[part], kind) for part, kind in shape.items())
                for shape in shapes):
            forms = " or ".join(f"{{ {', '.join(shape)} }}" for shape in shapes)
            service.error(f"each entry of {key} is {forms}", key)
        else:
            found.append(entry)
    return found


def add_ports(service, delegated: int) -> None:
    """Shared ports are handed on by nobody."""
    for entry in entries(service, "ports", PORT_KEYS):
        if entry["first"] < 0 or entry["count"] < 1 or entry["first"] + entry["count"] > 65536:
            service.error("ports are 0 to 65535", "ports", entry["name"])
        shared = entry.get("shared", False)
        service.add(entry["name"], PORTS, READ | WRITE | (0 if shared else delegated), entry["first"],
                    entry["count"], SHARED if shared else 0, "ports")


def add_lines(service, delegated: int) -> None:
    for entry in entries(service, "interrupts", LINE_KEYS):
        first, count = entry.get("line", entry.get("first")), entry.get("count", 1)
        if first < 0 or count < 1 or first + count > LINES:
            service.error(f"interrupt lines are 0 to {LINES - 1}", "interrupts", entry["name"])
        service.add(entry["name"], INTERRUPT, READ | WRITE | delegated, first, count, 0, "interrupts")


def add_devices(service, delegated: int) -> None:
    """`all` is what no other service is given by address: 0 pages stand for it in the format."""
    for entry in entries(service, "devices", DEVICE_KEYS):
        address, size = entry.get("address", 0), entry.get("bytes", 0)
        if "all" in entry:
            if not entry["all"]:
                service.error("all is true, or there is address and bytes", "devices", entry["name"])
        elif address % 4096 or size % 4096 or size <= 0 or not 0 <= address < 1 << 52:
            service.error("address and bytes of a device are whole pages of 4096", "devices",
                          entry["name"])
        service.add(entry["name"], DEVICE, READ | WRITE | delegated, address // 4096, size // 4096, 0,
                    "devices")


def add_resources(service) -> None:
    delegated = GRANT | REVOKE if service.table.get("delegate") else 0
    add_ports(service, delegated)
    add_lines(service, delegated)
    add_devices(service, delegated)
    for entry in service.table.get("files", []):
        form = {"name": entry, "execute": False, "delegate": False}
        if isinstance(entry, dict) and {"name", "execute"} <= set(entry) <= set(form):
            form |= entry
        name, runs, given = form.values()
        if not isinstance(name, str) or not NAME.match(name) or type(runs) is not bool or type(given) is not bool:
            service.error("files are names of files in the initial RAM disk, or { name, execute, delegate }", "files")
        else:
            service.add(name, FILE, READ | (EXECUTE if runs else 0) | (GRANT if given else 0), 0, 0, 0, "files")
    for name in service.table.get("memory", []):
        if name not in OBJECTS:
            service.error(f"memory: nothing is called '{name}' (there are "
                          f"{', '.join(OBJECTS)})", "memory", name)
        else:
            obj, rights = OBJECTS[name]
            service.add(name, MEMORY, rights, 0, 0, obj, "memory")
    if service.table.get("delegate") and not any(key in service.table for key in ("ports", "interrupts", "devices")):
        service.error("delegate is about ports, interrupts and devices, and it has none", "delegate")
    if "log" in service.table:
        if service.table["log"] not in LOG_RIGHTS:
            service.error('log is "read", "write" or "read, write"', "log")
        service.add("log", MEMORY, LOG_RIGHTS.get(service.table["log"], 0), 0, 0, LOG, "log")


def check_shared(services: list) -> None:
    """Two services with the same port, line or device page; ports that both say they share are fine."""
    units = {PORTS: "port", INTERRUPT: "interrupt line", DEVICE: "device page"}
    seen: list[tuple[int, int, int, bool, object]] = []
    for service in services:
        for name, kind, _, a, b, obj, key in service.grants:
            if kind not in units:
                continue
            shared = kind == PORTS and obj == SHARED
            for other_kind, other_a, other_b, other_shared, other in seen:
                if kind == other_kind and a < other_a + other_b and other_a < a + b and \
                        not (shared and other_shared):
                    first = max(a, other_a)
                    service.error(f"duplicate grant: {units[kind]} {first:#x} belongs to service "
                                  f"{other.name} already", key, name)
            seen.append((kind, a, b, shared, service))
