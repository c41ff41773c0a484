// SPDX-License-Identifier: MIT
/* image - lx, as it is mapped into each process of the container: a file of the boot medium. See host.h. */
#include "personality/linux/lxhost/host.h"

#include "abi/inspect.h"
#include "lib/base/string.h"
#include "lib/format/elf.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"

#define PAGE_MASK ((uint64_t)MNOS_PAGE_BYTES - 1)

static struct {
    mnos_cap_t memory;
    struct elf_image elf;
} image;

static uint64_t pages_of(const struct elf_segment *segment)
{
    return ((segment->vaddr & PAGE_MASK) + segment->memory_size + PAGE_MASK) / MNOS_PAGE_BYTES;
}

/* lx.ld pads what is not written to to whole pages, so that they are mapped from the file. */
static bool is_shared(const struct elf_segment *segment)
{
    return !segment->write && segment->data != NULL && segment->file_size == segment->memory_size &&
           (segment->vaddr & PAGE_MASK) == 0 && (segment->memory_size & PAGE_MASK) == 0 &&
           ((uint64_t)(segment->data - image.elf.bytes) & PAGE_MASK) == 0;
}

mnos_status_t image_open(mnos_cap_t file)
{
    static const struct elf_limits limits = {LAYOUT_PERSONALITY, LAYOUT_PERSONALITY_END - 1, false};
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    enum elf_error error;
    uint64_t size, pages;
    void *bytes;
    mnos_status_t status = sys_cap_inspect(file, MNOS_VIEW_CAPABILITY, 0, &size);

    if (status != MNOS_OK)
        return status;
    pages = info->count;
    status = memory_map(file, 0, pages, MNOS_MAP_READ, &bytes);
    if (status != MNOS_OK)
        return status;
    image.memory = file;
    error = elf_open(&image.elf, bytes, pages * MNOS_PAGE_BYTES, &limits);
    if (error == ELF_OK)
        return MNOS_OK;
    log_at(MNOS_LOG_ERROR, "lx: %s", elf_error_text(error));
    return MNOS_ERR_FORMAT;
}

uint64_t image_entry(void)
{
    return image.elf.entry;
}

uint64_t image_data_pages(void)
{
    struct elf_segment segment;
    unsigned cursor = 0;
    uint64_t pages = 0;

    while (elf_next_load(&image.elf, &cursor, &segment))
        pages += is_shared(&segment) ? 0 : pages_of(&segment);
    return pages;
}

mnos_status_t image_map_shared(mnos_cap_t process)
{
    mnos_status_t status = MNOS_OK;
    struct elf_segment segment;
    unsigned cursor = 0;

    while (status == MNOS_OK && elf_next_load(&image.elf, &cursor, &segment)) {
        if (is_shared(&segment))
            status = sys_mem_map(process, image.memory, segment.vaddr,
                                 (uint64_t)(segment.data - image.elf.bytes) / MNOS_PAGE_BYTES,
                                 pages_of(&segment),
                                 MNOS_MAP_READ | (segment.execute ? MNOS_MAP_EXECUTE : 0));
    }
    return status;
}

mnos_status_t image_map_data(mnos_cap_t process, mnos_cap_t memory, void *filling, uint64_t first)
{
    mnos_status_t status = MNOS_OK;
    struct elf_segment segment;
    unsigned cursor = 0;

    while (status == MNOS_OK && elf_next_load(&image.elf, &cursor, &segment)) {
        uint64_t offset = segment.vaddr & PAGE_MASK;

        if (is_shared(&segment))
            continue;
        if (segment.file_size != 0) /* the memory is new, so the rest is zero */
            memcpy((uint8_t *)filling + first * MNOS_PAGE_BYTES + offset, segment.data,
                   segment.file_size);
        status = sys_mem_map(process, memory, segment.vaddr - offset, first, pages_of(&segment),
                             MNOS_MAP_READ | (segment.write ? MNOS_MAP_WRITE : 0));
        first += pages_of(&segment);
    }
    return status;
}
