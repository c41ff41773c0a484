// SPDX-License-Identifier: MIT
/* uart.h - polled output on COM1: the kernel's voice until user space runs, and in a panic. */
#pragma once

#include <stddef.h>

/* Sets the line to 115200 8N1, no interrupts. Again in a panic: a driver may have changed it. */
void uart_init(void);

/* Sends text, each newline as CR LF. Does nothing on a machine without COM1. */
void uart_write(const char *text, size_t size_bytes);
