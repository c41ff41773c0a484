// SPDX-License-Identifier: MIT
/*
 * program.c - finds this program's segments in the initial RAM disk, for players to be made of. Nobody
 * copies what variables begin with: all of them begin with 0.
 */
#include "tests/campaigns/game/game.h"

#include "lib/format/elf.h"
#include "lib/format/ustar.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/memory.h"

#define PAGE_MASK (PAGE - 1)

static bool segment_read(const struct elf_segment *found, const uint8_t *base)
{
    struct segment *segment = &board()->segments[board()->segment_count];
    uint64_t bytes = (found->vaddr & PAGE_MASK) + found->memory_size;

    if (board()->segment_count == sizeof board()->segments / sizeof board()->segments[0])
        return CHECK(!"the program has too many segments");
    board()->segment_count++;
    *segment = (struct segment){.address = found->vaddr & ~PAGE_MASK,
                                .first_page = (uint64_t)(found->data - base) / PAGE,
                                .page_count = (bytes + PAGE_MASK) / PAGE,
                                .flags = MNOS_MAP_READ | (found->execute ? MNOS_MAP_EXECUTE : 0u) |
                                         (found->write ? MNOS_MAP_WRITE : 0u)};
    if (!found->write)
        return true;
    board()->fresh_pages += segment->page_count;
    for (uint64_t i = 0; i < found->file_size; i++)
        if (!CHECK_EQ(found->data[i], 0))
            return false;
    return true;
}

bool program_read(void)
{
    static const struct elf_limits limits = {LAYOUT_PROGRAM_LOWEST, LAYOUT_PROGRAM_END - 1, false};
    uint64_t pages = cap_info(bootstrap_cap("initrd")).count;
    struct elf_segment segment;
    struct elf_image image;
    struct ustar_entry file;
    unsigned cursor = 0;
    bool ok = true;
    void *base;

    if (!CHECK_OK(memory_map(bootstrap_cap("initrd"), 0, pages, MNOS_MAP_READ, &base)) ||
        !CHECK_EQ(ustar_find(base, pages * PAGE, "init", &file), USTAR_OK) ||
        !CHECK_EQ(elf_open(&image, file.data, file.size, &limits), ELF_OK))
        return false;
    while (ok && elf_next_load(&image, &cursor, &segment))
        ok = segment_read(&segment, base);
    memory_unmap(base, pages);
    return ok;
}
