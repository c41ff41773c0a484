/* SPDX-License-Identifier: MIT */
/* program_memcpy.S - memcpy() of programs under names that the host's C library does not have. */
#define memcpy program_memcpy
#define memcpy_init program_memcpy_init
#include "lib/mnos/memcpy.S"
