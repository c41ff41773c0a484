# SPDX-License-Identifier: MIT
"""user_network.py - what goes over QEMU's user network, from the file of its filter-dump."""

from pathlib import Path
from struct import unpack_from

ETHERNET_BYTES = 14
IPV4, TCP = 0x0800, 6
FIN, SYN, ACK = 1, 2, 16  # flags of a segment


def segments(dump: Path, port: int) -> list[tuple[bool, int]]:
    """The segments of TCP in a file of QEMU's filter-dump that came from a port or went to it: whether it came from
    there, and its flags."""
    data, at, found = dump.read_bytes(), 24, []
    while at + 16 <= len(data):
        frame = data[at + 16:at + 16 + unpack_from("<I", data, at + 8)[0]]
        at += 16 + unpack_from("<I", data, at + 8)[0]
        if at > len(data) or unpack_from(">H", frame, 12)[0] != IPV4 or frame[23] != TCP:
            continue
        head = ETHERNET_BYTES + (frame[ETHERNET_BYTES] & 15) * 4
        source, target = unpack_from(">HH", frame, head)
        if port in (source, target):
            found.append((source == port, frame[head + 13]))
    return found
