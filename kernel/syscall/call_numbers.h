/* SPDX-License-Identifier: MIT */
/*
 * call_numbers.h - the numbers of abi/syscalls.def that assembly knows; dispatch.c asserts that they are
 * right. Usable from both languages.
 */
#pragma once

#define CALL_BASE 0x4D4E0000
#define CALL_COUNT 25       /* calls: numbers from the base on */
#define CALL_TABLE_COUNT 32 /* a power of two; what is no call has an entry that says so */
#define CALL_IPC_CALL 0x4D4E0006
#define CALL_IPC_REPLY 0x4D4E0007

/* struct call_return.rax: what is to be returned is in the thread's frame, if it goes on at all. */
#define CALL_IN_FRAME -1
