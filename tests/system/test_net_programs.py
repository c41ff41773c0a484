# SPDX-License-Identifier: MIT
"""test_net_programs.py - the network for programs that are started at the prompt: what the line names, and nothing more."""

import re
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path
from random import Random

from hardware import network_card
from qemu import PROMPT, Guest, Machine
from testlib import Suite, check
from tests.system.test_network import HOST, OWN, again, connect, free_port, same, until
from tests.system.user_network import PATIENCE_S
from tests.system.with_services import initrd as initrd_with

suite = Suite("net_programs")

# Here only so that the program is in the RAM disk: what it is given is what the prompt gives it.
ECHO = """
[service.echo]
file = "net_echo"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 256
bytes = 32768
uses = { net = "net" }
"""

CAP = re.compile(r"^[0-9a-f]+ +(\w+) +([rwxgv-]{5}) ", re.M)


@contextmanager
def prompt(name: str, limit_s: float = 300):
    """The system with the echo as a program; yields the guest and the port of this machine that leads to its port 7."""
    port = free_port(socket.SOCK_STREAM)
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine("direct", initrd=initrd_with(Path(folder), ["net_echo"], lambda text: text + ECHO), cpus=2,
                          memory_mib=256, extra=network_card((f"tcp:{HOST}:{port}-:7",)))
        with Guest(machine, f"net_programs {name}", limit_s) as guest:
            guest.expect(PROMPT)
            until(guest, "ip", OWN)
            yield guest, port


def says(guest: Guest, command: str, *texts: str) -> str:
    output = guest.command(command)
    for text in texts:
        check(text in output, f"{command!r} does not say {text!r}:\n{output}")
    return output


ECHO_LIMITS = "net=listen=0.0.0.0:7,listen=0.0.0.0:7/udp,sockets=8"


@suite.test("a program listens where the line says, is ended like others, and its port is free again")
def listens() -> None:
    with prompt("listens") as (guest, port):
        for number in range(3):
            started = says(guest, f"run net_echo with {ECHO_LIMITS} &", "started")
            name = re.search(r"(net_echo#\d+): started", started)[1]
            data = Random(number).randbytes(30_000)
            same(again(port, data), data)
            caps = CAP.findall(guest.command(f"caps {name}"))
            # The session and the terminal, of which it may hand on neither; the endpoint where it waits; its window.
            check(sorted(cap for cap in caps if cap[0] == "endpoint") ==
                  [("endpoint", "-w---"), ("endpoint", "-w---"), ("endpoint", "rwxgv")], f"{caps}")
            check(re.search(rf"\b{name.split('#')[1]} net_echo ", guest.command("ps")) is not None, "ps does not show it")
            says(guest, f"kill {name}", "killed")
        check(re.search(r"\nnet +net +running +always +0 ", guest.command("services")), "net has died")


@suite.test("what a program may not do is refused by the field, and what cannot be given is told before it is started")
def refused() -> None:
    with prompt("refused") as (guest, _port):
        # Nothing of what it needs: it ends by itself, and says with which status.
        for limits in ("net=ping", "net=listen=0.0.0.0:8,sockets=8", "net=listen=0.0.0.0:7,sockets=1"):
            says(guest, f"run net_echo with {limits}", "ended, exit code")
        says(guest, "run net_echo", "ended, exit code")
        for word in ("connect=10.0.0.1", "listen=0.0.0.0", "pings", "sockets=1009"):
            says(guest, f"run net_echo with net=ping,{word}", f"run: {word} is nothing that can be given")
        says(guest, "run net_echo with net=ping net=ping", "net: something has this name already")
        # More than the monitor itself has from the manifest.
        says(guest, "run net_echo with net=ping,connect=224.0.0.1:7/udp",
             "run: connect=224.0.0.1:7/udp: this monitor may not do that itself: not to this address")
        check("net_echo" not in guest.command("ps"), "one that was not run is there")


@suite.test("netstat lists the sockets of services and programs")
def netstat() -> None:
    with prompt("netstat") as (guest, port):
        says(guest, f"run net_echo with {ECHO_LIMITS} &", "started")
        data = b"some" * 100
        same(again(port, data), data)
        with connect(port) as client:
            client.sendall(data)
            check(client.recv(1) == b"s", "no answer")
            for line in (r"^tcp +\*:80 +\*:\* +listens +0 +0 httpd", r"^tcp +\*:7 +\*:\* +listens +0 +0 monitor",
                         r"^udp +\*:7 +\*:\* +bound +0 +0 monitor",
                         r"^tcp +10\.0\.2\.15:7 +10\.0\.2\.2:\d+ +connected +0 +0 monitor"):
                until(guest, "netstat", f"(?m){line}")  # what is sent may not be acknowledged yet


def reads(client: socket.socket, text: bytes) -> None:
    found = b""
    while len(found) < len(text):
        part = client.recv(4096)
        check(part != b"", f"the end came behind {found!r}")
        found += part
    check(found == text, f"{found!r} came, and not {text!r}")


@suite.test("nc sends lines and shows what comes, until either side ends; the terminal is not the peer's to command")
def nc() -> None:
    with prompt("nc") as (guest, _port), socket.create_server((HOST, 0)) as server:
        server.settimeout(PATIENCE_S)
        guest.send(f"nc 10.0.2.2 {server.getsockname()[1]}\r")
        client, _address = server.accept()
        with client:
            client.settimeout(PATIENCE_S)
            guest.send("hellx\x7fo\r")
            reads(client, b"hello\n")
            client.sendall(b"back\x1b[2J\r\n")
            guest.expect("back^[[2J")
            guest.send("x" * 1500 + "\r")  # a line has an end, however long it is
            reads(client, b"x" * 1023 + b"\n")
            guest.send("\x04")
            check(client.recv(10) == b"", "the end was not sent")
            client.sendall(b"last words\n")
        guest.expect("last words")
        guest.expect(PROMPT)
        says(guest, "nc 10.0.2.2 0", "nc: PORT is a number from 1 to 65535")
        closed = free_port(socket.SOCK_STREAM)
        check("the connection is refused" in guest.command(f"nc 10.0.2.2 {closed}", 60), "nobody listens there")


@suite.test("nc -l takes who comes first; Ctrl-C ends it, and in the background the death of the terminal's driver does not")
def nc_listens() -> None:
    with prompt("nc listens") as (guest, port):
        for end in ("peer", "key"):
            guest.send("nc -l 7\r")
            guest.expect("nc: listens at port 7")
            with connect(port) as client:
                client.sendall(b"who is there\n")
                guest.expect("who is there")
                guest.send("me\r")
                reads(client, b"me\n")
                if end == "key":
                    guest.send("\x03")
                    guest.expect_pattern(r"nc#\d+: ended, killed", 20)
            guest.expect(PROMPT)
        guest.send("nc -l 7 &\r")
        guest.expect("nc: listens at port 7")
        with connect(port) as client:
            client.sendall(b"first\n")
            guest.expect("first")
            guest.send("kill serial\r")
            guest.expect("serial: killed")
            client.sendall(b"second\n")
            guest.expect("second")
        guest.expect_pattern(r"nc#\d+: ended, exit code 0", 20)


@suite.test("net dies under a program of the prompt: its connection and its session go on")
def net_dies() -> None:
    with prompt("net dies") as (guest, port):
        says(guest, f"run net_echo with {ECHO_LIMITS} &", "started")
        data = b"before" * 100
        same(again(port, data), data)
        with connect(port) as client:
            for number in range(3):
                client.sendall(data)
                reads(client, data)
                check("ended" not in guest.command("kill net"), f"it ended at kill {number}")
        same(again(port, data), data)
        check(" net_echo" in guest.command("ps"), "it has ended")
