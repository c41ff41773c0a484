// SPDX-License-Identifier: MIT
/*
 * panic.h - the end: what only a kernel bug, broken hardware or the death of init can cause.
 *
 * Seizes UART and framebuffer, stops every other core, prints message, core, thread, registers and a
 * symbolised backtrace on both; then halts, or, when the kernel command line has "debug-exit", leaves
 * QEMU through its debug exit port with status 37.
 */
#pragma once

struct user_frame;

[[gnu::noreturn, gnu::format(printf, 1, 2)]] void panic(const char *format, ...);

/* The same, with the registers of the exception that caused it. */
[[gnu::noreturn, gnu::format(printf, 2, 3)]] void panic_frame(const struct user_frame *frame,
                                                              const char *format, ...);
