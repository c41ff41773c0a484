// SPDX-License-Identifier: MIT
/*
 * scancodes.h - scan code set 1, a byte at a time, becomes keys. The set: IBM "PS/2 Hardware Interface Technical Reference",
 * "Scan Code Set 1". Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocols/input.h"

struct scancodes {
    unsigned prefix;        /* of the code that has begun: scancodes.c; 0: none has */
    bool down[INPUT_CODES]; /* by its number */
};

/* True: *key is complete. */
bool scancodes_feed(struct scancodes *codes, uint8_t byte, struct input_key *key);
/* Bytes are missing here: nobody knows which keys are down. */
void scancodes_lost(struct scancodes *codes);
