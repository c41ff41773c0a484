# SPDX-License-Identifier: MIT
"""test_tutorials.py - what the pages of docs/tutorials tell a reader to write and to type is written and typed.

A block under a line such as "`mine/counter/main.c`:" is a file, or, with ", continued" in that line, the next piece of it.
The files that a page shows are those of examples/, and they alone are what its sessions are built of: nothing that the
page leaves out is needed."""

import re
import shlex
import subprocess
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from hardware import network_card
from qemu import BUILD, PROMPT, ROOT, Guest, Machine
from testlib import HANG_S, Suite, check, outside_make, require_success
from tests.system.test_network import until
from tests.system.test_readme import answer, blocks, must_show, pattern, sessions

suite = Suite("tutorials")
T = TypeVar("T")
Built = dict[tuple[str, tuple[tuple[str, str], ...]], bytes]  # RAM disks, by command and files

# In the order in which a reader goes through them: each may use what an earlier one has made.
PAGES = ("your-first-program", "your-first-service", "a-protocol-of-your-own", "a-service-that-remembers", "your-first-driver",
         "a-pci-driver", "a-virtio-device", "a-program-on-the-network")
OWN = "mine/"
FILE = re.compile(r"^`mine/([^`\n]+)`(, continued)?:\n\n```\w*\n(.*?)^```$", re.M | re.S)
# A build that fails: what is left out, and what is said then.
MISTAKE = re.compile(r"Leave the line that begins with `([^`]+)`\s+out\s+of\s+`mine/([^`]+)`[^`]*\n\n```\n\$ ([^\n]+)\n(.*?)^```$", re.M | re.S)
# A program that is wrong on purpose: what is written instead of what, in which file, and the session that shows what follows.
CHANGE = re.compile(r"Write\s+`([^`]+)`\s+instead\s+of\s+`([^`]+)`\s+in\s+`mine/([^`]+)`[^`]*\n\n```\n(.*?)^```$", re.M | re.S)
# One RAM disk at a time is made of folders of one's own.
building = threading.Lock()
# A server is started; its port.
LISTENS = re.compile(r"\blisten=\S*:(\d+)")


def path_of(page: str) -> Path:
    return Path("docs/tutorials") / f"{page}.md"


def files_of(page: str) -> dict[str, str]:
    """The files that a page shows, put together of their pieces, with one empty line between two."""
    found: dict[str, str] = {}
    for name, continued, text in FILE.findall((ROOT / path_of(page)).read_text(encoding="utf-8")):
        check(bool(continued) == (name in found), f"{page}: mine/{name} is begun once, and continued afterwards")
        found[name] = f"{found[name]}\n{text}" if continued else text
    return found


def write_files(page: str, folder: Path) -> None:
    """What a reader has who comes to the end of this page."""
    for earlier in PAGES[:PAGES.index(page) + 1]:
        for name, text in files_of(earlier).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")


def settings_of(command: str) -> dict[str, str]:
    """Of `make run WITH=...`."""
    words = shlex.split(command)
    check(words[:2] == ["make", "run"] and all("=" in word for word in words[2:]), f"not understood: {command}")
    found = dict(word.split("=", 1) for word in words[2:])
    check("WITH" in found and not set(found) - {"WITH", "DEVICES"}, f"not understood: {command}")
    return found


def devices_of(command: str) -> tuple[str, ...]:
    return tuple(part for name in settings_of(command).get("DEVICES", "").split() for part in ("-device", name))


def run_make(command: str, folder: Path, run: Callable[..., T]) -> T:
    """Makes what `make run WITH=...` of a page boots, of the folders below `folder`; how, `run` says."""
    names = [name.removeprefix(OWN) for name in settings_of(command)["WITH"].split()]
    return run(["make", "DEPS=no", f"BUILD={BUILD}", f"WITH={' '.join(str(folder / name) for name in names)}", "initrd"],
               cwd=ROOT, env=outside_make("WITH"))


def build(command: str, folder: Path, built: Built) -> Path:
    """`built`: what has been built for this page; the same is not built of the same files again."""
    files = tuple(sorted((str(path.relative_to(folder)), path.read_text(encoding="utf-8"))
                         for path in folder.rglob("*") if path.is_file() and path.suffix != ".tar"))
    path = folder / "initrd.tar"
    with building:
        if (command, files) not in built:
            run_make(command, folder, require_success)
            built[command, files] = (BUILD / "with/initrd.tar").read_bytes()
    path.write_bytes(built[command, files])
    return path


def said_by_build(command: str, folder: Path) -> str:
    """Of one that must fail."""
    with building:
        done = run_make(command, folder, partial(subprocess.run, capture_output=True, text=True, timeout=HANG_S))
    check(done.returncode != 0, f"{command} succeeded")
    return done.stderr.replace(f"{folder}/", OWN)


def make_mistakes(page: str) -> None:
    for start, name, command, expected in MISTAKE.findall((ROOT / path_of(page)).read_text(encoding="utf-8")):
        with tempfile.TemporaryDirectory() as folder:
            write_files(page, Path(folder))
            path = Path(folder) / name
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            left = [line for line in lines if not line.startswith(start)]
            check(len(left) == len(lines) - 1, f"{page}: no line of {name} begins with {start}")
            path.write_text("".join(left), encoding="utf-8")
            must_show(command, said_by_build(command, Path(folder)), expected.splitlines())


def change_files(page: str, block: list[str], folder: Path) -> None:
    """What the text in front of this session lets the reader change."""
    for new, old, name, text in CHANGE.findall((ROOT / path_of(page)).read_text(encoding="utf-8")):
        if text.splitlines() != block:
            continue
        source = (folder / name).read_text(encoding="utf-8")
        check(source.count(old) == 1, f"{page}: {old} is not once in mine/{name}")
        (folder / name).write_text(source.replace(old, new), encoding="utf-8")


def type_in(guest: Guest, commands: list[tuple[str, list[str]]]) -> None:
    """What is typed after a command that runs in the background comes with it. In which order the two then say something is
    the machine's business, so each line may be where it likes in what both have said. After a server in the background one
    types when it listens."""
    before, typed = "", 0
    for number, (command, expected) in enumerate(commands):
        while typed <= number or (commands[typed - 1][0].endswith("&") and not LISTENS.search(commands[typed - 1][0])):
            guest.send(commands[typed][0] + "\r")
            typed += 1
        came = expected and re.search(pattern(expected[-1]), before)
        said = answer(guest, command, [] if came else expected)
        for lines in [[line] for line in expected] if before else [expected]:
            must_show(command, before + said, lines)
        before = said if command.endswith("&") else ""
        if command.endswith("&") and (port := LISTENS.search(command)):
            until(guest, "netstat", rf":{port[1]} .* listens ")


def play(page: str) -> None:
    make_mistakes(page)
    built: Built = {}
    for block in blocks(str(path_of(page))):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_files(page, folder)
            change_files(page, block, folder)
            for session in sessions(block):
                machine = Machine("direct", cpus=2, memory_mib=512, initrd=build(session[0][0], folder, built),
                                  extra=devices_of(session[0][0]) + network_card())
                with Guest(machine, f"tutorial {page}", 200) as guest:
                    must_show("the boot", guest.expect(PROMPT), [line for line in session[0][1] if line.startswith("[")])
                    type_in(guest, session[1:])


@suite.test("each file that a tutorial shows is that of examples/, and the tutorials are all known here")
def files_are_examples() -> None:
    pages = {path.stem for path in (ROOT / "docs/tutorials").glob("*.md")} - {"README"}
    check(pages == set(PAGES), f"pages are {sorted(pages)}")
    for page in PAGES:
        shown = files_of(page)
        check(shown, f"{page} shows no file")
        for name, text in shown.items():
            check(text == (ROOT / "examples" / name).read_text(encoding="utf-8"), f"{page}: mine/{name} is not examples/{name}")


for tutorial in PAGES:
    suite.test(f"who follows the tutorial '{tutorial.replace('-', ' ')}' sees what it shows")(
        lambda tutorial=tutorial: play(tutorial))
