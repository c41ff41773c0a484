# SPDX-License-Identifier: MIT
"""test_containers.py - what a program of Linux can reach, what it was refused, and what is taken from it, as the monitor tells it."""

import re
import socket

from qemu import PROMPT, Guest
from testlib import Suite, check
from tests.system.test_linux import TEXT, disk, prompt, run
from tests.system.test_linux_net import prompt as net_prompt
from tests.system.test_network import HOST, PATIENCE_S, connect, free_port

suite = Suite("containers")

ENDED = "ended, exit code 1"

# Tries what it may not, says that it has, and stays.
ASKS = """cat /disk/work/text; cat /disk/nothing; echo x >/bin/new; echo x >/work/text; echo x >/work/new; mkdir /work/made; cat /etc/none
wget -q -O - http://10.0.2.2:80/
echo asked
exec sleep 1000
"""
# Keeps a file open for reading and one for writing, until neither can be used any more.
KEEPS = """exec 3</work/text 4>>/work/out
read a <&3; echo begun >&4; echo $a
until ! echo more >&4; do sleep 1; done
read b <&3 || echo not read
cat /work/text || echo not opened
(cat /work/text) || echo not in a copy
ls /bin/busybox && echo root stays
exec sleep 1000
"""


def started(guest: Guest, line: str, said: str) -> None:
    """The line runs in the background and has come so far."""
    guest.send(f"run {line} &\r")
    guest.expect(said, 60)
    guest.send("\r")
    guest.expect(PROMPT, 30)


def revoked(guest: Guest, what: str, *said: str) -> str:
    """Takes it away, and waits until the monitor and the program have said what is to follow; which of the two is first, nobody
    knows. Returns what came meanwhile."""
    since = len(guest.output())
    guest.command(f"revoke busybox {what}", 30)
    for text in (f"{what} is taken away", *said):
        guest.told(text, since)
    return guest.output()[since:]


def holds(text: str, *parts: str) -> None:
    missing = [part for part in parts if not re.search(part, text)]
    check(not missing, f"{missing} is not in:\n{text}")


@suite.test("authority says what a program of Linux can reach, with rights, in words")
def authority() -> None:
    with disk() as (path, _), prompt(path, "authority") as guest:
        guest.command("write /disk/work/wait echo wai''ting; exec sleep 1000")
        started(guest, "--grant /disk/work:rwc:/work --grant /disk/work/sub:r --memory 32M busybox sh /work/wait", "waiting")
        holds(guest.command("authority busybox"), r"/work +/disk/work: read, write, make and remove names",
              r"/disk/work/sub +/disk/work/sub: read\n", r"\n  / +/disk/linux: read", "network +none", "terminal +read, write",
              r"memory +3\d\.\d MiB, of which .* are used; 1 of 32 processes", "devices +none")
        guest.command("kill busybox")
        started(guest, "--grant /disk/work/wait:r:/wait /disk/linux/bin/busybox sh /wait", "waiting")
        holds(guest.command("authority busybox"), r"/wait +/disk/work/wait: read", r"\n  clock +read\s*\n")
        holds(guest.command("authority monitor"), "is no program of Linux that runs")
        holds(guest.command("authority nothing"), "there is no process")


@suite.test("denials says what a program of Linux was refused, and the option that would have given it")
def denials() -> None:
    with disk() as (path, content), prompt(path, "denials") as guest:
        guest.command("cp /disk/work/text /disk/work/asks")
        for line in ASKS.replace("asked", "as''ked").splitlines():
            guest.command(f"write /disk/work/do {line}")
        started(guest, "--grant /disk/work:r:/work busybox sh /work/do", "asked")
        told = guest.command("denials busybox")
        holds(told, r"open /disk/work/text: No such file or directory\n +--grant /disk/work/text:r would give it",
              r"open /disk/nothing: No such file or directory\n +no option would",
              r"open /bin/new: Read-only file system\n +--grant /disk/linux/bin:rwc:/bin would give it",
              r"open /work/text: Read-only file system\n +--grant /disk/work/text:rw:/work/text would give it",
              r"open /work/new: Read-only file system\n +--grant /disk/work:rwc:/work would give it",
              r"change /work/made: Read-only file system\n +--grant /disk/work:rc:/work would give it",
              r"socket : Permission denied\n +--connect, --listen or --resolve")


@suite.test("run --learn ends with the options that the program would have needed, and grants none of them")
def learns() -> None:
    with disk() as (path, _), prompt(path, "learn") as guest:
        def learn(line: str, *options: str, code: int = 1) -> None:
            output, ended = run(guest, f"run --learn {line}")
            told = re.findall(r"^  (--.*)$", output, re.MULTILINE)
            check((told, ended) == (list(options), code), f"{line!r}: {ended}, {told}, and not {options}:\n{output}")
            check(TEXT not in output, f"{line!r} was let through:\n{output}")
        learn("busybox cat /disk/work/text", "--grant /disk/work/text:r")
        learn("busybox ls /disk/work", "--grant /disk/work:r")
        learn("busybox cat /disk/work/text /disk/work/sorted /disk/none", "--grant /disk/work/text:r", "--grant /disk/work/sorted:r")
        learn("busybox cp /bin/busybox /disk/work/new", "--grant /disk/work:wc")
        learn("busybox wget -O - http://10.0.2.2:8000/", "--connect 10.0.2.2:8000")
        learn("busybox wget -O - http://example.org/", "--resolve example.org")
        learn("busybox true", code=0)
        output, code = run(guest, "run --grant /disk/work/text:r busybox cat /disk/work/text")
        check((output, code) == (TEXT, 0), f"what was learned does not do: {output}")


@suite.test("revoke takes a directory away while it is used: open files, new ones, and those of copies")
def revokes_files() -> None:
    with disk() as (path, _), prompt(path, "revoke") as guest:
        for line in KEEPS.replace("not ", "no''t ").replace("root", "ro''ot").splitlines():
            guest.command(f"write /disk/keeps {line}")
        guest.command("write /disk/work/out before")
        started(guest, "--grant /disk/work:rw:/work --grant /disk/keeps:r:/keeps busybox sh /keeps", "one")
        holds(guest.command("revoke busybox /nowhere"), "has no /nowhere")
        holds(revoked(guest, "/work", "root stays"), "not read", "not opened", "not in a copy", "(Input/output|I/O) error")
        holds(guest.command("authority busybox"), "/disk/work: taken away", r"\n  / +/disk/linux: read")
        check("begun" in guest.command("cat /disk/work/out"), "what was written before is not there")


@suite.test("revoke does not say that it took the root of all, which it cannot, and authority says what that is")
def keeps_root_of_all() -> None:
    with disk() as (path, _), prompt(path, "root") as guest:
        guest.command("write /disk/work/wait ls -d /all; echo wai''ting; exec sleep 1000")
        started(guest, "--grant /:r:/all --grant /disk/work/wait:r:/wait busybox sh /wait", "waiting")
        held = r"/all +/: read, and of all that is mounted\n"
        holds(guest.command("authority busybox"), held)
        holds(guest.command("revoke busybox /all"), r"/all stays: .*kill busybox ends the program")
        holds(guest.command("authority busybox"), held)
        guest.command("kill busybox")


@suite.test("revoke takes the network away: a connection breaks, the port is free, and who waits is told")
def revokes_network() -> None:
    port = free_port(socket.SOCK_STREAM)
    with net_prompt("revoke", (f"tcp:{HOST}:{port}-:7",)) as guest:
        serve = "--trace --listen 0.0.0.0:7 --connect 10.0.2.2:80 busybox nc -l -p 7 -e cat"
        started(guest, serve, ": listen(")
        holds(guest.command("authority busybox"), "network +take connections and datagrams at 0.0.0.0 to 255.255.255.255, port 7 of TCP",
              "network +connect and send to 10.0.2.2, port 80 of TCP")
        with connect(port) as client:
            client.sendall(b"before\n")
            check(client.makefile("rb").readline() == b"before\n", "it did not answer")
            revoked(guest, "network", "Network is down", ENDED)
            client.settimeout(PATIENCE_S)
            try:
                check(client.recv(100) == b"", "the connection goes on")
            except ConnectionResetError:
                pass  # which it is to be
        started(guest, serve, ": listen(")  # the port is nobody's
        revoked(guest, "network", "Network is down", ENDED)  # of one that waits in accept()
