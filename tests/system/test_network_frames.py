# SPDX-License-Identifier: MIT
"""test_network_frames.py - what the system sends, frame by frame, as Wireshark's tshark sees it; and frames that scapy makes as
no peer should: options of any length and kind, packets that are cut at each length, fragments that overlap, of IPv4 and
IPv6."""

import re
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from random import Random
from struct import pack, unpack_from

from testlib import HANG_S, Suite, check

from tests.system import test_httpd
from tests.system.test_network import until
from tests.system.test_network_floods import GUEST_MAC, OWN_MAC, Peer
from tests.system.user_network import between

suite = Suite("network frames")

MAC, ADDRESS = "52:54:00:12:34:56", "10.0.2.15"
CHECKS = [word for layer in ("ip", "tcp", "udp") for word in ("-o", f"{layer}.check_checksum:TRUE")]
WRONG = " || ".join(("_ws.malformed", "_ws.expert.severity == error", 'ip.checksum.status == "Bad"', 'tcp.checksum.status == "Bad"',
                     'udp.checksum.status == "Bad"', 'icmp.checksum.status == "Bad"', 'icmpv6.checksum.status == "Bad"'))
PCAP_HEAD, RECORD_HEAD = 24, 16
SEED, OPTIONS = 20251128, 400


def tshark(capture: Path, condition: str) -> list[str]:
    """The frames from the system of which that is true."""
    done = subprocess.run(["tshark", "-n", "-r", capture, *CHECKS, "-Y", f"eth.src == {MAC} && ({condition})"],
                          capture_output=True, text=True, timeout=HANG_S, check=True)
    return done.stdout.splitlines()


def spoiled(capture: Path) -> Path:
    """The same with one byte of the checksum changed of the first TCP segment that the system has sent."""
    data, at = bytearray(capture.read_bytes()), PCAP_HEAD
    while at < len(data):
        size, frame = unpack_from("<I", data, at + 8)[0], at + RECORD_HEAD
        if data[frame + 6:frame + 12] == GUEST_MAC and data[frame + 12:frame + 14] == b"\x08\0" and data[frame + 23] == 6:
            data[frame + 14 + 20 + 16] ^= 0x55
            break
        at = frame + size
    changed = capture.with_suffix(".spoiled")
    changed.write_bytes(data)
    return changed


@contextmanager
def captured(name: str, least: int, extra: tuple[str, ...] = ()):
    """The system, which sends at least so many frames, and of them nothing may be wrong when it has ended; yields the guest and a
    port to its web server."""
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "frames.pcap"
        dump = ("-object", f"filter-dump,id=dump,netdev=net,file={capture},maxlen=65536")
        with test_httpd.prompt(name, extra=extra + dump) as (guest, port):
            yield guest, port
        wrong = tshark(capture, WRONG)
        check(not wrong, f"{len(wrong)} frames are wrong, the first: {wrong[:3]}")
        count = len(tshark(capture, "eth"))
        check(count >= least, f"it has sent {count} frames")
        check(tshark(spoiled(capture), WRONG), "tshark would not see that a checksum is wrong")


@suite.test("no frame of a session is malformed or has a wrong checksum, as tshark sees it")
def session() -> None:
    with captured("session", 100) as (guest, port):
        until(guest, "ping 10.0.2.2", r"56 bytes from 10\.0\.2\.2")
        for target, status in (("/", 200), ("/net", 200), ("/nothing", 404)):
            check(test_httpd.get(port, target)[0] == status, target)
        guest.command("fetch http://10.0.2.2:9/nothing /tmp/nothing", 60)  # nobody listens there
        guest.command("kill net")
        check(test_httpd.get(port, "/net")[0] == 200, "after a death of net")


# ---- Frames that scapy makes ----


def words(number: Random, most: int) -> bytes:
    """Options as bytes: kinds that there are and others, lengths that fit and others."""
    text = b""
    while len(text) < most and number.random() < 0.9:
        kind = number.choice((0, 1, 2, 3, 4, 5, 7, 8, 68, 131, 137, 148, number.randrange(256)))
        length = number.choice((0, 1, 2, 3, 4, 10, 18, 34, number.randrange(256)))
        text += bytes((kind, length)) + number.randbytes(number.randrange(9))
    text = text[:most]
    return text + bytes(-len(text) % 4)


def with_options(scapy, number: Random) -> Iterable[bytes]:
    """SYNs, segments of nobody's connections, pings and datagrams with options of IPv4 and of TCP."""
    for _ in range(OPTIONS):
        ip, tcp = words(number, 40), words(number, 40)
        segment = scapy.TCP(sport=number.randrange(1024, 65536), dport=80, seq=1, flags=number.choice(("S", "A", "SA", "FPU", "")))
        segment.dataofs = 5 + len(tcp) // 4
        raw = bytes(segment)[:12] + bytes((segment.dataofs << 4,)) + bytes(segment)[13:20] + tcp
        head = scapy.IP(src="10.0.2.77", dst=ADDRESS, proto=6, ihl=5 + len(ip) // 4, len=20 + len(ip) + len(raw))
        head = bytes(head)[:20] + ip
        total = scapy.checksum(head[:10] + b"\0\0" + head[12:])
        head = head[:10] + pack(">H", total) + head[12:]
        summed = scapy.in4_chksum(6, scapy.IP(src="10.0.2.77", dst=ADDRESS), raw[:16] + b"\0\0" + raw[18:])
        yield head + raw[:16] + pack(">H", summed) + raw[18:]


def cut(packet: bytes) -> Iterable[bytes]:
    """A packet at each length, its own length field as it was."""
    return (packet[:length] for length in range(len(packet)))


def of_ipv4(scapy) -> Iterable[bytes]:
    ip = scapy.IP(src="10.0.2.77", dst=ADDRESS)
    yield from cut(bytes(ip / scapy.TCP(sport=4000, dport=80, flags="S", options=[("MSS", 1460), ("WScale", 7), ("SAckOK", b""),
                                                                                  ("Timestamp", (1, 0))])))
    yield from cut(bytes(ip / scapy.UDP(sport=4000, dport=68) / bytes(40)))
    yield from cut(bytes(ip / scapy.ICMP() / bytes(40)))
    for whole in scapy.fragment(ip / scapy.ICMP() / bytes(2000), fragsize=600):  # overlapping, and one that ends before it begins
        yield bytes(whole)
        whole = whole.copy()
        whole.frag = max(whole.frag - 20, 0)
        del whole.chksum
        yield bytes(whole)


def of_ipv6(scapy, guest: str) -> Iterable[bytes]:
    ip = scapy.IPv6(src="fe80::fe:77", dst=guest)
    ping = scapy.ICMPv6EchoRequest(id=77, data=bytes(40))
    yield from cut(bytes(ip / ping))
    yield from cut(bytes(ip / scapy.IPv6ExtHdrHopByHop(options=[scapy.PadN(optdata=bytes(4))]) / ping))
    yield from cut(bytes(ip / scapy.IPv6ExtHdrRouting(addresses=["fe80::1"]) / ping))
    yield from cut(bytes(ip / scapy.IPv6ExtHdrDestOpt(options=[scapy.HBHOptUnknown(otype=0x80, optdata=bytes(6))]) / ping))
    yield from cut(bytes(ip / scapy.ICMPv6ND_NS(tgt=guest) / scapy.ICMPv6NDOptSrcLLAddr(lladdr="02:00:00:00:00:fe")))
    yield from cut(bytes(ip / scapy.ICMPv6ND_RA() / scapy.ICMPv6NDOptPrefixInfo(prefix="fec0:77::", prefixlen=64)))
    big = ip / scapy.IPv6ExtHdrFragment(id=5) / scapy.ICMPv6EchoRequest(id=77, data=bytes(3000))
    for whole in scapy.fragment6(big, 700):
        yield bytes(whole)
        whole = whole.copy()
        whole[scapy.IPv6ExtHdrFragment].offset = max(whole[scapy.IPv6ExtHdrFragment].offset - 20, 0)
        yield bytes(whole)


def link_local() -> str:
    """Of the card's address: RFC 4291, appendix A."""
    half = bytes((GUEST_MAC[0] ^ 2, *GUEST_MAC[1:3], 0xFF, 0xFE, *GUEST_MAC[3:]))
    return "fe80::" + ":".join(f"{unpack_from('>H', half, at)[0]:x}" for at in range(0, 8, 2))


@suite.test("options of any length, packets cut at each, and fragments that overlap, of IPv4 and IPv6, harm nobody")
def hostile() -> None:
    from scapy import all as scapy_all  # takes seconds
    from scapy.utils import checksum
    scapy_all.checksum = checksum
    peer, number = Peer(), Random(SEED)
    with between(peer.pass_on, peer.sent) as extra, captured("hostile", 200, extra) as (guest, port):
        peer.introduce()
        peer.ping(0)
        for part, (kind, packets) in enumerate(((0x0800, with_options(scapy_all, number)), (0x0800, of_ipv4(scapy_all)),
                                                (0x86DD, of_ipv6(scapy_all, link_local()))), 1):
            count = 0
            for count, packet in enumerate(packets, 1):
                peer.send_raw(GUEST_MAC + OWN_MAC + pack(">H", kind) + packet)
                if count % 50 == 0:
                    peer.ping(1000 * part + count)  # they have been looked at
            check(count > 50, f"{count} packets of part {part}")
            peer.ping(100 + part)
            check(test_httpd.get(port, "/")[0] == 200, f"after part {part} another client is not served")
        text = guest.command("services")
        for name in ("net", "virtio_net.0", "httpd"):
            check(re.search(rf"\n{re.escape(name)} +\S+ +running +\S+ +0 +-", text), f"{name} has died:\n{text}")
