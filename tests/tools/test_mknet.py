# SPDX-License-Identifier: MIT
"""test_mknet.py - what services may do on the network is checked, and compiled as it is written."""

import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from qemu import ROOT
from testlib import HANG_S, Suite, check

suite = Suite("tools")

SERVICES = '[service.net]\nfile = "net"\nprovides = { requests = { endpoint = "net", exports = 1 } }\n[service.web]\n'
TCP, UDP, OWN = 1, 2, 1
PING, OBSERVE = 1, 2

REFUSED = (
    ('uses = { n = { endpoint = "net", listen = "80" } }', "another type"),
    ('uses = { n = { endpoint = "net", listen = ["80"] } }', "is not ADDRESS:PORT"),
    ('uses = { n = { endpoint = "net", listen = ["0.0.0.0:0"] } }', "is not ADDRESS:PORT"),
    ('uses = { n = { endpoint = "net", listen = ["0.0.0.0:65536"] } }', "is not ADDRESS:PORT"),
    ('uses = { n = { endpoint = "net", listen = ["0.0.0.0:9-8"] } }', "is not ADDRESS:PORT"),
    ('uses = { n = { endpoint = "net", connect = ["10.0.0.1/8:80"] } }', "is not ADDRESS:PORT"),
    ('uses = { n = { endpoint = "net", connect = ["10.0.0.0/33:80"] } }', "is not ADDRESS:PORT"),
    ('uses = { n = { endpoint = "net", connect = ["*:80/sctp"] } }', "is not ADDRESS:PORT"),
    ('uses = { n = { endpoint = "net", connect = ["localhost:80"] } }', "is not ADDRESS:PORT"),
    ('uses = { n = { endpoint = "net", connect = [%s] } }' % ", ".join(['"*:1"'] * 9), "more than 8 ranges"),
    ('uses = { n = { endpoint = "net", resolve = "org" } }', "another type"),
    ('uses = { n = { endpoint = "net", resolve = ["Example.org"] } }', "is no name of hosts"),
    ('uses = { n = { endpoint = "net", resolve = ["example.org."] } }', "is no name of hosts"),
    ('uses = { n = { endpoint = "net", resolve = ["*.org"] } }', "is no name of hosts"),
    ('uses = { n = { endpoint = "net", resolve = ["%s"] } }' % ("a." * 127 + "a"), "is no name of hosts"),
    ('uses = { n = { endpoint = "net", resolve = [%s] } }' % ", ".join(['"a"'] * 5), "more than 4 names"),
    ('uses = { n = { endpoint = "net", sockets = 65 } }', "outside 0 to 64"),
    ('uses = { n = { endpoint = "net", ping = 1 } }', "another type"),
    ('uses = { n = { endpoint = "disk", ping = true } }', "is not that of net"),
)


def compile_limits(uses: str) -> tuple[subprocess.CompletedProcess, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "manifest.toml", Path(folder) / "net_limits"
        source.write_text(SERVICES + uses + "\n")
        done = subprocess.run([sys.executable, "mknet.py", str(source), str(out)], cwd=ROOT / "tools",
                              capture_output=True, text=True, timeout=HANG_S)
        return done, out.read_bytes() if out.exists() else b""


@suite.test("what cannot be allowed on the network is refused with its line")
def refused() -> None:
    for uses, words in REFUSED:
        done, out = compile_limits(uses)
        check(done.returncode != 0 and not out, f"{uses}: it was accepted")
        check(words in done.stderr and "manifest.toml:4: service web: " in done.stderr, f"{uses}: {done.stderr}")


@suite.test("limits on the network are compiled as they are written")
def compiled() -> None:
    done, out = compile_limits('uses = { n = { endpoint = "net", listen = ["0.0.0.0:80", "loopback:*/udp"], '
                               'connect = ["10.0.0.0/8:443-444", "self:7"], resolve = ["example.org", "*"], observe = true } }')
    check(done.returncode == 0, done.stderr)
    check(len(out) == 24 + 1328 and out[24:48].rstrip(b"\0") == b"web", f"{len(out)} bytes")
    check(struct.unpack_from("<4I", out, 48) == (OBSERVE, 64, 2, 2), "rights and numbers")
    ranges = [struct.unpack_from("<IIHHBBH", out, 64 + 16 * i) for i in range(16)]
    check(ranges[0] == (0, 0xFFFFFFFF, 80, 80, TCP, 0, 0), f"{ranges[0]}")
    check(ranges[1] == (0x7F000000, 0x7FFFFFFF, 1, 65535, UDP, 0, 0), f"{ranges[1]}")
    check(ranges[8] == (0x0A000000, 0x0AFFFFFF, 443, 444, TCP, 0, 0), f"{ranges[8]}")
    check(struct.unpack_from("<2I", out, 320) == (2, 0), "number of names")
    check([out[328 + 256 * i:584 + 256 * i].rstrip(b"\0") for i in range(4)] == [b"example.org", b"*", b"", b""], "names")
    check(ranges[9] == (0, 0xFFFFFFFF, 7, 7, TCP, OWN, 0), f"{ranges[9]}")


@suite.test("a service without keys for the network gets nothing there")
def nothing() -> None:
    done, out = compile_limits('uses = { n = "net" }')
    check(done.returncode == 0 and len(out) == 24, done.stderr)
