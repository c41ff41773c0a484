# SPDX-License-Identifier: MIT
"""web_load.py - the web server under load by others' tools: ab (Apache's) and slowhttptest, from this machine over QEMU's
user network."""

import re
import subprocess

from testlib import Suite, check

from tests.system.test_httpd import HOST, PATIENCE_S, ROOM, get, prompt

# How slowhttptest holds connections: half heads that grow, bodies that do not come to their end, answers that are taken
# a few bytes at a time, and many ranges of one file. Each has more of them than the server has room for.
SLOW = {"heads": ("-H", "-i", "3"), "bodies": ("-B", "-i", "3", "-s", "8192"),
        "reading": ("-X", "-w", "10", "-y", "20", "-n", "1", "-z", "32"), "ranges": ("-R", "-a", "1", "-b", "3000")}
SLOW_S = 30  # that each takes


def ab(port: int, target: str, count: int, *options: str) -> None:
    done = subprocess.run(["ab", "-q", "-s", str(PATIENCE_S), "-n", str(count), *options, f"http://{HOST}:{port}{target}"],
                          capture_output=True, text=True, timeout=10 * PATIENCE_S)
    said = done.stdout + done.stderr
    check(done.returncode == 0, said)
    for name, value in (("Complete requests", count), ("Failed requests", 0)):
        check(re.search(rf"{name}: +{value}\n", said), f"{name} is not {value}: {said}")
    check("Non-2xx" not in said, said)


def lives_on(guest) -> None:
    for name in ("httpd", "net"):
        check(re.search(rf"\n{name} +{name} +running +always +0 ", guest.command("services")), f"{name} has died")


def long_suite() -> Suite:
    suite = Suite("web-load")

    @suite.test("ab: 3,000 requests on connections that are kept alive, 300 of a connection each, and of a large file: none fails")
    def many_requests() -> None:
        with prompt("ab", limit_s=3600) as (guest, port):
            ab(port, "/", 3000, "-k", "-c", "16")
            ab(port, "/", 300, "-c", "8")
            ab(port, "/net", 100, "-c", "4")
            lives_on(guest)

    for name, options in SLOW.items():
        @suite.test(f"slowhttptest, {name}: others are served beside it, and after it")
        def slow(name: str = name, options: tuple[str, ...] = options) -> None:
            with prompt(f"slow {name}", limit_s=3600) as (guest, port):
                attack = subprocess.Popen(
                    ["slowhttptest", *options, "-c", str(2 * ROOM), "-r", "20", "-l", str(SLOW_S), "-u",
                     f"http://{HOST}:{port}/net"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                try:
                    served = 0
                    while attack.poll() is None:
                        check(get(port, "/")[0] == 200, "another client is not served")
                        served += 1
                    check(served != 0, "it has ended before anybody could ask")
                finally:
                    attack.kill()
                    attack.wait()
                check(get(port, "/")[0] == 200, "nobody is served any more")
                lives_on(guest)

    return suite
