# SPDX-License-Identifier: MIT
"""segment_cases.py - cases of TCP beside those of each synchronized state: the ways into and out of connections, bytes in
any order, options, windows and what is sent again. test_network_segments.py runs them."""

from collections.abc import Callable

from testlib import check

from tests.system.segment_peer import (BEHIND, CLOSED_PORT, ECHO, MSS_OPTION, NUMBERS, URG, WEB, Link, SegmentPeer,
                                       acknowledged, bare, gone, ignored, lives, reset)
from tests.system.test_network_floods import PUSH, RST
from tests.system.user_network import ACK, FIN, SYN

Case = tuple[str, str, Callable[[SegmentPeer], None]]
cases: list[Case] = []


def adding_to(table: list[Case]):
    """A decorator for the functions that are cases of a table, with the section and what is due."""
    def case(section: str, text: str):
        def add(function: Callable[[SegmentPeer], None]):
            table.append((section, text, function))
            return function

        return add

    return case


case = adding_to(cases)


def established(peer: SegmentPeer, options: bytes = MSS_OPTION) -> Link:
    """Accepted: the guest has nothing more to say by itself."""
    link = Link(peer, ECHO).open(options)
    link.echoed(b"first")
    return link


# ---- CLOSED and LISTEN ----


def answered_by_rst(to: int, flags: int, data: bytes = b"") -> Callable[[SegmentPeer], None]:
    """Without ACK the RST begins at 0 and acknowledges all of the segment, with it where the acknowledgement is."""
    def run(peer: SegmentPeer) -> None:
        link = Link(peer, to)
        link.theirs = 0x12345678 if flags & ACK else 0
        link.put(data, flags)
        segment = reset(link)
        check(segment.sequence == link.theirs, f"it begins at {segment.sequence}")
        check(flags & ACK or (segment.flags & ACK and segment.ack == link.next), f"it acknowledges {segment.ack}")

    return run


def answered_by_nothing(to: int, flags: int, data: bytes = b"") -> Callable[[SegmentPeer], None]:
    def run(peer: SegmentPeer) -> None:
        link = Link(peer, to)
        link.put(data, flags)
        check(not link.answers(), f"answered by {link.said}")

    return run


for where, to in (("CLOSED", CLOSED_PORT), ("LISTEN", ECHO)):
    number = "3.10.7.1" if to == CLOSED_PORT else "3.10.7.2"
    for what, flags in (("ACK", ACK), ("SYN and ACK", SYN | ACK), ("FIN and ACK", FIN | ACK)):
        cases.append((f"RFC 9293, {number}", f"{where}: {what} is answered by RST", answered_by_rst(to, flags)))
    for what, flags in (("RST", RST), ("RST and ACK", RST | ACK)):
        cases.append((f"RFC 9293, {number}", f"{where}: {what} is not answered", answered_by_nothing(to, flags)))
for what, flags, data in (("SYN", SYN, b""), ("FIN", FIN, b""), ("bytes without ACK", PUSH, b"abc")):
    cases.append(("RFC 9293, 3.10.7.1", f"CLOSED: {what} is answered by RST", answered_by_rst(CLOSED_PORT, flags, data)))
for what, flags, data in (("FIN", FIN, b""), ("bytes without ACK", PUSH, b"abc"), ("no flag", 0, b"")):
    cases.append(("RFC 9293, 3.10.7.2", f"LISTEN: {what} is not answered", answered_by_nothing(ECHO, flags, data)))


# ---- SYN-RECEIVED ----


def half(peer: SegmentPeer) -> Link:
    return Link(peer, ECHO).half_open()


@case("RFC 9293, 3.10.7.4, first", "SYN-RECEIVED: an acknowledgement from behind the window opens nothing")
def half_behind(peer: SegmentPeer) -> None:
    link = half(peer)
    link.send(by=BEHIND)
    acknowledged(link)
    link.send()
    link.echoed(b"then")


@case("RFC 9293, 3.10.7.4, fifth", "SYN-RECEIVED: an acknowledgement of something else is answered by RST")
def half_wrong(peer: SegmentPeer) -> None:
    link = half(peer)
    link.send(ack_by=1000)
    check(reset(link).sequence == (link.theirs + 1000) % NUMBERS, "it begins elsewhere")


@case("RFC 9293, 3.10.7.4, fifth", "SYN-RECEIVED: bytes without ACK are dropped")
def half_without(peer: SegmentPeer) -> None:
    link = half(peer)
    link.send(PUSH, b"x")
    ignored(link)
    link.send()
    link.echoed(b"then")


@case("RFC 9293, 3.10.7.4, second", "SYN-RECEIVED: a RST with the next number ends it")
def half_rst(peer: SegmentPeer) -> None:
    link = half(peer)
    link.send(RST)
    ignored(link)
    gone(link)


@case("RFC 5961, 3.2", "SYN-RECEIVED: a RST in the window that is not next is answered by an acknowledgement")
def half_blind_rst(peer: SegmentPeer) -> None:
    link = half(peer)
    link.send(RST, by=100)
    acknowledged(link)


@case("RFC 5961, 3.2", "SYN-RECEIVED: a RST behind the window is ignored")
def half_rst_behind(peer: SegmentPeer) -> None:
    link = half(peer)
    link.send(RST, by=BEHIND)
    ignored(link)
    link.send()
    link.echoed(b"then")


@case("RFC 5961, 4.2", "SYN-RECEIVED: a SYN with another number is answered by an acknowledgement")
def half_syn(peer: SegmentPeer) -> None:
    link = half(peer)
    link.send(SYN, by=100)
    acknowledged(link)
    link.send()
    link.echoed(b"then")


@case("RFC 9293, 3.8.1", "SYN-RECEIVED: the same SYN is answered as the first was")
def half_again(peer: SegmentPeer) -> None:
    link = half(peer)
    link.send(SYN, by=-1, ack_by=0, options=MSS_OPTION)
    found = [segment for segment in link.answers() if segment.flags & SYN]
    check(found and found[0].sequence == link.synack.sequence and found[0].ack == link.next, f"answered by {found}")


@case("RFC 9293, 3.10.7.4, eighth", "SYN-RECEIVED: bytes and FIN with the acknowledgement are taken")
def half_fin(peer: SegmentPeer) -> None:
    link = half(peer)
    link.put(b"all", FIN | ACK)
    check(link.take(3, lambda: link.send(FIN | ACK, b"all", by=-4)) == b"all", "other bytes come back")


# ---- Bytes in any order ----


def pieces(*parts: tuple[int, int]) -> Callable[[SegmentPeer], None]:
    """Of thirty bytes those from the one to the other; all come back once, in order."""
    def run(peer: SegmentPeer) -> None:
        link, data = established(peer), bytes(range(65, 95))
        for first, last in parts:
            link.send(ACK | PUSH, data[first:last], by=first)
        link.next = (link.next + len(data)) % NUMBERS
        got = link.take(len(data), lambda: link.send(ACK | PUSH, data, by=-len(data)))
        check(got == data, f"{got} comes back")
        link.answers()  # those to what came twice may come behind the bytes
        lives(link)

    return run


for what, parts in {
        "in order": ((0, 10), (10, 20), (20, 30)), "backwards": ((20, 30), (10, 20), (0, 10)),
        "twice": ((0, 15), (0, 15), (15, 30), (15, 30)), "overlapping the one before": ((0, 20), (10, 30)),
        "overlapping the one behind": ((10, 30), (0, 20)), "within one that waits": ((5, 30), (10, 20), (0, 5)),
        "around one that waits": ((10, 20), (5, 30), (0, 5)), "around two that wait": ((8, 10), (20, 22), (5, 30), (0, 5)),
        "between two that wait, overlapping both": ((5, 12), (18, 30), (10, 20), (0, 5)),
        "around all that came and wait": ((0, 5), (10, 20), (0, 30)), "byte by byte, backwards": tuple((i, i + 1) for i in range(29, -1, -1)),
        "with the same beginning, the longer later": ((5, 10), (5, 30), (0, 5)),
        "with the same end, the longer later": ((20, 30), (5, 30), (0, 5)),
}.items():
    cases.append(("RFC 9293, 3.10.7.4, seventh", f"ESTABLISHED: segments {what}", pieces(*parts)))


@case("RFC 5681, 4.2", "ESTABLISHED: a segment behind a gap is acknowledged at once, and so is the one that fills it")
def gap(peer: SegmentPeer) -> None:
    link = established(peer)
    link.send(ACK, b"c", by=2)
    acknowledged(link)
    link.send(ACK, b"ab")
    link.next += 3
    check([segment for segment in link.answers() if segment.ack == link.next], f"{link.next} is not acknowledged")


@case("RFC 9293, 3.10.7.4, eighth", "ESTABLISHED: a FIN behind a gap counts when the gap is filled")
def fin_gap(peer: SegmentPeer) -> None:
    link = established(peer)
    link.send(FIN | ACK, b"def", by=3)
    acknowledged(link)
    link.send(ACK, b"abc")
    link.next += 7
    check(link.take(6, lambda: link.send(FIN | ACK, b"abcdef", by=-7)) == b"abcdef", "other bytes come back")
    if not any(segment.flags & FIN for segment in link.said):
        link.until(lambda segment: segment.flags & FIN, link.send)


@case("RFC 9293, 3.6", "ESTABLISHED: after our FIN all that the guest has to send comes, then its FIN")
def half_close(peer: SegmentPeer) -> None:
    link, data = Link(peer, ECHO).open(window=4), b"twenty bytes in all."
    link.put(data, FIN | ACK)
    link.answers()
    link.window = 32768
    check(link.take(len(data), link.send) == data, "other bytes come back")
    if not any(segment.flags & FIN for segment in link.said):
        link.until(lambda segment: segment.flags & FIN, link.send)


@case("RFC 9293, 3.8.5", "ESTABLISHED: bytes that are urgent are in order among the others")
def urgent(peer: SegmentPeer) -> None:
    link = established(peer)
    link.put(b"urgent", ACK | PUSH | URG, urgent=3)
    check(link.take(6, lambda: link.send(ACK | PUSH, b"urgent", by=-6)) == b"urgent", "other bytes come back")
    link.put(b"beyond", ACK | URG, urgent=0xFFFF)
    check(link.take(6, lambda: link.send(ACK | PUSH, b"beyond", by=-6)) == b"beyond", "other bytes come back")


@case("RFC 9293, 3.1", "ESTABLISHED: bits of the header that are reserved say nothing")
def reserved(peer: SegmentPeer) -> None:
    link = established(peer)
    link.put(b"reserved", reserved=0xE)
    check(link.take(8, lambda: link.send(ACK | PUSH, b"reserved", by=-8)) == b"reserved", "other bytes come back")


@case("RFC 5961, 5.2", "ESTABLISHED: an acknowledgement from long ago says nothing about the window")
def window_of_others(peer: SegmentPeer) -> None:
    link = established(peer)
    link.send(by=BEHIND, window=0)
    acknowledged(link)
    link.echoed(b"there is room")


@case("RFC 5961, 7", "ESTABLISHED: of many acknowledgements that are not acceptable few are answered: no two ends answer each other")
def storm(peer: SegmentPeer) -> None:
    link, count = established(peer), 100
    for number in range(count):
        link.send(by=0 if number % 2 else -2, ack_by=BEHIND)
    found = bare(link)
    check(0 < len(found) < count // 2, f"{len(found)} of {count} are answered")
    link.echoed(b"and it lives")


# ---- The end ----


@case("RFC 9293, 3.6, figure 13", "both end at once: FIN-WAIT-1, CLOSING, TIME-WAIT")
def both_end(peer: SegmentPeer) -> None:
    link = Link(peer, WEB).open().ended_by_guest()
    link.put(b"", FIN | ACK)
    acknowledged(link)
    link.theirs = (link.theirs + 1) % NUMBERS
    link.send()
    ignored(link)
    lives(link)


@case("RFC 9293, 3.10.7.4, eighth", "TIME-WAIT: the FIN that comes again is acknowledged again")
def fin_again(peer: SegmentPeer) -> None:
    link = Link(peer, WEB).open().ended_by_guest()
    link.theirs = (link.theirs + 1) % NUMBERS
    link.put(b"", FIN | ACK)
    acknowledged(link)
    link.send(FIN | ACK, by=-1)
    acknowledged(link)


@case("RFC 9293, 3.6.1", "TIME-WAIT: a SYN with a larger number begins a new connection")
def begun_again(peer: SegmentPeer) -> None:
    link = Link(peer, WEB).open().ended_by_guest()
    link.theirs = (link.theirs + 1) % NUMBERS
    link.put(b"", FIN | ACK)
    acknowledged(link)
    link.next += 100000
    link.said.clear()
    link.half_open()


@case("RFC 9293, 3.10.7.4, fifth", "LAST-ACK: the acknowledgement of the FIN is the end of all")
def last(peer: SegmentPeer) -> None:
    link = established(peer)
    link.put(b"", FIN | ACK)
    link.until(lambda segment: segment.flags & FIN)
    link.theirs = (link.theirs + 1) % NUMBERS
    link.send()
    ignored(link)
    gone(link)
