// SPDX-License-Identifier: MIT
/* calls.h - the handlers of calls.def, each lx_NAME, with the types that its arguments are cut to. */
#pragma once

#include "personality/linux/lx/lx.h"
#include "personality/linux/lx/open_file.h"

#define CALL0(number, name, restart, state, note) int64_t lx_##name(void);
#define CALL1(number, name, restart, state, note, t1, a1) int64_t lx_##name(t1 a1);
#define CALL2(number, name, restart, state, note, t1, a1, t2, a2) int64_t lx_##name(t1 a1, t2 a2);
#define CALL3(number, name, restart, state, note, t1, a1, t2, a2, t3, a3)                          \
    int64_t lx_##name(t1 a1, t2 a2, t3 a3);
#define CALL4(number, name, restart, state, note, t1, a1, t2, a2, t3, a3, t4, a4)                  \
    int64_t lx_##name(t1 a1, t2 a2, t3 a3, t4 a4);
#define CALL5(number, name, restart, state, note, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5)          \
    int64_t lx_##name(t1 a1, t2 a2, t3 a3, t4 a4, t5 a5);
#define CALL6(number, name, restart, state, note, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6)  \
    int64_t lx_##name(t1 a1, t2 a2, t3 a3, t4 a4, t5 a5, t6 a6);
#include "personality/linux/calls.def"
#undef CALL0
#undef CALL1
#undef CALL2
#undef CALL3
#undef CALL4
#undef CALL5
#undef CALL6

#define CALL_NUMBERS 512u /* above all numbers of calls.def */

/* Writes a line for each call from now on. */
void calls_trace(void);
/* Why calls do not take the short way of entry.S, but go through lx_call_slowly(). */
enum calls_slow { CALLS_OF_TRACE = 1, CALLS_OF_THREADS = 2 };
void calls_go_slowly(enum calls_slow why, bool on);

/* directory.c: lseek() of a directory. */
int64_t directory_seek(struct open_file *file, uint64_t offset);
