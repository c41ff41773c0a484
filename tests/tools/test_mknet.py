# SPDX-License-Identifier: MIT
"""test_mknet.py - what services may do on the network is checked, and compiled as it is written."""

import struct
import subprocess

from testlib import Suite, check
from tests.tools.manifest_tool import compiled_by, refuses

suite = Suite("tools")

SERVICES = '[service.net]\nfile = "net"\nprovides = { requests = { endpoint = "net", exports = 1 } }\n[service.web]\n'
TCP, UDP, OWN = 1, 2, 1
PING, OBSERVE, CAPTURE = 1, 2, 4
MAPPED = 0xFFFF << 32  # in front of an address of IPv4 among those of IPv6, in the lower half
ALL = 2**64 - 1

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
    ('uses = { n = { endpoint = "net", connect = ["[2001:db8::1]/32:80"] } }', "is not ADDRESS:PORT"),
    ('uses = { n = { endpoint = "net", connect = ["[2001:db8::]/129:80"] } }', "is not ADDRESS:PORT"),
    ('uses = { n = { endpoint = "net", connect = ["[10.0.0.1]:80"] } }', "is not ADDRESS:PORT"),
    ('uses = { n = { endpoint = "net", connect = ["2001:db8::1:80"] } }', "is not ADDRESS:PORT"),
    ('uses = { n = { endpoint = "net", connect = [%s] } }' % ", ".join(['"[::1]:1"'] * 17), "more than 16 ranges"),
    ('uses = { n = { endpoint = "net", connect = [%s] } }' % ", ".join(['"*:1"'] * 9), "more than 16 ranges"),
    ('uses = { n = { endpoint = "net", resolve = "org" } }', "another type"),
    ('uses = { n = { endpoint = "net", resolve = ["Example.org"] } }', "is no name of hosts"),
    ('uses = { n = { endpoint = "net", resolve = ["example.org."] } }', "is no name of hosts"),
    ('uses = { n = { endpoint = "net", resolve = ["*.org"] } }', "is no name of hosts"),
    ('uses = { n = { endpoint = "net", resolve = ["%s"] } }' % ("a." * 127 + "a"), "is no name of hosts"),
    ('uses = { n = { endpoint = "net", resolve = [%s] } }' % ", ".join(['"a"'] * 5), "more than 4 names"),
    ('uses = { n = { endpoint = "net", sockets = 1009 } }', "outside 0 to 1008"),
    ('uses = { n = { endpoint = "net", ping = 1 } }', "another type"),
    ('uses = { n = { endpoint = "disk", ping = true } }', "is not that of net"),
    ('uses = { n = { endpoint = "net", ping = true }, m = { endpoint = "net", sockets = 1 } }',
     "it has an entry with such keys already"),
)


def compile_limits(uses: str) -> tuple[subprocess.CompletedProcess, bytes]:
    return compiled_by("mknet.py", SERVICES + uses)


@suite.test("what cannot be allowed on the network is refused with its line")
def refused() -> None:
    refuses("mknet.py", SERVICES, REFUSED, "manifest.toml:4: service web: ")
    refuses("mknet.py", SERVICES.replace("service.web", 'service."web"'), REFUSED[:1], "manifest.toml:4: service web: ")


@suite.test("limits on the network are compiled as they are written")
def compiled() -> None:
    done, out = compile_limits('uses = { n = { endpoint = "net", listen = ["0.0.0.0:80", "loopback:*/udp", "[::]:81"], '
                               'connect = ["10.0.0.0/8:443-444", "self:7", "[2001:db8::]/32:443/tcp", "*:9"], '
                               'resolve = ["example.org", "*"], observe = true, capture = true } }')
    check(done.returncode == 0, done.stderr)
    check(struct.unpack_from("<QIIQ", out) == (0x54494D494C54454E, 3, 1, 0), "header")
    check(len(out) == 24 + 2352 and out[24:48].rstrip(b"\0") == b"web", f"{len(out)} bytes")
    check(struct.unpack_from("<4I", out, 48) == (OBSERVE | CAPTURE, 64, 4, 5), "rights and numbers")
    listen = [struct.unpack_from("<4QHHBBH", out, 64 + 40 * i) for i in range(16)]
    check(listen[0] == (0, MAPPED, 0, MAPPED | 0xFFFFFFFF, 80, 80, TCP, 0, 0), f"{listen[0]}")
    check(listen[1] == (0, MAPPED | 0x7F000000, 0, MAPPED | 0x7FFFFFFF, 1, 65535, UDP, 0, 0), f"{listen[1]}")
    check(listen[2] == (0, 1, 0, 1, 1, 65535, UDP, 0, 0), f"{listen[2]}")
    check(listen[3] == (0, 0, ALL, ALL, 81, 81, TCP, 0, 0), f"{listen[3]}")
    connect = [struct.unpack_from("<4QHHBBH", out, 704 + 40 * i) for i in range(16)]
    check(connect[0] == (0, MAPPED | 0x0A000000, 0, MAPPED | 0x0AFFFFFF, 443, 444, TCP, 0, 0), f"{connect[0]}")
    check(connect[1] == (0, 0, ALL, ALL, 7, 7, TCP, OWN, 0), f"{connect[1]}")
    check(connect[2] == (0x20010DB8 << 32, 0, 0x20010DB8 << 32 | 0xFFFFFFFF, ALL, 443, 443, TCP, 0, 0), f"{connect[2]}")
    check(connect[3] == (0, MAPPED, 0, MAPPED | 0xFFFFFFFF, 9, 9, TCP, 0, 0), f"{connect[3]}")
    check(connect[4] == (0, 0, ALL, ALL, 9, 9, TCP, 0, 0), f"{connect[4]}")
    check(not any(map(any, listen[4:] + connect[5:])), "ranges that nobody wrote")
    check(struct.unpack_from("<2I", out, 1344) == (2, 0), "number of names")
    check([out[1352 + 256 * i:1608 + 256 * i].rstrip(b"\0") for i in range(4)] == [b"example.org", b"*", b"", b""], "names")


@suite.test("a service without keys for the network gets nothing there")
def nothing() -> None:
    done, out = compile_limits('uses = { n = "net" }')
    check(done.returncode == 0 and len(out) == 24, done.stderr)
