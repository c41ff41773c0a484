# SPDX-License-Identifier: MIT
"""traffic.py - measures the network: the system as it is, with two services that are a benchmark (bench/traffic), over
loopback, by the web server, and over a virtio card to this machine. Part of run.py.

As in disk.py, the core idles while it waits for this machine, so time goes on with the host's then, and the service
leaves idle time out. QEMU hands packets over in bursts of a fixed rhythm, 5 ms of the guest: else each run differs.
"""

import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tools"))

from qemu import PROMPT, Guest, GuestError, Machine  # noqa: E402
from reported import Metrics, main, reported  # noqa: E402
from tests.system.with_services import initrd as initrd_with  # noqa: E402
from tests.system.with_services import web_from  # noqa: E402

LIMIT_S = 300
FETCH_BYTES, SEND_BYTES = 4 << 20, 8 << 20
PAGE = b" " * 1024
BURST_US = 5000

SERVICE = """
[service.{name}]
file = "traffic"
restart = "{restart}"
priority = {priority}
ceiling = {priority}
frames = 512
bytes = 65536
stack_pages = 8
memory = ["statistics"]
log = "write"
{more}
"""
TRAFFIC = SERVICE.format(name="traffic", restart="on-demand", priority=15, more="""
kernel_arguments = true

[service.traffic.uses]
serial = "serial"

[service.traffic.uses.net]
endpoint = "net"
connect = ["loopback:80", "loopback:7100-7101", "loopback:7100/udp", "10.0.2.100:80", "10.0.2.101:80"]
sockets = 8
""")
PEER = SERVICE.format(name="traffic_peer", restart="always", priority=15, more="""
arguments = "peer"
uses = { net = { endpoint = "net", listen = ["loopback:7100-7101", "loopback:7100/udp"], sockets = 8 } }
""")
# A client from outside would not wait until the screen is drawn, which is above the programs of people but below what
# answers peers: this one is with the web server.
FIRST = SERVICE.format(name="traffic_first", restart="always", priority=20, more="""
arguments = "first"
uses = { serial = "serial", net = { endpoint = "net", connect = ["loopback:80"], sockets = 2 } }
""")
# The prompt comes before or after it.
FIRST_IS_THERE = r"(?s)the first answer is there.*mnos> |mnos> .*the first answer is there"
LISTEN = 'listen = ["0.0.0.0:80"'

METRICS = ("tcp-loopback-64", "udp-loopback-64", "tcp-loopback-per-kib", "http-request", "http-keepalive",
           "net-fetch-per-kib", "net-send-per-kib", "reset-to-first-http-answer")
PROGRAM = "traffic(?:_first)?"


def with_loopback(manifest: str) -> str:
    """The web server is reached over loopback as well."""
    if LISTEN not in manifest:
        raise GuestError(f"the manifest has no {LISTEN} of httpd")
    return manifest.replace(LISTEN, LISTEN + ', "loopback:80"', 1)


def card(folder: Path) -> tuple[str, ...]:
    """QEMU starts a program for each connection to these addresses."""
    served, sink = folder / "served", folder / "sink"
    served.write_bytes(bytes(range(256)) * (FETCH_BYTES // 256))
    sink.write_text(f"head -c {SEND_BYTES} >/dev/null && echo\n")
    return ("-netdev", f"user,id=net,restrict=on,guestfwd=tcp:10.0.2.100:80-cmd:cat {served},"
                       f"guestfwd=tcp:10.0.2.101:80-cmd:sh {sink}",
            "-device", "virtio-net-pci,netdev=net,romfile=",
            "-object", f"filter-buffer,id=burst,netdev=net,queue=tx,interval={BURST_US}")


def machine(initrd: Path, folder: Path, sleep: str, cmdline: str) -> Machine:
    return Machine("direct", cpus=1, cpu="max,-erms,-la57", initrd=initrd, cmdline=cmdline,
                   extra=("-icount", f"shift=0,sleep={sleep}", "-seed", "1", *card(folder)))


def measure_all(folder: Path, only: str) -> Metrics:
    initrd = initrd_with(folder, ["traffic"], lambda text: web_from("initrdfs")(with_loopback(text)) + TRAFFIC + PEER,
                         "bench", {"page": PAGE})
    with Guest(machine(initrd, folder, "on", f"only={only}" if only else ""), f"bench traffic {only}", LIMIT_S) as guest:
        guest.expect(PROMPT)
        until(guest, "ip", r"\nen0 +up +10\.")
        guest.command("run traffic", LIMIT_S)
        return reported(guest.command("log"), PROGRAM)


def measure_first(folder: Path) -> Metrics:
    """The machine is that of the other metrics, and idle time is jumped over. Nothing is typed before the figure is in
    the log, or the monitor's work would be part of it."""
    initrd = initrd_with(folder, ["traffic"], lambda text: with_loopback(text) + FIRST, "bench")
    with Guest(machine(initrd, folder, "off", ""), "bench traffic first", LIMIT_S) as guest:
        guest.expect_pattern(FIRST_IS_THERE)
        return reported(guest.command("log"), PROGRAM)


def measure(only: str = "") -> Metrics:
    """Metrics whose name contains `only`; all without it."""
    metrics: Metrics = {}
    chosen = [name for name in METRICS if only in name]
    for what, wanted in ((lambda folder: measure_all(folder, only), chosen != [METRICS[-1]]),
                         (measure_first, METRICS[-1] in chosen)):
        if wanted:
            with tempfile.TemporaryDirectory(prefix="mnos-bench-") as name:
                metrics |= what(Path(name))
    return metrics


def until(guest: Guest, command: str, pattern: str, tries: int = 100) -> str:
    for _ in range(tries):
        if found := re.search(pattern, guest.command(command)):
            return found[0]
    raise GuestError(f"{command}: never '{pattern}'")


if __name__ == "__main__":
    main(measure)
