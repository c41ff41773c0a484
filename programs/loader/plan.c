// SPDX-License-Identifier: MIT
/* plan - see plan.h. Host tests compile this file. */
#include "programs/loader/plan.h"

#include "lib/mnos/layout.h"

#define PAGE_MASK ((uint64_t)MNOS_PAGE_BYTES - 1)

enum elf_error plan_open(struct elf_image *image, const void *bytes, uint64_t size)
{
    static const struct elf_limits limits = {LAYOUT_PROGRAM_LOWEST, LAYOUT_PROGRAM_END - 1, false};
    /* What begins another system's programs lies above all that those can have. */
    static const struct elf_limits above = {LAYOUT_PERSONALITY, LAYOUT_PERSONALITY_END - 1, false};
    enum elf_error error = elf_open(image, bytes, size, &limits);

    return error == ELF_SEGMENT_ADDRESS ? elf_open(image, bytes, size, &above) : error;
}

/* Whole pages of the file that nobody writes. What lies behind the file's end in its last page is zero. */
static bool is_in_file(const struct elf_image *image, const struct elf_segment *segment)
{
    return !segment->write && segment->data != NULL && segment->file_size == segment->memory_size &&
           (segment->vaddr & PAGE_MASK) == 0 && (segment->memory_size & PAGE_MASK) == 0 &&
           ((uint64_t)(segment->data - image->bytes) & PAGE_MASK) == 0;
}

bool plan_next(const struct elf_image *image, unsigned *cursor, struct plan_piece *piece)
{
    struct elf_segment segment;
    uint64_t offset;

    if (!elf_next_load(image, cursor, &segment))
        return false;
    offset = segment.vaddr & PAGE_MASK;
    *piece = (struct plan_piece){
        .address = segment.vaddr - offset,
        .page_count = (offset + segment.memory_size + PAGE_MASK) / MNOS_PAGE_BYTES,
        .write = segment.write,
        .execute = segment.execute,
    };
    if (is_in_file(image, &segment)) {
        piece->is_in_file = true;
        piece->file_page = (uint64_t)(segment.data - image->bytes) / MNOS_PAGE_BYTES;
    } else {
        piece->data = segment.data;
        piece->data_bytes = segment.file_size;
        piece->data_offset = offset;
    }
    return true;
}
