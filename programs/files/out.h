// SPDX-License-Identifier: MIT
/* out.h - what a command says, on the terminal that it was given. It is collected, and sent in large messages. */
#pragma once

#include <stddef.h>

#include "abi/types.h"

/* "\n" becomes "\r\n". */
void out_write(const char *bytes, size_t count);
__attribute__((format(printf, 1, 2))) void out_print(const char *format, ...);
/* A name, path or text of a link, of which nothing commands the terminal. */
void out_name(const char *name);
/* Sends what was collected. */
void out_flush(void);
/* "COMMAND PATH: why". */
void out_failed(mnos_status_t status, const char *path);
