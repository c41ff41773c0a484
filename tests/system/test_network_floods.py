# SPDX-License-Identifier: MIT
"""test_network_floods.py - peers that speak TCP as nobody should, frame by frame, beside QEMU's user network: what they
leave in the stack keeps nobody else from it."""

from contextlib import contextmanager
from queue import SimpleQueue
from random import Random
from struct import pack, unpack_from

from testlib import Suite, check

from tests.system import test_httpd, test_network
from tests.system.test_network import PATIENCE_S, connect
from tests.system.user_network import ACK, ETHERNET_BYTES, FIN, IPV4, SYN, TCP, arriving, between, internet_sum, tcp_sum

suite = Suite("network floods")

GUEST_MAC, GUEST = bytes.fromhex("525400123456"), bytes((10, 0, 2, 15))
OWN_MAC, OWN = bytes.fromhex("0200000000fe"), bytes((10, 0, 2, 77))
ARP, ICMP, ECHO = 0x0806, 1, 8
CROWD, REQUEST = bytes((10, 0, 2)), bytes((0, 1))
MORE_FRAGMENTS = 0x2000
RST, PUSH = 4, 8
GET = b"GET /index.html HTTP/1.1\r\nHost: a\r\n\r\n"
# Of frames that the stack holds: buffers of the card that it keeps, and copies (HELD_MAX, PBUF_POOL_SIZE); and how many
# one connection keeps of what came out of order (TCP_OOSEQ_MAX_PBUFS).
HELD, OF_ONE = 128 + 64, 48


def ip_packet(protocol: int, payload: bytes, source: bytes = OWN, number: int = 0, fragment: int = 0) -> bytes:
    """`fragment`: the field of flags and offset."""
    head = pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number, fragment, 64, protocol, 0, source, GUEST)
    return head[:10] + pack(">H", internet_sum(head)) + head[12:] + payload


def tcp_packet(port: int, to: int, sequence: int, ack: int, flags: int, data: bytes = b"", source: bytes = OWN) -> bytes:
    tcp = pack(">HHIIBBHHH", port, to, sequence & 0xFFFFFFFF, ack & 0xFFFFFFFF, 5 << 4, flags, 32768, 0, 0) + data
    packet = ip_packet(TCP, tcp, source)
    return packet[:36] + pack(">H", tcp_sum(packet, 20, len(packet))) + packet[38:]


def echo_message(number: int, data: bytes) -> bytes:
    echo = pack(">BBHHH", ECHO, 0, 0, 77, number) + data
    return echo[:2] + pack(">H", internet_sum(echo + bytes(len(echo) % 2))) + echo[4:]


class Peer:
    """A machine at 10.0.2.77, and at 10.0.2.100 to 10.0.2.199; what the guest sends to it does not reach QEMU's network."""

    def __init__(self) -> None:
        self.sent, self.came = SimpleQueue(), SimpleQueue()

    def pass_on(self, frame: bytes) -> bytes | None:
        if unpack_from(">H", frame, 12)[0] == ARP and frame[20:22] == REQUEST and frame[38:41] == CROWD and \
                (frame[38:42] == OWN or 100 <= frame[41] < 200):
            self._send(ARP, pack(">HHBBH6s4s6s4s", 1, IPV4, 6, 4, 2, OWN_MAC, frame[38:42], GUEST_MAC, GUEST))
            return None
        if frame[:6] != OWN_MAC:
            return frame
        self.came.put(frame)
        return None

    def _send(self, kind: int, payload: bytes) -> None:
        self.sent.put(GUEST_MAC + OWN_MAC + pack(">H", kind) + payload)

    def _answer(self, protocol: int, is_it, again=lambda: None) -> bytes:
        """The first packet of the protocol of which it is true, behind its header. `again` sends what it answers once
        more: a frame may be lost, as those of a flood are."""
        for frame in arriving(self.came, again):
            payload = frame[ETHERNET_BYTES + 20:ETHERNET_BYTES + unpack_from(">H", frame, 16)[0]]  # no filling
            if unpack_from(">H", frame, 12)[0] == IPV4 and frame[23] == protocol and is_it(payload):
                return payload

    def introduce(self) -> None:
        """By a question for the guest's address, which tells it ours."""
        self._send(ARP, pack(">HHBBH6s4s6s4s", 1, IPV4, 6, 4, 1, OWN_MAC, OWN, bytes(6), GUEST))

    def ping(self, number: int) -> None:
        def send() -> None:
            self._send(IPV4, ip_packet(ICMP, echo_message(number, b"")))

        send()
        self.reply_to(number, send)

    def segment(self, port: int, to: int, sequence: int, ack: int, flags: int, data: bytes = b"",
                source: bytes = OWN) -> None:
        self._send(IPV4, tcp_packet(port, to, sequence, ack, flags, data, source))

    def answers(self, port: int, count: int, again=lambda: None) -> bytes:
        """The bytes of a connection in order, as many as that, from the guest's next on."""
        parts: dict[int, bytes] = {}
        while sum(map(len, parts.values())) < count:
            answer = self._answer(TCP, lambda payload: unpack_from(">H", payload, 2)[0] == port, again)
            check(not answer[13] & RST, "the connection is reset")
            if data := answer[(answer[12] >> 4) * 4:]:
                parts[unpack_from(">I", answer, 4)[0]] = data
        return b"".join(parts[number] for number in sorted(parts))

    def send_raw(self, frame: bytes) -> None:
        self.sent.put(frame)

    def reply_to(self, number: int, again=lambda: None) -> bytes:
        """The payload of the answer to a ping."""
        return self._answer(ICMP, lambda payload: payload[0] == 0 and payload[4:8] == pack(">HH", 77, number), again)[8:]

    def half_connect(self, port: int, to: int) -> int:
        """The sequence number of the guest behind its SYN; ours is 1 then."""
        def send() -> None:
            self.segment(port, to, 0, 0, SYN)

        send()
        answer = self._answer(TCP, lambda payload: unpack_from(">H", payload, 2)[0] == port, send)
        check(answer[13] & (SYN | ACK) == SYN | ACK, f"flags {answer[13]}")
        return unpack_from(">I", answer, 4)[0] + 1

    def connect(self, port: int, to: int) -> int:
        """The same, and it is acknowledged."""
        theirs = self.half_connect(port, to)
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


def body(answer: bytes) -> bytes:
    return answer.split(b"\r\n\r\n", 1)[1]


def crowd(count: int):
    """Names of that many clients: an address and a port."""
    return ((CROWD + bytes((100 + i % 100,)), 1024 + i // 100) for i in range(count))


HALF_OPEN_S = 15  # half open connections end after 20 s


def served_in_a_flood(guest, peer: Peer, web: int, port: int) -> bool:
    """Whether all of them are answered before the flood is over: one that is there, a new one, and a peer of the flood, at a port."""
    with connect(web) as kept:
        kept.sendall(GET)
        page = body(test_httpd.answer_of(kept))
        for source, number in crowd(1000):
            peer.segment(number, 80, 77, 0, SYN, source=source)
        peer.ping(port)  # all of them have come
        began = test_httpd.uptime_s(guest)
        kept.sendall(GET)
        check(body(test_httpd.answer_of(kept)) == page, "the connection that is there is not answered")
    check(test_httpd.get(web, "/index.html")[2] == page, "a new client is not answered")
    theirs = peer.connect(port, 80)  # all places of connections that are half open are taken: by a cookie
    peer.segment(port, 80, 1, theirs, ACK | PUSH, GET)
    check(peer.answers(port, 17).startswith(b"HTTP/1.1 200 OK"), "who was answered by a cookie is not served")
    return test_httpd.uptime_s(guest) - began < HALF_OPEN_S


@suite.test("a flood of SYNs keeps no connection that is there and no new client waiting, and one of its peers gets through")
def syns() -> None:
    with beside() as (guest, peer, web):
        # A busy host may take that long for itself; who has to wait for the end of half open connections does each time.
        check(any(served_in_a_flood(guest, peer, web, 5000 + look) for look in guest.looks()), "they had to wait")
        peer.segment(4999, 80, 1, 12345, ACK, source=CROWD + bytes((100,)))  # what was never given
        peer.ping(2)


ECHO_ROOM, ECHO_BACKLOG = 6, 4  # of tests/services/net_echo
PIECES = (b"one", b"two", b"three")


@suite.test("who was answered by a cookie and finds no place sends until there is one, and is not reset")
def no_place() -> None:
    peer = Peer()
    with between(peer.pass_on, peer.sent) as extra, test_network.prompt("no place", extra=extra):
        peer.introduce()
        theirs = [peer.connect(4000 + i, 7) for i in range(ECHO_ROOM + ECHO_BACKLOG - 1)]
        last = peer.half_connect(4100, 7)  # the last place, and it is half open
        cookie = peer.half_connect(5000, 7)
        peer.segment(4100, 7, 1, last, ACK)  # no place is left

        def send() -> None:
            for i, piece in reversed(tuple(enumerate(PIECES))):  # what is in order may be joined
                peer.segment(5000, 7, 1 + len(b"".join(PIECES[:i])), cookie, ACK | PUSH, piece)

        send()
        peer.ping(1)  # all of them have come
        for i in range(ECHO_ROOM):
            peer.segment(4000 + i, 7, 1, theirs[i], RST | ACK)
        check(peer.answers(5000, sum(map(len, PIECES)), send) == b"".join(PIECES), "other bytes came back")


class Deaf(Peer):
    """One that takes connections, and acknowledges nothing that comes on them."""

    def pass_on(self, frame: bytes) -> bytes | None:
        frame = super().pass_on(frame)
        if frame is None and not self.came.empty():
            came = self.came.get()
            port, to, sequence = unpack_from(">HHI", came, ETHERNET_BYTES + 20)
            if came[ETHERNET_BYTES + 33] & (SYN | ACK) == SYN:
                self.segment(to, port, 0, sequence + 1, SYN | ACK)
        return frame


@suite.test("who closes sockets that linger, session after session, has its share of them and no more")
def lingering() -> None:
    peer = Deaf()
    with between(peer.pass_on, peer.sent) as extra, \
            test_network.prompt("linger", extra=extra, hostile="linger") as (guest, port, _):
        peer.introduce()
        check("ended, exit code 0" in guest.command("run hostile", PATIENCE_S), "it did not come to its end")
        said = test_network.until(guest, "log", r"hostile: (\d+) linger, then (.*)")
        check(said[1] == "64", said[0])  # NET_SOCKETS_SHARE
        test_network.same(test_network.echo(port, b"and others?"), b"and others?")


@suite.test("who asks for windows of one socket, session after session, has its share of them and no more")
def windows() -> None:
    with test_network.prompt("windows", hostile="windows") as (guest, port, _):
        check("ended, exit code 0" in guest.command("run hostile", PATIENCE_S), "it did not come to its end")
        said = test_network.until(guest, "log", r"hostile: (\d+) windows, then (.*)")
        check(said[1] == "15", said[0])  # 16, of which its first session has one
        test_network.same(test_network.echo(port, b"and others?"), b"and others?")


@suite.test("floods of RST and FIN for other numbers than those that are next end no connection")
def ends() -> None:
    with beside() as (_, peer, web):
        theirs = peer.connect(4000, 80)
        for i in range(500):
            peer.segment(4000, 80, 40000 + 7919 * i, 0, RST)
            peer.segment(4000, 80, 40000 + 7919 * i, theirs, FIN | ACK)
            peer.segment(4000, 80, 2 + i, 0, RST)  # within the window, and not the next (RFC 5961, 3.2)
            peer.segment(1024 + i, 80, 1, 1, FIN | ACK)
            peer.segment(1024 + i, 80, 1, 1, RST | ACK)
        peer.ping(1)
        peer.segment(4000, 80, 1, theirs, ACK | PUSH, GET)
        while not (text := peer.answers(4000, 1)).startswith(b"HTTP/1.1 200 OK"):
            check(text, "no answer")  # acknowledgements of what came before
        check(test_httpd.get(web, "/")[0] == 200, "another client is not served")


@suite.test("packets that are cut at every length, and such as say that they are longer, are dropped")
def cut() -> None:
    with beside() as (_, peer, web):
        syn, data = tcp_packet(4000, 80, 0, 0, SYN), tcp_packet(4001, 80, 1, 1, ACK, GET)
        udp = ip_packet(17, pack(">HHHH", 5, 7, 12, 0) + b"abcd")
        echo = ip_packet(ICMP, echo_message(9, b"abcd"))
        question = pack(">HHBBH6s4s6s4s", 1, IPV4, 6, 4, 1, OWN_MAC, OWN, bytes(6), GUEST)
        for kind, packet in ((IPV4, syn), (IPV4, data), (IPV4, udp), (IPV4, echo), (ARP, question)):
            for count in range(len(packet)):
                peer.send_raw(GUEST_MAC + OWN_MAC + pack(">H", kind) + packet[:count])
        for head in range(16):  # lengths of headers of IPv4 and TCP that do not fit
            bad = bytes((0x40 | head,)) + syn[1:]
            peer.send_raw(GUEST_MAC + OWN_MAC + pack(">H", IPV4) + bad[:10] + bytes(2) + bad[12:])
            bad = syn[:32] + bytes((head << 4,)) + syn[33:36] + bytes(2) + syn[38:]
            peer.send_raw(GUEST_MAC + OWN_MAC + pack(">H", IPV4) + bad[:36] + pack(">H", tcp_sum(bad, 20, len(bad))) + bad[38:])
        peer.ping(1)
        check(test_httpd.get(web, "/")[0] == 200, "another client is not served")


@suite.test("fragments: in any order and twice they are put together; those that overlap, or never end, harm nobody")
def fragments() -> None:
    with beside() as (_, peer, web):
        data = bytes(range(240)) * 5
        message = echo_message(2, data)

        def send(number: int, first: int, last: int | None, more: bool = True) -> None:
            peer.send_raw(GUEST_MAC + OWN_MAC + pack(">H", IPV4) + ip_packet(
                ICMP, message[first:last], number=number, fragment=(MORE_FRAGMENTS if more else 0) | first // 8))

        for first in (800, 400, 400, 0, 0):
            send(1, first, first + 400 if first != 800 else None, first != 800)
        check(peer.reply_to(2) == data, "what was put together is something else")
        for i in range(300):
            number = 100 + i
            send(number, 0, 800)
            send(number, 400 + 8 * (i % 40), 1600)
            peer.send_raw(GUEST_MAC + OWN_MAC + pack(">H", IPV4) + ip_packet(  # beyond the longest packet
                ICMP, message[:800], number=number, fragment=(MORE_FRAGMENTS if i % 2 else 0) | 65528 // 8))
        for i in range(100):
            send(1000 + i, 8 * i, 8 * i + 8)  # the rest never comes
        message = echo_message(3, data)
        for first in (0, 400, 800):
            send(2000, first, first + 400 if first != 800 else None, first != 800)
        peer.ping(1)
        check(test_httpd.get(web, "/")[0] == 200, "another client is not served")


@suite.test("segments that come twice and in the wrong order make the bytes that were sent")
def shuffled() -> None:
    with beside() as (_, peer, _web):
        theirs = peer.connect(4000, 80)
        order = list(range(len(GET))) * 2
        Random(7).shuffle(order)
        for at in order:
            peer.segment(4000, 80, 1 + at, theirs, ACK, GET[at:at + 3])
        while not (text := peer.answers(4000, 1)).startswith(b"HTTP/1.1 200 OK"):
            check(text, "no answer")
