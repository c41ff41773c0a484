# SPDX-License-Identifier: MIT
"""peer6.py - a machine of IPv6 beside QEMU's user network, frame by frame: it says where it is (neighbour discovery), and
sends and awaits packets of a test."""

from queue import Empty, SimpleQueue
from socket import AF_INET6, inet_pton
from struct import pack, unpack_from
from typing import Callable

from testlib import check

from tests.system.user_network import ETHERNET_BYTES, arriving, internet_sum

IPV6, HEAD_BYTES, HOP_LIMIT = 0x86DD, 40, 255
ICMP6, TCP, UDP = 58, 6, 17
TOO_BIG, ECHO, REPLY, ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT, SOLICITATION, ADVERTISEMENT = 2, 128, 129, 133, 134, 135, 136
TARGET_ADDRESS = 2  # option of an advertisement
SOLICITED_OVERRIDE = 0x60000000
GUEST_MAC, OWN_MAC = bytes.fromhex("525400123456"), bytes.fromhex("0200000000f6")


def address(text: str) -> bytes:
    return inet_pton(AF_INET6, text)


# What SLAAC makes of the card's address (RFC 4291, appendix A), on the link and in the network that QEMU announces.
ALL_NODES = address("ff02::1")
LINK, SITE = address("fe80::5054:ff:fe12:3456"), address("fec0::5054:ff:fe12:3456")
OWN_LINK, OWN_SITE = address("fe80::77"), address("fec0::77")


def sum_of(source: bytes, to: bytes, protocol: int, payload: bytes) -> int:
    """With the pseudo header (RFC 8200, 8.1); the field of the sum is counted as it is."""
    return internet_sum(source + to + pack(">II", len(payload), protocol) + payload + bytes(len(payload) % 2))


SUM_AT = {ICMP6: 2, TCP: 16, UDP: 6}


def summed(source: bytes, to: bytes, protocol: int, payload: bytes) -> bytes:
    """The payload with its sum in place of the zeros there."""
    at = SUM_AT[protocol]
    return payload[:at] + pack(">H", sum_of(source, to, protocol, payload)) + payload[at + 2:]


def packet(source: bytes, to: bytes, protocol: int, payload: bytes) -> bytes:
    return pack(">IHBB", 6 << 28, len(payload), protocol, HOP_LIMIT) + source + to + payload


class Peer6:
    """At fe80::77 and fec0::77, and wherever else it is told that it is."""

    def __init__(self, *more: bytes) -> None:
        self.sent, self.came = SimpleQueue(), SimpleQueue()
        self.addresses = {OWN_LINK, OWN_SITE, *more}
        self.asked: list[bytes] = []  # what neighbours were asked for
        self.hides_router = False  # no router hears that it is asked for

    def pass_on(self, frame: bytes) -> bytes | None:
        """For between(): the network gets what is not for this machine."""
        if len(frame) < ETHERNET_BYTES + HEAD_BYTES or unpack_from(">H", frame, 12)[0] != IPV6:
            return frame
        if frame[20] == ICMP6 and frame[54] == SOLICITATION:
            self._advertise(frame)
        if self.hides_router and frame[20] == ICMP6 and frame[54] == ROUTER_SOLICITATION:
            return None
        if frame[38:54] not in self.addresses:
            return frame
        self.came.put(frame[ETHERNET_BYTES:ETHERNET_BYTES + HEAD_BYTES + unpack_from(">H", frame, 18)[0]])
        return None

    def _advertise(self, frame: bytes) -> None:
        asker, target = frame[22:38], frame[62:78]
        self.asked.append(target)
        if target in self.addresses and asker != bytes(16):
            self.send(target, asker, ICMP6, pack(">BBHI", ADVERTISEMENT, 0, 0, SOLICITED_OVERRIDE) + target +
                      pack(">BB", TARGET_ADDRESS, 1) + OWN_MAC)

    def announce(self) -> None:
        """The network fec0::/64, as a router that is none for others (RFC 4861, 4.2 and 4.6.2)."""
        prefix = pack(">BBBBIII", 3, 4, 64, 0xC0, 3600, 3600, 0) + OWN_SITE[:8] + bytes(8)
        self.send(OWN_LINK, ALL_NODES, ICMP6, pack(">BBHBBHII", ROUTER_ADVERTISEMENT, 0, 0, 64, 0, 0, 0, 0) + prefix)

    def send_raw(self, packet_bytes: bytes) -> None:
        self.sent.put(GUEST_MAC + OWN_MAC + pack(">H", IPV6) + packet_bytes)

    def send(self, source: bytes, to: bytes, protocol: int, payload: bytes) -> None:
        """The field of the sum is 0 in the payload."""
        self.send_raw(packet(source, to, protocol, summed(source, to, protocol, payload)))

    def answer(self, protocol: int, is_it: Callable[[bytes], bool], again: Callable[[], None] = lambda: None) -> bytes:
        """The first packet of the protocol of whose payload it is true; its sum is right. `again` sends what it answers
        once more."""
        for came in arriving(self.came, again):
            if came[6] == protocol and is_it(came[HEAD_BYTES:]):
                check(sum_of(came[8:24], came[24:40], protocol, came[HEAD_BYTES:]) == 0, "a sum of the guest's is wrong")
                return came

    def is_silent(self, protocol: int, is_it: Callable[[bytes], bool]) -> bool:
        """Whether no such packet has come so far."""
        try:
            while True:
                came = self.came.get_nowait()
                if came[6] == protocol and is_it(came[HEAD_BYTES:]):
                    return False
        except Empty:
            return True

    def ping(self, source: bytes, to: bytes, number: int, data: bytes = b"") -> bytes:
        """The answer."""
        def send() -> None:
            self.send(source, to, ICMP6, pack(">BBHHH", ECHO, 0, 0, 77, number) + data)

        send()
        return self.answer(ICMP6, lambda payload: payload[0] == REPLY and payload[4:8] == pack(">HH", 77, number), send)


FIN, SYN, RST, PUSH, ACK = 1, 2, 4, 8, 16
WINDOW = 32768


class Connection:
    """One of TCP from the peer to the guest: it sends a piece at a time, and again until it is acknowledged."""

    def __init__(self, peer: Peer6, own: bytes, to: bytes, port: int, to_port: int) -> None:
        self.peer, self.own, self.to, self.port, self.to_port = peer, own, to, port, to_port
        self.sequence, self.next, self.over = 1000, 0, False
        self._send(SYN)
        answer = self._answer(lambda tcp: tcp[13] & SYN != 0, lambda: self._send(SYN))
        self.sequence += 1
        check(answer[13] & (SYN | ACK | RST) == SYN | ACK and unpack_from(">I", answer, 8)[0] == self.sequence,
              f"a SYN is answered by flags {answer[13]}")
        self.next = unpack_from(">I", answer, 4)[0] + 1
        self._send(ACK)

    def _send(self, flags: int, data: bytes = b"") -> None:
        self.peer.send(self.own, self.to, TCP, pack(">HHIIBBHHH", self.port, self.to_port, self.sequence, self.next, 5 << 4,
                                                    flags, WINDOW, 0, 0) + data)

    def _answer(self, is_it: Callable[[bytes], bool], again: Callable[[], None]) -> bytes:
        def is_ours(tcp: bytes) -> bool:
            return unpack_from(">HH", tcp, 0) == (self.to_port, self.port) and (tcp[13] & RST != 0 or is_it(tcp))

        tcp = self.peer.answer(TCP, is_ours, again)[HEAD_BYTES:]
        check(not tcp[13] & RST, "the connection is reset")
        return tcp

    def ask(self, data: bytes, count: int | None = None) -> bytes:
        """What comes behind a piece of at most one segment: so many bytes, or without a number all up to the end."""
        parts = b""
        acknowledged = data == b""

        def send() -> None:
            self._send(ACK | (PUSH if data and not acknowledged else 0), b"" if acknowledged else data)

        send()
        while not acknowledged or (not self.over if count is None else len(parts) < count):
            tcp = self._answer(lambda _: True, send)
            if not acknowledged and unpack_from(">I", tcp, 8)[0] == self.sequence + len(data):
                self.sequence += len(data)
                acknowledged = True
            came = tcp[(tcp[12] >> 4) * 4:]
            if unpack_from(">I", tcp, 4)[0] == self.next and (came or tcp[13] & FIN):
                parts += came
                self.over = tcp[13] & FIN != 0
                self.next += len(came) + self.over
                self._send(ACK)
        return parts
