# SPDX-License-Identifier: MIT
"""test_fetch.py - the command fetch against a web server of the test, which breaks off, changes its mind and says nonsense."""

import re
import socket
import tempfile
import threading
import time
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

from hardware import network_card
from qemu import PROMPT, Guest, Machine
from testlib import Suite, check
from tests.system.names_server import NamesServer
from tests.system.test_names import ARGUMENTS
from tests.system.test_net_programs import CAP, says
from tests.system.test_network import HOST, OWN, until
from tests.system.with_services import initrd as initrd_with

suite = Suite("fetch")

KIB = 1024
GATED_BYTES = 10_000
CONTENT = Random(5).randbytes(48 * KIB + 7)
RANGE = re.compile(r"bytes=(\d+)-\Z")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments) -> None:
        pass

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Range"), self.headers.get("If-Range"), self.headers["Host"]))
        getattr(self, "get_" + self.path.strip("/").split("/")[0], self.get_none)()

    def _head(self, status: int, *headers: tuple[str, object]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, str(value))
        self.end_headers()

    def _content(self, content: bytes, etag: str, end: int | None = None) -> None:
        """All of it, or from where it is asked for, if it is this still; breaks off at `end`."""
        asked = RANGE.match(self.headers.get("Range", ""))
        first = int(asked[1]) if asked and self.headers.get("If-Range", etag) == etag else 0
        if first >= len(content) > 0:
            self._head(416, ("Content-Range", f"bytes */{len(content)}"), ("Content-Length", 0))
            return
        part = [("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")] if first else []
        self._head(206 if first else 200, ("Content-Length", len(content) - first), ("ETag", etag), *part)
        self.wfile.write(content[first:end])
        if end is not None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    def get_file(self) -> None:
        self._content(CONTENT, '"1"')

    def get_text(self) -> None:
        self._content(b"a line of text\n", '"1"')

    def get_empty(self) -> None:
        self._content(b"", '"1"')

    def get_breaks(self) -> None:
        """Each time a third of it."""
        asked = RANGE.match(self.headers.get("Range", ""))
        end = (int(asked[1]) if asked else 0) + 16 * KIB
        self._content(CONTENT, '"1"', end if end < len(CONTENT) else None)

    def get_changes(self) -> None:
        """Half of the old one, and then the new one."""
        if self.headers.get("Range"):
            self._content(CONTENT, '"new"')
        else:
            self._content(b"x" * len(CONTENT), '"old"', 20 * KIB)

    def get_always(self) -> None:
        """Never more than what everybody has already."""
        self._content(CONTENT, '"1"', 10 * KIB)

    def get_chunked(self) -> None:
        self._head(200, ("Transfer-Encoding", "chunked"))
        for at in range(0, len(CONTENT), 9999):
            part = CONTENT[at:at + 9999]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def get_unknown(self) -> None:
        """Of no length: it ends with the connection."""
        self._head(200, ("Connection", "close"))
        self.wfile.write(CONTENT)

    def get_moved(self) -> None:
        self._head(301, ("Location", "http://elsewhere.test/"), ("Content-Length", 0))

    def get_nonsense(self) -> None:
        self.wfile.write(b"220 this is no web server\r\n")

    def get_commands(self) -> None:
        """What a terminal would obey: a sequence with ESC, and one with the CSI of C1."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\nbody\x1b[2J\xc2\x9b2J\x9b2J \xc3\xa4\x7f end\r\n")

    def get_refuses(self) -> None:
        self.wfile.write(b"HTTP/1.1 404 No\x1b[2J\xc2\x9b2J \xc3\xa4\r\nContent-Length: 0\r\n\r\n")

    def get_leads(self) -> None:
        self._head(301, ("Location", "http://here/\x9b2J"), ("Content-Length", 0))

    def get_endless(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000)

    def get_continue(self) -> None:
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._content(CONTENT, '"1"')

    def get_promises(self) -> None:
        for _ in range(100_000):
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def get_slow(self) -> None:
        """Half of it within seconds, the rest within hours: it is under way as long as the test likes."""
        self._head(200, ("Content-Length", len(CONTENT)))
        half = len(CONTENT) // 2
        for at in (*range(0, half, 1000), *range(half, len(CONTENT))):
            self.wfile.write(CONTENT[at:at + (1000 if at + 1000 <= half else 1 if at >= half else half - at)])
            self.wfile.flush()
            time.sleep(0.1)

    def get_gated(self) -> None:
        """A part each time that the test says so."""
        self._head(200, ("Content-Length", len(CONTENT)))
        for at in range(0, len(CONTENT), GATED_BYTES):
            self.server.gate.acquire()
            self.wfile.write(CONTENT[at:at + GATED_BYTES])
            self.wfile.flush()

    def get_none(self) -> None:
        self._head(404, ("Content-Length", 0))


class Web(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), Handler)
        self.asked: list[tuple] = []
        self.gate = threading.Semaphore(0)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_arguments) -> None:
        pass

    @property
    def url(self) -> str:
        return f"http://10.0.2.2:{self.server_port}"


@contextmanager
def prompt(name: str, names: NamesServer | None = None, limit_s: float = 300):
    with tempfile.TemporaryDirectory() as folder:
        to = ARGUMENTS if names is None else ARGUMENTS[:-1] + f' dns=10.0.2.2:{names.port}"'
        machine = Machine("direct", initrd=initrd_with(Path(folder), [], lambda text: text.replace(ARGUMENTS, to)), cpus=2,
                          memory_mib=256, extra=network_card())
        with Guest(machine, f"fetch {name}", limit_s) as guest:
            guest.expect(PROMPT)
            until(guest, "ip", OWN)
            yield guest, Web()


def has(guest: Guest, path: str, content: bytes) -> None:
    """That a file of the guest has this content, as hexdump shows it."""
    shown = guest.command(f"hexdump {path}", 120)
    found = b"".join(bytes.fromhex(line.replace(" ", "")) for line in re.findall(r"^[0-9a-f]{8}  ((?:[0-9a-f]{2} {1,2})+) ",
                                                                                 shown, re.M))
    check(len(found) == len(content), f"{path} has {len(found)} bytes of {len(content)}")
    check(sha256(found).digest() == sha256(content).digest(), f"{path} has other bytes")


@suite.test("what the server has comes into a file or onto the terminal, however its length is said")
def comes() -> None:
    names = NamesServer({"web.test": ["10.0.2.2"], "two.test": ["10.0.2.77", "10.0.2.2"], "none.test": 3,
                         "lo.test": ["127.0.0.1"], "own.test": ["10.0.2.15", "127.7.7.7"], "both.test": ["10.0.2.15", "10.0.2.2"]})
    with prompt("comes", names) as (guest, web):
        says(guest, f"fetch {web.url}/text", "a line of text")
        for page in ("file", "chunked", "unknown", "continue"):
            says(guest, f"fetch {web.url}/{page} /tmp/{page}", f"/tmp/{page}: {len(CONTENT)} bytes")
            has(guest, f"/tmp/{page}", CONTENT)
        says(guest, f"fetch {web.url}/text /tmp/file", "/tmp/file: 15 bytes")  # over what is there
        has(guest, "/tmp/file", b"a line of text\n")
        says(guest, f"fetch {web.url}/empty /tmp/file", "/tmp/file: 0 bytes")
        says(guest, "mkdir /tmp/there")
        says(guest, f"fetch {web.url}/text/name.txt?q /tmp/there", "bytes")
        says(guest, "ls /tmp/there", "name.txt")
        says(guest, f"fetch http://web.test:{web.server_port}/text", "a line of text")
        check(web.asked[-1][3] == f"web.test:{web.server_port}", f"the host is another: {web.asked[-1]}")
        says(guest, "fetch http://none.test/", "fetch: none.test: there is no such name, or it has no address")
        says(guest, "fetch http://lo.test/", "fetch: lo.test: the name leads to this machine")
        says(guest, "nc own.test 80", "nc: own.test: the name leads to this machine")
        says(guest, f"fetch http://both.test:{web.server_port}/text", "a line of text")
        says(guest, "fetch http://10.0.2.15/", "<!DOCTYPE html>")


@suite.test("nothing that a server says commands the terminal")
def commands() -> None:
    with prompt("commands") as (guest, web):
        says(guest, f"fetch {web.url}/commands", "body^[[2J?2J\ufffd2J ä? end")
        says(guest, f"fetch {web.url}/refuses", "the server says 404 No?[2J??2J ä")
        says(guest, f"fetch {web.url}/leads", "it has moved to http://here/?2J")
        for text in ("\x1b[2J", "\x9b"):
            check(text not in guest.raw(), f"it says {text!r}")


@suite.test("why it does not come is told, and a file that is there stays as it was")
def refused() -> None:
    with prompt("refused") as (guest, web):
        says(guest, "write /tmp/mine what was there")
        for page, why in (("nothing", "the server says 404 Not Found"), ("moved", "it has moved to http://elsewhere.test/"),
                          ("nonsense", "what the server sends is no answer of HTTP"),
                          ("endless", "what the server sends is no answer of HTTP"),
                          ("promises", "the server goes on saying that an answer will come")):
            says(guest, f"fetch {web.url}/{page} /tmp/mine", f"fetch {web.url}/{page}: {why}")
        says(guest, "cat /tmp/mine", "what was there")
        says(guest, "fetch https://10.0.2.2/", "it does not begin with http://")
        says(guest, "fetch http://10.0.2.2:99999/", "its port is no number from 1 to 65535")
        says(guest, f"fetch {web.url}/text /boot/file", "fetch /boot/file: ")
        web.server_close()
        web.shutdown()
        says(guest, f"fetch {web.url}/text", "the connection is refused")
        says(guest, f"fetch -c {web.url}/text", "usage: fetch")


@suite.test("one that breaks off goes on where it was, one that has changed comes anew, and -c goes on with what is there")
def goes_on() -> None:
    with prompt("goes on") as (guest, web):
        says(guest, f"fetch {web.url}/breaks /tmp/file", f"{len(CONTENT)} bytes")
        has(guest, "/tmp/file", CONTENT)
        check([asked[1:3] for asked in web.asked] ==
              [(None, None), ("bytes=16384-", '"1"'), ("bytes=32768-", '"1"'), ("bytes=49152-", '"1"')], f"{web.asked}")
        says(guest, f"fetch {web.url}/changes /tmp/changed", f"{len(CONTENT)} bytes")
        has(guest, "/tmp/changed", CONTENT)
        text = guest.command(f"fetch {web.url}/always /tmp/half", 120)
        check("the server ended in the middle" in text, text)
        has(guest, "/tmp/half", CONTENT[:10 * KIB])
        says(guest, f"fetch -c {web.url}/file /tmp/half", f"/tmp/half: {len(CONTENT)} bytes")
        has(guest, "/tmp/half", CONTENT)
        check(web.asked[-1][1:3] == ("bytes=10240-", None), f"{web.asked[-1]}")
        says(guest, f"fetch -c {web.url}/file /tmp/half", f"/tmp/half: {len(CONTENT)} bytes")  # it has it all
        says(guest, f"fetch -c {web.url}/text /tmp/half", "the file is not the beginning of what the server has")


@suite.test("it shows how far it is, Ctrl-C ends it, and it holds one address, one port and one file")
def while_it_runs() -> None:
    with prompt("runs") as (guest, web):
        guest.send(f"fetch {web.url}/slow /tmp/slow\r")
        guest.expect_pattern(r"\[#*\.+\] [\d.]+ KiB of 48\.0 KiB", 60)
        guest.send("\x03")
        guest.expect_pattern(r"fetch#\d+: ended, killed", 20)
        guest.expect(PROMPT)
        name = re.search(r"(fetch#\d+): started", says(guest, f"fetch {web.url}/slow /tmp/slow &"))[1]
        until(guest, f"caps {name}", r"endpoint +rwxgv ")
        # Its sessions: the terminal, the file, the network; and where it waits.
        ends = sorted(cap for cap in CAP.findall(guest.command(f"caps {name}")) if cap[0] == "endpoint")
        check(ends == [("endpoint", "-w---")] * 3 + [("endpoint", "rwxgv")], f"{ends}")
        says(guest, f"kill {name}", "killed")


@suite.test("the deaths of net and of the card's driver in the middle cost nothing: one connection, and the content")
def deaths() -> None:
    with prompt("deaths") as (guest, web):
        guest.send(f"fetch {web.url}/gated /tmp/file &\r")
        guest.expect(PROMPT)
        for number, service in enumerate(("net", "virtio_net.0", "net"), 1):
            web.gate.release()
            until(guest, "stat /tmp/file", rf"size +{number * GATED_BYTES} bytes")
            says(guest, f"kill {service}", "killed")
        web.gate.release(len(CONTENT) // GATED_BYTES)
        guest.expect_pattern(rf"/tmp/file: {len(CONTENT)} bytes", 120)
        guest.expect_pattern(r"fetch#\d+: ended, exit code 0", 60)
        guest.expect(PROMPT)
        has(guest, "/tmp/file", CONTENT)
        check(len(web.asked) == 1, f"it was asked for again: {web.asked}")
