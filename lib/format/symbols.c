// SPDX-License-Identifier: MIT
/* symbols - see symbols.h. */
#include "lib/format/symbols.h"

#include "lib/base/string.h"
#include "lib/format/bytes.h"

static const char magic[8] = "MNOSYMS1";

#define HEAD_BYTES 16u
#define PROGRAM_BYTES 40u
#define PROGRAM_COUNT_AT 20u
#define PROGRAM_FIRST_AT 24u
#define PROGRAM_CODE_AT 28u
#define PROGRAM_BASE_AT 32u
#define FUNCTION_BYTES 8u
#define FUNCTION_NAME_AT 4u

_Static_assert(ELF_BUILD_ID_BYTES == PROGRAM_COUNT_AT, "an entry begins with the build ID");

bool symbols_open(struct symbols *symbols, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t programs, names;

    if (size < HEAD_BYTES || size > UINT32_MAX || memcmp(at, magic, sizeof magic) != 0)
        return false;
    programs = bytes_get(at + 8, 4);
    names = bytes_get(at + 12, 4);
    /* The last byte ends the last name, so that each name that begins before it ends. */
    if (programs * PROGRAM_BYTES > size - HEAD_BYTES || names >= size || at[size - 1] != 0)
        return false;
    *symbols = (struct symbols){at, (uint32_t)size, (uint32_t)programs, (uint32_t)names};
    return true;
}

bool symbols_program(const struct symbols *symbols, const uint8_t id[ELF_BUILD_ID_BYTES],
                     struct symbols_program *program)
{
    for (uint32_t i = 0; i < symbols->program_count; i++) {
        const uint8_t *entry = symbols->bytes + HEAD_BYTES + (size_t)i * PROGRAM_BYTES;
        uint64_t count = bytes_get(entry + PROGRAM_COUNT_AT, 4);
        uint64_t first = bytes_get(entry + PROGRAM_FIRST_AT, 4);

        if (memcmp(entry, id, ELF_BUILD_ID_BYTES) != 0)
            continue;
        if (first > symbols->size || count * FUNCTION_BYTES > symbols->size - first)
            return false;
        *program = (struct symbols_program){symbols, symbols->bytes + first, (uint32_t)count,
                                            (uint32_t)bytes_get(entry + PROGRAM_CODE_AT, 4),
                                            bytes_get(entry + PROGRAM_BASE_AT, 8)};
        return true;
    }
    return false;
}

const char *symbols_find(const struct symbols_program *program, uint64_t address, uint64_t *offset)
{
    const struct symbols *file = program->file;
    uint64_t distance = address - program->base, name;
    uint32_t low = 0, high = program->count;
    const uint8_t *function;

    if (address < program->base || distance >= program->code_bytes)
        return NULL;
    while (low < high) { /* low: the first function beyond the address */
        uint32_t middle = low + (high - low) / 2;

        if (bytes_get(program->functions + (size_t)middle * FUNCTION_BYTES, 4) <= distance)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    function = program->functions + (size_t)(low - 1) * FUNCTION_BYTES;
    name = bytes_get(function + FUNCTION_NAME_AT, 4);
    if (name >= file->size - file->names)
        return NULL;
    *offset = distance - bytes_get(function, 4);
    return (const char *)file->bytes + file->names + name;
}
