/* SPDX-License-Identifier: MIT */
/*
 * selectors.h - the descriptor table, flags, and the size of entry stubs: what C and assembly both use.
 */
#pragma once

/* Selectors. SYSCALL and SYSRET fix the order: AMD64 APM vol 2, "SYSCALL and SYSRET". */
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_SYSRET_BASE 0x18
#define SELECTOR_USER_DATA 0x23
#define SELECTOR_USER_CODE 0x2B
#define SELECTOR_TSS 0x30

#define RFLAGS_USER 0x240DD5 /* CF, PF, AF, ZF, SF, OF; TF, DF, AC, ID: what a program may set */
#define RFLAGS_ALWAYS 0x202  /* the bit that is always set, and IF */

/* Each of the 256 stubs of a variant in stubs.S. */
#define ENTRY_STUB_BYTES 9
