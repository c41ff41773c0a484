# SPDX-License-Identifier: MIT
"""user_network.py - QEMU's user network without a fault of it that loses bytes of connections.

When a segment with SYN and the option MSS comes to a connection for a second time, libslirp (4.7.0: tcp_dooptions(),
tcp_mss(), sbreserve()) makes the connection's buffers anew and forgets what the guest has not acknowledged yet: it never
sends it again. A guest does send its SYN, or SYN and ACK, again when the acknowledgement was lost (RFC 9293, 3.10.7.4 and
RFC 6298), which is what a kill of the network driver may do. A peer with TCP as it is specified ignores the option then;
so it is taken out of repetitions on their way to libslirp. Nothing is lost, held back or put in another order."""

import socket
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, PriorityQueue, SimpleQueue
from random import Random
from struct import pack_into, unpack_from
from typing import Callable, Iterator

from testlib import check

ETHERNET_BYTES = 14
PATIENCE_S = 300  # of this machine, for one answer: a busy host makes a test longer
AGAIN_S = 3
IPV4, TCP = 0x0800, 6
FIN, SYN, ACK = 1, 2, 16  # flags of a segment
OPTION_END, OPTION_NOTHING, OPTION_MSS = 0, 1, 2


def internet_sum(data: bytes) -> int:
    """RFC 1071, of an even number of bytes."""
    total = sum(unpack_from(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def arriving(came: SimpleQueue, again: Callable[[], None]) -> Iterator[bytes]:
    """What comes into the queue, without an end. After AGAIN_S without anything `again` sends what is to be answered once more: a
    frame may be lost."""
    tries = 0
    while True:
        try:
            frame = came.get(timeout=AGAIN_S)
        except Empty:
            tries += 1
            check(tries < PATIENCE_S / AGAIN_S, "the guest does not answer")
            again()
        else:
            yield frame


def tcp_sum(packet: bytes, head: int, end: int) -> int:
    """Of an IPv4 packet whose TCP segment is packet[head:end], with the field of the sum counted as it is."""
    return internet_sum(packet[12:20] + bytes((0, TCP)) + (end - head).to_bytes(2, "big") + packet[head:end] +
                        bytes((end - head) % 2))


def without_mss(packet: bytearray, head: int, end: int) -> None:
    """Overwrites the option, in place, by options that say nothing."""
    at, options_end = head + 20, head + (packet[head + 12] >> 4) * 4
    while at < options_end and packet[at] != OPTION_END:
        count = 1 if packet[at] == OPTION_NOTHING else packet[at + 1]
        if packet[at] == OPTION_MSS:
            packet[at:at + count] = bytes((OPTION_NOTHING,)) * count
        at += max(count, 1)
    pack_into(">H", packet, head + 16, 0)
    pack_into(">H", packet, head + 16, tcp_sum(bytes(packet), head, end))


class Repetitions:
    """What the guest has sent with SYN."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()

    def pass_on(self, frame: bytes) -> bytes:
        if len(frame) < ETHERNET_BYTES + 40 or unpack_from(">H", frame, 12)[0] != IPV4 or frame[23] != TCP:
            return frame
        packet = bytearray(frame[ETHERNET_BYTES:])
        head, end = (packet[0] & 15) * 4, unpack_from(">H", packet, 2)[0]
        if not packet[head + 13] & SYN:
            return frame
        what = bytes(packet[12:20] + packet[head:head + 14])  # addresses, ports, numbers and flags
        if what in self.seen:
            without_mss(packet, head, end)
        self.seen.add(what)
        return frame[:ETHERNET_BYTES] + bytes(packet)


def _read(stream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = stream.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def _take(listener: socket.socket, frames: SimpleQueue, pass_on) -> None:
    """Frames as QEMU's filter-redirector writes them: their length in 4 bytes, then they themselves. They are taken
    whatever becomes of those before, since QEMU waits for that."""
    stream, _ = listener.accept()
    with stream:
        try:
            while True:
                made = pass_on(_read(stream, int.from_bytes(_read(stream, 4), "big")))
                for frame in made if isinstance(made, list) else [made]:
                    if frame is not None:
                        frames.put(frame)
        except (EOFError, OSError):
            frames.put(None)  # QEMU has ended


def _give(listener: socket.socket, frames: SimpleQueue) -> None:
    stream, _ = listener.accept()
    with stream:
        try:
            while (frame := frames.get()) is not None:
                stream.sendall(len(frame).to_bytes(4, "big") + frame)
        except OSError:
            pass  # QEMU has ended


class Delay:
    """In place of a SimpleQueue of one that puts and one that gets: what is put comes between `least_s` and its double later,
    each by a time of its own, and so not in the order in which it was put. The end (None) comes at once."""

    def __init__(self, seed: int, least_s: float) -> None:
        self.random, self.least_s, self.number = Random(seed), least_s, 0
        self.waiting: PriorityQueue = PriorityQueue()

    def put(self, frame: bytes | None) -> None:
        due = time.monotonic() + self.least_s * (1 + self.random.random()) if frame is not None else 0
        self.number += 1
        self.waiting.put((due, self.number, frame))

    def get(self) -> bytes | None:
        """One that is put meanwhile is due no earlier than `least_s` from now; it is looked at again by then."""
        while True:
            due, number, frame = self.waiting.get()
            early_s = due - time.monotonic()
            if early_s <= 0:
                return frame
            self.waiting.put((due, number, frame))
            time.sleep(min(early_s, self.least_s))


@contextmanager
def between(pass_on, sent: SimpleQueue | None = None, netdev: str = "net", back=None, delays: tuple[Delay, Delay] | None = None):
    """Yields QEMU's arguments, behind those of hardware.network_card(), for a network that gets what pass_on() makes of
    each of the guest's frames (None: nothing; or a list), and the guest what back() makes of each of the network's, and
    those of `sent` beside them. `delays`: of the guest's, and of those to it."""
    frames: SimpleQueue | Delay = delays[0] if delays else SimpleQueue()
    works = [("out", _take, (frames, pass_on)), ("in", _give, (frames,))]
    objects = [f"filter-redirector,id=between,netdev={netdev},queue=rx,outdev=wire-out,indev=wire-in"]
    if sent is not None:
        works.append(("sent", _give, (sent,)))
        objects.append(f"filter-redirector,id=sent,netdev={netdev},queue=tx,indev=wire-sent")
    if back is not None:
        returned: SimpleQueue | Delay = delays[1] if delays else SimpleQueue()
        works += [("back-out", _take, (returned, back)), ("back-in", _give, (returned,))]
        objects.append(f"filter-redirector,id=back,netdev={netdev},queue=tx,outdev=wire-back-out,indev=wire-back-in")
    extra: list[str] = []
    with tempfile.TemporaryDirectory(prefix="mnos-wire-") as folder:
        listeners = []
        for name, work, arguments in works:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(Path(folder) / name))
            listener.listen(1)
            listeners.append(listener)
            threading.Thread(target=work, args=(listener, *arguments), daemon=True).start()
            extra += ["-chardev", f"socket,id=wire-{name},path={folder}/{name}"]
        for text in objects:
            extra += ["-object", text]
        try:
            yield tuple(extra)
        finally:
            for listener in listeners:
                listener.close()


def mended():
    """The network without the fault: as between()."""
    return between(Repetitions().pass_on)


def segments(dump: Path, port: int) -> list[tuple[bool, int]]:
    """The segments of TCP in a file of QEMU's filter-dump that came from a port or went to it: whether it came from
    there, and its flags."""
    data, at, found = dump.read_bytes(), 24, []
    while at + 16 <= len(data):
        frame = data[at + 16:at + 16 + unpack_from("<I", data, at + 8)[0]]
        at += 16 + unpack_from("<I", data, at + 8)[0]
        if at > len(data) or unpack_from(">H", frame, 12)[0] != IPV4 or frame[23] != TCP:
            continue
        head = ETHERNET_BYTES + (frame[ETHERNET_BYTES] & 15) * 4
        source, target = unpack_from(">HH", frame, head)
        if port in (source, target):
            found.append((source == port, frame[head + 13]))
    return found
