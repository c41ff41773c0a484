// SPDX-License-Identifier: MIT
/* size_text.h - amounts of bytes for people. */
#pragma once

#include <stdint.h>

#define SIZE_TEXT_BYTES 16

/* "512 B", "1.5 KiB", "16.0 EiB". Returns `text`. */
const char *size_text(char text[SIZE_TEXT_BYTES], uint64_t bytes);
