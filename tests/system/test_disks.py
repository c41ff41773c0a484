# SPDX-License-Identifier: MIT
"""test_disks.py - disks made by other people's tools: what is found on them, bytes compared with the image,
errors of the medium, and drivers that are killed under load (tests/services/disk_load)."""

import re
import subprocess
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from random import Random

from qemu import PROMPT, Guest, Machine
from testlib import HANG_S, Suite, check

from tests.guest.run import COUNTING
from tests.system.with_services import initrd as initrd_with

suite = Suite("disks")

MIB = 1 << 20
# Instructions for a KiB, in requests of 128 KiB: docs/disks.md. It is 38, and how many requests come at once varies.
COST_MAX = 60
KILLS = 10
LOADS_MAX = 5

LOAD = """
[service.{name}]
file = "disk_load"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 320
bytes = 32768
arguments = "{name}"
uses = {{ {uses} }}
log = "write"
"""
DISK = 'disk = { endpoint = "DRIVER", events = [0] }'
CLIENTS = {name: DISK for name in ("sum", "load", "write", "speed", "own")} | {"volume": 'volumes = "volumes"'}
BUFFERS = """
[region.buffers]
kind = "dma"
frames = { floor = 132 }
users = { %s }
""" % ", ".join(f'{name} = "read, write, delegate"' for name in CLIENTS)


def initrd(folder: Path, driver: str) -> Path:
    """The system with the clients of the test, at the disk of this driver."""
    clients = "".join(LOAD.format(name=name, uses=uses.replace("DRIVER", driver)) for name, uses in CLIENTS.items())
    return initrd_with(folder, ["disk_load"],
                       lambda text: text.replace("assigner=vfs", "assigner=volume") + BUFFERS + clients)


def drive(name: str, path: Path, options: str = "", device: str = "") -> tuple[str, ...]:
    return ("-drive", f"if=none,id={name},format=raw,file={path}{options}",
            "-device", f"virtio-blk-pci,drive={name}{device}")


@contextmanager
def prompt(name: str, folder: Path, *extra: str, driver: str = "virtio_blk.0", cpus: int = 2, limit_s: float = 240):
    machine = Machine("direct", initrd=initrd(folder, driver), cpus=cpus, memory_mib=256, extra=extra)
    with Guest(machine, f"disks {name}", limit_s) as guest:
        guest.expect(PROMPT)
        yield guest


@contextmanager
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def tool(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, timeout=HANG_S, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def until(guest: Guest, command: str, pattern: str) -> re.Match:
    """Drivers do what they do beside the prompt, so it is asked until the answer is there."""
    for _ in guest.looks():
        text = guest.command(command)
        found = re.search(pattern, text)
        if found:
            return found
    check(False, f"{command} never says {pattern}:\n{text}")


def random_disk(path: Path, bytes_: int) -> bytes:
    content = Random(path.name).randbytes(bytes_)
    path.write_bytes(content)
    return content


SUM = r"crc ([0-9a-f]{8}), (\d+) requests, (\d+) failed, (\d+) wrong, (\d+) attaches, (\d+) interrupted"


def figures(found: re.Match, first: int = 1) -> tuple[int, ...]:
    """The numbers of SUM, whose sum is group `first`."""
    return tuple(int(found[first + i], 10 if i else 16) for i in range(6))


@suite.test("partitions, sizes and contents are those that sgdisk, mke2fs and mkfs.fat made")
def found_on_disks() -> None:
    with folder() as at:
        gpt, fat, iso = at / "gpt.img", at / "fat.img", at / "damaged.img"
        for path, mib in ((gpt, 64), (fat, 16), (iso, 64)):
            with path.open("wb") as file:
                file.truncate(mib * MIB)
        for path in (gpt, iso):
            tool("/usr/sbin/sgdisk", "-n", "1:2048:+24M", "-c", "1:first part", "-n", "2:0:+8M", "-t", "2:ef00",
                 "-c", "2:Gr\u00f6\u00dfe", path)
        tool("/usr/sbin/mke2fs", "-t", "ext4", "-E", f"offset={MIB}", gpt, "24M")
        tool("/usr/sbin/mkfs.fat", "-F", "16", fat)
        with iso.open("r+b") as file:  # the first copy of its table
            file.seek(512)
            file.write(bytes(512))
        with prompt("found", at, *drive("a", gpt, device=",serial=first"), *drive("b", fat, ",readonly=on"),
                    *drive("c", iso)) as guest:
            until(guest, "disks", r"\n3 disks\n")
            text = guest.command("disks")
            for pattern in (r"virtio_blk\.0 +1 +24 MiB +ext4 +first part",
                            r"virtio_blk\.0 +2 +8\.0 MiB +- +boot Gr\u00f6\u00dfe",
                            r"virtio_blk\.1 +whole +16 MiB +fat16 +read-only virtio disk",
                            r"virtio_blk\.2 +1 +24 MiB +- +backup-table first part"):
                check(re.search(pattern, text), f"no {pattern}:\n{text}")
            guest.command("run ramdisk")
            until(guest, "disks", r"ramdisk +whole +4\.0 MiB +- +memory")
            guest.command("kill volumes")
            until(guest, "disks", r"\n4 disks\n")


@suite.test("every byte of a disk is that of the image")
def bytes_of_image() -> None:
    with folder() as at:
        content = random_disk(at / "random.img", 16 * MIB)
        with prompt("bytes", at, *drive("a", at / "random.img", ",readonly=on")) as guest:
            until(guest, "devices", r"claimed +virtio_blk\.0 +1/")
            guest.command("run sum")
            crc, requests, failed, _, _, _ = figures(until(guest, "log", SUM))
            check(crc == zlib.crc32(content), f"the sum is {crc:08x}, that of the image {zlib.crc32(content):08x}")
            check((requests, failed) == (4096, 0), f"{requests} requests, {failed} failed")
            guest.command("run write")
            until(guest, "log", r"write: status 68\b")
            # Memory that ends with its client is not what a device may reach.
            guest.command("run own")
            until(guest, "log", r"own memory: status 68\b")


@suite.test("an error of the medium is the request's alone")
def errors_of_medium() -> None:
    with folder() as at:
        content = bytearray(random_disk(at / "random.img", 16 * MIB))
        content[4096 * 10:4096 * 11] = bytes(4096)  # what the client has in place of a page that it did not get
        rules = ("-drive", "if=none,id=a,driver=raw,file.driver=blkdebug,"
                 f"file.image.filename={at / 'random.img'},file.inject-error.0.event=read_aio,"
                 "file.inject-error.0.errno=5,file.inject-error.0.sector=85,rerror=report,werror=report",
                 "-device", "virtio-blk-pci,drive=a,request-merging=off")
        with prompt("errors", at, *rules) as guest:
            until(guest, "devices", r"claimed +virtio_blk\.0 +1/")
            guest.command("run sum")
            crc, requests, failed, _, _, _ = figures(until(guest, "log", SUM))
            check((requests, failed) == (4096, 1), f"{requests} requests, {failed} failed")
            check(crc == zlib.crc32(content), "what could be read is not what is in the image")


def instructions(guest: Guest, process: str) -> int:
    """What a process has taken so far, where a nanosecond is an instruction."""
    found = re.search(rf"\n *\d+ {re.escape(process)} +\w+ +max \d+ +(\d+)\.(\d{{6}}|\d{{3}}) ", guest.command("ps"))
    check(found, f"ps does not show {process}")
    return int(found[1]) * 1_000_000 + int(found[2].ljust(6, "0"))


@suite.test("reading from a disk takes few instructions of driver and client")
def cost_of_reading() -> None:
    with folder() as at:
        random_disk(at / "speed.img", 32 * MIB)
        with prompt("cost", at, *drive("a", at / "speed.img", ",readonly=on"), *COUNTING, cpus=1) as guest:
            until(guest, "devices", r"claimed +virtio_blk\.0 +1/")
            until(guest, "disks", r"\n1 disks\n")
            before = instructions(guest, "virtio_blk.0")
            guest.command("run speed &")
            until(guest, "log", r"read 32768 KiB, 256 requests, 0 failed")
            cost = (instructions(guest, "virtio_blk.0") - before + instructions(guest, "speed")) / (32 * 1024)
            check(cost <= COST_MAX, f"{cost:.1f} instructions for a KiB, more than {COST_MAX}")


@suite.test("a driver that is killed again and again under load is a pause, and no byte is lost")
def killed_under_load() -> None:
    under_load("load", "", "sectors of 512 bytes\n")


@suite.test("with a packed ring a driver that is killed again and again is a pause, too")
def packed_under_load() -> None:
    under_load("packed", ",packed=on", "sectors of 512 bytes, packed ring\n")


def killed_under(guest: Guest, load: str, other: str) -> int:
    """Starts a load and kills the driver meanwhile, and the other service once; the checksum of what the load has read. A load that
    was over before a kill came, since the host held up who kills, has told nothing: then there is another one."""
    for turn in range(1, LOADS_MAX + 1):
        until(guest, f"run {load} &", "started")  # the one before may not have ended quite
        until(guest, "log", rf"(?s)(?:{load}: begins.*){{{turn}}}")
        for kill in range(KILLS):
            guest.command("kill " + (other if kill == KILLS // 2 else "virtio_blk.0"))
            until(guest, "services", r"virtio_blk\.0 +virtio_blk +running")
        crc, requests, failed, wrong, attaches, interrupted = figures(until(guest, "log", rf"(?s)\A(?:.*?{SUM}){{{turn}}}"))
        check((failed, wrong) == (0, 0), f"{failed} of {requests} requests failed, {wrong} pages are wrong")
        if attaches >= 2 and interrupted >= 1:
            return crc
    raise AssertionError(f"{attaches} attaches, {interrupted} with requests outstanding, {LOADS_MAX} times")


def under_load(name: str, device: str, says: str) -> None:
    with folder() as at:
        random_disk(at / "load.img", 16 * MIB)
        with prompt(name, at, *drive("a", at / "load.img", device=device)) as guest:
            until(guest, "devices", r"claimed +virtio_blk\.0 +1/")
            until(guest, "log", says)
            crc = killed_under(guest, "load", "devices")
            check(crc == zlib.crc32((at / "load.img").read_bytes()), "the image is not what the client has read")


@suite.test("a session of a partition outlives the driver and volumes, and reaches nothing else")
def partition_under_load() -> None:
    with folder() as at:
        image = at / "parts.img"
        before = random_disk(image, 20 * MIB)
        tool("/usr/sbin/sgdisk", "--clear", "-n", "1:4096:+8M", image)
        content = image.read_bytes()
        with prompt("partition", at, *drive("a", image)) as guest:
            until(guest, "disks", r"\n1 disks\n")
            crc = killed_under(guest, "volume", "volumes")
            until(guest, "log", r"behind its end: status 4\b")
            until(guest, "log", r"taken back: status 71\b")
            after = image.read_bytes()
            first, end = 4096 * 512, 4096 * 512 + 8 * MIB
            check(crc == zlib.crc32(after[first:end]), "the image is not what the client has read")
            check(after[:first] == content[:first] and after[end:] == content[end:], "something else was written")
            check(before[first:end] != after[first:end], "nothing was written")


def nvme(name: str, path: Path, options: str = "") -> tuple[str, ...]:
    return ("-drive", f"if=none,id={name},format=raw,file={path}{options}", "-device", f"nvme,drive={name},serial={name}")


@suite.test("every byte of an NVMe disk is that of the image")
def bytes_of_nvme() -> None:
    with folder() as at:
        content = random_disk(at / "random.img", 16 * MIB)
        with prompt("nvme bytes", at, *nvme("a", at / "random.img"), driver="nvme.0") as guest:
            until(guest, "devices", r"claimed +nvme\.0 +1/")
            guest.command("run sum")
            crc, requests, failed, _, _, _ = figures(until(guest, "log", SUM))
            check(crc == zlib.crc32(content), f"the sum is {crc:08x}, that of the image {zlib.crc32(content):08x}")
            check((requests, failed) == (4096, 0), f"{requests} requests, {failed} failed")


# Not a part of make test: QEMU 7.2 itself ends by a segmentation fault, or stands still, in about one of ten runs, when its NVMe
# controller is disabled with commands outstanding, which is what a driver's death makes of it and what the
# specification allows (NVM Express 2.0, 3.5.1).
def nvme_killed_under_load() -> None:
    with folder() as at:
        random_disk(at / "load.img", 16 * MIB)
        with prompt("nvme load", at, *nvme("a", at / "load.img"), driver="nvme.0") as guest:
            until(guest, "devices", r"claimed +nvme\.0 +1/")
            guest.command("run load &")
            for kill in range(KILLS):
                # Its reset takes 100 ms, and only a run that serves has something to lose.
                until(guest, "log", r"(?s)(nvme\.0: QEMU NVMe Ctrl: .*){%d}" % (kill + 1))
                if kill == KILLS // 2:
                    guest.command("kill devices")
                guest.command("kill nvme.0")
            crc, requests, failed, wrong, attaches, interrupted = figures(until(guest, "log", SUM))
            check((failed, wrong) == (0, 0), f"{failed} of {requests} requests failed, {wrong} pages are wrong")
            check(attaches >= 2 and interrupted >= 1, f"{attaches} attaches, {interrupted} with requests outstanding")
            check(crc == zlib.crc32((at / "load.img").read_bytes()), "the image is not what the client has read")
            check("is reset" not in guest.command("log"), "the controller was reset, which nothing asked for")


def loads_that_ended(guest: Guest, results: dict[str, tuple[int, ...]]) -> int:
    """Adds what the log says of those; returns how many there are."""
    for found in re.finditer(rf"\[ *(\d+\.\d+)\] I load: {SUM}", guest.command("log")):
        results[found[1]] = figures(found, 2)[1:]
    return len(results)


def kill_many(kills: int, least: int) -> None:
    """Kills the driver under one load after the other; so many of the kills have to come with requests outstanding."""
    results: dict[str, tuple[int, ...]] = {}
    started = 0
    with folder() as at:
        random_disk(at / "load.img", 16 * MIB)
        with prompt("many kills", at, *drive("a", at / "load.img"), limit_s=3600) as guest:
            until(guest, "devices", r"claimed +virtio_blk\.0 +1/")
            for _ in range(kills):
                if loads_that_ended(guest, results) == started:
                    guest.command("run load &")
                    started += 1
                guest.command("kill virtio_blk.0")
                until(guest, "services", r"virtio_blk\.0 +virtio_blk +running")
            for _ in guest.looks():
                if loads_that_ended(guest, results) == started:
                    break
    check(len(results) == started, f"{started} loads were started, {len(results)} have ended")
    requests, failed, wrong, attaches, interrupted = (sum(column) for column in zip(*results.values()))
    print(f"{started} loads, {requests} requests, {kills} kills, {interrupted} with requests outstanding")
    check((failed, wrong) == (0, 0), f"{failed} of {requests} requests failed, {wrong} pages are wrong")
    check(interrupted >= least, f"{kills} kills, {attaches} attaches, only {interrupted} with requests outstanding")


def long_suite() -> Suite:
    """The campaign of make test-long."""
    campaign = Suite("disk-kills")

    @campaign.test("200 kills of a disk's driver under load, 20 of them with requests outstanding")
    def many_kills() -> None:
        kill_many(200, 20)

    campaign.test("a driver of NVMe that is killed again and again under load is a pause, and no byte is lost")(
        nvme_killed_under_load)

    return campaign
