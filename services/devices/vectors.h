// SPDX-License-Identifier: MIT
/*
 * vectors.h - message interrupts of a function: which lines of the machine it has, and what it is
 * told to write where. The driver never reaches the table, so it cannot make the device write
 * elsewhere by it.
 */
#pragma once

#include "services/devices/table.h"

/* What a device writes where to make message line 0 fire; line n: the same address, `data` + n. */
struct message_lines {
    uint64_t address;
    uint32_t data;
    unsigned count;
};

/* Before a driver is answered: MSI-X on with every entry masked, or a range of lines for MSI.
 * False: no lines, or the table cannot be reached. Doing it again changes nothing. */
bool vectors_begin(struct table *table, struct function *function,
                   const struct message_lines *lines);
/* How many VECTOR hands out. */
unsigned vectors_count(const struct function *function);
/* Gives entry `index` a line and turns it on. */
mnos_status_t vectors_set(struct table *table, struct function *function,
                          const struct message_lines *lines, unsigned index);
/* No message from here on; the lines stay the function's until vectors_release(). */
void vectors_off(const struct function *function);
void vectors_release(struct function *function);
