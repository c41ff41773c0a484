# SPDX-License-Identifier: MIT
"""names_server.py - a server of names on a port of this machine, for guests of QEMU's user network, to which it is
10.0.2.2 with that port."""

import socket
import struct

from tests.system.datagram_server import DatagramServer

HEAD = struct.Struct("!6H")
RESPONSE, NO_NAME, REFUSED = 0x8180, 3, 5
A, AAAA = 1, 28


def data_of(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def labels(name: str) -> bytes:
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def record(owner: bytes, kind: int, ttl_s: int, data: bytes) -> bytes:
    return owner + struct.pack("!HHIH", kind, 1, ttl_s, len(data)) + data


def read_question(message: bytes) -> tuple[int, str, bytes]:
    """Number, name, and the question as it came."""
    at, parts = HEAD.size, []
    while message[at]:
        parts.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return struct.unpack("!H", message[:2])[0], ".".join(parts), message[HEAD.size:at + 5]


class NamesServer(DatagramServer):
    """`names`: for each name a list of addresses, another name that it is an alias of, or a status; a name that it does
    not have it does not answer for. `forged` names are answered wrongly twice before."""

    QUESTION_NAME = b"\xc0\x0c"  # a pointer to it

    def __init__(self, names: dict[str, list[str] | str | int], ttl_s: int = 60, forged: tuple[str, ...] = ()) -> None:
        self.names, self.ttl_s, self.forged = names, ttl_s, forged
        self.asked: list[str] = []
        self.asked6: list[str] = []  # for addresses of IPv6
        self.ids: list[int] = []
        self.barriers: list[str] = []  # names that were added to wait for what was asked before
        self.start()

    def take(self, datagram: bytes, peer: tuple[str, int]) -> None:
        number, name, question = read_question(datagram)
        if question[-4:-2] == AAAA.to_bytes(2, "big"):
            self.asked6.append(name)
            if name in self.names and name not in self.forged:
                self.socket.sendto(self._answer(number, name, question, AAAA), peer)
            return
        self.asked.append(name)
        self.ids.append(number)
        if name in self.forged:
            bad = [record(self.QUESTION_NAME, 1, 60, socket.inet_aton("6.6.6.6"))]
            other = labels("other.test") + question[-4:]
            self.socket.sendto(self._message(number ^ 1, question, 0, bad), peer)
            self.socket.sendto(self._message(number, other, 0, bad), peer)
        if name in self.names:
            self.socket.sendto(self._answer(number, name, question), peer)

    @staticmethod
    def _message(number: int, question: bytes, status: int, records: list[bytes]) -> bytes:
        return HEAD.pack(number, RESPONSE | status, 1, len(records), 0, 0) + question + b"".join(records)

    def _answer(self, number: int, name: str, question: bytes, kind: int = A) -> bytes:
        found, records, owner, status = self.names[name], [], self.QUESTION_NAME, 0
        while isinstance(found, str):
            records.append(record(owner, 5, self.ttl_s, labels(found)))
            owner, found = labels(found), self.names.get(found, NO_NAME)
        if isinstance(found, int):
            status = found
        else:
            records += [record(owner, kind, self.ttl_s, data_of(address)) for address in found
                        if (":" in address) == (kind == AAAA)]
        return self._message(number, question, status, records)
