// SPDX-License-Identifier: MIT
/*
 * futex.h - futex(2): threads that wait for a word of the program's memory. A futex is known by its address: no memory that is
 * written to is shared with another process.
 */
#pragma once

struct lx_thread;

/* What the thread has told by set_tid_address() and set_robust_list() is done, and who waits for it is told. */
void futex_thread_ends(const struct lx_thread *thread);
/* In a copy of the process, where nobody waits. */
void futex_forked(void);
