/* SPDX-License-Identifier: MIT */
/*
 * stream_fuzz.h - clients of a terminal that send anything, a line that carries anything, rings that anybody writes to, and
 * deaths of clients and of the driver: bytes in, and the driver must keep its invariants.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* `data` is what happens, in steps of four bytes. */
void stream_fuzz(const uint8_t *data, size_t size);
