# SPDX-License-Identifier: MIT
"""test_network_floods.py - peers that speak TCP as nobody should, frame by frame, beside QEMU's user network: what they
leave in the stack keeps nobody else from it."""

from contextlib import contextmanager
from queue import Empty, SimpleQueue
from struct import pack, unpack_from

from testlib import Suite, check

from tests.system import test_httpd
from tests.system.test_network import PATIENCE_S
from tests.system.user_network import ACK, ETHERNET_BYTES, IPV4, SYN, TCP, between, tcp_sum

suite = Suite("network floods")

GUEST_MAC, GUEST = bytes.fromhex("525400123456"), bytes((10, 0, 2, 15))
OWN_MAC, OWN = bytes.fromhex("0200000000fe"), bytes((10, 0, 2, 77))
ARP, ICMP, ECHO = 0x0806, 1, 8
# Of frames that the stack holds: buffers of the card that it keeps, and copies (HELD_MAX, PBUF_POOL_SIZE); and how many
# one connection keeps of what came out of order (TCP_OOSEQ_MAX_PBUFS).
HELD, OF_ONE = 128 + 64, 48


def ip_sum(data: bytes) -> int:
    total = sum(unpack_from(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ip_packet(protocol: int, payload: bytes) -> bytes:
    head = pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, OWN, GUEST)
    return head[:10] + pack(">H", ip_sum(head)) + head[12:] + payload


class Peer:
    """A machine at 10.0.2.77; what the guest sends to it does not reach QEMU's network."""

    def __init__(self) -> None:
        self.sent, self.came = SimpleQueue(), SimpleQueue()

    def pass_on(self, frame: bytes) -> bytes | None:
        if frame[:6] != OWN_MAC:
            return frame
        self.came.put(frame)
        return None

    def _send(self, kind: int, payload: bytes) -> None:
        self.sent.put(GUEST_MAC + OWN_MAC + pack(">H", kind) + payload)

    def _answer(self, protocol: int, is_it) -> bytes:
        """The first packet of the protocol of which it is true, behind its header."""
        while True:
            try:
                frame = self.came.get(timeout=PATIENCE_S)
            except Empty:
                raise AssertionError("the guest does not answer any more") from None
            payload = frame[ETHERNET_BYTES + 20:]
            if unpack_from(">H", frame, 12)[0] == IPV4 and frame[23] == protocol and is_it(payload):
                return payload

    def introduce(self) -> None:
        """By a question for the guest's address, which tells it ours."""
        self._send(ARP, pack(">HHBBH6s4s6s4s", 1, IPV4, 6, 4, 1, OWN_MAC, OWN, bytes(6), GUEST))

    def ping(self, number: int) -> None:
        echo = pack(">BBHHH", ECHO, 0, 0, 77, number)
        self._send(IPV4, ip_packet(ICMP, echo[:2] + pack(">H", ip_sum(echo)) + echo[4:]))
        self._answer(ICMP, lambda payload: payload[0] == 0 and payload[4:8] == echo[4:8])

    def segment(self, port: int, to: int, sequence: int, ack: int, flags: int, data: bytes = b"") -> None:
        tcp = pack(">HHIIBBHHH", port, to, sequence, ack, 5 << 4, flags, 32768, 0, 0) + data
        packet = ip_packet(TCP, tcp)
        self._send(IPV4, packet[:36] + pack(">H", tcp_sum(packet, 20, len(packet))) + packet[38:])

    def connect(self, port: int, to: int) -> int:
        """The sequence number of the guest behind its SYN; ours is 1 then."""
        self.segment(port, to, 0, 0, SYN)
        answer = self._answer(TCP, lambda payload: unpack_from(">H", payload, 2)[0] == port)
        check(answer[13] & (SYN | ACK) == SYN | ACK, f"flags {answer[13]}")
        theirs = unpack_from(">I", answer, 4)[0] + 1
        self.segment(port, to, 1, theirs, ACK)
        return theirs


@contextmanager
def beside():
    """The system with its web server; yields the guest, a peer that it knows, and this machine's port to the server."""
    peer = Peer()
    with between(peer.pass_on, peer.sent) as extra, test_httpd.prompt("floods", extra=extra) as (guest, port):
        peer.introduce()
        peer.ping(0)
        yield guest, peer, port


@suite.test("bytes out of order that never come into order keep no frame of others out")
def out_of_order() -> None:
    with beside() as (_, peer, web):
        for port in range(4000, 4000 + HELD // OF_ONE + 2):
            theirs = peer.connect(port, 80)
            for number in range(OF_ONE):
                peer.segment(port, 80, 3 + 2 * number, theirs, ACK, b"x")
        peer.ping(1)
        check(test_httpd.get(web, "/")[0] == 200, "another client is not served")


@suite.test("connections that nobody accepts keep no frame of others out by what they have sent")
def not_accepted() -> None:
    with beside() as (guest, peer, _):
        for port in range(4000, 4000 + test_httpd.ROOM):  # the server has no room for more
            peer.connect(port, 80)
        for port in range(5000, 5000 + HELD // OF_ONE + 2):
            theirs = peer.connect(port, 80)
            for number in range(OF_ONE):
                peer.segment(port, 80, 2 + number, theirs, ACK, b"x")
            peer.segment(port, 80, 1, theirs, ACK, b"x")  # all of it is in order now, and waits
        peer.ping(1)
        check("10.0.2.15" in guest.command("ip"), "net does not answer")
