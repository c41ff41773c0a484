# SPDX-License-Identifier: MIT
"""time_server.py - a server of the time (SNTP) on a port of this machine, for guests of QEMU's user network, to which it is
10.0.2.2 with that port. What it says of the time, and how, each test decides."""

import socket
import struct
from typing import Callable

from tests.system.datagram_server import DatagramServer

HEAD = struct.Struct("!BBbbII4s4Q")  # as RFC 5905, 7.3, has it: reference, origin, receive and transmit are the last four
UNIX_AT = 2208988800  # of 1970, in seconds since 1900
VERSION, CLIENT, SERVER = 4, 3, 4


def stamp(unix_s: float) -> int:
    """A time as 64 bits, which begin anew in 2036."""
    return int((unix_s + UNIX_AT) * 2**32) % 2**64


def answer(number: int, unix_s: float, *, leap: int = 0, mode: int = SERVER, version: int = VERSION, stratum: int = 2,
           reference: bytes = b"\x7f\0\0\1", distance_s: float = 0.01, age_s: float = 60, held_s: float = 0) -> bytes:
    return HEAD.pack(leap << 6 | version << 3 | mode, stratum, 6, -20, int(distance_s * 2**16), 0, reference,
                     stamp(unix_s - age_s), number, stamp(unix_s - held_s), stamp(unix_s))


class TimeServer(DatagramServer):
    """`say` makes answers of the number of a question, and of how many came before it; `elsewhere` those that come from
    another port, first."""

    def __init__(self, say: Callable[[int, int], list[bytes]],
                 elsewhere: Callable[[int], list[bytes]] = lambda number: []) -> None:
        self.say, self.elsewhere = say, elsewhere
        self.asked: list[bytes] = []
        self.ports: list[int] = []
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.start()

    def take(self, datagram: bytes, peer: tuple[str, int]) -> None:
        count = len(self.asked)
        self.asked.append(datagram)
        self.ports.append(peer[1])
        number = HEAD.unpack(datagram[:HEAD.size])[-1]
        for said in self.elsewhere(number):
            self.other.sendto(said, peer)
        for said in self.say(number, count):
            self.socket.sendto(said, peer)
