// SPDX-License-Identifier: MIT
/*
 * firmware_fuzz.h - the readers of firmware tables on tables that nobody would write. Input is what differs
 * from an image of valid tables, so that the empty input is that image.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { FIRMWARE_IMAGE_BYTES = 0x1000 };

/* Reads the image that `data` makes, and checks what must hold whatever is in it. */
void firmware_fuzz(const uint8_t *data, size_t size);
