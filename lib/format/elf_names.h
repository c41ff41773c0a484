// SPDX-License-Identifier: MIT
/*
 * elf_names.h - which function of a program an address is in, and what code is there, from the program's ELF file, read
 * piece by piece: for telling where a program has faulted whose symbols are nowhere else.
 *
 * The file is hostile, and may be changed while it is read. Whatever it holds, so many of its headers and symbols are looked at
 * and no more, nothing is read but through `read`, and a name is short, printable and terminated. Allocates nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/format/elf_note.h"

#define ELF_NAMES_SECTIONS_MAX 64u
#define ELF_NAMES_SEGMENTS_MAX 16u
/* A program with more has none that are known. */
#define ELF_NAMES_SYMBOLS_MAX 65536u
#define ELF_NAME_BYTES 64u

struct elf_source {
    void *context;
    /* All of these bytes of the file, or false. */
    bool (*read)(void *context, uint64_t offset, void *out, uint64_t bytes);
};

struct elf_names {
    struct elf_source source;
    uint64_t code_address, code_offset,
        code_bytes;                 /* of the first executable segment, as the file has it */
    uint64_t symbols, symbol_count; /* where in the file; count 0: there are none */
    uint64_t texts, text_bytes;
};

/* Reads headers. False: it is no ELF file for this machine, or has no code. */
bool elf_names_open(struct elf_names *names, const struct elf_source *source);

/* The function that holds `address`, and how far behind its begin that is. False: none is known. */
bool elf_names_find(const struct elf_names *names, uint64_t address, char out[ELF_NAME_BYTES],
                    uint64_t *offset);

/* False: not all of these bytes are code of the file. */
bool elf_names_code(const struct elf_names *names, uint64_t address, void *out, unsigned bytes);
