# SPDX-License-Identifier: MIT
"""test_tour.py - the tour of the running system that the web server shows: what it says, that it is written while somebody
reads and not else, and that it outlives the services that it comes from."""

import http.client
import json
import re
import socket
import time
from contextlib import contextmanager, suppress

from hardware import network_card
from qemu import PROMPT, ROOT, Guest, Machine
from testlib import Suite, check

from tests.system.test_httpd import get, uptime_s
from tests.system.test_network import HOST, OWN, free_port, until

suite = Suite("tour")

# The directory and its window, the session of sockets and its window, where it is told of them, the log, and the clock.
HTTPD = {"tmpfs, to send to", "region tmpfs_windows, to read and write", "net, to send to", "region net_windows, to read and write",
         "an endpoint, to receive", "memory, to write", "region clock, to read"}
PAGE = (ROOT / "system/web/index.html").read_bytes()


@contextmanager
def prompt(name: str):
    """The system as it is; yields the guest and this machine's port to its web server."""
    port = free_port(socket.SOCK_STREAM)
    machine = Machine("direct", cpus=2, memory_mib=256, extra=network_card((f"tcp:{HOST}:{port}-:80",)))
    with Guest(machine, f"tour {name}", 300) as guest:
        guest.expect(PROMPT)
        until(guest, "ip", OWN)
        until(guest, "log", "httpd: port 80")
        eventually(guest, "the first facts are not written", lambda: get(port, "/services.json")[0] == 200)
        yield guest, port


def read(port: int, name: str) -> dict:
    status, head, body = get(port, "/" + name)
    check(status == 200 and head["content-type"] == "application/json", f"{name}: {status} {head}")
    return json.loads(body)


def service(port: int, name: str) -> dict:
    return next(one for one in read(port, "services.json")["services"] if one["name"] == name)


def eventually(guest: Guest, what: str, holds) -> None:
    """Asks, and so reads, until it holds. While the web server is started anew nobody answers."""
    for _ in guest.looks():
        with suppress(OSError, http.client.HTTPException):
            if holds():
                return
    raise AssertionError(what)


def processor_ms(guest: Guest, name: str) -> float:
    return float(re.search(rf"^ *\d+ {re.escape(name)} +alive +max +\d+ +([\d.]+) ", guest.command("ps"), re.MULTILINE)[1])


@suite.test("the tour says what runs, what each process holds, and what the machine has done")
def says() -> None:
    with prompt("says") as (guest, port):
        check(get(port, "/")[2] == PAGE and get(port, "/index.html")[2] == PAGE, "the page is another")
        check(set(re.findall(rb'load\("(\S+)"\)', PAGE)) == {b"figures.json", b"services.json", b"versions.json"}, "its files")
        names = re.findall(r"^(\S+) +\S+ +(?:running|stopped) ", guest.command("services"), re.MULTILINE)
        services = read(port, "services.json")["services"]
        check([one["name"] for one in services] == ["init", *names], f"{[one['name'] for one in services]}")
        eventually(guest, "httpd holds something else", lambda: {one["what"] for one in service(port, "httpd")["holds"]} == HTTPD)
        check(service(port, "hello")["state"] == "stopped" and "holds" not in service(port, "hello"), "one that does not run")
        check(service(port, "crash")["last_end"] == "", "one that never ran")
        figures = read(port, "figures.json")
        check(len(figures["cores"]) == 2 and 0 < figures["memory_kib"]["free"] < figures["memory_kib"]["total"], f"{figures}")
        kernel = guest.command("cpu").splitlines()
        check(kernel[0].startswith(f"{read(port, 'versions.json')['kernel']}, build "), f"{kernel}")
        guest.command("run crash")
        eventually(guest, "the end of a service is not shown", lambda: "page fault" in service(port, "crash")["last_end"])
        guest.command("write /tmp/tour/notes.txt a line")
        check(get(port, "/notes.txt")[2] == b"a line\n", "what is put there is not shown")
        for target in ("/..", "/../tmp", "/tmp", "/net", "/%2e%2e/notes.txt"):
            check(get(port, target)[0] in (404, 200) and b"initrd" not in get(port, target)[2], target)


@suite.test("the facts are written while somebody reads, and nobody is woken for them else")
def while_read() -> None:
    with prompt("while read") as (guest, port):
        def uptime_ms() -> int:
            return read(port, "figures.json")["uptime_ms"]

        first = uptime_ms()
        eventually(guest, "what was read is not written anew", lambda: uptime_ms() > first)
        last = uptime_ms()
        eventually(guest, "it is written only once", lambda: uptime_ms() > last + 1500)
        used = -1.0
        for _ in guest.looks():
            if used == (used := processor_ms(guest, "facts")):  # it rests for five seconds, in which it would write twice
                return
            begun_s = uptime_s(guest)
            while uptime_s(guest) < begun_s + 5:
                time.sleep(0.5)
        raise AssertionError("it works though nobody reads")


@suite.test("the tour goes on when a service dies that it comes from")
def deaths() -> None:
    with prompt("deaths") as (guest, port):
        for count, name in enumerate(("facts", "tmpfs", "httpd", "facts", "tmpfs")):
            guest.command(f"kill {name}")
            eventually(guest, f"{name} does not come back", lambda: get(port, "/")[2] == PAGE)
            before = read(port, "figures.json")["uptime_ms"]
            eventually(guest, f"after the death of {name} nothing is written", lambda: read(port, "figures.json")["uptime_ms"] > before)
            eventually(guest, f"the restart of {name} is not shown", lambda: service(port, name)["restarts"] >= 1 + count // 3)
