#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mknet.py - checks what services of system/manifest.toml may do on the network, and compiles it for the service net.

    mknet.py MANIFEST.toml OUT.bin

A service's entry of `uses` with the endpoint of the service whose program is `net` may have the keys listen, connect,
resolve, sockets, ping, observe and capture. The rest of the manifest is mkmanifest.py's. Every error names the file and the line. The
output format is protocols/net_format.h; docs/manifest.md explains the keys.
"""

import ipaddress
import re
import struct
import sys

from service_limits import compile_limits

MAGIC, VERSION = 0x54494D494C54454E, 3
RANGES, RANGE_BYTES = 16, 40
SOCKETS_USUAL, SOCKETS_MAX = 64, 1008
SUFFIXES, SUFFIX_BYTES = 4, 256
PROGRAM = "net"
KEYS = {"listen": list, "connect": list, "resolve": list, "sockets": int, "ping": bool, "observe": bool,
        "capture": bool}
RIGHTS = {"ping": 1, "observe": 2, "capture": 4}
TCP, UDP = 1, 2
PROTOCOLS = {"": TCP, "/tcp": TCP, "/udp": UDP}
OWN = 1
MAPPED = 0xFFFF << 32  # where addresses of IPv4 lie among those of IPv6: protocols/address.h
LAST = 2**128 - 1
ALL = {"0.0.0.0": (MAPPED, MAPPED | 0xFFFFFFFF, 0), "[::]": (0, LAST, 0)}
# A range is of one family.
NAMES = {"*": list(ALL.values()), "loopback": [(MAPPED | 0x7F000000, MAPPED | 0x7FFFFFFF, 0), (1, 1, 0)],
         "self": [(0, LAST, OWN)]} | {name: [value] for name, value in ALL.items()}
SUFFIX = re.compile(r"\*|(?!.{254})[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
RANGE = re.compile(r"(\[[^\]]+\](?:/\d+)?|[^:\[\]]+):(\*|\d+(?:-\d+)?)(|/tcp|/udp)\Z")


def addresses(text: str) -> list[tuple[int, int, int]]:
    """Ranges: first, last, flags."""
    if text in NAMES:
        return NAMES[text]
    base = 0 if text.startswith("[") else MAPPED
    network = ipaddress.ip_network(text.replace("[", "").replace("]", ""))  # refuses bits behind the prefix
    if (network.version == 6) != (base == 0):
        raise ValueError(text)
    return [(base | int(network.network_address), base | int(network.broadcast_address), 0)]


def halves(address: int) -> tuple[int, int]:
    return address >> 64, address & (2**64 - 1)


def ports(text: str) -> tuple[int, int]:
    if text == "*":
        return 1, 65535
    first, _, last = text.partition("-")
    found = int(first), int(last or first)
    if not 0 < found[0] <= found[1] < 65536:
        raise ValueError(text)
    return found


def read_range(text: object) -> list[bytes]:
    match = RANGE.match(text) if isinstance(text, str) else None
    if not match:
        raise ValueError(text)
    first_port, last_port = ports(match[2])
    return [struct.pack("<4QHHBBH", *halves(first), *halves(last), first_port, last_port, PROTOCOLS[match[3]], flags, 0)
            for first, last, flags in addresses(match[1])]


def read_ranges(value: list, key: str) -> list[bytes]:
    found = []
    for text in value:
        try:
            found += read_range(text)
        except ValueError:
            raise ValueError(f"{key}: '{text}' is not ADDRESS:PORT, where ADDRESS is 10.0.0.0/8, [2001:db8::]/32, *, "
                             "loopback or self, PORT 80, 8000-8010 or *, and /udp may follow") from None
    if len(found) > RANGES:
        raise ValueError(f"{key}: more than {RANGES} ranges; * and loopback are two, one of each family")
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
    sockets = use.get("sockets", SOCKETS_USUAL if listen or connect else 0)
    if not 0 <= sockets <= SOCKETS_MAX:
        raise ValueError(f"sockets is {sockets}, outside 0 to {SOCKETS_MAX}")
    rights = sum(bit for key, bit in RIGHTS.items() if use.get(key))
    return (struct.pack("<4I", rights, sockets, len(listen), len(connect)) +
            b"".join(listen).ljust(RANGE_BYTES * RANGES, b"\0") +
            b"".join(connect).ljust(RANGE_BYTES * RANGES, b"\0") +
            struct.pack("<2I", len(resolve), 0) + b"".join(resolve).ljust(SUFFIX_BYTES * SUFFIXES, b"\0"))


if __name__ == "__main__":
    sys.exit(compile_limits(sys.argv[1:], PROGRAM, set(KEYS), read_limits, MAGIC, VERSION))
