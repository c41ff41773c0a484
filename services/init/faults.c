// SPDX-License-Identifier: MIT
/* faults - see faults.h. What is said is lib/server/fault_report.h's business. */
#include "services/init/faults.h"

#include "lib/base/string.h"
#include "lib/format/elf.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/time.h"
#include "lib/server/fault_report.h"

void faults_init(struct faults *faults, const struct archive *archive)
{
    const struct archive_member *file = archive_find(archive, "symbols");

    if (file == NULL)
        return; /* faults are told by addresses */
    faults->has_symbols = symbols_open(&faults->symbols, file->data, file->size);
    if (!faults->has_symbols)
        log_at(MNOS_LOG_WARNING, "symbols: damaged; faults are told by addresses");
}

/* Where the fault of a service is, or goes: in the place of its last one, or of the oldest. */
static uint32_t place_of(const struct faults *faults, uint32_t service)
{
    uint32_t oldest = 0;

    for (uint32_t i = 0; i < FAULTS_KEPT; i++) {
        if (faults->kept[i].service == service)
            return i;
        if (faults->kept[i].time_ns < faults->kept[oldest].time_ns)
            oldest = i;
    }
    return oldest;
}

void faults_take(struct faults *faults, uint32_t service, uint32_t start, const struct message *msg)
{
    struct fault_kept *kept = &faults->kept[place_of(faults, service)];

    if (kept->service == service && kept->start == start)
        return;
    *kept = (struct fault_kept){.service = service, .start = start, .time_ns = kinfo_time_ns()};
    message_get(msg, &kept->fault, sizeof kept->fault);
}

const struct fault_kept *faults_last(const struct faults *faults, uint32_t service)
{
    const struct fault_kept *kept = &faults->kept[place_of(faults, service)];

    return kept->service == service ? kept : NULL;
}

void faults_build(const struct archive_member *file, char out[ELF_BUILD_ID_TEXT])
{
    uint8_t id[ELF_BUILD_ID_BYTES];

    out[0] = 0;
    if (file != NULL && elf_build_id(file->data, file->size, id))
        elf_build_id_text(id, out);
}

/* The symbols of a program; NULL: there are none of this build. `space` is for the answer. */
static const struct symbols_program *symbols_of(const struct faults *faults,
                                                const struct archive_member *file,
                                                struct symbols_program *space)
{
    uint8_t id[ELF_BUILD_ID_BYTES];

    if (!faults->has_symbols || file == NULL || !elf_build_id(file->data, file->size, id) ||
        !symbols_program(&faults->symbols, id, space))
        return NULL;
    return space;
}

void faults_place(const struct faults *faults, const struct fault_kept *kept,
                  const struct archive_member *file, char *out, size_t size)
{
    struct symbols_program space;
    struct fault_image image = {.symbols = symbols_of(faults, file, &space)};
    struct fault_program program = fault_image_program(&image);

    fault_place(&program, kept->fault.registers.rip, out, size);
}

/* The code of a program has been started, and so its file is sound. */
static void find_code(struct fault_image *found, const struct archive_member *file)
{
    static const struct elf_limits limits = {LAYOUT_PROGRAM_LOWEST, LAYOUT_PROGRAM_END - 1, false};
    struct elf_segment segment;
    struct elf_image image;
    unsigned cursor = 0;

    if (elf_open(&image, file->data, file->size, &limits) != ELF_OK)
        return;
    while (elf_next_load(&image, &cursor, &segment)) {
        if (!segment.execute)
            continue;
        found->code = segment.data;
        found->code_address = segment.vaddr;
        found->code_bytes = segment.file_size;
        return;
    }
}

static void log_fault(void *context, const char *text)
{
    const struct manifest_service *config = context;

    log_line("%s: %s", config->name, text);
}

void faults_report(const struct faults *faults, uint32_t service, uint32_t start,
                   const struct manifest_service *config, const struct program *program,
                   const struct archive_member *file)
{
    const struct fault_kept *kept = faults_last(faults, service);
    struct symbols_program space;
    struct fault_image image = {.symbols = symbols_of(faults, file, &space)};
    struct fault_scene scene = {.program = fault_image_program(&image)};
    uint64_t pages = config->stack_pages, offset = 0;
    char build[ELF_BUILD_ID_TEXT], name[FAULT_PROGRAM_BYTES];
    void *stack = NULL;

    if (kept == NULL || kept->start != start || file == NULL)
        return; /* eight other services have faulted meanwhile: the kernel's line is all there is */
    scene.fault = &kept->fault;
    find_code(&image, file);
    faults_build(file, build);
    fault_program_text(file->name, build, name);
    scene.program_name = build[0] != 0 ? name : NULL;
    if (memory_map(program->memory, program->memory_pages - pages, pages, MNOS_MAP_READ, &stack) ==
        MNOS_OK) {
        scene.stack_address = LAYOUT_STACK_TOP - pages * MNOS_PAGE_BYTES;
        scene.stack_bytes = pages * MNOS_PAGE_BYTES;
        scene.word_count = fault_stack_part(kept->fault.registers.rsp, scene.stack_address,
                                            scene.stack_bytes, &offset) /
                           sizeof(uint64_t);
        scene.words = (const uint8_t *)stack + offset;
    }
    fault_report(&scene, log_fault, (void *)config);
    if (stack != NULL)
        memory_unmap(stack, pages);
}
