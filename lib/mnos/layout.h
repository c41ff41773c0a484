// SPDX-License-Identifier: MIT
/*
 * layout.h - where things lie in the address space of a program. A convention between libmnos and
 * whoever loads programs (init); the kernel knows none of it, and user.ld has the program's start.
 */
#pragma once

#include "abi/types.h"
#include "lib/mnos/mappings.h"

/* A program's segments lie between these. */
#define LAYOUT_PROGRAM_LOWEST 0x0000000000010000ull
#define LAYOUT_PROGRAM_END 0x0000000040000000ull

/* Of a program that was launched: the code that loads it (programs/loader), and what it was called with. Both share a
 * page table. Below 2 GiB, as code of programs has to be. */
#define LAYOUT_LOADER 0x0000000040000000ull
#define LAYOUT_LOADER_END 0x0000000040100000ull
#define LAYOUT_ARGUMENTS LAYOUT_LOADER_END

/* The first thread, beside the kernel information page, so that all share one page table: bootstrap
 * table, IPC buffer, an unmapped page, and the stack below LAYOUT_STACK_TOP, with nothing mapped below
 * it. */
#define LAYOUT_BOOTSTRAP (MNOS_KINFO_ADDRESS - MNOS_PAGE_BYTES)
#define LAYOUT_IPC_BUFFER (MNOS_KINFO_ADDRESS - 2ull * MNOS_PAGE_BYTES)
#define LAYOUT_STACK_TOP (MNOS_KINFO_ADDRESS - 3ull * MNOS_PAGE_BYTES)

/* The last bytes of the stack are not the stack's: a word by which the program shows that it works
 * (abi/bootstrap.h), and room, so that it is no neighbour of what a function has there. */
#define LAYOUT_STACK_RESERVED 64
#define LAYOUT_ALIVE (LAYOUT_STACK_TOP - 8)

/* The code of another system's programs that runs inside their processes (personality/), and what it writes to; linked
 * there. Its own mappings begin at LAYOUT_PERSONALITY_END. */
#define LAYOUT_PERSONALITY 0x00007FF000000000ull
#define LAYOUT_PERSONALITY_END 0x00007FF100000000ull
