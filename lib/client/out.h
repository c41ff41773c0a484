// SPDX-License-Identifier: MIT
/*
 * out.h - what a command says, on the terminal that it was given as "terminal". It is collected, and sent in large messages;
 * out_flush() sends what is left. For one thread. A command whose terminal has ended has nobody to work for: it ends, with
 * OUT_EXIT_TERMINAL. A service that is made of it needs "terminal" in its manifest.
 */
#pragma once

#include <stddef.h>

#include "abi/types.h"

#define OUT_EXIT_TERMINAL 3

/* "\n" becomes "\r\n". */
void out_write(const char *bytes, size_t count);
__attribute__((format(printf, 1, 2))) void out_print(const char *format, ...);
/* A name, path or text of a link, of which nothing commands the terminal. */
void out_name(const char *name);
/* Sends what was collected. */
void out_flush(void);
/* "COMMAND WHAT: why"; COMMAND is the program's first argument, and WHAT may be empty. */
void out_failed(mnos_status_t status, const char *what);
