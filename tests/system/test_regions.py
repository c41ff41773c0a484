# SPDX-License-Identifier: MIT
"""test_regions.py - memory that outlives its user, with a service that dies: tests/services."""

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

from tests.system.with_services import initrd as initrd_with, killer

suite = Suite("regions")

# For how long the keeper and the relay may be silent: a busy host may stop a processor of the guest for seconds, and whoever
# runs on it says nothing meanwhile. A program that waits until one of them is ended takes longer.
GRACE_S, RUN_S = 6, 60

KEEPER = """
[service.keeper]
file = "keeper"
restart = "when-started"
count = 2
grace = 6
match = [{ vendor = 0x1234, device = 0x11e8 }]
priority = 20
ceiling = 20
frames = 128
bytes = 65536
provides = { requests = "keeper" }
uses = { observer = "observer" }
log = "write"

[region.memory]
kind = "state"
each = true
frames = { floor = 4, ceiling = 1500 }
users = { keeper = "read, write" }

[region.shared]
kind = "dma"
each = true
frames = { floor = 1 }
users = { keeper = "read, write, delegate" }

[region.kept]
kind = "dma"
each = true
keep = true
frames = { floor = 8 }
users = { keeper = "read, write, delegate" }
"""

AGAIN = 70  # MNOS_ERR_AGAIN

WATCHER = """
[service.watcher]
file = "watcher"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 64
bytes = 32768
provides = { requests = "watcher" }
uses = { keeper = { endpoint = "keeper.0", events = [3] }, manager = { endpoint = "manager", start = ["keeper"] } }
log = "write"
"""
RELAY = """
[service.relay]
file = "relay"
restart = "always"
grace = 6
priority = 16
ceiling = 16
frames = 32
bytes = 16384
provides = { requests = "relay" }
uses = { keeper = "keeper.0", observer = "observer" }
log = "write"

[service.through]
file = "holder"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 32
bytes = 16384
arguments = "hang"
uses = { keeper = "relay", observer = "observer" }
log = "write"
"""
LOCKER = """
[service.lock_{name}]
file = "locker"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 64
bytes = 32768
arguments = "{what}"
uses = {{ files = "tmpfs" }}
log = "write"
"""
LOCKERS = (("hold", "hold"), ("try", "try"), ("wait", "wait"), ("next", "wait"))
SERVICES = ("keeper", "holder", "watcher", "copier", "relay", "locker")

HOLDER = """
[service.{name}]
file = "holder"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 32
bytes = 16384
arguments = "{name}"
uses = {{ keeper = "keeper.0", observer = "observer" }}
log = "write"
"""


def with_tests(text: str, kills: int) -> str:
    """The system's manifest with the services of the test."""
    copier = killer("copier", "copier", f"{kills}", 'files = "tmpfs"', "tmpfs")
    return text + KEEPER + WATCHER + RELAY + "".join(LOCKER.format(name=name, what=what) for name, what in LOCKERS) + copier + "".join(
        HOLDER.format(name=name) for name in ("shared", "kept", "part", "release", "break", "count", "hang", "slow", "parts", "all"))


@contextmanager
def prompt(name: str, kills: int = 30, limit_s: float = 120, grace: int = GRACE_S):
    """The system with these services, at its prompt; `grace` is the keeper's."""
    with tempfile.TemporaryDirectory() as name_of_folder:
        path = initrd_with(Path(name_of_folder), SERVICES, lambda text: with_tests(text, kills).replace(
            f"grace = {GRACE_S}\nmatch", f"grace = {grace}\nmatch"))
        with Guest(Machine("direct", initrd=path, cpus=2), f"regions {name}", limit_s) as guest:
            guest.expect(PROMPT)
            yield guest


def run_must_log(guest, command: str, pattern: str) -> None:
    """Services do what they do beside the prompt, so the log is looked at until the line is there."""
    guest.command(command, RUN_S)
    for _ in guest.looks():
        text = guest.command("log")
        if re.search(pattern, text):
            return
    check(False, f"after {command} no line of the log is {pattern}:\n{text}")


def run_must_log_again(guest, command: str, pattern: str) -> None:
    """The same, for a line that may be there already, and comes once more."""
    before = len(re.findall(pattern, guest.command("log")))
    guest.command(command, RUN_S)
    for _ in guest.looks():
        text = guest.command("log")
        if len(re.findall(pattern, text)) > before:
            return
    check(False, f"after {command} no further line of the log is {pattern}:\n{text}")


@suite.test("what a service keeps in a region is there in each run, and is never torn")
def state_is_kept() -> None:
    with prompt("state") as guest:
        run_must_log(guest, "run keeper.0", r"keeper\.0: grown to 3 pieces, then: 9")
        run_must_log(guest, "run count", r"count: answer 0, 1\b")
        text = guest.command("regions")
        check(re.search(r"memory\.0 +state +4112 +6000 +3 +keeper\.0, run 1", text), text)
        check(re.search(r"memory\.1 +state +0 +6000 +0 +keeper\.1", text), text)
        run_must_log(guest, "kill keeper.0", r"run 2 after 0 deaths, found 1, counter 1 whole, marks there")
        run_must_log(guest, "run count", r"count: answer 0, 2\b")
        # The death in the middle is undone; the next run counts on.
        guest.command("run break")
        run_must_log(guest, "run count", r"run 3 after 1 deaths, found 1, counter 2 whole, marks there")
        run_must_log(guest, "services", r"count: answer 0, 3\b")
        run_must_log(guest, "run keeper.1", r"keeper\.1: run 1 after 0 deaths, found 0, counter 0 whole")


@suite.test("what a dead run handed on of a region is taken back, unless the region is kept")
def handed_on() -> None:
    with prompt("handed on") as guest:
        guest.command("run keeper.0")
        for name in ("shared", "kept", "part"):
            run_must_log(guest, f"run {name} &", rf"{name}: holds a page")
        run_must_log(guest, "kill keeper.0", r"shared: ended \(fault: page fault")
        text = guest.command("services")
        check(re.search(r"\nkept .* running", text) and re.search(r"\npart .* running", text), text)
        run_must_log(guest, "run release", r"part: ended \(fault: page fault")
        check(re.search(r"\nkept .* running", guest.command("services")), "what was kept is gone")
        run_must_log(guest, "run release", r"release: answer 0")


@suite.test("a part that some run has handed on is no new one, and all parts of a range are taken back at once")
def parts_of_a_range() -> None:
    with prompt("parts") as guest:
        guest.command("run keeper.0")
        run_must_log(guest, "run part &", r"part: holds a page")
        run_must_log(guest, "kill keeper.0", r"keeper\.0: run 2 after 0 deaths")
        run_must_log(guest, "run parts", r"parts: answer 0, 0\n")
        text = guest.command("services")
        check(re.search(r"\npart .* running", text), f"another part was taken back with that of the client:\n{text}")
        run_must_log(guest, "run all", r"part: ended \(fault: page fault")
        run_must_log(guest, "services", r"all: answer 0")


@suite.test("a service may start those of its list and send its events, no others; it is told when one has started")
def rights_on_others() -> None:
    with prompt("rights on others") as guest:
        run_must_log(guest, "run watcher &", r"start: other 68, unknown 68, first 0, again 0")
        run_must_log(guest, "services", r"match: keeper, 2, 0x1234 0x11e8")
        run_must_log(guest, "services", r"events: granted 0, other (?!0)\d+, forged (?!0)\d+")
        run_must_log(guest, "services", r"keeper\.0: events 0x8\b")
        run_must_log(guest, "services", r"registers of another: 68")
        run_must_log(guest, "services", r"forger: thread main: page fault")
        text = guest.command("services watcher")
        check("no fault is kept of it" in text, f"the fault of another process is told as one of the service:\n{text}")
        run_must_log(guest, "services", r"watcher: told 1 times")
        run_must_log(guest, "kill keeper.0", r"watcher: told 2 times")


@suite.test("a service that stops working is started again, and its client notices a pause; one that is slow goes on")
def silence() -> None:
    with prompt("silence") as guest:
        guest.command("run keeper.0")
        run_must_log(guest, "run slow", r"slow: answer 0")
        text = guest.command("services")
        check(re.search(r"\nkeeper\.0 .* running .* 0  -", text), f"the slow one was ended:\n{text}")
        run_must_log(guest, "run hang", r"hang: answer 0")
        run_must_log(guest, "services", rf"keeper\.0: ended \(no sign of life for {GRACE_S} s\), restart in 10 ms")
        run_must_log(guest, "services", r"run 2 after 1 deaths")


@suite.test("a service that waits for one that has stopped working is not ended in its place")
def silence_of_another() -> None:
    with prompt("silence of another", grace=2 * GRACE_S) as guest:
        guest.command("run keeper.0")
        run_must_log(guest, "run through", r"through: answer 0")
        run_must_log(guest, "services", rf"keeper\.0: ended \(no sign of life for {2 * GRACE_S} s\), restart in 10 ms")
        text = guest.command("services")
        check(re.search(r"\nrelay .* running .* 0  -", text), f"the one in between was ended:\n{text}")


@suite.test("a lock outlives the service of its file, and whoever waits for it, waits on")
def locks() -> None:
    with prompt("locks") as guest:
        run_must_log(guest, "run lock_hold &", r"lock_hold: lock: 0")
        guest.command("kill tmpfs")
        run_must_log(guest, "run lock_try", rf"lock_try: lock: {AGAIN}\b")
        run_must_log(guest, "run lock_wait &", r"lock_wait: begins")
        guest.command("kill tmpfs")
        run_must_log_again(guest, "run lock_try", rf"lock_try: lock: {AGAIN}\b")
        check("lock_wait: lock" not in guest.command("log"), "it did not wait")
        run_must_log(guest, "kill lock_hold", r"lock_wait: lock: 0")
        # It says so before it ends, and its lock ends with it: the next one has to wait for that.
        run_must_log(guest, "run lock_next &", r"lock_next: lock: 0")


def kill_in_the_middle(name: str, kills: int, least: int, limit_s: float) -> None:
    """Kills under a client, again until so many came in the middle of a request that must be carried out once."""
    with prompt(name, kills, limit_s) as guest:
        for run in range(1, 11):
            guest.command("run copier")
            text = guest.command("log")
            done = re.findall(r"copier: (\d+) kills, (\d+) failures, more than 4 rounds", text)
            check(done[-1:] == [(f"{kills}", "0")], f"run {run} of the copier failed:\n{text}")
            # How often it was killed the service manager knows.
            services = guest.command("services")
            restarts = re.search(r"\ntmpfs +tmpfs +running +always +(\d+) ", services)
            check(restarts is not None and int(restarts[1]) == run * kills,
                  f"tmpfs was not killed {run * kills} times:\n{services}")
            # The log keeps its last lines; the line of the terminal has all of them.
            running = sum(int(number) for number in re.findall(
                r"I tmpfs: run \d+ goes on [^\n]* (\d+) requests were running", guest.output()))
            if running >= least:
                break
        else:
            check(False, f"only {running} deaths came during an operation:\n{text}")
        check("damaged" not in text and "cannot be read" not in text, f"something was lost:\n{text}")


@suite.test("files in memory lose nothing and do nothing twice when their service is killed in the middle of it")
def killed_in_the_middle() -> None:
    kill_in_the_middle("killed in the middle", 30, 3, 120)


def long_suite() -> Suite:
    """The campaign of make test-long."""
    campaign = Suite("restarts")

    @campaign.test("200 kills of the service of files in memory, 20 of them in the middle of an operation")
    def many_kills() -> None:
        kill_in_the_middle("many kills", 200, 20, 1800)

    return campaign
