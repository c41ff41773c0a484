# SPDX-License-Identifier: MIT
"""test_emulator_crash.py - an emulator that crashes is told apart from a guest that ends, and its test begins again."""

import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pexpect

from qemu import ROOT, Machine, Program, Session
from testlib import HANG_S, TRIES, EmulatorCrash, GuestError, Suite, check, require_success, run, run_program

from tests.system.socket_guest import SocketGuest

suite = Suite("tools")


def end_of(command: str) -> GuestError | None:
    """What a test is told that waits for the prompt of an emulator that does this instead."""
    child = pexpect.spawn("/bin/sh", ["-c", command], encoding="utf-8")
    with Session(child, "emulator crash", 60, child.pid) as session:
        try:
            session.expect("mnos> ")
        except GuestError as problem:
            return problem
    return None


class EndsAtOnce(Machine):
    """A machine whose emulator opens the line, ends so, and does nothing else."""

    def __init__(self, end: str) -> None:
        super().__init__("direct")
        self.end = end

    def command(self, _folder: Path) -> list[str]:
        return [sys.executable, "-c", "import os, re, signal, socket, sys\n"
                "line = socket.socket(socket.AF_UNIX)\n"
                "line.connect(re.search('path=(\\\\S+)', ' '.join(sys.argv))[1])\n"
                "line.send(b'booting')\n" + self.end]


def end_on_a_socket(end: str) -> GuestError | None:
    with SocketGuest(EndsAtOnce(end), "emulator crash on a socket", 60) as session:
        try:
            session.expect("mnos> ")
        except GuestError as problem:
            return problem
    return None


@suite.test("an emulator that crashes is told apart from one that ends, or that was ended, on a terminal and on a socket")
def told_apart() -> None:
    for signal in ("SEGV", "ABRT", "BUS"):
        for problem in (end_of(f"echo booting; kill -{signal} $$"),
                        end_on_a_socket(f"os.kill(os.getpid(), signal.SIG{signal})")):
            check(isinstance(problem, EmulatorCrash) and f"SIG{signal}" in str(problem), f"{signal}: {problem!r}")
    for problem in (end_of("exit 35"), end_of("kill -KILL $$"), end_of("kill -TERM $$"), end_on_a_socket("sys.exit(35)"),
                    end_on_a_socket("os.kill(os.getpid(), signal.SIGKILL)")):
        check(problem is not None and not isinstance(problem, EmulatorCrash), f"{problem!r}")


@suite.test("a test whose emulator crashes begins again, which is told, and fails when it does so each time")
def begins_again() -> None:
    for crashes, passes in ((0, True), (1, True), (TRIES - 1, True), (TRIES, False)):
        tries, inner, said = [], Suite("inner"), io.StringIO()

        @inner.test("a guest")
        def guest(tries=tries, crashes=crashes) -> None:
            tries.append(1)
            if len(tries) <= crashes:
                raise EmulatorCrash("the emulator crashed with SIGSEGV")

        passed = run([inner], out=said)
        check(passed == passes and len(tries) == min(crashes + 1, TRIES), f"{crashes}: {passed} after {len(tries)} tries")
        check(said.getvalue().count("again: a guest: ") == min(crashes, TRIES - 1), said.getvalue())


@suite.test("a guest that fails is not begun again")
def fails_at_once() -> None:
    tries, inner = [], Suite("inner")

    @inner.test("a guest")
    def guest() -> None:
        tries.append(1)
        raise GuestError("ended before the prompt")

    check(not run([inner], out=io.StringIO()) and len(tries) == 1, f"{len(tries)} tries")


# In a process of its own, whose files are nobody else's.
MANY_FILES = """
import os, resource
from qemu import Program
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(1200, most) if most != resource.RLIM_INFINITY else 1200, most))
files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1030)]
child = Program("/bin/echo", ["heard"], encoding="utf-8")
assert child.fileno() > 1024
child.expect("heard")
child.close()
"""


@suite.test("a guest is heard also when this process has more open files than select() knows")
def many_files() -> None:
    require_success([sys.executable, "-c", MANY_FILES], cwd=ROOT / "tools")


@suite.test("an emulator that is slow to end when it was killed has ended when its test goes on")
def slow_to_end() -> None:
    child = Program("/bin/sh", ["-c", "trap '' HUP INT; echo on; while :; do sleep 1; done"], encoding="utf-8")
    child.expect("on")
    kill, timers = child.ptyproc.kill, []

    def late(sign: int) -> None:
        if sign != signal.SIGKILL:
            kill(sign)
        else:
            timers.append(threading.Timer(2, kill, [sign]))
            timers[-1].start()
    child.ptyproc.kill = late
    child.close(force=True)
    check(not child.isalive() and child.signalstatus == signal.SIGKILL, f"it ended otherwise: {child}")


@suite.test("an emulator that crashes under a test of the loader is told apart as well, and the test begins again")
def under_the_loader() -> None:
    with tempfile.TemporaryDirectory() as folder:
        crashed, emulator = Path(folder) / "crashed", Path(folder) / "qemu-system-x86_64"
        emulator.write_text(f"#!/bin/sh\n[ -e {crashed} ] && echo probe passed && exit 33\ntouch {crashed}\nkill -SEGV $$\n")
        emulator.chmod(0o755)
        said = require_success([sys.executable, "-c", "import machine, testlib\n"
                                "testlib.past_crashes('a probe', lambda: machine.run_probe([]))"], cwd=ROOT / "tests/loader",
                               env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
        check("again: a probe: the emulator crashed with SIGSEGV" in said, said)


@suite.test("why a program's test was begun again is told when all of it passes, too")
def told() -> None:
    out, said = io.StringIO(), "   again: a probe: the emulator crashed with SIGSEGV"
    code = f"print('starts', {said!r}, 'ok a probe', '1 passed, 0 failed', sep='\\n')"
    results = run_program([sys.executable, "-c", code], HANG_S, out)
    check([result.problem for result in results] == [None] and out.getvalue() == said + "\n", out.getvalue())


# What stands for an emulator takes nothing for a second: what it is sent does not fit into the terminal, and is waited for.
SENDS_MUCH = """
import sys
sys.path.insert(0, sys.argv[1])
from qemu import Program
child = Program("/bin/sh", ["-c", "stty raw -echo; echo ready; sleep 1; head -c 200000 | wc -c"], encoding="utf-8", timeout=7200)
child.delaybeforesend = None
child.expect("ready")
print("sends", flush=True)
child.send("x" * 200_000)
child.expect("200000")
child.close()
"""


@suite.test("a guest is sent all of a long text, also when the test is stopped meanwhile and goes on")
def sent_whole() -> None:
    command = [sys.executable, "-c", SENDS_MUCH, str(ROOT / "tools")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sender:
        sender.stdout.readline()
        while (Path("/proc") / str(sender.pid) / "stat").read_text().rpartition(")")[2].split()[0] != "S":
            time.sleep(0.01)  # it is to wait for room
        sender.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, sender.pid, os.WSTOPPED)
        sender.send_signal(signal.SIGCONT)
        check(sender.wait(HANG_S) == 0, "not all has come")
