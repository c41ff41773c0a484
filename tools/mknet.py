#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mknet.py - checks what services of system/manifest.toml may do on the network, and compiles it for the service net.

    mknet.py MANIFEST.toml OUT.bin

A service's entry of `uses` with the endpoint of the service whose program is `net` may have the keys listen, connect,
resolve, sockets, ping and observe. The rest of the manifest is mkmanifest.py's. Every error names the file and the line. The
output format is protocols/net_format.h; docs/manifest.md explains the keys.
"""

import ipaddress
import re
import struct
import sys
import tomllib
from pathlib import Path

MAGIC, VERSION = 0x54494D494C54454E, 2
NAME_BYTES, RANGES, SOCKETS_MAX = 24, 8, 64
SUFFIXES, SUFFIX_BYTES = 4, 256
PROGRAM = "net"
KEYS = {"listen": list, "connect": list, "resolve": list, "sockets": int, "ping": bool, "observe": bool}
PING, OBSERVE = 1, 2
TCP, UDP = 1, 2
PROTOCOLS = {"": TCP, "/tcp": TCP, "/udp": UDP}
OWN = 1
NAMES = {"*": (0, 0xFFFFFFFF, 0), "loopback": (0x7F000000, 0x7FFFFFFF, 0), "self": (0, 0xFFFFFFFF, OWN)}
SUFFIX = re.compile(r"\*|(?!.{254})[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
RANGE = re.compile(r"([^:]+):(\*|\d+(?:-\d+)?)(|/tcp|/udp)\Z")


def addresses(text: str) -> tuple[int, int, int]:
    """First, last, flags."""
    if text in NAMES:
        return NAMES[text]
    network = ipaddress.IPv4Network(text)  # refuses bits behind the prefix
    if text == "0.0.0.0":
        return NAMES["*"]
    return int(network.network_address), int(network.broadcast_address), 0


def ports(text: str) -> tuple[int, int]:
    if text == "*":
        return 1, 65535
    first, _, last = text.partition("-")
    found = int(first), int(last or first)
    if not 0 < found[0] <= found[1] < 65536:
        raise ValueError(text)
    return found


def read_range(text: object) -> bytes:
    match = RANGE.match(text) if isinstance(text, str) else None
    if not match:
        raise ValueError(text)
    first, last, flags = addresses(match[1])
    first_port, last_port = ports(match[2])
    return struct.pack("<IIHHBBH", first, last, first_port, last_port, PROTOCOLS[match[3]], flags, 0)


def read_ranges(value: list, key: str) -> list[bytes]:
    if len(value) > RANGES:
        raise ValueError(f"{key}: more than {RANGES} ranges")
    found = []
    for text in value:
        try:
            found.append(read_range(text))
        except ValueError:
            raise ValueError(f"{key}: '{text}' is not ADDRESS:PORT, where ADDRESS is 10.0.0.0/8, *, loopback or self, "
                             "PORT 80, 8000-8010 or *, and /udp may follow") from None
    return found


def read_suffixes(value: list) -> list[bytes]:
    if len(value) > SUFFIXES:
        raise ValueError(f"resolve: more than {SUFFIXES} names")
    for text in value:
        if not isinstance(text, str) or not SUFFIX.fullmatch(text):
            raise ValueError(f"resolve: '{text}' is no name of hosts, as example.org in small letters, and not *")
    return [text.encode().ljust(SUFFIX_BYTES, b"\0") for text in value]


def read_limits(use: dict) -> bytes:
    for key, kind in KEYS.items():
        if key in use and type(use[key]) is not kind:
            raise ValueError(f"{key} is of another type")
    listen, connect = read_ranges(use.get("listen", []), "listen"), read_ranges(use.get("connect", []), "connect")
    resolve = read_suffixes(use.get("resolve", []))
    sockets = use.get("sockets", SOCKETS_MAX if listen or connect else 0)
    if not 0 <= sockets <= SOCKETS_MAX:
        raise ValueError(f"sockets is {sockets}, outside 0 to {SOCKETS_MAX}")
    rights = (PING if use.get("ping") else 0) | (OBSERVE if use.get("observe") else 0)
    return (struct.pack("<4I", rights, sockets, len(listen), len(connect)) +
            b"".join(listen).ljust(16 * RANGES, b"\0") + b"".join(connect).ljust(16 * RANGES, b"\0") +
            struct.pack("<2I", len(resolve), 0) + b"".join(resolve).ljust(SUFFIX_BYTES * SUFFIXES, b"\0"))


def endpoints_of_net(services: dict) -> set[str]:
    found = set()
    for entry in services.values():
        if isinstance(entry, dict) and entry.get("file") == PROGRAM and isinstance(entry.get("provides"), dict):
            for value in entry["provides"].values():
                found.add(value["endpoint"] if isinstance(value, dict) else value)
    return found


def line_of(text: str, service: str) -> int:
    return next((number for number, line in enumerate(text.splitlines(), 1)
                 if re.match(r"\s*\[\s*service\s*\.\s*" + re.escape(service) + r"\s*\]", line)), 1)


def main(arguments: list[str]) -> int:
    path = Path(arguments[0])
    text = path.read_text(encoding="utf-8")
    try:
        services = tomllib.loads(text).get("service", {})
    except tomllib.TOMLDecodeError as problem:
        print(f"{path}: {problem}", file=sys.stderr)
        return 1
    endpoints, records, errors = endpoints_of_net(services), [], []
    for name, entry in services.items():
        for use in (entry.get("uses", {}) if isinstance(entry, dict) else {}).values():
            if not isinstance(use, dict) or not set(use) & set(KEYS):
                continue
            try:
                if use.get("endpoint") not in endpoints:
                    raise ValueError(f"{', '.join(sorted(set(use) & set(KEYS)))}: its endpoint is not that of {PROGRAM}")
                records.append(name.encode().ljust(NAME_BYTES, b"\0") + read_limits(use))
            except ValueError as problem:
                errors.append(f"{path}:{line_of(text, name)}: service {name}: uses: {problem}")
    for error in errors:
        print(error, file=sys.stderr)
    if errors:
        return 1
    Path(arguments[1]).write_bytes(struct.pack("<QIIQ", MAGIC, VERSION, len(records), 0) + b"".join(records))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
