// SPDX-License-Identifier: MIT
/* wait_stub.h - how a call is made that may park the thread, after which the vector registers are lost: part of
 * syscall.h. No code built like this library has anything in them; lx does (personality/linux/lx/native). */
#pragma once

#include "lib/mnos/syscall_raw.h"

static inline struct syscall_result syscall_raw_waits(uint64_t number, uint64_t a1, uint64_t a2)
{
    return syscall_raw(number, a1, a2, 0, 0, 0, 0);
}
