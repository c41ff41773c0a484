# SPDX-License-Identifier: MIT
"""test_network_impaired.py - bytes both ways over a network that loses frames, brings them twice and changes their order."""

import time
from random import Random

from testlib import Suite, check

from tests.system.test_network import KIB, echo, prompt, same
from tests.system.user_network import ETHERNET_BYTES, IPV4, TCP, Repetitions, between

suite = Suite("network impaired")


class Impaired:
    """One direction. What is not TCP passes: the guest has its address before. `loss`, `twice` and `late` are parts of
    frames; a late one comes behind the next that passes."""

    def __init__(self, seed: int, loss: float, twice: float = 0.01, late: float = 0.02, mend=lambda frame: frame) -> None:
        self.random, self.loss, self.twice, self.late, self.mend = Random(seed), loss, twice, late, mend
        self.held: list[bytes] = []
        self.lost = 0

    def pass_on(self, frame: bytes) -> list[bytes]:
        frame = self.mend(frame)
        if len(frame) < ETHERNET_BYTES + 20 or frame[12:14] != IPV4.to_bytes(2, "big") or frame[23] != TCP:
            return [frame]
        chance = self.random.random()
        if chance < self.loss:
            self.lost += 1
            return []
        if chance < self.loss + self.late and not self.held:
            self.held.append(frame)
            return []
        passed = [frame] * (2 if chance > 1 - self.twice else 1) + self.held
        self.held = []
        return passed


def both_ways(name: str, count: int, loss: float) -> None:
    out, back = Impaired(1, loss, mend=Repetitions().pass_on), Impaired(2, loss)
    with between(out.pass_on, back=back.pass_on) as extra, prompt(name, extra=extra) as (_, port, _udp):
        data = Random(3).randbytes(count)
        began = time.monotonic()
        same(echo(port, data), data)
        print(f"{count} bytes each way, {out.lost} and {back.lost} frames lost, {time.monotonic() - began:.1f} s")
        check(out.lost + back.lost > 0, "nothing was lost")


@suite.test("bytes come whole and in order where one frame of a hundred is lost, and others come twice or late")
def one_of_a_hundred() -> None:
    both_ways("impaired 1 %", 1024 * KIB, 0.01)


@suite.test("and where 5 of a hundred are lost")
def five_of_a_hundred() -> None:
    both_ways("impaired 5 %", 64 * KIB, 0.05)


def long_suite() -> Suite:
    """The campaign of make test-long."""
    campaign = Suite("network-impaired")

    @campaign.test("64 MiB come whole and in order where one frame of a hundred is lost")
    def much() -> None:
        both_ways("impaired 64 MiB", 64 * 1024 * KIB, 0.01)

    @campaign.test("4 MiB come whole and in order where 5 of a hundred are lost")
    def five() -> None:
        both_ways("impaired 4 MiB", 4 * 1024 * KIB, 0.05)

    @campaign.test("32 KiB come whole and in order where 15 of a hundred are lost")
    def many() -> None:
        both_ways("impaired 15 %", 32 * KIB, 0.15)

    return campaign
