# SPDX-License-Identifier: MIT
"""ext4_kills.py - the services below ext4 are killed under a load of files (tests/services/file_load), hundreds of times. Its own
deaths are tests/system/test_ext4.py's."""

import re

from qemu import Guest
from testlib import Suite, check

from tests.system import test_ext4
from tests.system.test_disk_files import disk, partition, switch_off

LOADS_MIN = 5  # under 200 kills
ENDED = r"\[ *(\d+\.\d+)\] I file_load: 60 rounds, (\d+) requests failed, (\d+) parts were different"


def loads_that_ended(guest: Guest, results: dict[str, tuple[str, str]]) -> int:
    """Adds what the log says of those; returns how many there are."""
    for found in re.finditer(ENDED, guest.command("log")):
        results[found[1]] = found.groups()[1:]
    return len(results)


def kill_many(services: tuple[str, ...], kills: int) -> None:
    """So many kills under one load after the other, which repeats nothing; no request may fail, no byte be another."""
    results: dict[str, tuple[str, str]] = {}
    started = 0
    with disk() as path:
        with test_ext4.loaded(path, f"many kills of {services[0]}", 3600) as guest:
            for number in range(kills):
                # The last one may have said its line and not ended yet: then the next round starts another.
                if loads_that_ended(guest, results) == started and "started" in guest.command("run file_load &"):
                    started += 1
                guest.command(f"kill {services[number % len(services)]}")
                guest.command("ls /disk/lost+found")
            for _ in range(test_ext4.LOOKS):
                if loads_that_ended(guest, results) == started:
                    break
            switch_off(guest)
        partition(path)
    check(len(results) == started >= LOADS_MIN, f"{started} loads were started, {len(results)} have ended")
    check(set(results.values()) == {("0", "0")}, f"requests that failed, and parts that were different: {results}")
    print(f"{kills} kills of {', '.join(services)} under {started} loads of 60 rounds: no request failed")


def long_suite() -> Suite:
    campaign = Suite("ext4-kills")
    for services in (("vfs",), ("volumes",), ("devices",), ("virtio_blk.0", "volumes", "vfs")):
        campaign.test(f"200 kills of {', '.join(services)} under a load of files on ext4 fail no request")(
            lambda services=services: kill_many(services, 200))
    return campaign
