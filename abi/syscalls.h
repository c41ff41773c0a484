/* SPDX-License-Identifier: MIT */
/* syscalls.h - the numbers of the system calls: abi/syscalls.def. */
#pragma once

#include "abi/types.h"

enum mnos_syscall_number {
#define SYSCALL(number, name, ...) MNOS_SYS_##name = (number),
#include "abi/syscalls.def"
#undef SYSCALL
    MNOS_SYSCALL_END, /* behind the last */
};
