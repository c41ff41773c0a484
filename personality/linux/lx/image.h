// SPDX-License-Identifier: MIT
/*
 * image.h - reads what an ELF file of Linux says about itself: which parts of it lie where, and which program is to load
 * the rest.
 *
 * The bytes are hostile; it is read in the process that is to run it, so that it can harm nobody else. After IMAGE_OK
 * each part lies below LX_BASE when it is loaded, does not overlap another, and is not writable and executable. Other
 * than lib/format/elf.h it takes programs that have an interpreter, are position independent, or have parts that share
 * a page of the file. Layout facts: System V ABI, "Object Files", and its AMD64 supplement. Host tests compile it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_HEADER_BYTES 64u
#define IMAGE_PROGRAM_HEADER_BYTES 56u
#define IMAGE_PROGRAM_HEADERS_MAX 64u
#define IMAGE_PARTS_MAX 16u
#define IMAGE_INTERPRETER_BYTES 256u /* with the NUL */

enum image_error { IMAGE_OK, IMAGE_NOT_ELF, IMAGE_FOREIGN, IMAGE_BROKEN, IMAGE_WRITE_EXECUTE };

/* One PT_LOAD, in whole pages: `bytes` of the file from `offset` on, then zeros up to `end`. */
struct image_part {
    uint64_t start, end;
    uint64_t offset;     /* of `start` in the file: whole pages */
    uint64_t data_end;   /* as an address: behind it are zeros */
    uint64_t memory_end; /* as an address, where the part ends, which `end` is rounded up from */
    uint32_t protection; /* enum vma_protection */
};

struct image {
    bool movable; /* ET_DYN: all addresses are to be moved by one distance */
    uint64_t entry;
    uint64_t headers; /* the address of the program headers, 0: they are not loaded */
    uint64_t headers_offset;
    uint32_t header_count;
    uint64_t start, end; /* of all parts */
    uint64_t alignment;
    uint32_t part_count;
    struct image_part parts[IMAGE_PARTS_MAX];
    uint64_t interpreter_offset, interpreter_bytes; /* of the name, with its NUL; 0: none */
};

/* The file header, of which there are `bytes`: *offset and *size say where the program headers are. */
enum image_error image_read_header(struct image *image, const uint8_t *header, size_t bytes,
                                   uint64_t *offset, uint64_t *size);
/* The program headers; `limit`: no address of the program is above. */
enum image_error image_read_parts(struct image *image, const uint8_t *headers, uint64_t limit);

/* A script: the words of its first line, each in `line` with a NUL put behind it; *argument is NULL when there is one
 * word. False: it is none. */
bool image_script(char *line, size_t bytes, char **interpreter, char **argument);
