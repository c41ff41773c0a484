// SPDX-License-Identifier: MIT
/* image - see image.h. */
#include "personality/linux/lx/image.h"

#include "lib/base/string.h"
#include "lib/format/bytes.h"
#include "personality/linux/lx/vma.h"

#define PAGE 4096ull
#define PAGE_MASK (PAGE - 1)

#define ET_EXEC 2
#define ET_DYN 3
#define EM_X86_64 62
#define PT_LOAD 1
#define PT_INTERP 3
#define PF_X 1
#define PF_W 2
#define PF_R 4

struct program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_bytes, memory_bytes, alignment;
};
_Static_assert(sizeof(struct program_header) == IMAGE_PROGRAM_HEADER_BYTES, "as in the file");

enum image_error image_read_header(struct image *image, const uint8_t *header, size_t bytes,
                                   uint64_t *offset, uint64_t *size)
{
    uint64_t type;

    *image = (struct image){0};
    if (bytes < IMAGE_HEADER_BYTES || memcmp(header, "\177ELF", 4) != 0)
        return IMAGE_NOT_ELF;
    type = bytes_get(header + 16, 2);
    if (header[4] != 2 || header[5] != 1 || bytes_get(header + 18, 2) != EM_X86_64)
        return IMAGE_FOREIGN;
    if (type != ET_EXEC && type != ET_DYN)
        return IMAGE_FOREIGN;
    image->movable = type == ET_DYN;
    image->entry = bytes_get(header + 24, 8);
    image->headers_offset = bytes_get(header + 32, 8);
    image->header_count = (uint32_t)bytes_get(header + 56, 2);
    if (bytes_get(header + 54, 2) != IMAGE_PROGRAM_HEADER_BYTES || image->header_count == 0 ||
        image->header_count > IMAGE_PROGRAM_HEADERS_MAX ||
        image->headers_offset > UINT64_MAX - IMAGE_PROGRAM_HEADERS_MAX * IMAGE_PROGRAM_HEADER_BYTES)
        return IMAGE_BROKEN;
    *offset = image->headers_offset;
    *size = (uint64_t)image->header_count * IMAGE_PROGRAM_HEADER_BYTES;
    return IMAGE_OK;
}

static uint32_t protection_of(uint32_t flags)
{
    return ((flags & PF_R) != 0 ? VMA_READ : 0u) | ((flags & PF_W) != 0 ? VMA_WRITE : 0u) |
           ((flags & PF_X) != 0 ? VMA_EXECUTE : 0u);
}

/* Each part begins behind the one before: pages are of one part only. */
static enum image_error add_part(struct image *image, const struct program_header *header,
                                 uint64_t limit)
{
    struct image_part *part = &image->parts[image->part_count];
    uint64_t inside = header->address & PAGE_MASK;

    if (image->part_count == IMAGE_PARTS_MAX || header->file_bytes > header->memory_bytes ||
        header->address > limit || header->memory_bytes > limit - header->address ||
        (header->offset & PAGE_MASK) != inside || header->offset > UINT64_MAX - limit ||
        (header->alignment & (header->alignment - 1)) != 0)
        return IMAGE_BROKEN;
    *part = (struct image_part){
        .start = header->address - inside,
        .offset = header->offset - inside,
        .data_end = header->address + header->file_bytes,
        .memory_end = header->address + header->memory_bytes,
        .end = (header->address + header->memory_bytes + PAGE_MASK) & ~PAGE_MASK,
        .protection = protection_of(header->flags),
    };
    if (part->end > limit || (image->part_count != 0 && part->start < image->end))
        return IMAGE_BROKEN;
    if ((part->protection & VMA_WRITE) != 0 && (part->protection & VMA_EXECUTE) != 0)
        return IMAGE_WRITE_EXECUTE;
    if (image->part_count++ == 0)
        image->start = part->start;
    image->end = part->end;
    if (header->alignment > image->alignment)
        image->alignment = header->alignment;
    if (image->headers == 0 && image->headers_offset >= header->offset &&
        image->headers_offset - header->offset < header->file_bytes)
        image->headers = header->address + (image->headers_offset - header->offset);
    return IMAGE_OK;
}

enum image_error image_read_parts(struct image *image, const uint8_t *headers, uint64_t limit)
{
    image->alignment = PAGE;
    for (uint32_t i = 0; i < image->header_count; i++) {
        struct program_header header;
        enum image_error error = IMAGE_OK;

        memcpy(&header, headers + (size_t)i * sizeof header, sizeof header);
        if (header.type == PT_LOAD && header.memory_bytes != 0)
            error = add_part(image, &header, limit);
        if (header.type == PT_INTERP) {
            if (header.file_bytes < 2 || header.file_bytes > IMAGE_INTERPRETER_BYTES)
                return IMAGE_BROKEN;
            image->interpreter_offset = header.offset;
            image->interpreter_bytes = header.file_bytes;
        }
        if (error != IMAGE_OK)
            return error;
    }
    if (image->alignment > 1ull << 30)
        return IMAGE_BROKEN;
    return image->part_count == 0 ? IMAGE_BROKEN : IMAGE_OK;
}

/* ---- Scripts ---- */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

bool image_script(char *line, size_t bytes, char **interpreter, char **argument)
{
    size_t at = 2, end = 2;

    if (bytes < 2 || line[0] != '#' || line[1] != '!')
        return false;
    while (end < bytes && line[end] != '\n' && line[end] != 0)
        end++;
    if (end ==
        bytes) /* the line is cut off: an interpreter's name that is not whole would be another's */
        return false;
    while (end > 2 && is_blank(line[end - 1]))
        end--;
    line[end] = 0;
    while (is_blank(line[at]))
        at++;
    *interpreter = line + at;
    while (line[at] != 0 && !is_blank(line[at]))
        at++;
    *argument = NULL;
    if (line[at] != 0) {
        line[at++] = 0;
        while (is_blank(line[at]))
            at++;
        *argument = line + at;
    }
    return **interpreter != 0;
}
