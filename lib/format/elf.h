// SPDX-License-Identifier: MIT
/*
 * elf - validates an ELF64 x86-64 executable that lies in memory and lists what it wants loaded.
 *
 * Responsible for: every field of the file header and program headers that loading relies on. The
 * bytes are hostile; after elf_open() has said ELF_OK, each segment that elf_next_load() returns
 * lies inside the file, inside the caller's address limits and on pages of its own.
 * Left to the caller: memory, copying, mapping, relocations (kernel loaders only).
 *
 * Allocates nothing, keeps no state outside struct elf_image, needs no aligned input. The
 * boot loader, the kernel, init and the host tests all link this one file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum elf_error {
    ELF_OK = 0,
    ELF_TRUNCATED,         /* the file ends inside its header or program headers */
    ELF_MAGIC,             /* not an ELF file */
    ELF_CLASS,             /* not 64-bit, or not little-endian */
    ELF_VERSION,           /* unknown ELF version, or header sizes that do not fit it */
    ELF_MACHINE,           /* not for x86-64 */
    ELF_TYPE,              /* not an executable, or position-independent and not wanted */
    ELF_SEGMENT_COUNT,     /* none, too many, or the count is kept elsewhere */
    ELF_SEGMENT_FILE,      /* a segment's bytes are outside the file */
    ELF_SEGMENT_SIZE,      /* more bytes in the file than in memory */
    ELF_SEGMENT_ALIGNMENT, /* p_align no power of two, or address and offset disagree */
    ELF_SEGMENT_ADDRESS,   /* address wraps around, or is outside the permitted range */
    ELF_SEGMENT_OVERLAP,   /* segments out of order, overlapping or sharing a page */
    ELF_SEGMENT_RIGHTS,    /* writable and executable at once, or no right at all */
    ELF_ENTRY,             /* the entry point is in no executable segment */
    ELF_INTERPRETER,       /* asks for a dynamic linker */
    ELF_DYNAMIC,           /* a dynamic section that is outside the loaded segments, or two */
    ELF_ERROR_COUNT
};

/* What the caller permits. Addresses are inclusive, so that the top of the address space works. */
struct elf_limits {
    uint64_t lowest_vaddr;  /* page aligned */
    uint64_t highest_vaddr; /* last permitted byte */
    bool allow_dynamic;     /* accept ET_DYN: see elf_image.slide */
};

struct elf_segment {
    const uint8_t *data;  /* file_size bytes inside the file; NULL when file_size is 0 */
    uint64_t vaddr;       /* as linked: add elf_image.slide */
    uint64_t file_size;   /* bytes to copy; at most memory_size, and the rest is zero */
    uint64_t memory_size; /* never 0 */
    bool read, write, execute;
};

struct elf_image {
    const uint8_t *bytes;
    size_t size;
    uint64_t header_offset; /* first program header in the file */
    uint16_t header_count;
    uint16_t load_count; /* PT_LOAD segments with a size; at least 1 */
    bool is_dynamic;     /* ET_DYN: the caller applies the relocations */
    uint64_t entry;      /* as linked: add slide */
    uint64_t base;       /* lowest page, as linked */
    uint64_t span;       /* bytes from base to the end of the highest page */
    uint64_t slide;      /* add to linked addresses; 0 for ET_EXEC and for what fits as linked */
    uint64_t dynamic;    /* linked address of the dynamic section; dynamic_size 0 if none */
    uint64_t dynamic_size;
};

/* Validates the file. `image` is meaningful only after ELF_OK, and as long as `bytes` is. */
enum elf_error elf_open(struct elf_image *image, const void *bytes, size_t size,
                        const struct elf_limits *limits);

/* Steps through the segments to load, lowest address first. Start with *cursor = 0. */
bool elf_next_load(const struct elf_image *image, unsigned *cursor, struct elf_segment *segment);

/* A short reason for a message, such as "segment outside the file". Never NULL. */
const char *elf_error_text(enum elf_error error);
