# SPDX-License-Identifier: MIT
"""test_linux_net.py - programs of Linux on the network: as much of it as their line names, and what they are told beyond."""

import shutil
import socket
import subprocess
import tempfile
import threading
from collections import Counter
from contextlib import contextmanager
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import mkdisk
from hardware import BUILD, data_disk, network_card
from qemu import PROMPT, Guest, Machine
from testlib import HANG_S, Suite, check
from tests.system.names_server import NamesServer
from tests.system.test_linux import BUSYBOX, run, run_alike
from tests.system.test_names import ARGUMENTS
from tests.system.test_network import HOST, OWN, connect, free_port, until
from tests.system.with_services import initrd as initrd_with

suite = Suite("linux_net")

SOCKETS = BUILD / "tests/linux/sockets"
HOSTILE = BUILD / "tests/linux/hostile"
# What a program has more for its session of the network: the session, the endpoint at which it waits, and the window.
NETWORK = Counter(["endpoint -w---", "endpoint rwxgv", "memory rw---"])
LARGE = Random(11).randbytes(300_000)


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_arguments) -> None:
        pass

    def do_GET(self) -> None:
        content = LARGE if self.path == "/large" else f"you asked {self.headers['Host']} for {self.path}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def web():
    """A web server of this machine, which is 10.0.2.2 to the guest; yields its port."""
    server = ThreadingHTTPServer((HOST, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def prompt(name: str, forwards: tuple[str, ...] = (), names: NamesServer | None = None):
    with tempfile.TemporaryDirectory() as folder:
        content, path = Path(folder) / "content", Path(folder) / "disk.img"
        (content / "linux/bin").mkdir(parents=True)
        (content / "work").mkdir()
        for program in (BUSYBOX, SOCKETS, HOSTILE):
            shutil.copy(program, content / "linux/bin")
        mkdisk.make(path, 64, content=content)
        served = ARGUMENTS[:-1] + f' dns=10.0.2.2:{names.port}"' if names else ARGUMENTS
        initrd = initrd_with(Path(folder), [], lambda text: text.replace(ARGUMENTS, served))
        machine = Machine("direct", initrd=initrd, cpus=2, memory_mib=256, extra=(*network_card(forwards), *data_disk(path)))
        with Guest(machine, f"linux_net {name}", 400) as guest:
            guest.expect(PROMPT)
            until(guest, "ip", OWN)
            yield guest


def says(guest: Guest, line: str, code: int, *texts: str) -> str:
    output, ended = run(guest, line)
    check(ended == code and all(text in output for text in texts), f"{line!r}: {ended}, {output!r}")
    return output


@suite.test("wget fetches from where its line lets it connect, and is told what else it may not")
def wget() -> None:
    with web() as port, prompt("wget") as guest:
        may = f"run --connect 10.0.2.2:{port} --grant /disk/work:rwc:/work busybox wget"
        says(guest, f"{may} -q -O - http://10.0.2.2:{port}/page", 0, f"you asked 10.0.2.2:{port} for /page\n")
        says(guest, f"{may} -q -O /work/large http://10.0.2.2:{port}/large", 0)
        says(guest, "run --grant /disk/work:r:/work busybox md5sum /work/large", 0, md5(LARGE).hexdigest())
        says(guest, f"{may} -O - http://10.0.2.3:{port}/", 1, "can't connect", "Operation not permitted")
        says(guest, f"{may} -O - http://10.0.2.2:{port ^ 1}/", 1, "can't connect", "Operation not permitted")
        says(guest, f"run busybox wget -O - http://10.0.2.2:{port}/", 1, "Permission denied")
        says(guest, f"run --listen 0.0.0.0:80 busybox wget -O - http://10.0.2.2:{port}/", 1, "Operation not permitted")
        closed = free_port(socket.SOCK_STREAM)
        says(guest, f"run --connect 10.0.2.2:{closed} busybox wget -O - http://10.0.2.2:{closed}/", 1, "Connection refused")


@suite.test("a program listens where its line says and talks both ways, and nowhere else")
def listens() -> None:
    port = free_port(socket.SOCK_STREAM)
    with prompt("listens", (f"tcp:{HOST}:{port}-:7",)) as guest:
        guest.send("run --trace --listen 0.0.0.0:7 busybox nc -l -p 7\r")
        guest.expect(": listen(", 60)  # before that there is nobody to connect to
        with connect(port) as client:
            client.sendall(b"from outside\n")
            guest.expect("from outside", 60)
            guest.send("from inside\r")
            check(client.makefile("rb").readline() == b"from inside\n", "it did not answer")
            client.shutdown(socket.SHUT_WR)
            guest.expect("ended, exit code 0", 60)
        guest.expect(PROMPT)
        says(guest, "run --listen 0.0.0.0:7 busybox nc -l -p 8", 1, "Permission denied")
        says(guest, "run --connect 10.0.2.2:80 busybox nc -l -p 7", 1, "Permission denied")


@suite.test("names are resolved for programs that may ask for them, by what is in every program of Linux")
def names() -> None:
    server = NamesServer({"www.example.test": ["10.0.2.2"], "other.test": ["10.0.2.2"], "none.example.test": 3})
    with web() as port, prompt("names", names=server) as guest:
        may = f"run --resolve example.test --connect 10.0.2.2:{port} busybox"
        says(guest, f"{may} wget -q -O - http://www.example.test:{port}/page", 0, f"you asked www.example.test:{port} for /page\n")
        says(guest, f"{may} nslookup www.example.test 127.0.0.1", 0, "10.0.2.2")
        says(guest, f"{may} wget -q -O - http://none.example.test:{port}/", 1, "bad address")
        says(guest, f"{may} wget -q -O - http://other.test:{port}/", 1, "bad address")
        says(guest, f"run --connect 10.0.2.2:{port} busybox wget -q -O - http://www.example.test:{port}/", 1, "bad address")
        check("other.test" not in server.asked, f"asked for nevertheless: {server.asked}")


@suite.test("calls about sockets answer what they answer on the host")
def alike() -> None:
    with prompt("alike") as guest:
        run_alike(guest, SOCKETS, "--listen loopback:5000 --listen loopback:5000/udp --connect loopback:* --connect loopback:*/udp")


@suite.test("the network of a program is a session of its own, and what a line says wrongly is told")
def confined() -> None:
    with prompt("confined") as guest:
        with_network, code = run(guest, "run --connect 10.0.2.2:80 hostile")
        without, _ = run(guest, "run hostile")
        check(code == 0, with_network)
        # A session of the network, and its window, which it hands to nobody.
        more = Counter(with_network.splitlines()) - Counter(without.splitlines())
        check(more == NETWORK, f"with the network it holds more of {more}:\n{with_network}")
        for line, text in (("run --listen 80 busybox true", "--listen 80 says nothing that can be"),
                           ("run --connect 10.0.2.2:80,ping busybox true", "says nothing that can be"),
                           ("run --resolve a..b busybox true", "--resolve a..b says nothing that can be"),
                           ("run --listen", "and what?")):
            check(text in guest.command(line), f"{line!r} does not say {text!r}")
