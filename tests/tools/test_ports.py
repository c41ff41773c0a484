# SPDX-License-Identifier: MIT
"""test_ports.py - a port for a guest is nobody else's, in this run of the tests or in another at the same time."""

import socket
import subprocess
import sys
from pathlib import Path

import ports
from qemu import ROOT
from testlib import Suite, check

suite = Suite("tools")

COUNT = 20
RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
# Another run: says which ports it has, and keeps them until it is told to end.
OTHER = f"import ports, sys\nprint(*(ports.free_port() for _ in range({COUNT})), flush=True)\nsys.stdin.read()"


@suite.test("two runs of the tests are never given the same port of this machine, nor one that the kernel gives by itself")
def distinct() -> None:
    with subprocess.Popen([sys.executable, "-c", OTHER], cwd=ROOT / "tools", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as other:
        theirs = list(map(int, other.stdout.readline().split()))
        ours = [ports.free_port(kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM) for _ in range(COUNT)]
        other.stdin.close()
    check(len(theirs) == COUNT and len({*theirs, *ours}) == 3 * COUNT, f"given twice: {theirs} and {ours}")
    if int(RANGE.read_text().split()[0]) <= ports.LAST:
        return  # whoever has set it so leaves no room below
    with socket.create_server((ports.HOST, 0)) as server:
        check(max(theirs + ours) < server.getsockname()[1], "one is among those that the kernel gives")


@suite.test("a port that a program has is not free")
def taken() -> None:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as program:
            program.bind((ports.HOST, ports.free_port(kind)))
            check(not ports._is_free(program.getsockname()[1], kind), "it would be given away")
