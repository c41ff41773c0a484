// SPDX-License-Identifier: MIT
/*
 * loader - the program that loads others: found in the initial RAM disk, and mapped into each new process.
 *
 * It comes from the boot medium with this service, and so it is read here; the files of programs are not.
 */
#include "services/launcher/process.h"

#include "abi/inspect.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/status.h"
#include "lib/mnos/syscall.h"

#define PAGE_MASK ((uint64_t)MNOS_PAGE_BYTES - 1)

static bool maps_directly(const struct loader *loader, const struct elf_segment *segment)
{
    return !segment->write && segment->data != NULL && segment->file_size == segment->memory_size &&
           (segment->vaddr & PAGE_MASK) == 0 && (segment->memory_size & PAGE_MASK) == 0 &&
           ((uint64_t)(segment->data - loader->image.bytes) & PAGE_MASK) == 0;
}

static uint64_t pages_of(const struct elf_segment *segment)
{
    return ((segment->vaddr & PAGE_MASK) + segment->memory_size + PAGE_MASK) / MNOS_PAGE_BYTES;
}

mnos_status_t loader_open(struct loader *loader, mnos_cap_t memory)
{
    static const struct elf_limits limits = {LAYOUT_LOADER, LAYOUT_LOADER_END - 1, false};
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    struct elf_segment segment;
    enum elf_error error;
    unsigned cursor = 0;
    uint64_t size, pages;
    void *file;
    mnos_status_t status = sys_cap_inspect(memory, MNOS_VIEW_CAPABILITY, 0, &size);

    if (status != MNOS_OK)
        return status;
    pages = info->count;
    status = memory_map(memory, 0, pages, MNOS_MAP_READ, &file);
    if (status != MNOS_OK)
        return status;
    loader->memory = memory;
    error = elf_open(&loader->image, file, pages * MNOS_PAGE_BYTES, &limits);
    if (error != ELF_OK) {
        log_at(MNOS_LOG_ERROR, "the loader: %s", elf_error_text(error));
        return MNOS_ERR_FORMAT;
    }
    while (elf_next_load(&loader->image, &cursor, &segment)) {
        if (!maps_directly(loader, &segment))
            loader->data_pages += pages_of(&segment);
    }
    return MNOS_OK;
}

/* The memory is new, so what the file does not fill is zero. */
static mnos_status_t map_copy(const struct elf_segment *segment, const struct process *process,
                              uint64_t first)
{
    uint64_t offset = segment->vaddr & PAGE_MASK;
    uint8_t *to = (uint8_t *)process->filling + first * MNOS_PAGE_BYTES + offset;

    if (segment->file_size != 0)
        memcpy(to, segment->data, segment->file_size);
    return sys_mem_map(process->process, process->memory, segment->vaddr - offset, first,
                       pages_of(segment), MNOS_MAP_READ | (segment->write ? MNOS_MAP_WRITE : 0));
}

mnos_status_t loader_map(const struct loader *loader, const struct process *process, uint64_t first)
{
    mnos_status_t status = MNOS_OK;
    struct elf_segment segment;
    unsigned cursor = 0;

    while (status == MNOS_OK && elf_next_load(&loader->image, &cursor, &segment)) {
        if (maps_directly(loader, &segment)) {
            status = sys_mem_map(process->process, loader->memory, segment.vaddr,
                                 (uint64_t)(segment.data - loader->image.bytes) / MNOS_PAGE_BYTES,
                                 pages_of(&segment),
                                 MNOS_MAP_READ | (segment.execute ? MNOS_MAP_EXECUTE : 0));
        } else {
            status = map_copy(&segment, process, first);
            first += pages_of(&segment);
        }
    }
    return status;
}

bool loader_end_text(const struct mnos_process_info *info, char *out, size_t size)
{
    uint32_t step = (uint32_t)(info->exit_code >> 16 & 0xFFFF), why = info->exit_code & 0xFFFF;

    if (info->exit_reason != MNOS_EXIT_SELF ||
        (info->exit_code & ~0xFFFFFFFFull) != LAUNCHER_NOT_LOADED)
        return false;
    if (step == LAUNCHER_STEP_FORMAT)
        mnos_snprintf(out, size, "not a program: %s",
                      why < ELF_ERROR_COUNT ? elf_error_text((enum elf_error)why) : "?");
    else
        mnos_snprintf(
            out, size, "not loaded: %s%s",
            step == LAUNCHER_STEP_READ ? "" : "memory for it: ", status_text((mnos_status_t)why));
    return true;
}
