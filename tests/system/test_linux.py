# SPDX-License-Identifier: MIT
"""test_linux.py - programs of Linux, as Debian has them: what they print here is what they print on the host."""

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pexpect

import mkdisk
from hardware import BUILD, data_disk, network_card
from qemu import PROMPT, Guest, Machine
from testlib import HANG_S, Suite, check
from tests.system.test_network import OWN as OWN_ADDRESS, until

suite = Suite("linux")

BUSYBOX = BUILD / "src/busybox-static/bin/busybox"
OWN = {name: BUILD / "tests/linux" / name
       for name in ("kept", "cost", "errors", "signals", "memory", "large", "events", "reads", "hostile", "sent", "waits", "crowd")}
# What a call may cost, in instructions: docs/linux.md has what it does.
COST_LIMITS = {"getppid": 100, "read": 900, "pipe": 9_900, "fork": 330_000, "exec": 471_000,
               "thread": 8_500}
SIZE_MIB = 64
OLD_S = 1262304000  # when one of the files was changed: in the year 2010
ENDED = re.compile(r"\n?\S+#\d+: ended, exit code (\d+)\n")

# What the disk holds for programs to work on, seen as /work by them.
TEXT = "one\ntwo\nthree\nfour\nfive\n"
FILES = {"text": TEXT, "sorted": "b 2\na 10\nc 1\na 9\n", "empty": "", "sub/below": "deeper\n",
         "long": "".join(f"line {i} of a file that is longer than a page\n" for i in range(4000))}

# Each is run in /work, which can be read there and here.
ALIKE = (
    "echo hello world", "cat /work/text", "cat /work/text /work/sorted", "cat /work/long", "wc /work/long",
    "head -n 2 /work/text", "tail -n 2 /work/text", "sort /work/sorted", "sort -k2n /work/sorted", "md5sum /work/long",
    "sha256sum /work/long", "cksum /work/text", "grep -n e /work/text", "grep -c line /work/long", "sed s/o/0/ /work/text",
    "awk {print$1} /work/sorted", "cut -c1-2 /work/text", "rev /work/text", "tac /work/text", "nl /work/text", "od -c /work/text",
    "hexdump -C /work/text", "base64 /work/text", "fold -w 3 /work/text", "uniq /work/text", "expand /work/text",
    "paste /work/text /work/text", "comm /work/text /work/text", "cmp /work/text /work/text", "diff /work/text /work/text",
    "diff /work/text /work/sorted", "strings /work/text", "basename /a/b.c .c", "dirname /a/b", "seq 1 10", "expr 3 + 4",
    "printf %d-%s\\n 5 x", "test -f /work/text", "test -d /work/text", "ls /work", "ls /nothing", "cat /nothing", "cat /work",
    "find /work -name text", "find /work -type d", "readlink /work/link", "realpath /work/sub/../link", "stat -c %s /work/text",
    "du -a /nothing", "true", "false", "sum /work/text", "xxd /work/text", "sleep 0", "factor 360", "cal 1 2000", "pwd",
    "id -u", "sh /work/script /work", "wc -l /work/empty", "tsort /work/sorted",
    "dd if=/work/text bs=4 count=2", "rm /work/nothing", "rmdir /work/sub/none", "mkdir /work/text", "ln -s a /work/text",
)
SCRIPT = """cd $1
for i in a b c; do echo $i; done
case x in x) echo case;; esac
n=0; while [ $n -lt 3 ]; do n=$((n + 1)); done; echo $n
read line < text; echo "$line"
test -f text && echo there
echo *
set -- 1 2 3; echo $# $2
cd sub; pwd; cat() { echo function; }; cat
exit 7
"""

# What a process with one grant beside its root holds: docs/linux.md. lxhost and its window, two sessions and theirs,
# and the page that says what day it is.
HELD = ["endpoint -w---"] * 3 + ["memory rw---"] * 3 + ["memory r----"]
# Scripts about processes, by what they are about: each is run with the folder as its argument, here and on the host.
# (Whether busybox says "Terminated" depends on when the child ends: that goes to /dev/null.)
PROCESSES = {
    "ends": "echo a; (echo b; exit 3); echo $?; (exit 255); echo $?; cd /none; echo $?; true & wait $!; echo $?; (sleep 100 & kill $!; wait $!; echo $?) 2>/dev/null; trap 'echo usr' USR1; (kill -USR1 $$); echo $?; sh -c 'kill -KILL $$'; echo $?",
    "many": "i=0; while [ $i -lt 200 ]; do (exit $((i % 7))); i=$((i + $? + 1)); done; echo $i",
    "deep": "(echo 1; (echo 2; (echo 3; (echo 4; exit 4); echo $?); echo 5); exit 6); echo $?",
    "offsets": "(cat; cat) < $1/text | cat; (read a; cat; echo $a) < $1/text; (echo x; (echo y); echo z) > $1/o; cat $1/o; rm $1/o",
    "descriptors": "cd $1; cat <(echo one) <(cat text); echo two | cat /dev/stdin; echo three >/dev/stdout; echo four >/dev/stderr; "
                   "echo five | cat /proc/self/fd/0; cat /dev/fd/3 3<text; echo six | (cat </dev/fd/7) 7<&0; echo seven | stat -L -c %F /dev/stdin; "
                   "test -e /dev/fd/9; echo $?",
    "programs": "cd $1; wc text; nonesuch; echo $?; A=1 env | grep ^A=; sort -r text; exec echo end",
    "pipes": "cd $1; sort text | head -n 2; echo a b c | (read x y z; echo $z $y $x); cat long | cat | wc; yes | head -n 3; "
             "x=$(echo in; echo two | rev); echo \"$x\"; for i in 1 2 3; do echo $i; done | tac; echo b | grep a; echo $?; "
             "cat <<E | rev\nhere it is\nE\n",
    "processors": "for i in 1 $$; do taskset -p $i >/dev/null; echo $?; done; sleep 100 & taskset -p $! >/dev/null; echo $?; kill $!",
    # Two copies of one process that draws nothing itself.
    "random": "r() { head -c 16 /dev/urandom | md5sum; }; test \"$(r)\" = \"$(r)\"; echo $?",
}


@contextmanager
def disk(*more: Path, files: dict[str, str] = {}):
    """A disk with programs of Linux at /linux, and `more` of them, and files for them at /work, `files` among them."""
    with tempfile.TemporaryDirectory() as folder:
        content, path = Path(folder) / "content", Path(folder) / "disk.img"
        (content / "linux/bin").mkdir(parents=True)
        for program in (BUSYBOX, *OWN.values(), *more):
            shutil.copy(program, content / "linux/bin")
        for name, text in {**FILES, **files, "script": SCRIPT, **{f"sh/{name}": text for name, text in PROCESSES.items()}}.items():
            (content / "work" / name).parent.mkdir(parents=True, exist_ok=True)
            (content / "work" / name).write_text(text)
        (content / "work/link").symlink_to("text")
        os.utime(content / "work/sorted", (OLD_S, OLD_S))
        program = bytearray(OWN["kept"].read_bytes())
        program[24:32] = (1 << 63).to_bytes(8, "little")  # e_entry
        (content / "linux/bin/outside").write_bytes(program)
        mkdisk.make(path, SIZE_MIB, content=content)
        yield path, content


@contextmanager
def prompt(path: Path, name: str, limit_s: float = 400, cpus: int = 2, extra: tuple[str, ...] = (), memory_mib: int = 256):
    with Guest(Machine("direct", cpus=cpus, memory_mib=memory_mib, extra=(*extra, *data_disk(path))), f"linux {name}", limit_s) as guest:
        guest.expect(PROMPT)
        yield guest


def run(guest: Guest, line: str) -> tuple[str, int]:
    """What the line printed, and the exit code of its program."""
    output = guest.command(line, 60)
    ended = ENDED.search(output)
    check(ended, f"{line!r} does not say how it ended:\n{output}")
    return output[:ended.start()] + ("\n" if output[:ended.start()] else ""), int(ended[1])


def run_alike(guest: Guest, program: Path, options: str = "") -> None:
    """The program, one of the tests' own, prints here what it prints on the host, and ends with 0."""
    host = subprocess.run([program], stdout=subprocess.PIPE, timeout=HANG_S, check=True).stdout.decode()
    output, code = run(guest, f"run {options} {program.name}")
    wrong = [f"here {a!r}, host {b!r}" for a, b in zip(output.splitlines(), host.splitlines()) if a != b]
    check((output, code) == (host, 0), f"{code}: " + ("\n".join(wrong) or output))


def on_the_host(command: str, content: Path) -> tuple[str, int]:
    """The same on this machine, where /work is the folder: outputs, errors among them, in the order they come."""
    argv = command.replace("/work", str(content / "work")).split()
    done = subprocess.run([BUSYBOX, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          cwd="/", env={"PATH": "/bin", "TERM": "vt100", "HOME": "/"}, timeout=HANG_S)
    return done.stdout.decode().replace(str(content / "work"), "/work"), done.returncode


@suite.test("applets of Debian's busybox print here what they print on the host, and end so")
def alike() -> None:
    with disk() as (path, content), prompt(path, "alike") as guest:
        wrong = []
        for command in ALIKE:
            wanted = on_the_host(command, content)
            found = run(guest, f"run --grant /disk/work:r:/work busybox {command}")
            if command.startswith("find") or command == "ls /work":
                wanted, found = ((sorted(text.split()), code) for text, code in (wanted, found))
            if found != wanted:
                wrong.append(f"{command!r}:\n  here {found}\n  host {wanted}")
        check(not wrong, "\n".join(wrong))


@suite.test("shells make processes, run programs in them and learn how they end, as on the host")
def processes() -> None:
    with disk() as (path, content), prompt(path, "processes") as guest:
        wrong = []
        for name in PROCESSES:
            command = f"sh /work/sh/{name} /work"
            wanted, found = on_the_host(command, content), run(guest, f"run --grant /disk/work:rwc:/work busybox {command}")
            if found != wanted:
                wrong.append(f"{name}:\n  here {found}\n  host {wanted}")
        check(not wrong, "\n".join(wrong))


# Run by their names: /proc/self/exe is the program that reads them, by which busybox' shell runs its own programs.
SCRIPTS = {"inner": "#!/bin/busybox sh\nreadlink /proc/self/exe\necho $0 $1 | rev\n", "outer": "#!/work/inner outer\n"}
SCRIPTS_SAY = {"--grant /disk/work:r:/work /disk/work/inner one": "/bin/busybox\neno renni/krow/\n",
               "--grant /disk/work:r:/work busybox env /work/inner two": "/bin/busybox\nowt renni/krow/\n",
               "--grant /disk/work:r:/work busybox env /work/outer": "/bin/busybox\nretuo renni/krow/\n"}


@suite.test("a script that is run by its name, by another and by a program, is run by the program that its first line names")
def scripts() -> None:
    with disk(files=SCRIPTS) as (path, _), prompt(path, "scripts") as guest:
        for line, wanted in SCRIPTS_SAY.items():
            output, code = run(guest, f"run {line}")
            check((output, code) == (wanted, 0), f"{line}: {code}, {output!r}")


@suite.test("a program reads what is typed, line by line, with erasing and the end of the file")
def typed() -> None:
    with disk() as (path, _), prompt(path, "typed") as guest:
        guest.command("write /disk/work/ask echo ready; read a; echo got $a; read b || echo end of file")
        guest.send("run --grant /disk/work:r:/work busybox sh /work/ask\r")
        guest.expect("ready", 30)
        guest.send("helo\x7f\x7fllo\r")
        guest.expect("got hello", 30)
        guest.send("\x04")
        guest.expect("end of file", 30)
        guest.expect("ended, exit code 0", 30)
        guest.send("run busybox cat\r")
        guest.expect("cat", 30)
        guest.send("\x03")
        guest.expect("ended", 30)


@suite.test("a program changes files where it may, and is told why where it may not")
def changes() -> None:
    with disk() as (path, _), prompt(path, "changes") as guest:
        def may(line: str, code: int = 0, *texts: str, rights: str = "rwc") -> None:
            output, ended = run(guest, f"run --grant /disk/work:{rights}:/work busybox {line}")
            check(ended == code and all(text in output for text in texts), f"{line!r}: {ended}, {output!r}")
        may("cp /bin/busybox /work/copy")
        may("cmp /bin/busybox /work/copy")
        may("mv /work/copy /work/sub/moved")
        may("ln -s sub/moved /work/new")
        may("cmp /bin/busybox /work/new")
        may("mkdir /work/made")
        may("find /work/sorted -mtime +365", 0, "/work/sorted")
        may("touch /work/sorted")
        may("find /work/sorted -mtime -1", 0, "/work/sorted")
        may("grep -c . /work/sorted", 0, str(FILES["sorted"].count("\n")))
        for date in ("2000-01-02", "1969-07-20", "2222-02-02"):
            for name in ("sorted", "sub"):  # a file and a directory
                may(f"touch -d {date} /work/{name}")
                may(f"stat -c %y /work/{name}", 0, f"{date} ")
        may("touch -d @1000000000 /work/sorted")
        may("cp -p /work/sorted /work/aged")
        may("stat -c %y /work/aged", 0, "2001-09-09 01:46:40.000000000")
        may("touch -r /work/text /work/aged")
        may("rm /work/aged")
        may("touch -h -d 2000-01-02 /work/new", 1, "Operation not permitted")
        may("touch /work/sorted", 1, "Read-only file system", rights="r")
        may("touch -d 2000-01-02 /work/sorted", 1, "Read-only file system", rights="r")
        for _ in range(2):  # it makes the file, and then has it there
            check(run(guest, "run --grant /tmp:rwc:/work busybox touch /work/made") == ("", 0), "a file in memory")
        may("rmdir /work/sub", 1, "Directory not empty")
        may("rm -r /work/sub /work/made")
        may("ls /work/sub", 1, "No such file or directory")
        may("sh -c echo>/work/x", 0, "")
        may("rm -f /work/text", 1, "Read-only file system", rights="r")
        may("mkdir /work/made", 1, "Read-only file system", rights="r")
        may("rm -f /bin/busybox", 1, "Read-only file system")
        may("cp /bin/busybox /etc/x", 1, "No such file or directory")
        may("cp /bin/busybox /bin/x", 1, "Read-only file system")
        may("touch /work/text")
        may("touch /bin/busybox", 1, "Read-only file system")
        may("chmod 755 /work/text")
        may("chmod 600 /work/text", 1, "Operation not permitted")
        may("rmdir /work", 1, "Device or resource busy")
        check("one" in guest.command("cat /disk/work/text"), "the file is another one")


@suite.test("a program of Linux has its sessions, its terminal and its memory, and nothing else is there for it")
def confined() -> None:
    with disk() as (path, _), prompt(path, "confined") as guest:
        output, code = run(guest, "run --grant /disk/work:r:/work hostile")
        wanted, found = sorted(HELD), sorted(output.splitlines())
        check(code == 0 and found == wanted, f"it holds {found}, and not {wanted}")
        output, code = run(guest, "run busybox ls /work /disk /boot /tmp")
        check(code == 1 and output.count("No such file") == 4, f"it sees what it was not given: {output}")
        output, code = run(guest, "run --grant /disk/work:r:/a/../work// busybox cat /work/text")
        check((output, code) == (TEXT, 0), f"a grant is not where its line says: {output}")
        guest.command("cp /disk/linux/bin/busybox /disk/work/busybox")
        guest.command("cd /disk/linux")
        for options in ("", "--memory 32M ", "--grant /disk/work:r:/work "):
            output, code = run(guest, f"run {options}../work/busybox echo there")
            check((output, code) == ("there\n", 0), f"a program is not where its line says: {output}")
        output, code = run(guest, "run busybox cat /../../../disk/work/text")
        check(code == 1 and "No such file" in output, f"it leaves its root: {output}")
        output, code = run(guest, "run --memory 2M busybox dd if=/dev/zero of=/dev/null bs=64M count=1")
        check(code != 0, f"it has more memory than it may: {output}")


@suite.test("vector registers are after a call what they were before, whoever ran meanwhile")
def vectors() -> None:
    with disk() as (path, _), prompt(path, "vectors", cpus=1) as guest:
        guest.send("run --grant /disk/work:r:/work kept\r")
        guest.expect("type", 30)
        guest.send("text\r")
        waited = guest.expect("ended, exit code 0", 30)
        check("all is kept" in waited, waited)
        guest.expect(PROMPT)
        since = len(guest.output())
        for _ in range(2):  # two that give way to each other
            check("started" in guest.command("run --memory 8M kept yields &"), "it was not started")
        said = guest.told(r"(?s)(\ball is kept.*){2}", since).string  # the first may have ended before the second was typed
        check("not all is kept" not in said, "sched_yield() loses vector registers")


@suite.test("a step over a page that is not present and a jump to what is no code are the program's faults, not lx's")
def steps() -> None:
    with disk() as (path, _), prompt(path, "steps") as guest:
        output, code = run(guest, "run kept steps")
        check("ended by SIGTRAP" in output and code == 128 + 5, f"{code}, {output!r}")
        output, code = run(guest, "run kept jumps")
        check("ended by SIGSEGV" in output and code == 128 + 11, f"{code}, {output!r}")


# Of each round of crowd.c: 31 children beside it, and none more (EAGAIN).
ENDED_CROWD = "ended: 31\none more: -11\nwaited for: 31\n"


@suite.test("waitid tells of children what it tells on the host, those that nobody waits for are gone when they end, or count among 32")
def waits() -> None:
    with disk() as (path, _), prompt(path, "waits") as guest:
        run_alike(guest, OWN["waits"])
        output, code = run(guest, "run crowd")
        check((output, code) == (ENDED_CROWD * 2, 0), f"{code}: {output}")


@suite.test("signals from others reach a program that computes or only makes calls; one that was stopped goes on as it was")
def sent() -> None:
    with disk() as (path, _), prompt(path, "sent") as guest:
        run_alike(guest, OWN["sent"])
        guest.send("run busybox sh\r")
        guest.expect("# ", 30)
        for program in ("exec yes >/dev/null", "while :; do :; done"):
            guest.send(f"sh -c \"echo beg''un; {program}\"\r")
            guest.expect("begun", 30)  # by now it is in the foreground
            guest.send("\x03")
            guest.expect("# ", 60)
            guest.send("echo code $?\r")
            guest.expect("code 130", 30)
            guest.expect("# ", 30)


@suite.test("calls with wrong arguments answer what they answer on the host")
def errors() -> None:
    host = pexpect.run(str(OWN["errors"]), timeout=HANG_S).decode().replace("\r", "")
    with disk() as (path, _), prompt(path, "errors") as guest:
        output, code = run(guest, "run errors")
    wrong = [lines for lines in zip(output.splitlines(), host.splitlines(), strict=True) if lines[0] != lines[1]]
    check(code == 0 and not wrong, "\n".join(f"here {here}, host {there}" for here, there in wrong))


@suite.test("handlers of signals are told what they are told on the host, run in that order, and leave things as they were")
def signals() -> None:
    host = subprocess.run([OWN["signals"]], stdout=subprocess.PIPE, timeout=HANG_S)
    check(host.returncode == -11, f"on the host it ends by {host.returncode}")
    with disk() as (path, _), prompt(path, "signals", extra=network_card()) as guest:
        until(guest, "ip", OWN_ADDRESS)
        output, code = run(guest, "run --listen loopback:5009-5010/udp --connect loopback:5009-5010/udp signals")
        here, there = output.splitlines(), host.stdout.decode().splitlines()
        wrong = [f"here {a!r}, host {b!r}" for a, b in zip(here, there) if a != b]
        check(code == 128 + 11 and "ended by SIGSEGV" in here[-1] and len(here) == len(there) + 1 and not wrong,
              "\n".join(wrong) or output)
        guest.command("write /disk/work/trap caught() { echo caught; }; trap caught USR1; kill -USR1 $$; echo after")
        output, code = run(guest, "run --grant /disk/work:r:/work busybox sh /work/trap")
        check((output, code) == ("caught\nafter\n", 0), f"a trap of a shell: {code}, {output!r}")


@suite.test("eventfd, timerfd, signalfd and epoll do what they do on the host")
def events() -> None:
    with disk() as (path, _), prompt(path, "events", extra=network_card()) as guest:
        until(guest, "ip", OWN_ADDRESS)
        run_alike(guest, OWN["events"], "--listen loopback:5011/udp --connect loopback:5011/udp")


READS = """wrong: 0
wrong behind writes: 0
wrong behind a write of another: 0
to where nothing is: -14
to its edge: 16
a byte of it: 77
not by words: 13
a byte of it: 119
from there: 13
cut: 0
the rest: 10
behind the end: 0
close: 0
"""


@suite.test("a file that is read again and again, without requests, has what was written to it last")
def reads() -> None:
    with disk() as (path, _), prompt(path, "reads") as guest:
        for grant in ("/disk/work:rwc:/work", "/tmp:rwc:/work"):
            output, code = run(guest, f"run --grant {grant} reads")
            check((output, code) == (READS, 0), f"{grant}: {code}: {output}")


@suite.test("a heap grows page by page as far as it may, and a move without room for it changes nothing")
def memory() -> None:
    with disk() as (path, _), prompt(path, "memory") as guest:
        run_alike(guest, OWN["memory"])


@suite.test("a program with much memory makes a copy of itself")
def large() -> None:
    with disk() as (path, _), prompt(path, "large", memory_mib=1024) as guest:
        output, code = run(guest, "run --memory 360M large")
        check((output, code) == ("", 0), f"{code}: {output}")


@suite.test("calls take no more instructions than they may")
def cost() -> None:
    with disk() as (path, _), prompt(path, "cost", cpus=1, extra=("-icount", "shift=0,sleep=off")) as guest:
        for _ in guest.looks():  # what services do when they begin would count
            if not re.search(r" ready +\d", guest.command("ps")):
                break
        output, code = run(guest, "run --grant /disk/work:r:/work cost")
        found = {name: int(count) for name, count in re.findall(r"^(\w+) (\d+)$", output, re.M)}
        check(code == 0 and found.keys() == COST_LIMITS.keys(), f"{code}: {output}")
        check(all(found[name] <= limit for name, limit in COST_LIMITS.items()), f"above {COST_LIMITS}: {found}")


@suite.test("what cannot be run is told in one line")
def refused() -> None:
    with disk() as (path, _), prompt(path, "refused") as guest:
        guest.command("write /disk/work/none #!/bin/none")
        for line, text in (("run --grant /disk/work busybox true", "which rights?"),
                           ("run --grant /disk/work:q busybox true", "q are no rights"),
                           ("run --listen 80 busybox true", "--listen 80 says nothing that can be"),
                           ("run --root /disk/linux", "which program?"),
                           ("run --memory x busybox", "x is no size"),
                           ("run --trace nothing", "there is no program nothing"),
                           ("run --trace /boot/hello", "is a program of this system"),
                           ("run /disk/work/none", "the file that loads or interprets it is not there"),
                           ("run outside", "the file is no program that can be run: /bin/outside"),
                           ("run /disk/work/text", "not a program: not an ELF file")):
            output = guest.command(line, 60)
            check(text in output, f"{line!r} does not say {text!r}:\n{output}")
