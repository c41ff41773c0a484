// SPDX-License-Identifier: MIT
/* auxiliary.h - types of the auxiliary vector: linux/auxvec.h of Linux 6.1. */
#pragma once

enum lx_auxiliary {
    LX_AT_NULL = 0,
    LX_AT_PHDR = 3,
    LX_AT_PHENT = 4,
    LX_AT_PHNUM = 5,
    LX_AT_PAGESZ = 6,
    LX_AT_BASE = 7,
    LX_AT_FLAGS = 8,
    LX_AT_ENTRY = 9,
    LX_AT_UID = 11,
    LX_AT_EUID = 12,
    LX_AT_GID = 13,
    LX_AT_EGID = 14,
    LX_AT_PLATFORM = 15,
    LX_AT_HWCAP = 16,
    LX_AT_CLKTCK = 17,
    LX_AT_SECURE = 23,
    LX_AT_RANDOM = 25,
    LX_AT_HWCAP2 = 26,
    LX_AT_EXECFN = 31,
    LX_AT_MINSIGSTKSZ = 51,
};
