# SPDX-License-Identifier: MIT
"""test_names.py - addresses of hosts by their names: the resolver of net, asked by the command resolve, against a server of
the test."""

import re
import struct
import tempfile
from contextlib import contextmanager
from pathlib import Path

from hardware import network_card
from qemu import PROMPT, Guest, Machine
from testlib import Suite, check
from tests.system.names_server import NO_NAME, REFUSED, NamesServer
from tests.system.test_net_programs import says
from tests.system.test_network import OWN, until
from tests.system.with_services import initrd as initrd_with

suite = Suite("names")

NAMES_OF_ONE = """
[service.echo]
file = "net_echo"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 256
bytes = 32768
arguments = "names"
uses = { net = { endpoint = "net", resolve = ["example.test"] } }
log = "write"
"""
ARGUMENTS = 'arguments = "en0=dhcp en1=dhcp"'


@contextmanager
def prompt(name: str, server: NamesServer | None, extra: tuple[str, ...] = (), limit_s: float = 300):
    """The system, whose server of names is this one; None: the one that DHCP tells."""

    def change(text: str) -> str:
        check(ARGUMENTS in text, "the arguments of net are others")
        to = ARGUMENTS if server is None else ARGUMENTS[:-1] + f' dns=10.0.2.2:{server.port}"'
        return text.replace(ARGUMENTS, to) + NAMES_OF_ONE

    with tempfile.TemporaryDirectory() as folder:
        machine = Machine("direct", initrd=initrd_with(Path(folder), ["net_echo"], change), cpus=2, memory_mib=256,
                          extra=network_card() + extra)
        with Guest(machine, f"names {name}", limit_s) as guest:
            guest.expect(PROMPT)
            until(guest, "ip", OWN)
            yield guest


def all_asked(guest: Guest, server: NamesServer) -> list[str]:
    """What it has been asked for, once it has read all that was sent to it: it answers one after the other."""
    name = f"barrier{len(server.barriers)}.test"
    server.barriers.append(name)
    server.names = server.names | {name: ["192.0.2.3"]}
    says(guest, f"resolve {name}", "192.0.2.3")
    return server.asked


NAMES = {"one.test": ["192.0.2.1"], "many.test": [f"192.0.2.{i}" for i in range(1, 13)], "alias.test": "second.test",
         "second.test": "one.test", "none.test": NO_NAME, "empty.test": [], "refused.test": REFUSED,
         "forged.test": ["192.0.2.9"]}


@suite.test("names have the addresses that the server says, with aliases, and why there are none is told")
def answers() -> None:
    server = NamesServer(NAMES, forged=("forged.test",))
    with prompt("answers", server) as guest:
        check(re.search(r"^192\.0\.2\.1\r?$", guest.command("resolve one.test"), re.M) is not None, "not its address")
        before = all_asked(guest, server).count("one.test")  # more than once when an answer took longer than a second
        says(guest, "resolve ONE.Test.", "192.0.2.1")
        check(all_asked(guest, server).count("one.test") == before > 0, f"it was asked for again: {server.asked}")
        found = re.findall(r"192\.0\.2\.\d+", says(guest, "resolve many.test"))
        check(found == [f"192.0.2.{i}" for i in range(1, 9)], f"{found}")
        says(guest, "resolve alias.test", "192.0.2.1")
        for name in ("none.test", "empty.test"):
            says(guest, f"resolve {name}", f"resolve {name}: there is no such name, or it has no address")
        says(guest, "resolve refused.test", "resolve refused.test: no server of names says")
        check(all_asked(guest, server).count("refused.test") == 4, f"{server.asked}")
        says(guest, "resolve a..b", "resolve: a..b is no name of a host")
        text = says(guest, "resolve forged.test", "192.0.2.9")
        check("6.6.6.6" not in text, "an answer to another question was taken")
        check(re.search(r"\nnet +net +running +always +0 ", guest.command("services")), "net has died")


@suite.test("a server that is silent is asked four times, and another name is answered meanwhile")
def silent() -> None:
    server = NamesServer(NAMES)
    with prompt("silent", server) as guest:
        says(guest, "resolve silent.test &", "started")
        until(guest, "resolve one.test", r"192\.0\.2\.1")  # on a busy host what the other says may come first, and begins like it
        guest.told(r"(?s)resolve silent\.test: no server of names answers.*resolve#\d+: ended, exit code 1")
        guest.command("uptime")  # whatever of it came first is behind us
        check(all_asked(guest, server).count("silent.test") == 4, f"{server.asked}")
        check(len(set(server.ids)) == len(server.ids), f"a number came twice: {server.ids}")


def questions(wire: bytes, port: int) -> list[tuple[int, int]]:
    """Ports from which names were asked for, and numbers of the questions, in a file of filter-dump."""
    at, found = 24, []
    while at + 16 <= len(wire):
        count = struct.unpack_from("<I", wire, at + 8)[0]
        frame = wire[at + 16:at + 16 + count]
        if frame[12:14] == b"\x08\0" and frame[23] == 17 and struct.unpack_from("!H", frame, 36)[0] == port:
            found.append(struct.unpack_from("!H4xH", frame, 34)[:1] + struct.unpack_from("!H", frame, 42))
        at += 16 + count
    return found


@suite.test("each question leaves from a port of its own, with a number of its own, and short answers are asked for again")
def unpredictable() -> None:
    server = NamesServer(NAMES | {f"n{i}.test": ["192.0.2.1"] for i in range(40)}, ttl_s=0)
    with (tempfile.NamedTemporaryFile(prefix="wire-") as wire,
          prompt("unpredictable", server, ("-object", f"filter-dump,id=wire,netdev=net,file={wire.name}")) as guest):
        for i in range(40):  # more than the table has entries
            says(guest, f"resolve n{i}.test", "192.0.2.1")
        before = all_asked(guest, server).count("n0.test")
        says(guest, "resolve n0.test", "192.0.2.1")
        all_asked(guest, server)
        check(server.asked.count("n0.test") > before > 0, "an answer that was not to be kept was kept")
        # One for each family, and again what was not answered within a second.
        for _ in guest.looks():
            found = questions(Path(wire.name).read_bytes(), server.port)
            if len(found) == len(server.asked) + len(server.asked6):
                break
        check(len(found) == len(server.asked) + len(server.asked6) >= 2 * 41, f"{len(found)} questions on the wire")
        ports, ids = {port for port, _ in found}, {number for _, number in found}
        # Of 41 out of 16,384 and 65,536 a few may meet by chance; neighbours would be no chance.
        check(len(ports) > 36 and len(ids) > 36, f"{len(ports)} ports, {len(ids)} numbers")
        for values in zip(*found):
            steps = [b - a for a, b in zip(values, values[1:])]
            check(sum(1 for step in steps if abs(step) < 16) < 5, f"they are counted: {values}")


@suite.test("the server comes from DHCP, and programs ask for the names that they are given and no others")
def dhcp_and_limits() -> None:
    with prompt("dhcp", None) as guest:
        until(guest, "log", r"net: names are asked of 10\.0\.2\.3\b")
        says(guest, "kill net", "killed")  # its next run is told again
        until(guest, "log", r"(?s)names are asked of 10\.0\.2\.3\b.*names are asked of 10\.0\.2\.3\b")
        says(guest, "run net_echo with net=resolve=a..b", "run: resolve=a..b is nothing that can be given")
    server = NamesServer({"www.example.test": ["192.0.2.1"], "example.test": ["192.0.2.2"], "badexample.test": ["192.0.2.3"]})
    with prompt("limits", server) as guest:
        until(guest, "run echo", "ended, exit code 0")
        log = guest.command("log")
        for name, answer in (("www.example.test", "0 (-)"), ("EXAMPLE.test.", "0 (-)"), ("a..b", "4 (-)"),
                             ("badexample.test", "68 (not this name)"), ("example.test.org", "68 (not this name)")):
            check(f"echo: {name}: {answer}" in log, f"{name}: not '{answer}': {log}")
        check(not {"badexample.test", "example.test.org"} & set(server.asked), f"asked for nevertheless: {server.asked}")
