# SPDX-License-Identifier: MIT
"""test_httpd.py - the web server: files as they are, errors as HTTP has them, clients that are slow or many, and kills
of the driver and of the stack below in the middle of a download."""

import http.client
import re
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from pathlib import Path

from hardware import network_card
from qemu import PROMPT, ROOT, Guest, Machine
from testlib import Suite, check

from tests.system.test_init import members
from tests.system.test_network import HOST, OWN, PATIENCE_S, connect, connecting, free_port, until
from tests.system.user_network import ACK, FIN, SYN, mended, segments
from tests.system.with_services import initrd as initrd_with
from tests.system.with_services import web_from

suite = Suite("httpd")
CONNECTIONS_KEPT = 256  # NET_CONNECTIONS of services/net/kept.h, for each of which the server's side waits in TIME_WAIT

KILLS = 10
PAGE = (ROOT / "system/web/index.html").read_bytes()
ROOM = 23  # connections at once
CLIENTS = 40  # more than that


@contextmanager
def prompt(name: str, files: str = "initrdfs", limit_s: float = 300, extra: tuple[str, ...] = (), card: str = "virtio"):
    """The system; yields the guest and this machine's port to its web server, which has that file system."""
    port = free_port(socket.SOCK_STREAM)
    with tempfile.TemporaryDirectory() as folder:
        initrd = initrd_with(Path(folder), [], web_from(files), extra={"index.html": PAGE})
        machine = Machine("direct", initrd=initrd, cpus=2, memory_mib=256,
                          extra=network_card((f"tcp:{HOST}:{port}-:80",), card) + extra)
        with Guest(machine, f"httpd {name}", limit_s) as guest:
            guest.expect(PROMPT)
            until(guest, "ip", OWN)
            until(guest, "log", "httpd: port 80")
            yield guest, port


def get(port: int, target: str, method: str = "GET", **fields: str) -> tuple[int, dict, bytes]:
    """`fields`: headers, with `_` for `-` in their names."""
    client = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_S)
    try:
        client.putrequest(method, target, skip_accept_encoding=True)
        for name, value in fields.items():
            client.putheader(name.replace("_", "-"), value)
        client.endheaders()
        answer = client.getresponse()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
    finally:
        client.close()


def raw(port: int, text: bytes) -> bytes:
    """What comes back of these bytes until the server ends the connection."""
    with connect(port) as client:
        client.sendall(text)
        parts = []
        while part := client.recv(65536):
            parts.append(part)
        return b"".join(parts)


@suite.test("files come as they are, by GET and HEAD, several on one connection")
def files() -> None:
    with prompt("files") as (_, port):
        whole = members()
        status, head, body = get(port, "/")
        check(status == 200 and head["content-type"].startswith("text/html") and body == PAGE, "index")
        for name in ("net", "manifest.bin", "pci_names"):
            status, head, body = get(port, "/" + name)
            expected = whole[name]
            check(status == 200 and len(body) >= len(expected), f"{name}: {status}, {len(body)} bytes")
            if name == "net":
                check(body == expected, "other bytes came")
            status, head, body = get(port, "/" + name, "HEAD")
            check(status == 200 and int(head["content-length"]) >= len(expected) and not body, f"HEAD of {name}")
        one = b"GET /index.html?x HTTP/1.1\r\nHost: a\r\n\r\n"
        last = b"GET /%69ndex.html HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        text = raw(port, 3 * one + last)
        check(text.count(b"HTTP/1.1 200 OK") == 4 and text.count(PAGE) == 4, "four at once")
        text = raw(port, b"GET http://b/net?x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        check(text.startswith(b"HTTP/1.1 200 OK") and text.endswith(whole["net"]), "a target with its host")
        text = raw(port, b"GET / HTTP/1.0\r\n\r\n")
        check(text.endswith(PAGE) and b"Connection: close" in text, "HTTP/1.0")


RANGES = (("0-0", 0, 1), ("10-19", 10, 20), ("1000-", 1000, None), ("-7", -7, None), ("5-999999999", 5, None))


@suite.test("a part of a file comes by its range, and what is no range of it is refused or all of it")
def ranges() -> None:
    with prompt("ranges") as (_, port):
        whole = get(port, "/net")[2]
        for text, first, end in RANGES:
            status, head, body = get(port, "/net", Range=f"bytes={text}")
            check(status == 206 and body == whole[first:end], f"{text}: {status}, {len(body)} bytes")
            begin = first % len(whole)
            check(head["content-range"] == f"bytes {begin}-{begin + len(body) - 1}/{len(whole)}", head["content-range"])
        status, head, _ = get(port, "/net", Range=f"bytes={len(whole)}-")
        check(status == 416 and head["content-range"] == f"bytes */{len(whole)}", f"{status} {head}")
        for text in ("bytes=0-1,3-4", "lines=1-2", "bytes=2-1"):
            status, head, body = get(port, "/net", Range=text)
            check(status == 200 and body == whole and "content-range" not in head, f"{text}: {status}")
        status, head, body = get(port, "/net", "HEAD", Range="bytes=0-1")
        check(status == 200 and not body and int(head["content-length"]) == len(whole), f"HEAD: {status} {head}")
        tag = head["etag"]
        check(get(port, "/net", Range="bytes=0-1", If_Range=tag)[0] == 206, "of what the client has")
        check(get(port, "/net", Range="bytes=0-1", If_Range='"other"')[2] == whole, "of what the client has not")
        with tempfile.TemporaryDirectory() as folder:  # one that broke off goes on
            part = Path(folder) / "net"
            part.write_bytes(whole[:100000])
            subprocess.run(["curl", "-sS", "--fail", "-C", "-", "-o", part, f"http://{HOST}:{port}/net"], check=True,
                           timeout=PATIENCE_S)
            check(part.read_bytes() == whole, "what curl put together is something else")


@suite.test("a file that the client has is not sent again, and one that has changed is")
def conditions() -> None:
    with prompt("conditions", "tmpfs") as (guest, port):
        guest.command("write /tmp/a.txt some text")
        status, head, body = get(port, "/a.txt")
        check(status == 200 and body == b"some text\n", f"{status} {body}")
        tag, date = head["etag"], head["last-modified"]
        check(parsedate_to_datetime(date) <= parsedate_to_datetime(head["date"]), f"{head}")
        for fields in ({"If_None_Match": tag}, {"If_None_Match": f'"x", W/{tag}'}, {"If_Modified_Since": date}):
            for method in ("GET", "HEAD"):
                status, head, body = get(port, "/a.txt", method, **fields)
                check(status == 304 and not body and head["etag"] == tag, f"{method} {fields}: {status} {head} {body}")
        for fields in ({"If_None_Match": '"x"', "If_Modified_Since": date}, {"If_Match": tag}, {"If_Match": "*"},
                       {"If_Modified_Since": "Sun Nov  6 08:49:37 1994"}, {"If_Modified_Since": "soon"},
                       {"If_Unmodified_Since": date}):
            check(get(port, "/a.txt", **fields)[0::2] == (200, b"some text\n"), f"{fields}")
        for fields in ({"If_Match": '"x"'}, {"If_Unmodified_Since": "Sunday, 06-Nov-94 08:49:37 GMT"}):
            check(get(port, "/a.txt", **fields)[0] == 412, f"{fields}")
        with tempfile.TemporaryDirectory() as folder:
            command = ["curl", "-sS", "-o", f"{folder}/a", "-w", "%{http_code}", "--etag-save", f"{folder}/tag",
                       "--etag-compare", f"{folder}/tag", f"http://{HOST}:{port}/a.txt"]
            codes = [subprocess.run(command, check=True, timeout=PATIENCE_S, capture_output=True).stdout for _ in range(2)]
            check(codes == [b"200", b"304"], f"curl: {codes}")
            guest.command("write /tmp/a.txt other text")  # behind it
            more = b"some text\nother text\n"
            code = subprocess.run(command, check=True, timeout=PATIENCE_S, capture_output=True).stdout
            check(code == b"200" and Path(folder, "a").read_bytes() == more, f"curl: {code}")
        check(get(port, "/a.txt", If_None_Match=tag)[0::2] == (200, more), "the old tag is good for the new text")
        check(get(port, "/a.txt", Range="bytes=0-3", If_Range=tag)[0::2] == (200, more), "a part of another text")


@suite.test("connections that are kept alive and ask for nothing give way to new ones at once")
def idle() -> None:
    ask = b"GET /index.html HTTP/1.1\r\nHost: a\r\n\r\n"
    with prompt("idle") as (guest, port):
        page = PAGE
        kept = []
        for _ in range(ROOM):
            kept.append(connect(port))
            kept[-1].sendall(ask)
            check(answer_of(kept[-1]).endswith(page), "no answer")
        began = uptime_s(guest)
        check(get(port, "/")[2] == page, "no answer to a new one")
        # By the clock of the machine, which is as slow as it is: before, the first of them had to be silent for a minute.
        check(uptime_s(guest) - began < 55, "the new one had to wait")
        check(kept[0].recv(1) == b"", "the one that was silent for longest is still there")
        for client in kept[2:]:
            client.sendall(ask)
            check(answer_of(client).endswith(page), "another one is gone, too")


@suite.test("connections that never ask for anything give way to new ones after a second, not after a minute")
def never_asked() -> None:
    with prompt("never asked") as (guest, port):
        silent = [connect(port) for _ in range(ROOM)]
        began = uptime_s(guest)
        check(get(port, "/")[0] == 200, "no answer to one that asks")
        check(uptime_s(guest) - began < 30, "it had to wait")  # by the clock of the machine
        check(silent[0].recv(1) == b"", "the one that was silent for longest is still there")


def answer_of(client: socket.socket) -> bytes:
    """One answer of a connection that stays."""
    text, count = b"", None
    while count is None or len(text) < count:
        part = client.recv(65536)
        check(part, f"the connection has ended behind {len(text)} bytes")  # reading on would never end
        text += part
        if count is None and b"\r\n\r\n" in text:
            count = text.index(b"\r\n\r\n") + 4 + int(re.search(rb"Content-Length: (\d+)", text)[1])
    return text


def uptime_s(guest: Guest) -> float:
    hours, minutes, seconds = re.search(r"(\d+):(\d+):([\d.]+)", guest.command("uptime")).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


WRONG = (
    (b"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
    (b"GET /../index.html HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
    (b"GET /%2e%2e/index.html HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
    (b"GET /index.html/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc", 405),
    (b"GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400),
    (b"GET /a%00b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),  # without a host
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost a\r\n\r\n", 400),
    (b"NONSENSE / HTTP/1.1\r\n\r\n", 501),
    (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    (b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
)


@suite.test("what is wrong is answered as HTTP has it, and the server goes on")
def wrong() -> None:
    with prompt("wrong") as (guest, port):
        for text, status in WRONG:
            answer = raw(port, text)
            check(answer.startswith(b"HTTP/1.1 %d " % status), f"{text[:60]}: {answer[:60]}, not {status}")
        with connect(port) as client:  # the same head, in two pieces
            client.sendall(WRONG[-1][0][:8000])
            guest.command("uptime")
            client.sendall(WRONG[-1][0][8000:])
            check(client.recv(100).startswith(b"HTTP/1.1 431 "), "a head is too long only if it comes in one piece")
        check(get(port, "/")[0] == 200, "it does not go on")
        check(re.search(r"\nhttpd +httpd +running +always +0 ", guest.command("services")), "it has died")


@suite.test("a directory is listed, whatever its names, and its links lead to the files")
def listing() -> None:
    with prompt("listing", "tmpfs") as (guest, port):
        guest.command("mkdir /tmp/dir")
        guest.command("write /tmp/dir/a<b>&c.txt some text")
        status, head, body = get(port, "/")
        check(status == 200 and b'<a href="dir/">dir/</a>' in body, f"{body}")
        status, head, body = get(port, "/dir")
        check(status == 301 and head["location"] == "/dir/", f"{status} {head}")
        status, head, body = get(port, "/dir/")
        check(b'<a href="a%3Cb%3E%26c.txt">a&lt;b&gt;&amp;c.txt</a>' in body, f"{body}")
        status, head, body = get(port, "/dir/a%3Cb%3E%26c.txt")
        check(status == 200 and body == b"some text\n" and head["content-type"].startswith("text/plain"), f"{body}")


def all_of(client: socket.socket) -> bytes:
    """What comes until its end; nothing, if the server has ended it without an answer."""
    parts = []
    with client, suppress(ConnectionResetError):
        while part := client.recv(65536):
            parts.append(part)
    return b"".join(parts)


@suite.test("more clients at once than it has room for are all served, beside one that says only half")
def many() -> None:
    request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with prompt("many") as (_, port):
        page = PAGE
        slow = connect(port)
        slow.sendall(b"GET / HTTP/1.1\r\nHo")
        # One after the other: QEMU has room for one that it has not taken yet.
        clients = [connect(port) for _ in range(CLIENTS)]
        for client in clients:
            with suppress(OSError):
                client.sendall(request)
        # Who asks more than a second after it came may have given way: how fast this machine is does not count. It tries
        # again, as a browser does.
        served = sum((all_of(client) or raw(port, request)).endswith(page) for client in clients)
        check(served == CLIENTS, f"{served} of {CLIENTS} were served")
        check(slow.recv(100).startswith(b"HTTP/1.1 408 "), "half a request is waited for without end")
        slow.close()


@suite.test("more connections one after the other than there are places are all served, though those that have ended wait")
def one_after_the_other() -> None:
    request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with prompt("one after the other", limit_s=600) as (_guest, port):
        for number in range(CONNECTIONS_KEPT + 50):
            client = connect(port)
            client.sendall(request)
            check(all_of(client).startswith(b"HTTP/1.1 200 OK"), f"connection {number} is not served")


@suite.test("a client may come again at once by the port of a connection that the server has ended")
def port_again() -> None:
    text = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with (tempfile.NamedTemporaryFile(prefix="wire-") as wire,
          prompt("port again", extra=("-object", f"filter-dump,id=wire,netdev=net,file={wire.name}")) as (_, port)):
        own = free_port(socket.SOCK_STREAM)
        for number in range(3):
            begun = len(segments(Path(wire.name), own))
            with connect(port, own) as client:
                client.sendall(text)
                # What a SYN is answered by says it; a client that waits for longer is served in the end.
                answers = wire_until(wire.name, own, begun, lambda from_client, flags: not from_client)
                check(answers[-1][1] & (SYN | ACK) == SYN | ACK, f"connection {number}: {answers}")
                while client.recv(65536):
                    pass
            # Both have ended it, and the server's end remembers it.
            ends = wire_until(wire.name, own, begun, lambda from_client, flags: from_client and flags & FIN)
            wire_until(wire.name, own, begun + len(ends), lambda from_client, flags: not from_client)


def wire_until(name: str, port: int, begin: int, is_last) -> list[tuple[bool, int]]:
    """The segments from `begin` on up to the one that it is waited for."""
    for _ in range(PATIENCE_S * 20):
        found = segments(Path(name), port)[begin:]
        for count, segment in enumerate(found, 1):
            if is_last(*segment):
                return found[:count]
        time.sleep(0.05)
    raise AssertionError(f"it never comes: {found}")


class Client:
    """Downloads one file without end, each time by a new connection, and never tries one again; what became of each that
    did not come whole is kept."""

    def __init__(self, port: int, target: str, expected: bytes) -> None:
        self.port, self.target, self.expected = port, target, expected
        self.stop, self.whole, self.failures = threading.Event(), 0, []
        self.thread = threading.Thread(target=self._load, daemon=True)
        self.thread.start()

    def _load(self) -> None:
        while not self.stop.is_set():
            # In turns the server ends the connection, and the client.
            failure = self._one("close" if self.whole % 2 == 0 else "keep-alive")
            if failure:
                self.failures.append(failure)
            else:
                self.whole += 1

    def _one(self, connection: str) -> str:
        """Nothing, or what went wrong, behind how many bytes and after how long."""
        begin, step, answer, body = time.monotonic(), "connecting", None, b""
        client = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE_S)
        try:
            with connecting:
                client.connect()
            step = "asking"
            client.request("GET", self.target, headers={"Connection": connection})
            step = "waiting for the answer"
            answer = client.getresponse()
            step = "reading"
            while part := answer.read(65536):
                body += part
            problem = "" if body == self.expected else "other bytes"
        except (OSError, http.client.HTTPException) as error:
            problem = repr(error)
        finally:
            client.close()
        return problem and (f"{problem} while {step}: status {answer and answer.status}, {len(body)} bytes of "
                            f"{len(self.expected)}, {time.monotonic() - begin:.1f} s")


def go_on(guest: Guest, clients: list[Client]) -> None:
    """Each client has had a file since; so no connection meets two kills, and none waits for what is lost again and
    again."""
    before = [client.whole for client in clients]
    while any(client.whole <= count and not client.failures for client, count in zip(clients, before)):
        guest.command("uptime")


@contextmanager
def downloads(name: str, card: str = "virtio"):
    """Three clients that download; at the end each download has come whole. Yields the guest, and what waits until each
    client has had another file."""
    with mended() as extra, prompt(name, limit_s=3600, extra=extra, card=card) as (guest, port):
        clients = [Client(port, "/net", members()["net"]) for _ in range(3)]
        yield guest, lambda: go_on(guest, clients)
        go_on(guest, clients)
        for client in clients:
            client.stop.set()
        for client in clients:
            client.thread.join(PATIENCE_S)
        failures = [failure for client in clients for failure in client.failures]
        count = len(failures) + sum(client.whole for client in clients)
        check(not failures, f"{len(failures)} of {count} downloads failed: " + "; ".join(failures))
        check(not any(client.thread.is_alive() for client in clients), "a download never ends")


def kill_driver_often(name: str, kills: int, card: str = "virtio", driver: str = "virtio_net") -> None:
    with downloads(name, card) as (guest, wait):
        for _ in range(kills):
            wait()
            guest.command(f"kill {driver}.0")
            until(guest, "services", rf"\n{driver}\.0 +{driver} +running")


@suite.test("ten kills of the driver during downloads: each comes whole")
def kill_driver() -> None:
    kill_driver_often("kill driver", KILLS)


RUN = r"net: run (\d+) goes on with (\d+) connections of the last: (\d+) requests were running"


def kill_net_often(name: str, kills: int, running_min: int = 0) -> None:
    """So many kills, each with downloads under way; at least so many of them in the middle of a request of class N."""
    runs: dict[int, tuple[int, int]] = {}
    with downloads(name) as (guest, wait):
        while len(runs) < kills or (sum(running > 0 for _, running in runs.values()) < running_min
                                    and len(runs) < 10 * kills):
            wait()
            guest.command("kill net")
            wait()
            for run, connections, running in re.findall(RUN, guest.command("log")):
                runs[int(run)] = int(connections), int(running)
        text = guest.command("log")
        check("connections are lost" not in text, text)
        check(re.search(r"\nhttpd +httpd +running +always +0 ", guest.command("services")), "the server has died")
        check(text.count("httpd: port 80") <= 1, "the server has begun anew")
    under_way = sum(connections > 0 for connections, _ in runs.values())
    running = sum(running > 0 for _, running in runs.values())
    print(f"{len(runs)} kills of net, {under_way} with connections, {running} in the middle of a request of class N")
    check(sorted(runs) == list(range(2, len(runs) + 2)), f"these runs told of themselves: {sorted(runs)}")
    check(running >= running_min, f"only {running} were in the middle of a request")


@suite.test("ten kills of net during downloads: each comes whole, and the server does not notice")
def kill_net() -> None:
    kill_net_often("kill net", KILLS)


def long_suite() -> Suite:
    """The campaign of make test-long."""
    campaign = Suite("httpd-kills")

    @campaign.test("200 kills of net during downloads, 20 of them in the middle of a request: each comes whole")
    def many_kills() -> None:
        kill_net_often("many kills of net", 200, 20)

    @campaign.test("200 kills of the driver during downloads: each comes whole")
    def many_kills_of_driver() -> None:
        kill_driver_often("many kills of the driver", 200)

    return campaign
