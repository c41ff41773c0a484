/* SPDX-License-Identifier: MIT */
/*
 * offsets.h - what assembly knows of C structures and of the descriptor table; gdt.c asserts that it
 * is true. Usable from both languages.
 */
#pragma once

/* struct core; found through the word at GS:0 while in the kernel. */
#define CORE_SELF 0
#define CORE_CURRENT 8
#define CORE_KERNEL_STACK_TOP 16
#define CORE_SCRATCH 24
#define CORE_NEED_RESCHED 32
#define CORE_TRACING 33
#define CORE_ERROR 34
#define CORE_STATISTICS 40
#define CORE_PANIC_STACK_TOP 48

/* struct mnos_core_statistics. */
#define STATISTICS_SYSCALLS 32

/* struct cpu_entry, which GS points to instead with page-table isolation. */
#define ENTRY_CORE 0
#define ENTRY_SCRATCH 8
#define ENTRY_CR3_KERNEL_AND 16
#define ENTRY_CR3_KERNEL_OR 24
#define ENTRY_CR3_USER_OR 32
#define ENTRY_STACK_TOP 40
#define ENTRY_KERNEL_ROOT 48

/* `vector` of frames that the SYSCALL instruction made. */
#define FRAME_SYSCALL_VECTOR 256

/* struct user_frame. */
#define FRAME_R15 0
#define FRAME_R14 8
#define FRAME_R13 16
#define FRAME_R12 24
#define FRAME_RBP 32
#define FRAME_RBX 40
#define FRAME_R11 48
#define FRAME_R10 56
#define FRAME_R9 64
#define FRAME_R8 72
#define FRAME_RAX 80
#define FRAME_RCX 88
#define FRAME_RDX 96
#define FRAME_RSI 104
#define FRAME_RDI 112
#define FRAME_VECTOR 120
#define FRAME_ERROR 128
#define FRAME_RIP 136
#define FRAME_CS 144
#define FRAME_RFLAGS 152
#define FRAME_RSP 160
#define FRAME_SS 168
#define FRAME_BYTES 176

/* struct thread, which begins with its frame. */
#define THREAD_STOP 176

/* Selectors. SYSCALL and SYSRET fix the order: AMD64 APM vol 2, "SYSCALL and SYSRET". */
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_SYSRET_BASE 0x18
#define SELECTOR_USER_DATA 0x23
#define SELECTOR_USER_CODE 0x2B
#define SELECTOR_TSS 0x30

/* Each of the 256 stubs of a variant in stubs.S. */
#define ENTRY_STUB_BYTES 9
