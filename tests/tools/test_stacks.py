# SPDX-License-Identifier: MIT
"""test_stacks.py - a test that waits in vain says where the cores of its machine are."""

import stacks
from testlib import Suite, check

suite = Suite("tools")

REPORT = """core 0 halted, in the kernel, rax=0 rbx=ffffffff802cabc0 rdi=1 rsi=4 rbp=0
  #0 idle_halted+0x0
  #1 reschedule+0x614
core 1 running, in the kernel, rax=0 rbx=1 rdi=2 rsi=3 rbp=4
  #0 spinlock_wait+0x12
  #1 frame_alloc+0x20
core 2 running, in user space: 0x400010"""


@suite.test("where the cores are is said in a line: how many are halted, and the place of each other one")
def line() -> None:
    said = stacks.in_a_line(REPORT)
    check(said == "1 of 3 cores halted; core 1 running: spinlock_wait+0x12; core 2 running, in user space: 0x400010", said)
