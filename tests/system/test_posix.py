# SPDX-License-Identifier: MIT
"""test_posix.py - the table of tests/ext4/posix.py in the system itself: a program (tests/services/script) carries out the cases
on files in memory and on a disk with ext4, over the library and the mount table, beside Linux' ext4 on this machine."""

import tempfile
from pathlib import Path

import mkdisk
from hardware import data_disk
from qemu import PROMPT, Guest, Machine
from testlib import Suite, check

from tests.ext4 import images, posix
from tests.ext4.test_posix import DIFFERENT, DIFFERENT_IN_MEMORY, compared, linux_folder, same_in_the_end
from tests.system.test_disk_files import SIZE_MIB, partition, switch_off
from tests.system.with_services import added, initrd

suite = Suite("posix in the system")

# One of so many cases in make test; the rows of several steps are done in any case.
EVERY = 12
# Files in memory have room for these at once.
LONG_PARTS = 2
ON = {"tmp": "/tmp/", "disk": "/disk/"}
MAY_DIFFER = {"tmp": DIFFERENT_IN_MEMORY, "disk": DIFFERENT}
SERVICE = """
[service.script_{name}]
file = "script"
restart = "on-demand"
priority = 15
ceiling = 15
frames = 256
bytes = 32768
stack_pages = 8
arguments = "/disk/script-{name} /disk/answers-{name}"
uses = {{ files = "vfs", observer = "observer" }}
log = "write"
"""


def disk_with_scripts(folder: Path, cases: list[tuple[str, ...]]) -> Path:
    content, part, path = folder / "content", folder / "made.img", folder / "disk.img"
    content.mkdir()
    for name, above in ON.items():
        lines = [line for number, case in enumerate(cases) for line in posix.script(number, case, above)]
        (content / f"script-{name}").write_text("\n".join([*lines, ""]))
    mkdisk.make(path, SIZE_MIB)
    images.make(part, SIZE_MIB - mkdisk.FIRST_MIB - mkdisk.LAST_MIB, "-b", "4096", "-N", "20000", folder=content)
    with path.open("r+b") as file:
        file.seek(mkdisk.FIRST_MIB * mkdisk.MIB)
        file.write(part.read_bytes())
    return path


def carry_out(path: Path, folder: Path, limit_s: float) -> None:
    """Both scripts, one after the other."""
    services = "".join(SERVICE.format(name=name) for name in ON)
    archive = initrd(folder / "archive", ["script"], added(services))
    with Guest(Machine("direct", cpus=2, memory_mib=1024, initrd=archive, extra=data_disk(path)), "posix", limit_s) as guest:
        guest.expect(PROMPT)
        for name in ON:
            guest.command(f"run script_{name}")
            log = guest.command("log")
            check(f"script_{name}: " in log and " lines carried out, status 0" in log, log)
        switch_off(guest)


def beside_linux(cases: list[tuple[str, ...]], limit_s: float) -> None:
    with tempfile.TemporaryDirectory(prefix="mnos-posix-") as name:
        at = Path(name)
        with linux_folder(at) as (folder, what):
            wanted = [posix.answers_of_linux(folder / f"c{number}", case) for number, case in enumerate(cases)]
            tree = [line for line in images.lines_of(folder) if line != "lost+found dir"]
        path = disk_with_scripts(at, cases)
        (at / "archive").mkdir()
        carry_out(path, at, limit_s)
        part = partition(path)
        found = images.lines_by_debugfs(part, at / "found")
        for where in ON:
            got = posix.answers_of((at / f"found/answers-{where}").read_bytes(), cases)
            differing = compared(cases, wanted, got, MAY_DIFFER[where])
            print(f"posix on /{where}: {len(cases)} cases beside {what}, {len(differing)} with another answer, for a listed reason")
        same_in_the_end([line for line in found if line.startswith("c")], tree, differing)


@suite.test("names and files in memory and on a disk behave as Linux' ext4 says, but for what is listed with its reason")
def some() -> None:
    beside_linux([case for number, case in enumerate(posix.cases()) if number % EVERY == 0 or len(case) > 1], 300)


def long_suite() -> Suite:
    """The whole table, for make test-long."""
    whole = Suite("posix-whole")

    @whole.test("every case of the table behaves in the system as Linux' ext4 says, but for what is listed with its reason")
    def table() -> None:
        for part in range(LONG_PARTS):
            beside_linux(posix.cases()[part::LONG_PARTS], 1800)

    return whole
