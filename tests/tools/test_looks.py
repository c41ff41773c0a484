# SPDX-License-Identifier: MIT
"""test_looks.py - what is looked for again comes to an end: what the README shows of one moment, and what is to happen beside the
prompt."""

import os
from collections.abc import Iterable
from itertools import islice
from types import SimpleNamespace

from patience import Patience
from qemu import ROOT, Session, plain
from testlib import HANG_S, GuestError, Suite, check

from tests.system import test_readme as readme

suite = Suite("tools")

PAGE = ["    6   main           receiving     0     50     43.113  for a message at endpoint 17",
        "   35 serial           alive           max 40     44.944       52    10736     5",
        "   37   main           receiving     0     40     44.944  for a message at endpoint 18"]
# init's thread works at that moment: its line is not the page's, and the next one that is like it is that of serial.
WORKING = [PAGE[0].replace("receiving", "running  ").partition("  for a")[0], *PAGE[1:]]


class Prompt:
    """Answers of a guest, one after the other; then the last one again and again."""

    def __init__(self, answers: Iterable[list[str]]) -> None:
        self.pid, self.cores, self.answers, self.asked = os.getpid(), 1, list(answers), 0

    def command(self, _line: str) -> str:
        self.asked += 1
        return "\n".join(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])


def comes(command: str, *answers: list[str]) -> tuple[bool, int]:
    """Whether it is taken as what the page shows; how often it was asked again."""
    guest = Prompt(answers[1:] or answers)
    try:
        readme.must_come(guest, command, "\n".join(answers[0]), PAGE, 0 if answers[-1] != PAGE else HANG_S)
    except AssertionError:
        return False, guest.asked
    return True, guest.asked


@suite.test("what a page shows of one moment is looked at again while a thread works, and nothing else is typed twice")
def again() -> None:
    check(comes("ps", PAGE) == (True, 0), "at once")
    check(comes("ps", WORKING, WORKING, PAGE) == (True, 2), "after a thread has worked")
    check(comes("ps", WORKING, WORKING) == (False, 0), "never")
    check(comes("caps serial", WORKING, PAGE) == (False, 0), "what is no look at a moment")


@suite.test("looks go on for a time of the guest, come once after it, and end with the guest's life")
def ends() -> None:
    def looks(seconds: float, life_s: float) -> list[int]:
        guest = SimpleNamespace(pid=os.getpid(), cores=1, life=Patience(os.getpid(), life_s))
        return list(islice(Session.looks(guest, seconds), 3))

    check(looks(HANG_S, HANG_S) == [0, 1, 2], "they end too early")
    check(looks(0, HANG_S) == [0], "their time does not end them")
    check(looks(HANG_S, 0) == [0], "the guest's end does not end them")


class Background(Session):
    """A session in which a program in the background says something while the `at`-th command is typed."""

    def __init__(self, at: int) -> None:
        self.pid, self.cores, self.life, self.log_path = os.getpid(), 1, Patience(os.getpid(), HANG_S), ROOT / "log"
        self.at, self.typed = at, 0

    def command(self, line: str, seconds: float = 20) -> str:
        self.typed += 1
        return ""

    def output(self) -> str:
        return "before: ended\n" + ("job#7: ended, exit code 0\n" if self.typed >= self.at else "")


@suite.test("what a program in the background tells is not missed by who has typed a command meanwhile")
def told() -> None:
    for at in (0, 1, 3):
        guest = Background(at)
        check(guest.told(r"job#(\d+): ended")[1] == "7" and guest.typed == at, f"said at {at}, seen at {guest.typed}")
    for pattern, since in ((r"never", 0), (r"before", 5)):  # what is never said, and what was said before
        try:
            Background(0).told(pattern, since, 0)
        except GuestError:
            continue
        check(False, f"{pattern} was found")


@suite.test("what a line has shown before it was erased is not what a reader sees")
def erased() -> None:
    bar = "\r[######........................] 1 MiB of 5 MiB\x1b[K"
    check(plain(f"{bar}{bar}\r\x1b[K") == "", "a bar of a copy that has ended")
    check(plain("mnos> upt\r\x1b[Kserial: started again\r\n\rmnos> upt\x1b[K") == "serial: started again\nmnos> upt", "news")
    check(plain("first\r\n\x1b[1msecond\x1b[0m\r\n") == "first\nsecond\n", "nothing is erased")
