# SPDX-License-Identifier: MIT
"""segment_options.py - cases of TCP about options, windows, and what is sent again. test_network_segments.py runs them."""

from collections.abc import Callable
from struct import pack, unpack

from testlib import check

from tests.system.segment_cases import Case, adding_to, established
from tests.system.segment_peer import (ECHO, MSS, MSS_OPTION, NUMBERS, WEB, WINDOW, Link, Segment, SegmentPeer,
                                       acknowledged, option)
from tests.system.test_network_floods import PUSH
from tests.system.user_network import ACK, SYN

BIG = b"GET /net HTTP/1.0\r\n\r\n"  # a file of many segments

cases: list[Case] = []
case = adding_to(cases)
LEAST = 48  # bytes of a segment, whatever a peer says
SCALE, SACK_PERMITTED, SACK, STAMPS = 3, 4, 5, 8


# ---- Options ----


def segments_at_most(options: bytes, size: int) -> Callable[[SegmentPeer], None]:
    def run(peer: SegmentPeer) -> None:
        link = Link(peer, WEB).open(options)
        link.put(BIG)
        link.take(3 * size, lambda: link.send(ACK | PUSH, BIG, by=-len(BIG)))
        longest = max(len(segment.data) for segment in link.said)
        check(longest == size, f"a segment has {longest} bytes, and {size} are taken")

    return run


for what, options, size in (
        ("no option", b"", 536), ("MSS of 1,460", MSS_OPTION, MSS), ("MSS of 536", option(2, pack(">H", 536)), 536),
        ("MSS of 88", option(2, pack(">H", 88)), 88),
        ("MSS of 1", option(2, pack(">H", 1)), LEAST), ("MSS of 0", option(2, pack(">H", 0)), LEAST), ("MSS of 65,535", option(2, pack(">H", 65535)), MSS),
        ("MSS behind options that nobody knows", option(200, b"abc") + option(201) + MSS_OPTION, MSS),
        ("an end in front of the MSS", bytes(4) + MSS_OPTION, 536)):
    cases.append(("RFC 9293, 3.7.1", f"a SYN with {what}: segments of at most {size} bytes", segments_at_most(options, size)))


@case("RFC 9293, 3.2", "an MSS behind the SYN says nothing")
def late_size(peer: SegmentPeer) -> None:
    for late in (1, 65535):
        link = sending(peer)  # it has segments that are not sent yet
        begin = link.theirs
        link.theirs = (link.theirs + MSS) % NUMBERS
        link.send(options=option(2, pack(">H", late)))
        link.take(20 * MSS, link.send)
        found = [segment for segment in link.said if (segment.sequence - begin) % NUMBERS < 20 * MSS and segment.data]
        check(all(len(segment.data) == MSS for segment in found), f"behind one of {late} they have other sizes")


@case("RFC 9293, 3.2", "SYN-RECEIVED: another MSS in a SYN that comes again says nothing")
def other_size(peer: SegmentPeer) -> None:
    link = Link(peer, WEB).half_open()
    link.send(SYN, by=-1, options=option(2, pack(">H", 65535)))
    link.put(BIG)
    link.take(6 * MSS, lambda: link.send(ACK | PUSH, BIG, by=-len(BIG)))
    check(max(len(segment.data) for segment in link.said) == MSS, "segments are larger")


def broken_option(options: bytes) -> Callable[[SegmentPeer], None]:
    def run(peer: SegmentPeer) -> None:
        link = Link(peer, ECHO).open(MSS_OPTION + options)
        link.echoed(b"none the worse")

    return run


for what, options in (("of length 0", b"\x63\0\1\1"), ("of length 1", b"\x63\1\1\1"), ("that is longer than the header", b"\x63\x28\1\1"),
                      ("MSS of a wrong length", b"\2\3\1\1"), ("window scale of a wrong length", b"\3\4\1\1"),
                      ("time stamps of a wrong length", b"\x08\x04\1\1"), ("whose length is missing", b"\1\1\1\x63")):
    cases.append(("RFC 9293, 3.2", f"a SYN with an option {what}: the connection begins", broken_option(options)))


@case("RFC 7323, 2.2", "a SYN with a window scale is answered by one, and one without by none")
def scale(peer: SegmentPeer) -> None:
    with_one = Link(peer, ECHO).open(MSS_OPTION + option(SCALE, b"\7"))
    without = Link(peer, ECHO).open()
    check(with_one.synack.option(SCALE) is not None and without.synack.option(SCALE) is None, "it is not so")


@case("RFC 7323, 2.3", "a window scale of more than 14 counts as 14")
def scale_most(peer: SegmentPeer) -> None:
    link = Link(peer, ECHO).open(MSS_OPTION + option(SCALE, b"\xff"), window=1)
    data = bytes(1000)  # has room in 1 << 14
    link.put(data)
    check(link.take(len(data), lambda: link.send(ACK | PUSH, data, by=-len(data))) == data, "other bytes come back")


def stamp(value: int, echo: int = 0) -> bytes:
    return option(STAMPS, pack(">II", value, echo))


@case("RFC 7323, 3.2", "time stamps come back with each segment, when the SYN had them")
def stamps(peer: SegmentPeer) -> None:
    link = Link(peer, ECHO)
    link.half_open(MSS_OPTION + stamp(1000))
    mine = link.synack.option(STAMPS)
    check(mine is not None and unpack(">II", mine)[1] == 1000, f"the SYN has {mine}")
    link.send(options=stamp(1001, unpack(">II", mine)[0]))
    link.put(b"stamped", options=stamp(1002, unpack(">II", mine)[0]))
    segment = link.until(lambda segment: segment.data, lambda: link.send(ACK | PUSH, b"stamped", by=-7, options=stamp(1002)))
    back = segment.option(STAMPS)
    check(back is not None and unpack(">II", back)[1] == 1002, f"the answer has {back}")


@case("RFC 7323, 4.3", "a time stamp of a segment behind a gap is not the one that comes back")
def stamp_of_gap(peer: SegmentPeer) -> None:
    link = Link(peer, ECHO)
    link.options = stamp(1001)
    link.open(MSS_OPTION + stamp(1000))
    link.echoed(b"first")
    link.send(ACK, b"T", by=2, options=stamp(1500))
    back = acknowledged(link).option(STAMPS)
    check(back is not None and unpack(">II", back)[1] == 1001, f"the answer has {back}")


@case("RFC 7323, 3.2", "no time stamps come where the SYN had none")
def no_stamps(peer: SegmentPeer) -> None:
    link = established(peer)
    check(all(segment.option(STAMPS) is None for segment in link.said), "a segment has some")


@case("RFC 2018, 4", "what waits behind gaps is told, the last that came first")
def sack(peer: SegmentPeer) -> None:
    link = established(peer, MSS_OPTION + option(SACK_PERMITTED))
    check(link.synack.option(SACK_PERMITTED) is not None, "it is not permitted")
    for by in (10, 30, 20):
        link.send(ACK, b"abcd", by=by)
        blocks = acknowledged(link).option(SACK)
        check(blocks is not None and unpack(">II", blocks[:8]) == ((link.next + by) % NUMBERS, (link.next + by + 4) % NUMBERS),
              f"behind {by}: {blocks}")


@case("RFC 2018, 2", "nothing of that is told where the SYN did not permit it")
def no_sack(peer: SegmentPeer) -> None:
    link = established(peer)
    link.send(ACK, b"abcd", by=10)
    check(acknowledged(link).option(SACK) is None, "it is")


# ---- Windows ----


@case("RFC 9293, 3.8.6.1", "a window of no room is probed, and what waits comes when there is room")
def probe(peer: SegmentPeer) -> None:
    link, data = Link(peer, ECHO).open(window=4), b"more than four bytes"
    link.put(data)
    link.take(4, lambda: link.send(ACK | PUSH, data, by=-len(data)), ack=False)
    link.window = 0
    link.send()
    link.until(lambda segment: segment.data, link.send)  # a probe
    link.window = 32768
    check(link.take(len(data) - 4, link.send) == data[4:], "other bytes come back")


@case("RFC 9293, 3.8.6", "no byte is sent behind the window")
def within(peer: SegmentPeer) -> None:
    link = Link(peer, WEB).open(window=3000)
    begin = link.theirs
    link.put(BIG)
    link.take(1, lambda: link.send(ACK | PUSH, BIG, by=-len(BIG)), ack=False)
    link.answers()
    check(all((segment.end - begin) % NUMBERS <= 3000 for segment in link.said if segment.data), "one is")


@case("RFC 9293, 3.8.6", "bytes for which there is no room are not taken, and the edge of the window stays where it was")
def full(peer: SegmentPeer) -> None:
    link = Link(peer, ECHO).open(window=0)  # what it echoes has no room with us, and so it takes nothing more in the end
    edge, sent = 0, 0
    for _ in range(200):
        link.put(bytes(1000))
        for segment in link.answers():
            right = (segment.ack + segment.window) % NUMBERS
            check(edge == 0 or (right - edge) % NUMBERS < NUMBERS // 2, "the edge goes back")
            edge = right
        sent += 1000
        if edge == link.said[-1].ack and (link.next - edge) % NUMBERS < NUMBERS // 2:
            break
    check((link.next - edge) % NUMBERS < NUMBERS // 2, f"{sent} bytes are taken, and nobody reads them")


def fill(link: Link) -> None:
    """Our window has no room for what the guest echoes, and so its own has none in the end, nor has the echo's memory."""
    found: list[Segment] = []
    for _ in range(300):
        link.send(ACK, bytes(1000))
        found = [segment for segment in link.answers() if segment.is_bare]
        if len(found) == 1 and (found[0].ack, found[0].window) == (link.next, 0):
            break
        if found:
            link.next = found[-1].ack
    check(len(found) == 1 and found[0].ack == link.next and found[0].window == 0, f"answered by {found}")


@case("RFC 9293, 3.10.7.4, first", "a probe of a window without room is acknowledged")
def probed(peer: SegmentPeer) -> None:
    fill(Link(peer, ECHO).open(window=0))


@case("RFC 9293, 3.10.7.4, first", "windows of both without room: an acknowledgement from behind a probe's byte tells of room")
def both_full(peer: SegmentPeer) -> None:
    link = Link(peer, ECHO).open(window=0)
    fill(link)
    link.window = WINDOW
    link.send(by=1)  # RFC 9293, 3.8.6.1: the probe has taken a number, and the guest has no room for it
    link.until(lambda segment: len(segment.data) > 1, lambda: link.send(by=1))  # a probe of the guest's has one byte


# ---- What is sent again, and how much at once ----


def sending(peer: SegmentPeer) -> Link:
    """The guest has sent what it may of a large file, and nothing of it is acknowledged."""
    link = Link(peer, WEB).open()
    link.put(BIG)
    link.until(lambda segment: segment.data, lambda: link.send(ACK | PUSH, BIG, by=-len(BIG)))
    link.answers()
    return link


def flight(link: Link) -> int:
    """Bytes that have come and are not acknowledged."""
    return (link.top - link.theirs) % NUMBERS


@case("RFC 5681, 3.1", "what is sent first is at most four segments")
def initial(peer: SegmentPeer) -> None:
    link = sending(peer)
    check(0 < flight(link) <= 4 * MSS, f"{flight(link)} bytes")


@case("RFC 5681, 3.1", "each acknowledgement lets two segments more at most be on their way")
def slow_start(peer: SegmentPeer) -> None:
    link = sending(peer)
    for _ in range(6):
        before = flight(link)
        segment = link.said[-1]
        link.theirs = (link.theirs + MSS) % NUMBERS
        link.send()
        link.answers()
        check(flight(link) <= before + MSS, f"{before} bytes were on their way, and {flight(link)} are")
        check(segment.data, "no bytes")


def comes_again_after(peer: SegmentPeer, most: int) -> int:
    """How many acknowledgements of the same it takes until what is missing comes again."""
    link = Link(peer, WEB).open()
    link.put(BIG)
    link.take(4 * MSS, lambda: link.send(ACK | PUSH, BIG, by=-len(BIG)))
    while flight(link) < 4 * MSS:
        link.until(lambda segment: segment.data, link.send)
    lost = link.theirs
    link.answers()
    for count in range(1, most + 1):
        link.send()
        if [segment for segment in link.answers() if segment.data and segment.sequence == lost]:
            return count
    return most + 1


@case("RFC 5681, 3.2", "three acknowledgements of the same: what is missing comes again at once")
def fast(peer: SegmentPeer) -> None:
    # By a timer of the guest's it comes as well, where the host stops for so long; not each time.
    counts: list[int] = []
    while 3 not in counts and len(counts) < 10:
        counts.append(comes_again_after(peer, 4))
    check(3 in counts, f"it comes after so many: {counts}")


@case("RFC 6298, 5", "what nobody acknowledges comes again, one segment and not all")
def again(peer: SegmentPeer) -> None:
    link = sending(peer)
    link.until(lambda segment: segment.data and segment.sequence == link.theirs)
    check(all(segment.sequence == link.theirs for segment in link.answers() if segment.data), "more than one segment comes again")


@case("RFC 9293, 3.8.6.3", "at least each second segment is acknowledged at once")
def second(peer: SegmentPeer) -> None:
    link = established(peer)
    link.window = 0
    link.put(b"", ACK)
    for _ in range(4):
        link.put(bytes(MSS))
        link.put(bytes(MSS))
        check(any(segment.ack == link.next for segment in link.answers()), "two are not")
