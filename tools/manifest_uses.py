# SPDX-License-Identifier: MIT
"""manifest_uses.py - what a service of system/manifest.toml may do to others, for mkmanifest.py: `uses` and
`match`. docs/manifest.md explains the keys, protocols/manifest_format.h the records."""

import re
import struct
from dataclasses import dataclass

import mkfiles
import mknet

INSTANCES_MAX = 16
MATCHES_MAX = 256
CONTROL = 8
EVENTS_OF_MANAGER = (62, 63)
ANY = 0xFFFFFFFF
# Keys of what is compiled for a program that a service uses, by a tool for it.
FOREIGN_KEYS = mkfiles.KEYS | set(mknet.KEYS)
# Who has sockets tells net of what it has put into their rings: SOCKET_EVENT_BELL of protocols/socket.h.
BELL = 0
MATCH_KEYS = {"vendor": 0xFFFF, "device": 0xFFFF, "class": 0xFFFFFF, "mask": 0xFFFFFF}


@dataclass(frozen=True)
class Use:
    endpoint: str
    events: int = 0  # mask
    calls: bool = True  # it sends requests, and waits for the replies
    start: tuple[str, ...] | None = None  # of the manager: the services that it may start and end


def read_use(service, name: str, value: object) -> Use:
    """One entry of `uses`: the name of an endpoint, or a table with more about it."""
    if isinstance(value, str):
        return Use(value)
    if not isinstance(value, dict) or not isinstance(value.get("endpoint"), str) or \
            set(value) - {"endpoint", "events", "calls", "start"} - FOREIGN_KEYS:
        service.error(f"uses: {name} is the name of an endpoint, or {{ endpoint = \"NAME\", and events, calls or "
                      "start }", "uses", name)
        return Use("")
    events, calls, start = value.get("events", []), value.get("calls", True), value.get("start")
    if not isinstance(events, list) or not all(type(bit) is int and 0 <= bit < 64 for bit in events):
        service.error(f"uses: the events of {name} are a list of bits, 0 to 61", "uses", name)
        events = []
    for bit in EVENTS_OF_MANAGER:
        if bit in events:
            service.error(f"uses: event {bit} of {name} is the manager's alone", "uses", name)
            events = []
    if not isinstance(calls, bool) or (not calls and not events):
        service.error(f"uses: calls = false of {name} is for who sends events only", "uses", name)
    if start is not None and (value["endpoint"] != "manager" or not isinstance(start, list) or not start or
                              not all(isinstance(one, str) for one in start)):
        service.error(f"uses: start of {name} is a list of services, with endpoint = \"manager\"", "uses", name)
        start = None
    if set(value) & set(mknet.KEYS):
        events = [*events, BELL]
    return Use(value["endpoint"], sum(1 << bit for bit in set(events)), bool(calls),
               None if start is None else tuple(start))


def used(name: str, endpoint: str, endpoints: dict[str, int]) -> list[tuple[str, str]]:
    """The names and endpoints that one entry of `uses` stands for: those of all instances, when the endpoint
    is that of a service with instances."""
    if endpoint in endpoints:
        return [(name, endpoint)]
    return [(f"{name}.{number}", f"{endpoint}.{number}") for number in range(INSTANCES_MAX)
            if f"{endpoint}.{number}" in endpoints]


def has_list(service) -> bool:
    """Whether it may start some services and no others."""
    return any(use.start is not None for use in service.uses.values())


def check_started_by(services: list) -> None:
    for service in services:
        for name in service.table.get("started_by", []):
            if not any(other.base == name and has_list(other) for other in services):
                service.error(f"started_by: '{name}' is no service with a list of those that it may start", "started_by", name)


def may_start(service, services: list) -> list[str]:
    """The services that its list names, and those that name it: they need not be in the same file."""
    asked = [other.base for other in services if service.base in other.table.get("started_by", [])] if has_list(service) else []
    return list(dict.fromkeys([one for use in service.uses.values() for one in use.start or ()] + asked))


def add_control(services: list) -> None:
    """The services that each may start and end: records among its grants that are no capabilities."""
    check_started_by(services)
    for service in services:
        for name in may_start(service, services):
            indexes = [index for index, other in enumerate(services) if name in (other.base, other.name)]
            if not indexes:
                service.error(f"uses: there is no service '{name}' to start", "uses", name)
            elif not any(grant[0] == name and grant[1] == CONTROL for grant in service.grants):
                # Not by service.add(): it is no name of the program's.
                service.grants.append((name, CONTROL, 0, indexes[0], len(indexes), 0, "uses"))


def match_ok(entry: object) -> bool:
    if not isinstance(entry, dict) or set(entry) - set(MATCH_KEYS) or not {"vendor", "class"} & set(entry) or \
            ("device" in entry and "vendor" not in entry) or ("mask" in entry and "class" not in entry):
        return False
    devices = entry.get("device", [])
    numbers = [(key, value) for key, value in entry.items() if key != "device"] + \
        [("device", value) for value in (devices if isinstance(devices, list) else [devices])]
    return all(type(value) is int and 0 <= value <= MATCH_KEYS[key] for key, value in numbers) and \
        ("device" not in entry or any(key == "device" for key, _ in numbers))


def add_matches(services: list) -> list[bytes]:
    """The records of the devices that services drive."""
    records: list[bytes] = []
    for index, service in enumerate(services):
        if service.instance not in (None, 0):
            continue
        count = 0 if service.instance is None else sum(other.base == service.base for other in services)
        for entry in service.table.get("match", []):
            if not match_ok(entry):
                service.error("each entry of match has vendor, with it device (one or a list), or class, with it "
                              "mask", "match")
                continue
            devices = entry.get("device", ANY)
            code = entry.get("class", 0)
            for device in devices if isinstance(devices, list) else [devices]:
                records.append(struct.pack("<6I", index, count, entry.get("vendor", ANY), device, code,
                                           entry.get("mask", 0xFFFFFF if "class" in entry else 0)))
    if len(records) > MATCHES_MAX:
        services[-1].error(f"more than {MATCHES_MAX} devices in match")
    return records
