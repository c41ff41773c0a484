// SPDX-License-Identifier: MIT
/* elf_names - see elf_names.h. Offsets: System V ABI, "Object Files", ELF64. */
#include "lib/format/elf_names.h"

#include "lib/base/string.h"
#include "lib/format/bytes.h"

#define HEADER_BYTES 64u
#define HEADER_MACHINE_AT 18u
#define HEADER_SEGMENTS_AT 32u
#define HEADER_SECTIONS_AT 40u
#define HEADER_SEGMENT_BYTES_AT 54u
#define HEADER_SEGMENT_COUNT_AT 56u
#define HEADER_SECTION_BYTES_AT 58u
#define HEADER_SECTION_COUNT_AT 60u
#define MACHINE_X86_64 62u

#define SEGMENT_BYTES 56u
#define SEGMENT_FLAGS_AT 4u
#define SEGMENT_OFFSET_AT 8u
#define SEGMENT_ADDRESS_AT 16u
#define SEGMENT_FILE_BYTES_AT 32u
#define SEGMENT_LOAD 1u
#define SEGMENT_EXECUTE 1u

#define SECTION_BYTES 64u
#define SECTION_TYPE_AT 4u
#define SECTION_OFFSET_AT 24u
#define SECTION_SIZE_AT 32u
#define SECTION_LINK_AT 40u
#define SECTION_ENTRY_AT 56u
#define SECTION_SYMBOLS 2u
#define SECTION_TEXTS 3u

#define SYMBOL_BYTES 24u
#define SYMBOL_INFO_AT 4u
#define SYMBOL_SECTION_AT 6u
#define SYMBOL_VALUE_AT 8u
#define SYMBOL_SIZE_AT 16u
#define SYMBOL_FUNCTION 2u
/* So many are read at a time. */
#define PART_SYMBOLS 32u
/* A function that does not say how large it is, as those in assembly may not, reaches so far. */
#define UNKNOWN_SIZE_MAX 4096u

static bool read_at(const struct elf_source *source, uint64_t offset, void *out, uint64_t bytes)
{
    return offset <= UINT64_MAX - bytes && source->read(source->context, offset, out, bytes);
}

static bool find_code(struct elf_names *names, const uint8_t *header)
{
    uint64_t at = bytes_get(header + HEADER_SEGMENTS_AT, 8);
    uint64_t count = bytes_get(header + HEADER_SEGMENT_COUNT_AT, 2);
    uint8_t segment[SEGMENT_BYTES];

    if (bytes_get(header + HEADER_SEGMENT_BYTES_AT, 2) != SEGMENT_BYTES ||
        count > ELF_NAMES_SEGMENTS_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (at > UINT64_MAX / 2 ||
            !read_at(&names->source, at + i * SEGMENT_BYTES, segment, sizeof segment))
            return false;
        if (bytes_get(segment, 4) != SEGMENT_LOAD ||
            (bytes_get(segment + SEGMENT_FLAGS_AT, 4) & SEGMENT_EXECUTE) == 0)
            continue;
        names->code_offset = bytes_get(segment + SEGMENT_OFFSET_AT, 8);
        names->code_address = bytes_get(segment + SEGMENT_ADDRESS_AT, 8);
        names->code_bytes = bytes_get(segment + SEGMENT_FILE_BYTES_AT, 8);
        return names->code_offset <= UINT64_MAX - names->code_bytes;
    }
    return false;
}

/* The section at an index; false: there is none. */
static bool read_section(const struct elf_names *names, const uint8_t *header, uint64_t index,
                         uint8_t section[SECTION_BYTES])
{
    uint64_t at = bytes_get(header + HEADER_SECTIONS_AT, 8);

    return index < bytes_get(header + HEADER_SECTION_COUNT_AT, 2) && at <= UINT64_MAX / 2 &&
           read_at(&names->source, at + index * SECTION_BYTES, section, SECTION_BYTES);
}

/* Whether the section is one of symbols that can be used: they are, from then on. */
static bool take_symbols(struct elf_names *names, const uint8_t *header, const uint8_t *section)
{
    uint64_t count = bytes_get(section + SECTION_SIZE_AT, 8) / SYMBOL_BYTES;
    uint8_t texts[SECTION_BYTES];

    if (bytes_get(section + SECTION_TYPE_AT, 4) != SECTION_SYMBOLS ||
        bytes_get(section + SECTION_ENTRY_AT, 8) != SYMBOL_BYTES || count > ELF_NAMES_SYMBOLS_MAX ||
        !read_section(names, header, bytes_get(section + SECTION_LINK_AT, 4), texts) ||
        bytes_get(texts + SECTION_TYPE_AT, 4) != SECTION_TEXTS)
        return false;
    names->symbols = bytes_get(section + SECTION_OFFSET_AT, 8);
    names->texts = bytes_get(texts + SECTION_OFFSET_AT, 8);
    names->text_bytes = bytes_get(texts + SECTION_SIZE_AT, 8);
    if (names->symbols > UINT64_MAX / 2 || names->texts > UINT64_MAX - names->text_bytes)
        return false;
    names->symbol_count = count;
    return true;
}

static void find_symbols(struct elf_names *names, const uint8_t *header)
{
    uint64_t count = bytes_get(header + HEADER_SECTION_COUNT_AT, 2);
    uint8_t section[SECTION_BYTES];

    if (bytes_get(header + HEADER_SECTION_BYTES_AT, 2) != SECTION_BYTES ||
        count > ELF_NAMES_SECTIONS_MAX)
        return;
    for (uint64_t i = 0; i < count; i++) {
        if (!read_section(names, header, i, section) || take_symbols(names, header, section))
            return;
    }
}

bool elf_names_open(struct elf_names *names, const struct elf_source *source)
{
    static const uint8_t ident[] = {0x7F, 'E', 'L', 'F', 2, 1}; /* of 64 bits, little-endian */
    uint8_t header[HEADER_BYTES];

    *names = (struct elf_names){.source = *source};
    if (!read_at(source, 0, header, sizeof header) || memcmp(header, ident, sizeof ident) != 0 ||
        bytes_get(header + HEADER_MACHINE_AT, 2) != MACHINE_X86_64 || !find_code(names, header))
        return false;
    find_symbols(names, header);
    return true;
}

/* ---- Looking up ---- */

/* The best function so far. */
struct best {
    bool any;
    uint64_t value;
    uint32_t text;
};

static void look_at(const uint8_t *symbol, uint64_t address, struct best *best)
{
    uint64_t value = bytes_get(symbol + SYMBOL_VALUE_AT, 8);
    uint64_t size = bytes_get(symbol + SYMBOL_SIZE_AT, 8);

    if ((symbol[SYMBOL_INFO_AT] & 15) != SYMBOL_FUNCTION ||
        bytes_get(symbol + SYMBOL_SECTION_AT, 2) == 0 || value > address ||
        address - value >= (size != 0 ? size : UNKNOWN_SIZE_MAX) ||
        (best->any && value <= best->value))
        return;
    *best = (struct best){true, value, (uint32_t)bytes_get(symbol, 4)};
}

/* Printable ASCII; what else a name has becomes '?'. */
static bool read_text(const struct elf_names *names, uint32_t at, char out[ELF_NAME_BYTES])
{
    uint64_t bytes = ELF_NAME_BYTES - 1;

    if (at >= names->text_bytes)
        return false;
    if (bytes > names->text_bytes - at)
        bytes = names->text_bytes - at;
    memset(out, 0, ELF_NAME_BYTES);
    if (!read_at(&names->source, names->texts + at, out, bytes))
        return false;
    for (uint64_t i = 0; i < bytes && out[i] != 0; i++) {
        if (out[i] <= ' ' || out[i] > '~')
            out[i] = '?';
    }
    return out[0] != 0;
}

bool elf_names_find(const struct elf_names *names, uint64_t address, char out[ELF_NAME_BYTES],
                    uint64_t *offset)
{
    uint8_t part[PART_SYMBOLS * SYMBOL_BYTES];
    struct best best = {0};
    uint64_t count;

    for (uint64_t first = 0; first < names->symbol_count; first += count) {
        count =
            names->symbol_count - first < PART_SYMBOLS ? names->symbol_count - first : PART_SYMBOLS;
        if (!read_at(&names->source, names->symbols + first * SYMBOL_BYTES, part,
                     count * SYMBOL_BYTES))
            return false;
        for (uint64_t i = 0; i < count; i++)
            look_at(part + i * SYMBOL_BYTES, address, &best);
    }
    *offset = address - best.value;
    return best.any && read_text(names, best.text, out);
}

bool elf_names_code(const struct elf_names *names, uint64_t address, void *out, unsigned bytes)
{
    uint64_t at = address - names->code_address;

    return address >= names->code_address && at <= names->code_bytes &&
           names->code_bytes - at >= bytes &&
           read_at(&names->source, names->code_offset + at, out, bytes);
}
