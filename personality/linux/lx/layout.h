/* SPDX-License-Identifier: MIT */
/* layout.h - where lx keeps things, for C and assembly: docs/linux.md has the whole map. */
#pragma once

/* Addresses below are the program's, all above are lx's: LAYOUT_PERSONALITY. */
#define LX_BASE 0x00007FF000000000
/* lx's code ends below: its data begins here (lx.ld), where nothing can be executed. */
#define LX_CODE_END 0x00007FF010000000

/* Pieces of memory of lx itself (heap.c): behind its data, so that all that is lx's alone lies between LX_CODE_END and here
 * and what it has grown to. */
#define LX_HEAP 0x00007FF020000000
#define LX_HEAP_END 0x00007FF100000000

/* Words of the IPC buffer, by GS: bytes that no message fills, and struct mnos_ipc_buffer.reserved[1]. */
#define LX_SLOT 3968
#define LX_TOP 4080

/* At LX_TOP lies the address of struct lx_thread (threads.h), of which entry.S knows this. */
#define LX_THREAD_KEPT 8

/* The first thread keeps the stack that it was started on; others have smaller ones. */
#define LX_STACK_BYTES 0x10000
#define LX_THREAD_STACK_BYTES 0x8000

#define LX_FRAME_RFLAGS 120

/* RLIMIT_STACK of a program. */
#define LX_PROGRAM_STACK 0x800000

/* How lx itself ends a process, instead of what its program ends with (0 to 255). */
#define LX_EXIT_PROCESSOR 0x101 /* no FSGSBASE or XSAVE */
#define LX_EXIT_START 0x102     /* the program could not be started; why was told */
#define LX_EXIT_SELF 0x103      /* a fault in lx */
