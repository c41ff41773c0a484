// SPDX-License-Identifier: MIT
/* output.h - how an init process without services tells what it found, and ends the machine. */
#pragma once

#include <stdbool.h>

/* One line, through the kernel log. */
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);

/* Ends QEMU, with one exit code or the other. */
void machine_leave(bool passed);
