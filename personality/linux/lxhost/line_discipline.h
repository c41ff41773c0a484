// SPDX-License-Identifier: MIT
/*
 * line_discipline.h - what a terminal of Linux makes of the bytes that are typed and printed: termios(3). Host tests
 * compile it.
 *
 * Typed bytes go in one by one, and come out as a reader may have them: a line at a time (ICANON), in which the user can
 * erase, or as they are. What is to be shown of them is put out at once. Signals are the caller's to send.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "personality/linux/lx/abi.h"

#define LINE_BYTES 4096u

struct discipline {
    struct linux_termios termios;
    uint8_t ready[LINE_BYTES]; /* what can be read */
    uint32_t ready_count;
    uint8_t edited[LINE_BYTES]; /* the line that is typed */
    uint32_t edited_count;
    bool end; /* the file ends behind `ready`: a read returns nothing, once */
    void (*echo)(const uint8_t *bytes, size_t count);
};

void discipline_start(struct discipline *line, void (*echo)(const uint8_t *bytes, size_t count));
/* What discipline_type() wants of the caller besides. */
enum discipline_signal { LINE_NONE, LINE_INTERRUPT, LINE_QUIT, LINE_SUSPEND };
enum discipline_signal discipline_type(struct discipline *line, uint8_t byte);
/* Whether a read would return. */
bool discipline_can_read(const struct discipline *line);
/* At most `size` bytes, in ICANON of one line; 0 is the end of the file when discipline_can_read() was true. */
size_t discipline_read(struct discipline *line, uint8_t *to, size_t size);
/* The new settings; what is being typed can be read as it is when ICANON goes. `flush` drops what was typed. */
void discipline_set(struct discipline *line, const struct linux_termios *termios, bool flush);
/* The bytes as they go to the terminal; `to` has room for twice as many. */
size_t discipline_print(const struct discipline *line, const uint8_t *from, size_t count,
                        uint8_t *to);
