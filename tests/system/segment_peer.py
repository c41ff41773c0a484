# SPDX-License-Identifier: MIT
"""segment_peer.py - one end of connections of TCP with the system, segment by segment: what it sends is whatever a test says,
and what the system answers is looked at when the system has seen it."""

from collections.abc import Callable
from struct import pack, unpack_from
from typing import NamedTuple

from testlib import check

from tests.system.test_network_floods import ICMP, OWN, PUSH, RST, Peer, echo_message, ip_packet
from tests.system.user_network import ACK, ETHERNET_BYTES, FIN, IPV4, SYN, TCP, arriving, tcp_sum

WINDOW, MSS = 32768, 1460
FIRST = 0x7FFFFF00  # a number of ours, near where the sign changes
BEHIND = 40000  # from the next number: behind every window
URG = 32
NUMBERS = 1 << 32
ECHO, CLOSED_PORT, WEB = 7, 9, 80
ENDING = b"GET /index.html HTTP/1.0\r\n\r\n"  # is answered, and then the server ends


def option(kind: int, data: bytes = b"") -> bytes:
    return bytes((kind, len(data) + 2)) + data


def padded(options: bytes) -> bytes:
    return options + bytes((1,)) * (-len(options) % 4)


MSS_OPTION = option(2, pack(">H", MSS))


class Segment(NamedTuple):
    port: int
    sequence: int
    ack: int
    flags: int
    window: int
    options: bytes
    data: bytes

    @property
    def is_bare(self) -> bool:
        """It says something, and is no repetition of what takes numbers."""
        return not self.flags & (SYN | FIN) and not self.data

    @property
    def end(self) -> int:
        return (self.sequence + len(self.data) + bool(self.flags & SYN) + bool(self.flags & FIN)) % NUMBERS

    def option(self, kind: int) -> bytes | None:
        """The data of the first of that kind."""
        at = 0
        while at < len(self.options) and self.options[at]:
            count = 1 if self.options[at] == 1 else self.options[at + 1]
            if self.options[at] == kind:
                return self.options[at + 2:at + count]
            check(count > 0, "an option of no length")
            at += count
        return None


def parsed(packet: bytes) -> Segment:
    """Of a packet of IPv4, whose sum is right."""
    head, end = (packet[0] & 15) * 4, unpack_from(">H", packet, 2)[0]
    check(tcp_sum(packet, head, end) == 0, "a sum of the guest's is wrong")
    _, port, sequence, ack, offset, flags, window = unpack_from(">HHIIBBH", packet, head)
    data = head + (offset >> 4) * 4
    return Segment(port, sequence, ack, flags, window, packet[head + 20:data], packet[data:end])


class SegmentPeer(Peer):
    """The machine at 10.0.2.77. `fences`: pings so far; their answers come behind those to what was sent before them."""

    def __init__(self) -> None:
        super().__init__()
        self.fences, self.next_port = 1000, 2000
        self.links: list[Link] = []  # of the case at hand

    def raw(self, port: int, to: int, sequence: int, ack: int, flags: int, data: bytes = b"", window: int = WINDOW,
            options: bytes = b"", urgent: int = 0, reserved: int = 0, spoil: int = 0, offset: int | None = None) -> None:
        options = padded(options)
        offset = 5 + len(options) // 4 if offset is None else offset
        tcp = pack(">HHIIBBHHH", port, to, sequence % NUMBERS, ack % NUMBERS, offset << 4 | reserved, flags, window, 0,
                   urgent) + options + data
        packet = ip_packet(TCP, tcp, OWN)
        self._send(IPV4, packet[:36] + pack(">H", tcp_sum(packet, 20, len(packet)) ^ spoil) + packet[38:])

    def segments(self, again: Callable[[], None] = lambda: None):
        """Those that come, without an end."""
        for frame in arriving(self.came, again):
            if unpack_from(">H", frame, 12)[0] == IPV4 and frame[23] == TCP:
                yield parsed(frame[ETHERNET_BYTES:])

    def seen(self, port: int) -> list[Segment]:
        """What has come for a port when the system has looked at all that was sent so far. Frames keep their order, and so a
        ping is answered behind whatever is answered at once."""
        self.fences += 1
        number, found = self.fences, []

        def send() -> None:
            self._send(IPV4, ip_packet(ICMP, echo_message(number, b"")))

        send()
        for frame in arriving(self.came, send):
            if unpack_from(">H", frame, 12)[0] != IPV4:
                continue
            if frame[23] == ICMP and frame[34] == 0 and frame[38:42] == pack(">HH", 77, number & 0xFFFF):
                return found
            if frame[23] == TCP and (segment := parsed(frame[ETHERNET_BYTES:])).port == port:
                found.append(segment)


class Link:
    """A connection, or what would be one. `next`: our next number; `theirs`: the guest's next, as far as
    it was acknowledged. `options`: of each segment."""

    def __init__(self, peer: SegmentPeer, to: int, port: int | None = None) -> None:
        peer.next_port += 1
        self.peer, self.to, self.port = peer, to, port or peer.next_port
        self.next, self.theirs, self.window, self.options = FIRST, 0, WINDOW, b""
        self.said: list[Segment] = []  # by the guest, in the order in which it came
        peer.links.append(self)
        self.synack: Segment | None = None

    def send(self, flags: int = ACK, data: bytes = b"", by: int = 0, ack_by: int = 0, **more) -> None:
        """`by`, `ack_by`: how far from the numbers that would be right."""
        more.setdefault("window", self.window)
        more.setdefault("options", self.options)
        self.peer.raw(self.port, self.to, self.next + by, self.theirs + ack_by, flags, data, **more)

    def put(self, data: bytes, flags: int = ACK | PUSH, **more) -> None:
        """What takes numbers, in order."""
        self.send(flags, data, **more)
        self.next = (self.next + len(data) + bool(flags & FIN) + bool(flags & SYN)) % NUMBERS

    def answers(self) -> list[Segment]:
        """What has been answered to what was sent so far."""
        seen = self.peer.seen(self.port)
        self.said += seen
        return seen

    def until(self, is_it: Callable[[Segment], bool], again: Callable[[], None] = lambda: None) -> Segment:
        for segment in self.peer.segments(again):
            if segment.port == self.port:
                self.said.append(segment)
                if is_it(segment):
                    return segment

    def top_of(self, said: list[Segment]) -> int:
        """The guest's next number, by what it has said so far."""
        return (self.theirs + max(((segment.end - self.theirs) % NUMBERS for segment in said
                                   if (segment.end - self.theirs) % NUMBERS < NUMBERS // 2), default=0)) % NUMBERS

    @property
    def top(self) -> int:
        return self.top_of(self.said)

    # ---- The way into a state ----

    def open(self, options: bytes = MSS_OPTION, window: int = WINDOW) -> "Link":
        """To ESTABLISHED, as the guest sees it."""
        self.half_open(options, window)
        self.send()
        self.answers()
        return self

    def half_open(self, options: bytes = MSS_OPTION, window: int = WINDOW) -> "Link":
        """To SYN-RECEIVED."""
        self.window = window

        def syn() -> None:
            self.send(SYN, by=0, options=options)

        syn()
        self.synack = self.until(lambda segment: segment.flags & SYN, syn)
        self.next = (self.next + 1) % NUMBERS
        check(self.synack.flags & (SYN | ACK | RST) == SYN | ACK and self.synack.ack == self.next,
              f"a SYN is answered by {self.synack}")
        self.theirs = self.synack.end
        return self

    def take(self, count: int, again: Callable[[], None] = lambda: None, ack: bool = True) -> bytes:
        """So many bytes from the guest, in order; acknowledged as they come."""
        data = b""

        def repeat() -> None:
            again()
            self.send()

        while len(data) < count:
            segment = self.until(lambda segment: segment.data or segment.flags & RST, repeat)
            check(not segment.flags & RST, "the connection is reset")
            behind = (self.theirs - segment.sequence) % NUMBERS
            if behind < len(segment.data):
                data += segment.data[behind:]
                self.theirs = (segment.sequence + len(segment.data)) % NUMBERS
            if ack:
                self.send()
        return data

    def echoed(self, data: bytes) -> None:
        """The connection is of use: these bytes come back, and all is acknowledged then."""
        self.put(data)
        check(self.take(len(data), lambda: self.send(ACK | PUSH, data, by=-len(data))) == data, "other bytes come back")
        check(self.said[-1].ack == self.next, "what came back does not acknowledge what was sent")
        self.answers()

    def ended_by_guest(self) -> "Link":
        """To FIN-WAIT-1 of the guest's: its answer is acknowledged, its FIN is not. Of the web server alone."""
        self.put(ENDING)
        while True:
            segment = self.until(lambda segment: segment.data or segment.flags & (FIN | RST),
                                 lambda: self.send(ACK | PUSH, ENDING, by=-len(ENDING)))
            check(not segment.flags & RST, "the connection is reset")
            if segment.sequence == self.theirs:
                self.theirs = (self.theirs + len(segment.data)) % NUMBERS
                self.send()
                if segment.flags & FIN:
                    self.answers()
                    return self

    def end(self) -> None:
        """Whatever it is now, nothing is left of it at the guest."""
        self.send(RST | ACK)


# ---- What is expected ----


def bare(link: Link) -> list[Segment]:
    return [segment for segment in link.answers() if segment.is_bare]


def acknowledged(link: Link) -> Segment:
    """One answer, which says what is next."""
    found = bare(link)
    check(len(found) == 1 and found[0].flags & (ACK | RST) == ACK, f"not answered by one acknowledgement: {found}")
    check(found[0].ack == link.next, f"{found[0].ack} is acknowledged, not {link.next}")
    # What a timer of the guest's sends behind it says nothing about it.
    top = link.top_of(link.said[:next(i for i, segment in enumerate(link.said) if segment is found[0])])
    check(found[0].sequence == top, f"its number is {found[0].sequence}, not {top}")
    return found[0]


def ignored(link: Link) -> None:
    found = bare(link)
    check(not found, f"answered by {found}")


def reset(link: Link) -> Segment:
    found = bare(link)
    check(len(found) == 1 and found[0].flags & RST, f"not answered by one RST: {found}")
    return found[0]


def lives(link: Link) -> None:
    """Bytes that came already are acknowledged."""
    link.send(ACK, b"x", by=-1)
    acknowledged(link)


def gone(link: Link) -> None:
    link.send(ACK, b"x", by=-1)
    check(reset(link).sequence == link.theirs, "a RST does not begin where the peer's acknowledgement is")
