# SPDX-License-Identifier: MIT
"""test_network6.py - IPv6: addresses that the machine makes itself, neighbours, sockets, what others may send it, and kills
of the stack."""

import re
import socket
import tempfile
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from struct import pack

from hardware import network_card
from qemu import BUILD, PROMPT, Guest, Machine
from testlib import Suite, check

from tests.system.names_server import NO_NAME, NamesServer
from tests.system.peer6 import (ECHO, HEAD_BYTES, ICMP6, LINK, OWN_LINK, OWN_SITE, REPLY, SITE, TOO_BIG, UDP, Connection, Peer6,
                                address)
from tests.system.test_fetch import has
from tests.system.test_names import prompt as names_prompt
from tests.system.test_net_programs import ECHO as ECHO_SERVICE
from tests.system.test_net_programs import reads, says
from tests.system.test_network import same, until
from tests.system.test_network_kills import KILLS
from tests.system.user_network import PATIENCE_S, between
from tests.system.with_services import initrd as initrd_with

suite = Suite("network 6")

LOOK_S = 0.2
PART_BYTES = 6_000
LINK_TEXT, SITE_TEXT = "fe80::5054:ff:fe12:3456/64", "fec0::5054:ff:fe12:3456/64"


def wait_for_addresses(guest: Guest, last: str = SITE_TEXT) -> None:
    while last not in guest.command("ip"):  # it asks for a second each whether somebody has them
        time.sleep(LOOK_S)


@contextmanager
def prompt(name: str, extra: tuple[str, ...] = (), limit_s: float = 300):
    """The system with the echo as a program, once it has its addresses."""
    with tempfile.TemporaryDirectory() as folder:
        initrd = initrd_with(Path(folder), ["net_echo"], lambda text: text + ECHO_SERVICE,
                             extra={"nc": (BUILD / "user/network.stripped").read_bytes()})  # a program by its command's name
        machine = Machine("direct", initrd=initrd, cpus=2, memory_mib=256, extra=network_card() + extra)
        with Guest(machine, f"network 6 {name}", limit_s) as guest:
            guest.expect(PROMPT)
            wait_for_addresses(guest)
            yield guest


@contextmanager
def beside(name: str, *more: bytes):
    """The same with a peer of IPv6 beside it; yields the guest and the peer."""
    peer = Peer6(*more)
    with between(peer.pass_on, peer.sent) as extra, prompt(name, extra) as guest:
        yield guest, peer


@suite.test("a machine makes its addresses of what the router announces, and asks first whether somebody has them")
def slaac() -> None:
    with beside("addresses 6") as (guest, peer):
        text = guest.command("ip")
        check(LINK_TEXT in text and SITE_TEXT in text and "::1/128" in text, text)
        peer.ping(OWN_SITE, SITE, 1)  # what it has sent before has been looked at here
        check(LINK in peer.asked and SITE in peer.asked, f"it asked for {peer.asked}")


@suite.test("pings of IPv6 are answered, on the link and beyond, of every size that one packet has")
def answers() -> None:
    with beside("pings 6") as (_, peer):
        for number, (own, to) in enumerate([(OWN_LINK, LINK), (OWN_SITE, SITE)] * 2):
            data = bytes(range(256)) * 5 if number >= 2 else b"x"
            answer = peer.ping(own, to, number, data)
            check(answer[8:24] == to and answer[24:40] == own, f"the answer is from {answer[8:24].hex()}")
            check(answer[HEAD_BYTES + 8:] == data, "other bytes came back")


@suite.test("what says that a path takes less than 1,280 bytes is not believed, and ends nothing")
def narrow_path() -> None:
    with beside("narrow path 6") as (guest, peer):
        said = peer.ping(OWN_SITE, SITE, 1)
        for number, narrow in enumerate((0, 48, 50, 55, 1279), 2):
            peer.send(OWN_SITE, SITE, ICMP6, pack(">BBHI", TOO_BIG, 0, 0, narrow) + said)
            data = bytes(range(256)) * 5
            answer = peer.ping(OWN_SITE, SITE, number, data)
            check(answer[HEAD_BYTES + 8:] == data, f"after {narrow}: other bytes came back, or in pieces")
        check(LINK_TEXT in guest.command("ip"), "the stack is there")


@suite.test("what nobody may send is dropped: as from this machine, from loopback, and IPv4 inside IPv6")
def refused() -> None:
    with beside("refused 6") as (_, peer):
        wrong = [(LINK, LINK), (SITE, SITE), (address("::1"), LINK), (address("::ffff:10.0.2.2"), SITE),
                 (OWN_LINK, address("::1")), (OWN_SITE, address("::ffff:10.0.2.15"))]
        peer.addresses |= {address("::1"), address("::ffff:10.0.2.2"), LINK, SITE}
        for source, to in wrong:
            peer.send(source, to, ICMP6, pack(">BBHHH", ECHO, 0, 0, 77, 99))
        peer.ping(OWN_LINK, LINK, 1)  # what came before has been looked at
        check(peer.is_silent(ICMP6, lambda payload: payload[0] == REPLY), "one of them is answered")


LIMITS_6 = "net=listen=[::]:7,listen=[::]:7/udp,sockets=8"
GET = b"GET /index.html HTTP/1.1\r\nHost: [fec0::1]\r\nConnection: close\r\n\r\n"


def start_echo(guest: Guest) -> None:
    says(guest, f"run net_echo v6 with {LIMITS_6} &", "started")
    until(guest, "netstat", r"udp +\[::\]:7 ")


@suite.test("httpd is reached by IPv6, and its page comes whole")
def web() -> None:
    with beside("web") as (_, peer):
        page = Connection(peer, OWN_SITE, SITE, 4000, 80).ask(GET)
        head, _, body = page.partition(b"\r\n\r\n")
        check(head.startswith(b"HTTP/1.1 200 ") and b"<html" in body, f"{page[:200]!r}")
        check(re.search(rb"Content-Length: %d\r\n" % len(body), head + b"\r\n") is not None, "it is cut")


@suite.test("TCP and UDP by IPv6: what is sent comes back, and netstat shows who is connected")
def echo() -> None:
    with beside("echo") as (guest, peer):
        start_echo(guest)
        connection = Connection(peer, OWN_SITE, SITE, 4001, 7)
        for number, count in enumerate((1, 60, 1000, 1200)):
            data = Random(number).randbytes(count)
            same(connection.ask(data, count), data)
        text = guest.command("netstat")
        for line in (r"tcp +\[::\]:7 +\*:\* +listens", r"udp +\[::\]:7 +\*:\* +bound",
                     r"tcp +\[fec0::5054:ff:fe12:3456\]:7 +\[fec0::77\]:4001 +connected"):
            check(re.search(line, text) is not None, f"{line} is missing:\n{text}")
        for count in (1, 1400):
            data = Random(count).randbytes(count)
            peer.send(OWN_LINK, LINK, UDP, pack(">HHHH", 4002, 7, 8 + count, 0) + data)
            answer = peer.answer(UDP, lambda payload: payload[:4] == pack(">HH", 7, 4002),
                                 lambda: peer.send(OWN_LINK, LINK, UDP, pack(">HHHH", 4002, 7, 8 + count, 0) + data))
            same(answer[HEAD_BYTES + 8:], data)


@suite.test("ten kills of net while a connection of IPv6 is there: it goes on, and no byte is lost or comes twice")
def kills() -> None:
    with beside("kills") as (guest, peer):
        start_echo(guest)
        connections = [Connection(peer, own, to, 4003, 7) for own, to in ((OWN_SITE, SITE), (OWN_LINK, LINK))]
        for number in range(KILLS):
            for connection in connections:
                data = Random(number).randbytes(700)
                same(connection.ask(data, len(data)), data)
            guest.command("kill net")
        for connection in connections:
            same(connection.ask(b"and on", 6), b"and on")
        runs = re.findall(r"net: run \d+ goes on with (\d+) connections", guest.command("log"))
        check(len(runs) >= KILLS and all(int(count) >= 2 for count in runs), f"they went on with {runs} connections")


@suite.test("a kill of net leaves a connection between an address of the link and one beyond it, too")
def kills_mixed() -> None:
    with beside("kills mixed") as (guest, peer):
        start_echo(guest)
        connection = Connection(peer, OWN_LINK, SITE, 4004, 7)
        for number in range(3):
            same(connection.ask(b"%d" % number * 500, 500), b"%d" % number * 500)
            guest.command("kill net")
        same(connection.ask(b"and on", 6), b"and on")


@suite.test("who connects to an address that becomes the machine's own afterwards does not reach what limits keep from it")
def own_afterwards() -> None:
    with beside("own afterwards") as (guest, peer):
        peer.hides_router = True  # the next run knows nothing of the network until it is announced
        guest.command("kill net")
        wait_for_addresses(guest, LINK_TEXT)  # there is an address to connect from
        check(SITE_TEXT not in guest.command("ip"), "the router was heard")
        own = SITE_TEXT.partition("/")[0]
        says(guest, f"run nc own 80 {own} with net=connect=[fec0::]/10:80,sockets=2 &", "started")
        until(guest, "netstat", rf"tcp .*\[{own}\]:80 +connecting")
        peer.announce()
        wait_for_addresses(guest)
        while "connecting" in (text := guest.command("netstat")):
            time.sleep(LOOK_S)
        check("connected" not in text, f"it is connected:\n{text}")


class Web(ThreadingHTTPServer):
    """On this machine's ::1, which is fec0::2 for the guest; a part at a time, as the test says."""
    address_family, daemon_threads = socket.AF_INET6, True
    content = Random(6).randbytes(60_000)

    def __init__(self) -> None:
        super().__init__(("::1", 0), Handler)
        self.asked: list[tuple[str, str | None]] = []
        self.gate = threading.Semaphore(0)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_arguments) -> None:
        pass

    def do_GET(self) -> None:
        self.server.asked.append((self.headers["Host"], self.headers.get("Range")))
        self.send_response(200)
        self.send_header("Content-Length", str(len(Web.content)))
        self.end_headers()
        for at in range(0, len(Web.content), PART_BYTES):
            self.server.gate.acquire()
            self.wfile.write(Web.content[at:at + PART_BYTES])


@suite.test("fetch by IPv6 from this machine, over kills of net: one connection, and the file is whole; ping and nc reach it too")
def fetch() -> None:
    with prompt("fetch") as guest, socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        web = Web()
        until(guest, "ping fec0::2", r"(?s)(56 bytes from fec0::2: ttl \d+, \d+ us.*){3}")
        says(guest, f"fetch http://[fec0::2]:{web.server_port}/a /tmp/a &", "started")
        check(any(web.asked for _ in guest.looks()), "it does not ask")  # the connection is there that is to live on
        for _ in range(len(Web.content) // PART_BYTES - 1):
            web.gate.release()
            time.sleep(LOOK_S)  # some of it comes, or nothing: any moment is one to die at
            guest.command("kill net")
        web.gate.release()  # the last part: before it, the fetch cannot end, and say so while a kill is typed
        guest.expect_pattern(r"fetch#\d+: ended, exit code 0", 120)
        guest.expect(PROMPT)
        check(web.asked == [(f"[fec0::2]:{web.server_port}", None)], f"it asked {web.asked}")
        has(guest, "/tmp/a", Web.content)
        server.settimeout(PATIENCE_S)
        guest.send(f"nc fec0::2 {server.getsockname()[1]}\r")
        client, _ = server.accept()
        with client:
            guest.send("hello\r")
            reads(client, b"hello\n")
        guest.expect(PROMPT)


@suite.test("names have addresses of both families, and fetch takes one that answers")
def names() -> None:
    server = NamesServer({"both.test": ["192.0.2.1", "2001:db8::1"], "six.test": ["fec0::2"], "alias.test": "six.test",
                          "four.test": ["192.0.2.1"], "mapped.test": ["::ffff:10.0.2.2"], "none.test": NO_NAME})
    with names_prompt("6", server) as guest:
        wait_for_addresses(guest)
        says(guest, "resolve both.test", "192.0.2.1\n2001:db8::1\n")
        for name in ("six.test", "alias.test"):
            check("fec0::2" in guest.command(f"resolve {name}"), f"{name} has another")
        check(":" not in guest.command("resolve four.test").replace("mnos>", ""), "one family, and another comes")
        for name in ("mapped.test", "none.test"):
            says(guest, f"resolve {name}", "there is no such name, or it has no address")
        web = Web()
        for _ in range(10):
            web.gate.release()
        says(guest, f"fetch http://alias.test:{web.server_port}/a /tmp/a", f"{len(Web.content)} bytes")
        has(guest, "/tmp/a", Web.content)


@suite.test("what the limits do not name is refused by IPv6 as well, and an address of IPv4 inside IPv6 is the one of IPv4")
def refusals() -> None:
    with prompt("refusals") as guest:
        says(guest, "run net_echo v6 with net=listen=0.0.0.0:7,listen=0.0.0.0:7/udp,sockets=8", "ended, exit code")
        says(guest, "run net_echo with net=listen=[::]:7,listen=[::]:7/udp,sockets=8", "ended, exit code")
        for words, which in (("connect=[fe80::2]:7", "not to this address"), ("connect=[ff02::1]:7/udp", "not to this address"),
                             ("connect=[::1]:7,connect=[::2]:7", None)):
            text = guest.command(f"run net_echo with net={words}")
            check(which is None or f"this monitor may not do that itself: {which}" in text, text)
        says(guest, "run net_echo with net=connect=[fec0::2]/10:1", "is nothing that can be given")
        says(guest, "ping fe80::2 1", "not to this address")
        for mapped in ("::ffff:10.0.2.15", "::ffff:127.0.0.1"):  # the machine itself, by its addresses of IPv4
            says(guest, f"nc {mapped} 9", f"nc {mapped}: the connection is refused")
