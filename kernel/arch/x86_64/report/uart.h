// SPDX-License-Identifier: MIT
/* uart.h - polled output on COM1: the kernel's voice while no program has it, and in a panic. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART_PORT 0x3F8u
#define UART_PORT_COUNT 8u

/* False: the machine has no COM1. The line is set to 115200 8N1 before the first byte. */
bool uart_init(void);

/* As log.h says of devices: sends what fits without waiting, each newline as CR LF. */
bool uart_show(const char *text, size_t size_bytes, size_t *taken);
/* A program had it: the line is set up again, when what it has sent is out, and text begins on a line of its own. */
void uart_reset(void);

/* Waits until the last byte is on the wire, for so many cycles at most. */
void uart_finish(uint64_t cycles_max);
/* Sends a text without regard to anything, for the panic within a panic; gives up after so many cycles. */
void uart_cry(const char *text, uint64_t cycles_max);
