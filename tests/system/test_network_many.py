# SPDX-License-Identifier: MIT
"""test_network_many.py - a thousand connections at once to a program of the test (tests/services/net_many), before and behind
a death of the stack, and as many as a small machine has memory for."""

import re
import resource
import socket
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hardware import network_card
from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

from tests.system.test_network import HOST, OWN, connect, free_port, until
from tests.system.with_services import initrd as initrd_with

suite = Suite("network many")

CONNECTIONS = 1000
# This machine has two ends of each: its own, and QEMU's.
FILES = 4 * CONNECTIONS
# 72 KiB of rings for each connection are 7 % of the memory, and the manifest gives them 15 %.
LARGE_MIB = 1024

MANY = f"""
[service.many]
file = "net_many"
restart = "always"
priority = 20
ceiling = 20
frames = 256
bytes = 65536
uses = {{ net = {{ endpoint = "net", listen = ["0.0.0.0:7"], sockets = {CONNECTIONS + 1} }} }}
log = "write"
"""


@contextmanager
def prompt(name: str, memory_mib: int):
    """The system with the service; yields the guest and this machine's port to it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if most == resource.RLIM_INFINITY else min(FILES, most), most))
    port = free_port(socket.SOCK_STREAM)
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine("direct", memory_mib=memory_mib,
                          initrd=initrd_with(Path(folder), ["net_many"], lambda text: text + MANY),
                          extra=network_card((f"tcp:{HOST}:{port}-:7",)))
        with Guest(machine, f"network {name}", 900) as guest:
            guest.expect(PROMPT)
            until(guest, "ip", OWN)
            until(guest, "log", "many: listening")
            yield guest, port


def exchange(clients: list[socket.socket], turn: int) -> None:
    """Each sends what no other does, all of them before the first answer is read."""
    said = [b"%d of turn %d\n" % (number, turn) for number in range(len(clients))]
    for client, text in zip(clients, said):
        client.sendall(text)
    for number, (client, text) in enumerate(zip(clients, said)):
        got = b""
        while len(got) < len(text):
            part = client.recv(len(text) - len(got))
            check(part != b"", f"connection {number} of {len(clients)} has ended in turn {turn}")
            got += part
        check(got == text, f"connection {number} has {got!r} in the place of {text!r}")


@suite.test("a thousand connections at once: each has what it sent, and so it is behind a death of net")
def thousand() -> None:
    with prompt("many", LARGE_MIB) as (guest, port), ExitStack() as stack:
        clients: list[socket.socket] = []
        while len(clients) < CONNECTIONS:  # one by one: QEMU has them wait in a queue of one, and a second comes again later
            clients.append(stack.enter_context(connect(port)))
            exchange(clients[-1:], 0)
        exchange(clients, 1)
        check(f"many: {CONNECTIONS} connections" in guest.command("log"), "the service has not as many")
        guest.command("kill net")
        exchange(clients, 2)
        log = guest.command("log")
        check(re.search(rf"net: run 2 goes on with {CONNECTIONS} connections", log) is not None, "not all go on")
        check(log.count("many: listening") == 1, "the service has begun anew")
