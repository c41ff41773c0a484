// SPDX-License-Identifier: MIT
/*
 * program - see program.h.
 *
 * Segments that are whole pages of the archive and not writable are mapped where they lie. The rest
 * is one Memory object that init allocates, fills through a mapping of its own and unmaps again:
 *
 *   bootstrap table (1 page) | copied segments | stack
 */
#include "services/init/program.h"

#include "lib/base/string.h"

#include "abi/process.h"
#include "lib/base/printf.h"
#include "lib/format/elf.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"

#define PAGE_MASK ((uint64_t)MNOS_PAGE_BYTES - 1)
#define BOOTSTRAP_PAGES 1

/* While a program is being made. */
struct loading {
    const struct program_plan *plan;
    struct program *program;
    struct elf_image image;
    uint64_t copied_pages; /* of segments */
    uint8_t *filling;      /* init's mapping of bootstrap table and copied segments */
};

static bool maps_directly(const struct archive *archive, const struct elf_segment *segment)
{
    return !segment->write && segment->file_size == segment->memory_size &&
           (segment->vaddr & PAGE_MASK) == 0 && (segment->memory_size & PAGE_MASK) == 0 &&
           ((uint64_t)(segment->data - archive->base) & PAGE_MASK) == 0;
}

static uint64_t segment_pages(const struct elf_segment *segment)
{
    return ((segment->vaddr & PAGE_MASK) + segment->memory_size + PAGE_MASK) / MNOS_PAGE_BYTES;
}

static uint64_t segment_flags(const struct elf_segment *segment)
{
    return (segment->read ? MNOS_MAP_READ : 0) | (segment->write ? MNOS_MAP_WRITE : 0) |
           (segment->execute ? MNOS_MAP_EXECUTE : 0);
}

static mnos_status_t open_file(struct loading *loading)
{
    static const struct elf_limits limits = {LAYOUT_PROGRAM_LOWEST, LAYOUT_PROGRAM_END - 1, false};
    const struct archive_member *file = loading->plan->file;
    enum elf_error error = elf_open(&loading->image, file->data, file->size, &limits);
    struct elf_segment segment;
    unsigned cursor = 0;

    if (error != ELF_OK) {
        log_at(MNOS_LOG_ERROR, "%s: file %s: %s", loading->plan->config->name, file->name,
               elf_error_text(error));
        return MNOS_ERR_FORMAT;
    }
    while (elf_next_load(&loading->image, &cursor, &segment)) {
        if (!maps_directly(loading->plan->archive, &segment))
            loading->copied_pages += segment_pages(&segment);
    }
    return MNOS_OK;
}

static mnos_status_t make_process(struct loading *loading)
{
    const struct manifest_service *config = loading->plan->config;
    struct mnos_process_params params = {
        .frames_quota = loading->plan->frames_quota,
        .bytes_quota = config->bytes_quota,
        .priority_ceiling = config->ceiling,
        .exit_endpoint = loading->plan->endpoint,
        .exit_events = loading->plan->exit_events,
    };
    mnos_status_t status =
        sys_cap_create(MNOS_CREATE_MINT, loading->plan->endpoint, MNOS_RIGHT_WRITE,
                       loading->plan->fault_badge, 0, &params.fault_endpoint);

    if (status != MNOS_OK)
        return status;
    string_copy(params.name, config->name, sizeof params.name);
    memcpy(ipc_buffer()->data, &params, sizeof params);
    status = sys_proc_create(sizeof params, &loading->program->process);
    (void)!sys_cap_delete(
        params.fault_endpoint); /* the kernel has its own, as long as the process */
    return status;
}

static mnos_status_t make_memory(struct loading *loading)
{
    uint64_t filled = BOOTSTRAP_PAGES + loading->copied_pages;
    uint64_t pages = filled + loading->plan->config->stack_pages;
    mnos_status_t status = sys_mem_alloc(pages, 0, &loading->program->memory);

    loading->program->memory_pages = pages;

    if (status != MNOS_OK)
        return status;
    return memory_map(loading->program->memory, 0, filled, MNOS_MAP_READ | MNOS_MAP_WRITE,
                      (void **)&loading->filling);
}

/* Copies or finds one segment, and maps it; `page` is the next free page of the memory. */
static mnos_status_t load_segment(struct loading *loading, const struct elf_segment *segment,
                                  uint64_t *page)
{
    const struct archive *archive = loading->plan->archive;
    uint64_t offset = segment->vaddr & PAGE_MASK, pages = segment_pages(segment);
    uint64_t first = *page;

    if (maps_directly(archive, segment))
        return sys_mem_map(loading->program->process, archive->memory, segment->vaddr,
                           (uint64_t)(segment->data - archive->base) / MNOS_PAGE_BYTES, pages,
                           segment_flags(segment));
    /* The memory is new, so what the file does not fill is zero. */
    if (segment->file_size != 0)
        memcpy(loading->filling + first * MNOS_PAGE_BYTES + offset, segment->data,
               segment->file_size);
    *page += pages;
    return sys_mem_map(loading->program->process, loading->program->memory, segment->vaddr - offset,
                       first, pages, segment_flags(segment));
}

static mnos_status_t map_segments(struct loading *loading)
{
    struct elf_segment segment;
    uint64_t page = BOOTSTRAP_PAGES;
    unsigned cursor = 0;

    while (elf_next_load(&loading->image, &cursor, &segment)) {
        mnos_status_t status = load_segment(loading, &segment, &page);

        if (status != MNOS_OK)
            return status;
    }
    return MNOS_OK;
}

static mnos_status_t map_stack(struct loading *loading)
{
    uint64_t pages = loading->plan->config->stack_pages;

    return sys_mem_map(loading->program->process, loading->program->memory,
                       LAYOUT_STACK_TOP - pages * MNOS_PAGE_BYTES,
                       BOOTSTRAP_PAGES + loading->copied_pages, pages,
                       MNOS_MAP_READ | MNOS_MAP_WRITE);
}

static mnos_status_t make_bootstrap(struct loading *loading)
{
    struct mnos_bootstrap *table = (struct mnos_bootstrap *)loading->filling;
    mnos_status_t status;

    table->magic = MNOS_BOOTSTRAP_MAGIC;
    table->alive_address = LAYOUT_ALIVE;
    string_copy(table->program, loading->plan->config->name, sizeof table->program);
    status = loading->plan->grant(loading->plan->context, loading->program->process, table);
    if (status != MNOS_OK)
        return status;
    return sys_mem_map(loading->program->process, loading->program->memory, LAYOUT_BOOTSTRAP, 0,
                       BOOTSTRAP_PAGES, MNOS_MAP_READ);
}

static mnos_status_t make_thread(struct loading *loading)
{
    const struct manifest_service *config = loading->plan->config;
    struct mnos_thread_params params = {
        .ipc_buffer = LAYOUT_IPC_BUFFER,
        .priority = config->priority,
        .affinity = config->affinity,
    };

    string_copy(params.name, "main", sizeof params.name);
    params.registers.rip = loading->image.entry;
    params.registers.rdi = LAYOUT_BOOTSTRAP;
    params.registers.rsi = LAYOUT_IPC_BUFFER;
    params.registers.rsp = LAYOUT_STACK_TOP - LAYOUT_STACK_RESERVED;
    params.registers.fs_base = LAYOUT_IPC_BUFFER;
    memcpy(ipc_buffer()->data, &params, sizeof params);
    return sys_thread_create(loading->program->process, sizeof params, &loading->program->thread);
}

mnos_status_t program_start_new(struct program *program, const struct program_plan *plan)
{
    static const struct {
        mnos_status_t (*run)(struct loading *loading);
        const char *what; /* for the log; NULL: it logs itself what fails */
    } steps[] = {
        {open_file, NULL},
        {make_process, "create its process"},
        {make_memory, "allocate its memory"},
        {map_segments, "map its segments"},
        {map_stack, "map its stack"},
        {make_bootstrap, "make its bootstrap table"},
        {make_thread, "create its thread"},
    };
    struct loading loading = {.plan = plan, .program = program};
    mnos_status_t status = MNOS_OK;

    *program = (struct program){0};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == MNOS_OK; i++) {
        status = steps[i].run(&loading);
        if (status != MNOS_OK && steps[i].what != NULL) {
            char what[64];

            mnos_snprintf(what, sizeof what, "%s: %s", plan->config->name, steps[i].what);
            log_error(status, what);
        }
    }
    if (loading.filling != NULL)
        memory_unmap(loading.filling, BOOTSTRAP_PAGES + loading.copied_pages);
    if (status != MNOS_OK)
        program_release(program);
    return status;
}

mnos_status_t program_alive_word(const struct program *program, uint64_t *word)
{
    void *page;
    mnos_status_t status =
        memory_map(program->memory, program->memory_pages - 1, 1, MNOS_MAP_READ, &page);

    if (status != MNOS_OK)
        return status;
    *word = __atomic_load_n((uint64_t *)((uint8_t *)page + (LAYOUT_ALIVE & PAGE_MASK)),
                            __ATOMIC_ACQUIRE);
    memory_unmap(page, 1);
    return MNOS_OK;
}

void program_release(struct program *program)
{
    if (program->process != 0) {
        /* Fails when it is dead already, which is as good. */
        (void)!sys_proc_destroy(program->process, 0);
        (void)!sys_cap_delete(program->process);
    }
    if (program->thread != 0)
        (void)!sys_cap_delete(program->thread);
    if (program->memory != 0)
        (void)!sys_cap_delete(program->memory);
    *program = (struct program){0};
}
