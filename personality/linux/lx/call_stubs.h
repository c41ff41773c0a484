// SPDX-License-Identifier: MIT
/* call_stubs.h - for each call of calls.def a function that takes six registers, cuts its arguments to their types and
 * calls lx_NAME: here and nowhere else registers become arguments. Host tests include it. */
#pragma once

#include "personality/linux/lx/calls.h"

typedef int64_t call_stub(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                          uint64_t a6);

/* The last call that may have waited, of which a signal that ends the wait has to know (signal_frame.c). */
extern uint64_t lx_call_number;
#define NOTE_NO(number) (void)0
#define NOTE_AGAIN(number) (void)(lx_call_number = (number))
#define NOTE_EINTR(number) (void)(lx_call_number = (number))

#define STUB(number, name, restart, ...)                                                           \
    static inline int64_t stub_##name(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4,          \
                                      uint64_t r5, uint64_t r6)                                    \
    {                                                                                              \
        (void)r1, (void)r2, (void)r3, (void)r4, (void)r5, (void)r6;                                \
        NOTE_##restart(number);                                                                    \
        return lx_##name(__VA_ARGS__);                                                             \
    }
#define CALL0(number, name, restart, state, note) STUB(number, name, restart)
#define CALL1(number, name, restart, state, note, t1, a1) STUB(number, name, restart, (t1)r1)
#define CALL2(number, name, restart, state, note, t1, a1, t2, a2)                                  \
    STUB(number, name, restart, (t1)r1, (t2)r2)
#define CALL3(number, name, restart, state, note, t1, a1, t2, a2, t3, a3)                          \
    STUB(number, name, restart, (t1)r1, (t2)r2, (t3)r3)
#define CALL4(number, name, restart, state, note, t1, a1, t2, a2, t3, a3, t4, a4)                  \
    STUB(number, name, restart, (t1)r1, (t2)r2, (t3)r3, (t4)r4)
#define CALL5(number, name, restart, state, note, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5)          \
    STUB(number, name, restart, (t1)r1, (t2)r2, (t3)r3, (t4)r4, (t5)r5)
#define CALL6(number, name, restart, state, note, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6)  \
    STUB(number, name, restart, (t1)r1, (t2)r2, (t3)r3, (t4)r4, (t5)r5, (t6)r6)
#include "personality/linux/calls.def"
#undef CALL0
#undef CALL1
#undef CALL2
#undef CALL3
#undef CALL4
#undef CALL5
#undef CALL6
#undef STUB
#undef NOTE_NO
#undef NOTE_AGAIN
#undef NOTE_EINTR
