# SPDX-License-Identifier: MIT
"""test_network_segments.py - what the system does with each segment of TCP in each state, as the RFCs have it: a table of cases, of
which each names its section. The peer is tests/system/segment_peer.py."""

import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

from hardware import network_card
from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

from tests.system import segment_cases, segment_options
from tests.system.segment_cases import Case, established
from tests.system.segment_peer import BEHIND, ECHO, NUMBERS, WEB, Link, SegmentPeer, acknowledged, gone, ignored, lives
from tests.system.test_httpd import PAGE, web_from
from tests.system.test_network import ECHO as ECHO_SERVICE
from tests.system.test_network import OWN, until
from tests.system.test_network_floods import PUSH, RST
from tests.system.user_network import ACK, FIN, SYN, between
from tests.system.with_services import initrd

suite = Suite("network segments")


@contextmanager
def beside():
    """The system with a service that echoes and the web server; yields the guest and a peer that it knows."""
    peer = SegmentPeer()
    with tempfile.TemporaryDirectory() as folder, between(peer.pass_on, peer.sent) as extra:
        files = initrd(Path(folder), ["net_echo"], lambda text: web_from("initrdfs")(text) + ECHO_SERVICE % "",
                       extra={"index.html": PAGE})
        with Guest(Machine("direct", initrd=files, cpus=2, memory_mib=256, extra=network_card(()) + extra), "segments", 300) as guest:
            guest.expect(PROMPT)
            until(guest, "ip", OWN)
            until(guest, "log", "echo: listening")
            until(guest, "log", "httpd: port 80")
            peer.introduce()
            yield guest, peer


# ---- States ----


def fin_wait_1(peer: SegmentPeer) -> Link:
    return Link(peer, WEB).open().ended_by_guest()


def fin_wait_2(peer: SegmentPeer) -> Link:
    link = fin_wait_1(peer)
    link.theirs = (link.theirs + 1) % NUMBERS
    link.send()
    link.answers()
    return link


def close_wait(peer: SegmentPeer) -> Link:
    """The guest has bytes to send that have no room in our window."""
    link = Link(peer, ECHO).open(window=4)
    link.put(b"ten bytes.")
    link.put(b"", FIN | ACK)
    link.answers()
    return link


def closing(peer: SegmentPeer) -> Link:
    link = fin_wait_1(peer)
    link.put(b"", FIN | ACK)
    link.answers()
    return link


def last_ack(peer: SegmentPeer) -> Link:
    link = established(peer)
    link.put(b"", FIN | ACK)
    link.until(lambda segment: segment.flags & FIN)
    link.answers()
    return link


def time_wait(peer: SegmentPeer) -> Link:
    link = fin_wait_2(peer)
    link.put(b"", FIN | ACK)
    link.answers()
    return link


STATES = {"ESTABLISHED": established, "FIN-WAIT-1": fin_wait_1, "FIN-WAIT-2": fin_wait_2, "CLOSE-WAIT": close_wait,
          "CLOSING": closing, "LAST-ACK": last_ack, "TIME-WAIT": time_wait}

# What comes in a synchronized state, and what is due: an acknowledgement and nothing else, or nothing. The connection is as it
# was. A RST in TIME-WAIT: RFC 1337, 3; a newer SYN begins a new connection there (RFC 9293, 3.6.1).
EVENTS = (
    ("RFC 9293, 3.10.7.4, first", "bytes that came before", lambda link: link.send(ACK, b"x", by=-1), acknowledged, ()),
    ("RFC 9293, 3.10.7.4, first", "bytes behind the window", lambda link: link.send(ACK, b"x", by=BEHIND), acknowledged, ()),
    ("RFC 9293, 3.10.7.4, first", "a FIN behind the window", lambda link: link.send(FIN | ACK, by=BEHIND), acknowledged, ()),
    ("RFC 9293, 3.10.7.4, first", "an acknowledgement alone from behind the window", lambda link: link.send(by=BEHIND), acknowledged,
     ("TIME-WAIT",)),
    ("RFC 5961, 3.2", "a RST behind the window", lambda link: link.send(RST, by=BEHIND), ignored, ()),
    ("RFC 5961, 3.2", "a RST before the window", lambda link: link.send(RST, by=-1), ignored, ()),
    ("RFC 5961, 3.2", "a RST in the window that is not next", lambda link: link.send(RST, by=1), acknowledged, ("TIME-WAIT",)),
    ("RFC 5961, 4.2", "a SYN in the window", lambda link: link.send(SYN, by=1), acknowledged, ("TIME-WAIT",)),
    ("RFC 5961, 4.2", "a SYN and ACK in the window", lambda link: link.send(SYN | ACK, by=1), acknowledged, ("TIME-WAIT",)),
    ("RFC 9293, 3.10.7.4, first", "a SYN before the window", lambda link: link.send(SYN, by=-100), acknowledged, ()),
    ("RFC 9293, 3.10.7.4, fifth", "bytes without ACK", lambda link: link.send(PUSH, b"x"), ignored, ("TIME-WAIT",)),
    ("RFC 5961, 5.2", "bytes that acknowledge what was never sent", lambda link: link.send(ACK, b"x", ack_by=BEHIND), acknowledged, ()),
    ("RFC 9293, 3.1", "bytes with a wrong checksum", lambda link: link.send(ACK, b"x", spoil=0x55), ignored, ()),
    ("RFC 9293, 3.1", "a header that says it is shorter than it can be", lambda link: link.send(ACK, b"x", offset=4), ignored, ()),
)

cases: list[Case] = []


def in_state(setup, event, due) -> Callable[[SegmentPeer], None]:
    def run(peer: SegmentPeer) -> None:
        link = setup(peer)
        event(link)
        due(link)
        lives(link)

    return run


def ended_by_rst(setup) -> Callable[[SegmentPeer], None]:
    def run(peer: SegmentPeer) -> None:
        link = setup(peer)
        link.send(RST)
        ignored(link)
        gone(link)

    return run


for name, state in STATES.items():
    for rfc, what, event, due, never in EVENTS:
        if name not in never:
            cases.append((rfc, f"{name}: {what}", in_state(state, event, due)))
    if name != "TIME-WAIT":
        cases.append(("RFC 9293, 3.10.7.4, second", f"{name}: a RST with the next number ends it", ended_by_rst(state)))
cases.append(("RFC 1337, 3", "TIME-WAIT: a RST with the next number does not end it",
              in_state(time_wait, lambda link: link.send(RST), ignored)))


def run_table(table_of: list[Case]) -> None:
    """All of them, each with connections of its own; what failed is told at the end."""
    failed = []
    with beside() as (_, peer):
        for section, text, function in table_of:
            try:
                function(peer)
            except AssertionError as error:
                failed.append(f"{text} ({section}): {error}")
            for link in peer.links:
                link.end()
            peer.links.clear()
    print(f"{len(table_of)} cases, {len(failed)} failed")
    check(not failed, "\n".join(failed))


@suite.test("segments of TCP in each state are answered as the RFCs say")
def states() -> None:
    run_table(cases)


@suite.test("connections begin and end, and bytes come in any order, as the RFCs say")
def beginnings() -> None:
    run_table(segment_cases.cases)


@suite.test("options, windows, and what is sent again are as the RFCs say")
def options() -> None:
    run_table(segment_options.cases)
