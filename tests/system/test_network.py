# SPDX-License-Identifier: MIT
"""test_network.py - the network as QEMU's user network has it: an address by DHCP, pings, TCP and UDP from this machine
to a program of the test (tests/services/net_echo), and limits."""

import re
import time
import socket
import tempfile
import threading
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from random import Random

from hardware import network_card
from ports import HOST, free_port
from qemu import LOOK_PAUSE_S, PROMPT, Guest, Machine
from testlib import Suite, check

from tests.system.user_network import PATIENCE_S
from tests.system.with_services import initrd as initrd_with

suite = Suite("network")

KIB = 1024
# The address that QEMU gives the first machine of its network.
OWN = r"en0 +up +10\.0\.2\.15/24 +10\.0\.2\.2 "

ECHO = """
[service.echo]
file = "net_echo"
restart = "always"
priority = 20
ceiling = 20
frames = 256
bytes = 32768
arguments = "%s"
uses = { net = { endpoint = "net", listen = ["0.0.0.0:7", "0.0.0.0:7/udp", "0.0.0.0:107/udp", "0.0.0.0:60000-60001/udp"], connect = ["10.0.2.2:9"] } }
log = "write"
"""


HOSTILE = """
[service.hostile]
file = "net_hostile"
restart = "on-demand"
priority = 20
ceiling = 20
frames = 256
bytes = 65536
arguments = "%d %s"
uses = { net = { endpoint = "net", connect = ["10.0.2.2:%d", "10.0.2.77:9", "10.0.2.0/24:9/udp"], sockets = 8 } }
log = "write"
"""


LOOP = """
[service.loop]
file = "net_loop"
restart = "%s"
arguments = "%s"
priority = 20
ceiling = 20
frames = 256
bytes = 65536
log = "write"

[service.loop.uses.net]
endpoint = "net"
listen = ["loopback:7000-7001", "loopback:7000/udp"]
connect = ["loopback:7", "loopback:7000-7001", "loopback:7000/udp", "self:7", "10.0.2.2:9", "10.0.2.2:9/udp"]
sockets = 8
"""


def initrd(folder: Path, arguments: str, host_port: int, streams: bool, hostile: str) -> Path:
    loop = LOOP % (("always", "stream") if streams else ("on-demand", ""))
    return initrd_with(folder, ["net_echo", "net_hostile", "net_loop"],
                       lambda text: text + ECHO % arguments + HOSTILE % (host_port, hostile, host_port) + loop)


@contextmanager
def prompt(name: str, arguments: str = "", cpus: int = 2, limit_s: float = 300, host_port: int = 9,
           extra: tuple[str, ...] = (), streams: bool = False, hostile: str = ""):
    """The system with the echo service; yields the guest and this machine's ports to it, TCP and UDP."""
    tcp, udp = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine("direct", cpus=cpus, memory_mib=256,
                          initrd=initrd(Path(folder), arguments, host_port, streams, hostile),
                          extra=network_card((f"tcp:{HOST}:{tcp}-:7", f"udp:{HOST}:{udp}-:7")) + extra)
        with Guest(machine, f"network {name}", limit_s) as guest:
            guest.expect(PROMPT)
            until(guest, "ip", OWN)
            until(guest, "log", "echo: listening")
            yield guest, tcp, udp


def until(guest: Guest, command: str, pattern: str) -> re.Match:
    """Types the command again until what it says is so."""
    said = ""
    for _ in guest.looks():
        said = guest.command(command)
        found = re.search(pattern, said)
        if found:
            return found
    raise AssertionError(f"{command}: never '{pattern}', but:\n{said}")


# QEMU listens with room for one that it has not taken yet. Of several that come at once while it gets no processor Linux
# accepts more, and breaks some when they send (tcp_conn_request() looks at the room when a SYN comes): one after the other.
connecting = threading.Lock()


def connect(port: int, own: int = 0) -> socket.socket:
    """`own`: the port that it comes from; 0: any."""
    client = socket.socket()
    client.settimeout(PATIENCE_S)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind((HOST, own))
    with connecting:
        client.connect((HOST, port))
    return client


def send_whole(client: socket.socket, data: bytes) -> None:
    """Sends and says that it is all. A peer that ends earlier is judged by who reads what came back. Part by part: sendall()
    takes the socket's limit for all of them together."""
    left = memoryview(data)
    with suppress(OSError):
        while left:
            left = left[client.send(left):]
        client.shutdown(socket.SHUT_WR)


def echo(port: int, data: bytes) -> bytes:
    """What comes back of the bytes; they are sent while the answer is read."""
    with connect(port) as client:
        sender = threading.Thread(target=send_whole, args=(client, data), daemon=True)
        sender.start()
        parts = []
        while part := client.recv(65536):
            parts.append(part)
        sender.join()
        return b"".join(parts)


def same(got: bytes, sent: bytes) -> None:
    check(len(got) == len(sent), f"{len(got)} bytes came back of {len(sent)}")
    check(sha256(got).digest() == sha256(sent).digest(), "other bytes came back")


@suite.test("an address comes by DHCP, the gateway answers pings, and another address does not")
def address() -> None:
    with prompt("address") as (guest, _, _):
        # A ping is answered within a second or lost: QEMU's network may get no processor for longer.
        until(guest, "ping 10.0.2.2 5", r"(?s)(56 bytes from 10\.0\.2\.2: ttl \d+, \d+ us.*){5}")
        check("no answer from 10.0.2.99" in guest.command("ping 10.0.2.99 1"), "somebody answers there")
        check("is no address" in guest.command("ping 10.0.2"), "half an address is refused")


@suite.test("TCP: what is sent comes back, of every size, several at once")
def tcp_echo() -> None:
    random = Random(1)
    with prompt("tcp") as (guest, port, _):
        for count in (0, 1, 2, 1459, 1460, 1461, 65535, 65536, 65537, 400 * KIB):
            data = random.randbytes(count)
            same(echo(port, data), data)
        results: dict[int, tuple[bytes, bytes]] = {}

        def one(number: int, data: bytes) -> None:
            results[number] = echo(port, data), data

        threads = [threading.Thread(target=one, args=(i, random.randbytes(128 * KIB))) for i in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check(len(results) == 5, "a connection failed")
        for got, data in results.values():
            same(got, data)
        check(" 0  " in until(guest, "services", r"\nnet +net +running +always +\d+  ")[0], "net has died")


@suite.test("UDP: datagrams come back, and each whole")
def udp_echo() -> None:
    random = Random(2)
    with prompt("udp") as (guest, _, port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE_S)
            for count in (1, 7, 8, 9, 500, 1472):
                data = random.randbytes(count)
                client.sendto(data, (HOST, port))
                check(client.recv(2000) == data, f"{count} bytes: others came back")


# What was tried, and the status that came (abi/status.def): 68 is ERR_DENIED.
REFUSALS = {
    "ping": "68 (the right is not given)",
    "observe": "68 (the right is not given)",
    "sockets": "68 (the right is not given)",
    "resolve": "68 (no name at all)",
    "bind 8": "68 (not at this port)",
    "bind 107/udp": "0 (-)",
    "bind 107/tcp": "68 (not at this port)",
    "any tcp": "68 (not at this port)",
    "any port": "0 (-)",
    "another port": "0 (-)",
    "a third port": "66 (-)",
    "bind loopback": "68 (not to this address)",
    "bind other": "65 (-)",
    "accept": "70 (-)",  # nobody has come, and it does not wait
    "connect other": "68 (not to this address)",
    "connect port": "68 (not at this port)",
    "connect udp": "68 (not by this protocol)",
    "connect own": "68 (not to this address)",
    "connect loopback": "68 (not to this address)",
    "connect host": "14 (-)",  # nobody listens there; but it is allowed
    "narrow port": "68 (not at this port)",
    "narrow rights": "68 (the right is not given)",
    "narrow same": "0 (-)",
    "below: port 7": "0 (-)",
    "below: host": "68 (no range at all)",
}


@suite.test("a program reaches what its limits name, and each refusal says which field of which limit it was")
def limits() -> None:
    with prompt("limits", "limits") as (guest, port, _):
        text = guest.command("log")
        for what, answer in REFUSALS.items():
            check(f"echo: {what}: {answer}" in text, f"{what}: not '{answer}': {text}")
        same(echo(port, b"and goes on"), b"and goes on")


# 14 is ERR_PEER, 65 ERR_NOT_FOUND. The echo listens at 0.0.0.0, which does not name loopback.
LOOPED = {
    "bell": "0 (-)",
    "bind": "0 (-)",
    "bind port": "68 (not at this port)",
    "bind udp": "68 (not at this port)",
    "bind all": "68 (not to this address)",
    "bind 127.0.0.2": "65 (-)",
    "connect port": "68 (not at this port)",
    "connect udp": "68 (not at this port)",
    "connect nobody": "14 (-)",
    "connect 127.0.0.2": "65 (-)",
    "connect the echo": "14 (-)",
    "connect own port": "68 (not at this port)",
    "connect own udp": "68 (not by this protocol)",
    "connect out of loopback": "65 (-)",
    "connect out of loopback by udp": "65 (-)",
    "bind 6": "0 (-)",
    "bind all 6": "68 (not to this address)",
    "connect 6 elsewhere": "68 (not to this address)",
    "connect across": "65 (-)",
    "connect across by udp": "65 (-)",
    "tcp 6": "0 (-)",
    "udp 6": "0 (-)",
    "tcp": "0 (-)",
    "udp": "0 (-)",
    "flood": "0 (-)",
    "own": "0 (-)",
}


@suite.test("loopback and the machine's own address are reached where they are named, and nothing of it leaves the machine")
def loopback() -> None:
    with (tempfile.NamedTemporaryFile(prefix="wire-") as wire,
          prompt("loopback", extra=("-object", f"filter-dump,id=wire,netdev=net,file={wire.name}")) as (guest, port, _)):
        check("ended, exit code 0" in guest.command("run loop", 120), "it did not come to its end")
        text = guest.command("log")
        for what, answer in LOOPED.items():
            check(f"loop: {what}: {answer}" in text, f"{what}: not '{answer}': {text}")
        check(re.search(r"\nlo +up +127\.0\.0\.1/8 ", guest.command("ip")), "there is no lo")
        same(echo(port, b"and goes on"), b"and goes on")
        frames = wire.read()
        check(bytes((127, 0, 0, 1)) not in frames, "an address of loopback was on the wire")
        check(b"\x0a\x00\x02\x0f" * 2 not in frames, "the machine sent to itself over the wire")


def again(port: int, data: bytes) -> bytes:
    """The echo, from when the program listens: until then QEMU takes connections and breaks them, as fast as it can."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with suppress(OSError):
            got = echo(port, data)
            if got or not data:
                return got
        time.sleep(LOOK_PAUSE_S)
    raise AssertionError("nobody answers")


class Sink:
    """A port of this machine that takes connections and whatever comes."""

    def __init__(self) -> None:
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._read, args=(client,), daemon=True).start()

    @staticmethod
    def _read(client: socket.socket) -> None:
        with client:
            try:
                while client.recv(65536):
                    pass
            except OSError:
                pass


@suite.test("a client that breaks every rule is refused, and nobody else notices")
def hostile() -> None:
    data = Random(4).randbytes(64 * KIB)
    with (tempfile.NamedTemporaryFile(prefix="wire-") as wire,
          prompt("hostile", limit_s=600, host_port=Sink().port,
                 extra=("-object", f"filter-dump,id=wire,netdev=net,file={wire.name}")) as (guest, port, _)):
        for number in range(1, 4):
            check("ended, exit code 0" in guest.command("run hostile", 120), "it did not come to its end")
            same(echo(port, data), data)
            said = re.findall(r"hostile: (\d+) rings and (\d+) datagrams, (\d+) sockets and (\d+) below, (\d+) sessions",
                              guest.command("log"))
            check(len(said) == number and said[-1][:4] == ("8", "4", "8", "0") and 0 < int(said[-1][4]) < 32, f"{said}")
        check(re.search(r"\nnet +net +running +always +0 ", guest.command("services")), "net has died")
        frames = wire.read()
        check(b"but this" in frames, "what may be sent has not come")
        check(b"nobody hears this" not in frames, "a datagram went to all of the network")
