# SPDX-License-Identifier: MIT
"""test_sntp.py - the clock by servers of the time: the service sntp against a server of the test on QEMU's user network, and
beside one that DHCP tells; what such a server must not do to the clock."""

import re
import socket
import tempfile
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from struct import pack, unpack_from

from hardware import data_disk, network_card
from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

from tests.system.test_httpd import get, uptime_s
from tests.system.test_linux import disk, run
from tests.system.test_network import HOST, OWN, free_port, until
from tests.system.test_network_floods import GUEST, GUEST_MAC, Peer, ip_packet
from tests.system.time_server import HEAD, TimeServer, answer
from tests.system.user_network import ETHERNET_BYTES, IPV4, between
from tests.system.with_services import initrd as initrd_with

suite = Suite("sntp")

WAY_S = 2  # an answer that comes later is none: QUESTION_PATIENCE_NS of services/sntp/question.h
SERVICE = '[service.sntp]\n'
ALLOWED = 'connect = ["*:123/udp"]'
NAMED = "2027-03-04 05:"  # what the servers say in the first 54 minutes, and no machine's clock
NAMED_S = datetime(2027, 3, 4, 5, 6, tzinfo=timezone.utc).timestamp()
CLOCK = ("-rtc", "base=2026-01-02T03:04:05,clock=vm")
CLOCK_SAYS = "2026-01-02 "
DATE = re.compile(r"(\d+-\d+-\d+ \d+:\d+:\d+) UTC")


@contextmanager
def prompt(name: str, port: int | None, extra: tuple[str, ...] = (), limit_s: float = 300, forwards: tuple[str, ...] = ()):
    """The system, whose server of the time is at that port of this machine; None: the one that DHCP tells."""

    def change(text: str) -> str:
        check(SERVICE in text and ALLOWED in text, "the manifest has another sntp")
        if port is None:
            return text
        return text.replace(SERVICE, f'{SERVICE}arguments = "server=10.0.2.2:{port}"\n') \
                   .replace(ALLOWED, f'connect = ["10.0.2.2:{port}/udp"]')

    with tempfile.TemporaryDirectory() as folder:
        machine = Machine("direct", initrd=initrd_with(Path(folder), [], change), cpus=2, memory_mib=256,
                          extra=network_card(forwards) + CLOCK + extra)
        with Guest(machine, f"sntp {name}", limit_s) as guest:
            guest.expect(PROMPT)
            yield guest


def date(guest: Guest) -> str:
    return DATE.search(guest.command("date"))[1]


def unset(guest: Guest) -> None:
    text = guest.command("date")
    check(CLOCK_SAYS in text and "time server" not in text, f"the clock was set: {text}")


class Clock:
    """A time that goes on from when it is asked for first, however long the guest needs until then."""

    def __init__(self, unix_s: float = NAMED_S) -> None:
        self.unix_s, self.begun = unix_s, None

    def now(self) -> float:
        if self.begun is None:
            self.begun = time.monotonic()
        return self.unix_s + time.monotonic() - self.begun


def set_anew(guest: Guest, server: TimeServer) -> None:
    """A new run sets the clock: by a question that it asks, so that what it said is younger than the run."""
    count, begun_s = len(server.asked), uptime_s(guest)
    guest.command("restart sntp")
    text = ""
    for _ in guest.looks():
        text = guest.command("date")
        age = re.search(r"UTC, as a time server said (\d+) s ago", text)
        if age and len(server.asked) > count and int(age[1]) < uptime_s(guest) - begun_s:
            return
    raise AssertionError(f"it is not set anew: {text}")


def unanswered(guest: Guest, server: str = "10.0.2.2") -> int:
    """Questions whose answers came too late, or not at all: as often it asks once more."""
    return guest.command("log").count(f"sntp: {server}: no answer")


@suite.test("date shows the time of a server, which is asked by a question without the asker's time")
def sets() -> None:
    clock = Clock()
    server = TimeServer(lambda number, count: [answer(number, clock.now())])
    with prompt("sets", server.port) as guest:
        until(guest, "date", r"UTC, as a time server said \d+ s ago")
        before_s = clock.now()
        shown_s = datetime.strptime(date(guest), "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc).timestamp()
        # Half of an answer's way is a guess, which is wrong by as much at most; date shows whole seconds.
        check(before_s - WAY_S / 2 - 1 <= shown_s <= clock.now() + WAY_S / 2, f"it is {shown_s}, and should be {clock.now()}")
        check(re.search(rf"sntp: 10\.0\.2\.2: it is {NAMED}\d\d:\d\d UTC, which moves the clock by \d+ ms",
                        guest.command("log")) is not None, "the log does not say so")
        check(len(server.asked) <= 1 + unanswered(guest), f"it was asked {len(server.asked)} times")
        question = server.asked[0]
        check(question[0] == 0x23 and not any(question[1:40]) and any(question[40:]), f"{question}")
        for name in ("sntp", "net"):  # the clock is kept over both
            guest.command(f"kill {name}")
        check(NAMED[:10] in date(guest), "after deaths")
        set_anew(guest, server)


def dates(guest: Guest, path: str, day: str) -> None:
    text = guest.command(f"stat {path}")
    for what in ("made", "modified", "changed"):
        check(re.search(rf"^{what} +{day}\d\d:\d\d:\d\d UTC", text, re.M) is not None, f"it is not of {day}: {text}")


# What a program of Linux says of the day and of a file's in memory: by a copy of the shell, which has asked itself before.
TIMES = "[ -f /tour/page ]\ndate -u +%F\ndate -u -r /tour/page +%F\n"
LATER = "[ -f /tour/page ]\nuntil [ -f /tour/go ]; do sleep 1; done\ndate -u +%F > /tour/said\n"


@suite.test("the web server and programs of Linux have the clock as it was set last")
def readers() -> None:
    clock = Clock()
    server = TimeServer(lambda number, count: [])
    port = free_port(socket.SOCK_STREAM)
    shell = "run --memory 16M --grant /disk/work:r:/work --grant /tmp/tour:rwc:/tour busybox sh /work"

    def ask(guest: Guest, day: str, **fields: str) -> tuple[int, dict]:
        status, head, _ = get(port, "/page", **fields)
        for name, right in (("date", day), ("last-modified", CLOCK_SAYS[:10])):  # files keep the time that they have
            check(parsedate_to_datetime(head[name]).isoformat().startswith(right), f"{name} is {head[name]}")
        said, want = run(guest, f"{shell}/times"), (f"{day}\n{CLOCK_SAYS[:10]}\n", 0)
        check(said == want, f"a program of Linux says {said}")
        return status, head

    with disk(files={"times": TIMES, "later": LATER}) as (path, _), \
            prompt("readers", server.port, data_disk(path), forwards=(f"tcp:{HOST}:{port}-:80",)) as guest:
        until(guest, "log", "httpd: port 80")
        guest.command("cp /boot/net /tmp/tour/page")
        dates(guest, "/tmp/tour/page", CLOCK_SAYS)
        status, before = ask(guest, CLOCK_SAYS[:10])
        check(status == 200, f"{status}")
        server.say = lambda number, count: [answer(number, clock.now())]
        guest.command("restart sntp")
        until(guest, "date", r"UTC, as a time server said \d+ s ago")
        check(ask(guest, NAMED[:10], If_None_Match=before["etag"])[0] == 304, "the tag is another")
        # Files keep the dates that they have, and what is made now is of the day that was said, in memory and on a disk.
        dates(guest, "/tmp/tour/page", CLOCK_SAYS)
        for path in ("/tmp/new", "/disk/new"):
            guest.command(f"write {path} text")
            dates(guest, path, f"{NAMED[:10]} ")
        # A web server that begins later has the same clock and the same tags; who has handed the page on may die.
        guest.command(f"{shell}/later &")
        guest.command("kill httpd")
        guest.send("kill monitor\r")
        guest.expect("kill monitor")
        guest.expect(PROMPT, 30)
        until(guest, "log", r"(?s)httpd: port 80.*httpd: port 80")
        check(ask(guest, NAMED[:10], If_None_Match=before["etag"])[0] == 304, "the tag is another after a death")
        guest.command("cp /boot/net /tmp/tour/go")
        until(guest, "cat /tmp/tour/said", NAMED[:10])


@suite.test("answers that do not count leave the clock as it is, and each question has another port and number")
def wrong() -> None:
    clock = Clock()
    silence, nothing, impossible = "no answer", "it does not know the time", "what it says cannot be"
    turns = [
        (silence, lambda number, now: [answer(number ^ 1, now), answer(0, now), answer(number, now, mode=5),
                                       answer(number, now)[:47], b""]),
        (nothing, lambda number, now: [answer(number, now, stratum=0, reference=b"INIT")]),
        (nothing, lambda number, now: [answer(number, 0)]),
        (nothing, lambda number, now: [answer(number, now, leap=3)]),
        (nothing, lambda number, now: [answer(number, now, age_s=-60)]),
        (impossible, lambda number, now: [answer(number, now, held_s=3600)]),
    ]
    server = TimeServer(lambda number, count: turns[0][1](number, clock.now()), elsewhere=lambda number: [answer(number, clock.now())])
    with prompt("wrong", server.port) as guest:
        until(guest, "ip", OWN)
        said = {silence: 0, nothing: 0, impossible: 0}
        for text, make in turns:
            server.say = lambda number, count, make=make: make(number, clock.now())
            guest.command("restart sntp")  # a new run does not wait for long
            said[text] += 1
            until(guest, "log", rf"(?s)(sntp: 10\.0\.2\.2: {text}.*){{{said[text]}}}")
            unset(guest)
        server.say = lambda number, count: [answer(number, clock.now())]
        until(guest, "date", rf"{NAMED}\d\d:\d\d UTC, as a time server")
    numbers = [HEAD.unpack(question)[-1] for question in server.asked]
    check(len(set(numbers)) == len(numbers) and len(set(server.ports)) > 1, f"came twice: {numbers}, {server.ports}")


@suite.test("who refuses is not asked any more, and a time that is far from the one before is not taken")
def refused() -> None:
    clock = Clock()
    server = TimeServer(lambda number, count: [answer(number, clock.now())])
    with prompt("refused", server.port) as guest:
        until(guest, "date", rf"{NAMED}\d\d:\d\d UTC, as a time server")
        server.say = lambda number, count: [answer(number, clock.now(), stratum=0, reference=b"DENY")]
        guest.command("fault sntp")
        until(guest, "log", r"sntp: 10\.0\.2\.2: it does not want to be asked")
        server.say = lambda number, count: [answer(number, clock.now() + 5000)]
        count, expected = len(server.asked), 2 + unanswered(guest)
        guest.command("fault sntp")  # the next run does not know that, but that the clock is set
        until(guest, "log", r"sntp: 10\.0\.2\.2: its time is more than 1000 s from ours: not taken")
        check(len(server.asked) > count and 2 <= count <= expected, f"{len(server.asked)} after {count}")
        check(NAMED in date(guest), "it was taken")
        guest.command("restart sntp")  # people say that the next is right
        until(guest, "date", "2027-03-04 06:")


@suite.test("a second of 2036 and after is what it is, and not one of 1900")
def era() -> None:
    clock = Clock(datetime(2036, 2, 7, 6, 28, 10, tzinfo=timezone.utc).timestamp())  # six seconds before the first of era 1
    server = TimeServer(lambda number, count: [answer(number, clock.now())])
    with prompt("era", server.port) as guest:
        until(guest, "date", r"2036-02-07 06:(2[89]|[3-5]\d):\d\d UTC, as a time server")
        until(guest, "date", r"2036-02-07 06:(28:[2-5]|29|[3-5])")
        set_anew(guest, server)
        check("2036-02-07 06:" in date(guest), "it is another time")


# ---- A server that DHCP tells ----


class Told(Peer):
    """10.0.2.77 gives the guest its address, and says that it knows the time; so does 10.0.2.78, which is told first and is
    silent."""

    DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
    SERVER, SILENT = bytes((10, 0, 2, 77)), bytes((10, 0, 2, 78))

    def __init__(self, say) -> None:
        super().__init__()
        self.say, self.asked = say, 0

    def pass_on(self, frame: bytes) -> bytes | None:
        if len(frame) < ETHERNET_BYTES + 28 or unpack_from(">H", frame, 12)[0] != IPV4 or frame[23] != 17:
            return super().pass_on(frame)
        source, to = unpack_from(">HH", frame, ETHERNET_BYTES + 20)
        data = frame[ETHERNET_BYTES + 28:ETHERNET_BYTES + unpack_from(">H", frame, 16)[0]]
        if to == 67:
            self._lease(data)
        elif to == 123 and frame[30:34] == self.SERVER:
            self.asked += 1
            for said in self.say(HEAD.unpack(data)[-1]):
                self._datagram(123, source, said)
        return None

    def _datagram(self, port: int, to: int, data: bytes) -> None:
        self._send(IPV4, ip_packet(17, pack(">HHHH", port, to, 8 + len(data), 0) + data))

    def _lease(self, asked: bytes) -> None:
        kind = asked[asked.index(b"\x35\x01") + 2]  # the option is the first
        options = bytes((53, 1, self.OFFER if kind == self.DISCOVER else self.ACK, 54, 4)) + self.SERVER + \
            bytes((51, 4)) + pack(">I", 86400) + bytes((1, 4, 255, 255, 255, 0, 42, 8)) + self.SILENT + self.SERVER + b"\xff"
        self._datagram(67, 68, b"\x02\x01\x06\0" + asked[4:8] + bytes(8) + GUEST + self.SERVER + bytes(4) +
                       GUEST_MAC + bytes(10 + 192) + b"\x63\x82\x53\x63" + options)


@suite.test("servers that DHCP tells are asked one after the other, and nobody is before there is one")
def told() -> None:
    clock = Clock()
    peer = Told(lambda number: [answer(number, clock.now())])
    with between(peer.pass_on, peer.sent) as extra, prompt("told", None, extra) as guest:
        until(guest, "date", rf"{NAMED}\d\d:\d\d UTC, as a time server")
        log = guest.command("log")
        check("sntp: 10.0.2.78: no answer" in log and "sntp: 10.0.2.77: it is" in log, log)
        check(peer.asked <= 1 + unanswered(guest, "10.0.2.77"), f"it was asked {peer.asked} times")
    with prompt("untold", None) as guest:  # QEMU's network tells none
        until(guest, "ip", OWN)
        unset(guest)
        check(re.search(r"\nsntp +sntp +running +always +0 ", guest.command("services")), guest.command("services"))
