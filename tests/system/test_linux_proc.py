# SPDX-License-Identifier: MIT
"""test_linux_proc.py - what programs of Linux see in /proc: themselves, the container they are in, and nothing else."""

import re

from testlib import Suite, check
from tests.system.test_linux import disk, prompt, run

suite = Suite("linux_proc")

# What a shell does in a container of its own, and what it is to say; \d+ and the like stand for what is another one each time.
ALONE = {
    "busybox readlink /proc/self/exe": r"/bin/busybox\n",
    "busybox wc -c /proc/self/cmdline": r"33 /proc/self/cmdline\n",
    "busybox readlink /proc/self": r"1\n",
    "busybox ls -1 /proc": r"1\ncpuinfo\nmeminfo\nself\nuptime\n",
    "busybox ls -1 /proc/1": r"cmdline\ncomm\nexe\nfd\nmaps\nstat\nstatus\n",
    "busybox readlink /proc/self/fd/1": r"/dev/tty\n",
    "busybox cat /proc/self/comm": r"busybox\n",
    "busybox readlink -f /dev/stdin": r"/dev/tty\n",
    "busybox ls /proc/77": r"ls: /proc/77: No such file or directory\n",
    "busybox ls /proc/01": r"ls: /proc/01: No such file or directory\n",
    "busybox head -n 4 /proc/self/status": r"Name:\tbusybox\nState:\tR \(running\)\nTgid:\t1\nPid:\t1\n",
    "busybox grep -c processor /proc/cpuinfo": r"2\n",
    "busybox nproc": r"2\n",
    "busybox wc -w /proc/1/stat": r"52 /proc/1/stat\n",
    "busybox grep stack /proc/self/maps": r"[0-9a-f]+-[0-9a-f]+ rw-p 0+ 00:00 0 +\[stack\]\n",
    "busybox grep r-xp /proc/self/maps": r"[0-9a-f]+-[0-9a-f]+ r-xp [0-9a-f]+ 00:00 0 +/bin/busybox\n",
    "busybox uptime": r" *\d\d:\d\d:\d\d up \d+ min,  0 users,  load average: 0.00, 0.00, 0.00\n",
    "--memory 16M busybox free -k": r" +total.*\nMem: +(\d+) +\d+ +\d+ +0 +0 +\d+\nSwap: +0 +0 +0\n",
}
# A shell and two programs that it has started; the one that reads is the last.
TOGETHER = ("sleep 1000 & until grep -q sleep /proc/$!/cmdline; do :; done; cat /proc/$!/cmdline; "
            "ls -1 /proc/$!; cat /proc/$!/maps; set -- $(cat /proc/$!/stat); echo $2 $4; ps -o pid,ppid,args; kill $!; wait $!; echo /proc/[0-9]*")
SAID = (r"sleep\x001000\x00cmdline\ncomm\nstat\nstatus\ncat: can't open '/proc/2/maps': No such file or directory\n\(\w+\) 1\n"
        r"PID +PPID +COMMAND\n +1 +0 busybox sh /work/together\n +2 +1 (\{\w+\} )?sleep 1000\n +\d+ +1 .*\n(Terminated\n)?/proc/1\n")


@suite.test("a program reads in /proc what it is, what its container has, and of the machine what all programs see")
def alone() -> None:
    with disk() as (path, _), prompt(path, "proc") as guest:
        wrong = []
        for line, wanted in ALONE.items():
            output, code = run(guest, f"run {line}")
            if not re.fullmatch(wanted, output):
                wrong.append(f"{line!r}: {code}, {output!r}")
        check(not wrong, "\n".join(wrong))
        total = int(re.search(r"Mem: +(\d+)", run(guest, "run --memory 16M busybox free -k")[0])[1])
        check(total <= 16 * 1024, f"a container of 16 MiB has {total} KiB")


@suite.test("processes of a container see each other in /proc, and those of no other")
def together() -> None:
    with disk(files={"together": TOGETHER}) as (path, _), prompt(path, "proc together") as guest:
        output, _ = run(guest, "run --grant /disk/work:r:/work busybox sh /work/together")
        check(re.fullmatch(SAID, output), repr(output))
