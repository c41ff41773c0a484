# SPDX-License-Identifier: MIT
"""test_network_impaired.py - bytes both ways over a network that loses frames, delays them, brings them twice and changes
their order."""

import time
from random import Random

from testlib import Suite, check

from tests.system.test_network import KIB, echo, prompt, same
from tests.system.user_network import ETHERNET_BYTES, IPV4, TCP, Delay, Repetitions, between

suite = Suite("network impaired")

MIB = 1024 * KIB
# Frames of one direction that are lost one behind the other at most: an end that never gives up would be none of TCP (RFC 9293,
# 3.8.3), and whether both ends hear each other in time is then no matter of luck.
RUN_MAX = 3


class Impaired:
    """One direction. What is not TCP passes: the guest has its address before. `loss`, `twice` and `late` are parts of
    frames; a late one comes behind the next that passes."""

    def __init__(self, seed: int, loss: float, twice: float = 0.01, late: float = 0.02, mend=lambda frame: frame) -> None:
        self.random, self.loss, self.twice, self.late, self.mend = Random(seed), loss, twice, late, mend
        self.held: list[bytes] = []
        self.lost = self.doubled = self.moved = self.run = 0

    def pass_on(self, frame: bytes) -> list[bytes]:
        frame = self.mend(frame)
        if len(frame) < ETHERNET_BYTES + 20 or frame[12:14] != IPV4.to_bytes(2, "big") or frame[23] != TCP:
            return [frame]
        chance = self.random.random()
        if chance < self.loss and self.run < RUN_MAX:
            self.lost += 1
            self.run += 1
            return []
        self.run = 0
        if self.loss <= chance < self.loss + self.late and not self.held:
            self.moved += 1
            self.held.append(frame)
            return []
        double = chance > 1 - self.twice
        self.doubled += double
        passed = [frame] * (2 if double else 1) + self.held
        self.held = []
        return passed


def both_ways(name: str, count: int, loss: float, delay_s: float = 0) -> None:
    """`delay_s`: each frame comes by something between that and its double later, and so one may overtake another."""
    out, back = Impaired(1, loss, mend=Repetitions().pass_on), Impaired(2, loss)
    delays = (Delay(4, delay_s), Delay(5, delay_s)) if delay_s else None
    with between(out.pass_on, back=back.pass_on, delays=delays) as extra, prompt(name, extra=extra) as (_, port, _udp):
        data = Random(3).randbytes(count)
        began = time.monotonic()
        same(echo(port, data), data)
        print(f"{count} bytes each way in {time.monotonic() - began:.1f} s; of the guest's frames and of those to it " +
              " and ".join(f"{way.lost} lost, {way.moved} late, {way.doubled} twice" for way in (out, back)))
        for way in (out, back):
            check((way.lost > 0) == (loss > 0), f"{way.lost} frames of one direction were lost")


@suite.test("bytes come whole and in order where frames are delayed, overtake each other, and come twice")
def delayed() -> None:
    both_ways("impaired delay", 256 * KIB, 0, 0.005)


@suite.test("bytes come whole and in order where one frame of a hundred is lost, and others come twice or late")
def one_of_a_hundred() -> None:
    both_ways("impaired 1 %", 1024 * KIB, 0.01)


@suite.test("and where 5 of a hundred are lost")
def five_of_a_hundred() -> None:
    both_ways("impaired 5 %", 64 * KIB, 0.05)


# Bytes, the part of frames that is lost, and the delay.
LONG = (
    (64 * MIB, 0, 0),
    (64 * MIB, 0, 0.002),
    (64 * MIB, 0.01, 0),
    (4 * MIB, 0.05, 0),
    (256 * KIB, 0.15, 0),
    (32 * KIB, 0.30, 0),
    (32 * KIB, 0.30, 0.05),
)


def long_suite() -> Suite:
    """The campaign of make test-long."""
    campaign = Suite("network-impaired")

    for count, loss, delay_s in LONG:
        size = f"{count // MIB} MiB" if count >= MIB else f"{count // KIB} KiB"
        name = f"{size} come whole and in order where {loss:.1%} of all frames are lost, and delayed by {delay_s * 1000:.0f} ms"

        @campaign.test(name)
        def one(name=f"impaired {size} {loss} {delay_s}", count=count, loss=loss, delay_s=delay_s) -> None:
            both_ways(name, count, loss, delay_s)

    return campaign
