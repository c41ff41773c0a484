# SPDX-License-Identifier: MIT
"""test_network_kills.py - kills of the network driver, of the stack and of a service that listens, while bytes go both ways
(tests/services/net_echo)."""

import re
import socket
import threading
from hashlib import sha256
from random import Random

from testlib import Suite, check

from tests.system.test_network import KIB, OWN, again, connect, echo, prompt, same, until
from tests.system.user_network import PATIENCE_S, mended

suite = Suite("network kills")

KILLS = 10


class Stream:
    """Bytes that go to the echo and come back on one connection, without end until it is told; then what came back is
    what was sent."""

    def __init__(self, port: int) -> None:
        self.client, self.stop, self.problem = connect(port), threading.Event(), ""
        self.sent, self.got = sha256(), sha256()
        self.count = [0, 0]
        self.threads = [threading.Thread(target=self._guarded, args=(work,), daemon=True)
                        for work in (self._send, self._receive)]
        for thread in self.threads:
            thread.start()

    def _guarded(self, work) -> None:
        try:
            work()
        except OSError as problem:
            self.problem = str(problem)

    def _send(self) -> None:
        random = Random(3)
        while not self.stop.is_set():
            left = memoryview(random.randbytes(16 * KIB))
            while left:  # part by part: sendall() takes the socket's limit for all of them together
                count = self.client.send(left)
                self.sent.update(left[:count])
                self.count[0] += count
                left = left[count:]
        self.client.shutdown(socket.SHUT_WR)

    def _receive(self) -> None:
        while part := self.client.recv(65536):
            self.got.update(part)
            self.count[1] += len(part)

    def finish(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(PATIENCE_S)
        self.client.close()
        check(not self.problem, f"the connection broke: {self.problem}")
        check(self.count[0] == self.count[1] > 0, f"{self.count[1]} bytes came back of {self.count[0]}")
        check(self.sent.digest() == self.got.digest(), "other bytes came back")


@suite.test("ten kills of the driver while bytes go both ways: the connection lives on, and no byte is lost")
def kill_driver() -> None:
    with prompt("kill driver", limit_s=600) as (guest, port, _):
        stream = Stream(port)
        for _ in range(KILLS):
            before = stream.count[1]
            while stream.count[1] == before and not stream.problem:
                guest.command("uptime")  # it flows again
            guest.command("kill virtio_net.0")
            until(guest, "services", r"\nvirtio_net\.0 +virtio_net +running")
        stream.finish()
        until(guest, "ping 10.0.2.2 1", r"56 bytes from 10\.0\.2\.2")


def kill_net(guest, run: int) -> None:
    """The next run, of that number, goes on. What flows does not tell: bytes may have been under way beyond the stack."""
    guest.command("kill net")
    until(guest, "log", rf"net: run {run} goes on with \d+ connections")


def kill_net_often(name: str, kills: int) -> None:
    with prompt(name, limit_s=3600) as (guest, port, _):
        stream = Stream(port)
        for kill in range(kills + 1):
            before = stream.count[1]
            while stream.count[1] == before and not stream.problem:
                guest.command("uptime")  # it flows again
            check("echo: the service has died" not in guest.command("log"), "the client has begun anew")
            if kill < kills:
                kill_net(guest, kill + 2)
        stream.finish()
        until(guest, "ip", OWN)
    print(f"{kills} kills of net, {stream.count[1]} bytes each way on one connection")


@suite.test("ten kills of net while bytes go both ways: the connection lives on, and no byte is lost or comes twice")
def kill_stack() -> None:
    kill_net_often("kill net", KILLS)


@suite.test("kills of net at any moment of short connections: each is served, and what comes back is what was sent")
def kill_short() -> None:
    with mended() as extra, prompt("kill short", limit_s=900, extra=extra) as (guest, port, _):
        stop, counts, problems = threading.Event(), [0] * 4, []

        def one(number: int) -> None:
            random = Random(number)
            while not stop.is_set():
                data = random.randbytes(random.choice((0, 1, 1460, 5000, 40000)))
                try:
                    got = echo(port, data)
                except OSError as problem:
                    problems.append(repr(problem))
                    return
                if got != data:
                    problems.append(f"{len(got)} bytes of {len(data)}, or others")
                counts[number] += 1

        threads = [threading.Thread(target=one, args=(i,), daemon=True) for i in range(len(counts))]
        for thread in threads:
            thread.start()
        for _ in range(KILLS):
            before = list(counts)
            guest.command("kill net")
            while any(now <= then for now, then in zip(counts, before)) and not problems:
                guest.command("uptime")
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
        check(not problems, f"after {sum(counts)} connections: {problems}")
        check("echo: the service has died" not in guest.command("log"), "the client has begun anew")


@suite.test("a service that begins anew gets its port again, whatever became of its connections")
def port_again() -> None:
    with prompt("port again") as (guest, port, _):
        for number in range(5):
            client = connect(port)
            client.sendall(b"x" * 1000)
            check(len(client.recv(10)) > 0, "no answer")
            guest.command("kill echo")
            data = Random(number).randbytes(2000)
            same(again(port, data), data)
            client.close()


def long_suite() -> Suite:
    """The campaign of make test-long."""
    campaign = Suite("network-kills")

    @campaign.test("200 kills of net while bytes go both ways on one connection: none is lost or comes twice")
    def many_kills() -> None:
        kill_net_often("many kills of net", 200)

    return campaign
