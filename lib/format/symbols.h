// SPDX-License-Identifier: MIT
/*
 * symbols.h - the names of the functions of programs, by address: the file `symbols` of the initial RAM disk, which
 * tools/mkprogramsymbols.py makes.
 *
 * A program is found by the build ID of its ELF file (elf_note.h), so that a name is never that of another version. All
 * numbers are little-endian:
 *
 *   head       "MNOSYMS1", number of programs (4 bytes), offset of the names in the file (4)
 *   programs   build ID (20), number of functions (4), offset of the first in the file (4), how far its code
 *              reaches from the base (4), base address (8)
 *   functions  distance from the base (4), ascending, and offset of the name within the names (4)
 *   names      to the end of the file, each with the NUL behind it
 *
 * The bytes may be damaged: whatever they are, nothing outside them is read, and a name is a terminated string.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/format/elf_note.h"

struct symbols {
    const uint8_t *bytes;
    uint32_t size;
    uint32_t program_count;
    uint32_t names; /* offset of the names */
};

struct symbols_program {
    const struct symbols *file;
    const uint8_t *functions;
    uint32_t count;
    uint32_t code_bytes; /* from the base on */
    uint64_t base;
};

/* Reads the head. False: it is no such file. The bytes must stay. */
bool symbols_open(struct symbols *symbols, const void *bytes, size_t size);

/* Looks for the program with this build ID; false: there is none, or its entry is damaged. */
bool symbols_program(const struct symbols *symbols, const uint8_t id[ELF_BUILD_ID_BYTES],
                     struct symbols_program *program);

/* The function that begins last at or before `address`, and how far behind its begin that is; NULL: none does, or
 * the address is not in the program's code. */
const char *symbols_find(const struct symbols_program *program, uint64_t address, uint64_t *offset);
