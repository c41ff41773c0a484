# SPDX-License-Identifier: MIT
"""test_emulator_crash.py - an emulator that crashes is told apart from a guest that ends, and its test begins again once."""

import io

import pexpect

from qemu import Session
from testlib import EmulatorCrash, GuestError, Suite, check, run

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


@suite.test("an emulator that crashes is told apart from one that ends, or that was ended")
def told_apart() -> None:
    for signal in ("SEGV", "ABRT", "BUS"):
        problem = end_of(f"echo booting; kill -{signal} $$")
        check(isinstance(problem, EmulatorCrash) and f"SIG{signal}" in str(problem), f"{signal}: {problem!r}")
    for command in ("exit 35", "kill -KILL $$", "kill -TERM $$"):
        problem = end_of(command)
        check(problem is not None and not isinstance(problem, EmulatorCrash), f"{command}: {problem!r}")


@suite.test("a test whose emulator crashes begins again once, which is told, and twice is a failure")
def begins_again() -> None:
    for crashes, passes in ((0, True), (1, True), (2, False)):
        tries, inner, said = [], Suite("inner"), io.StringIO()

        @inner.test("a guest")
        def guest(tries=tries, crashes=crashes) -> None:
            tries.append(1)
            if len(tries) <= crashes:
                raise EmulatorCrash("the emulator crashed with SIGSEGV")

        passed = run([inner], out=said)
        check(passed == passes and len(tries) == min(crashes + 1, 2), f"{crashes}: {passed} after {len(tries)} tries")
        check(said.getvalue().count("again: a guest: ") == min(crashes, 1), said.getvalue())


@suite.test("a guest that fails is not begun again")
def fails_at_once() -> None:
    tries, inner = [], Suite("inner")

    @inner.test("a guest")
    def guest() -> None:
        tries.append(1)
        raise GuestError("ended before the prompt")

    check(not run([inner], out=io.StringIO()) and len(tries) == 1, f"{len(tries)} tries")
