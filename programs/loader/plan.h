// SPDX-License-Identifier: MIT
/*
 * plan.h - what has to be mapped where for a program to begin, from its ELF file in memory.
 *
 * The file is hostile: it is checked by lib/format/elf, and every piece lies in the program's part of the address
 * space (lib/mnos/layout.h), on pages of its own, and is not both writable and executable. Pure; tests/unit has it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/format/elf.h"

struct plan_piece {
    uint64_t address; /* of its first page */
    uint64_t page_count;
    bool write, execute;
    /* The pages are those of the file from `file_page` on; or new ones, into which `data_bytes` bytes of the file are
     * copied from byte `data_offset` on. */
    bool is_in_file;
    uint64_t file_page;
    const uint8_t *data; /* NULL when there are none */
    uint64_t data_bytes, data_offset;
};

/* `bytes` lie at the beginning of a page. */
enum elf_error plan_open(struct elf_image *image, const void *bytes, uint64_t size);

/* The next piece; begins with *cursor = 0. False: there is none. */
bool plan_next(const struct elf_image *image, unsigned *cursor, struct plan_piece *piece);
