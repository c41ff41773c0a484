// SPDX-License-Identifier: MIT
/* child.c - see child.h. */
#include "tests/guest/child.h"

#include "lib/format/elf.h"
#include "lib/format/ustar.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/memory.h"
#include "lib/base/string.h"

#define PAGE_MASK (PAGE - 1)
#define STACK_PAGES 8
#define EVENT_ENDED 1ull
#define QUOTA_FRAMES 192
#define QUOTA_BYTES (512 * 1024)

/* The program's file, as the initial RAM disk has it. */
static struct {
    mnos_cap_t archive;
    const uint8_t *base;
    struct elf_image image;
    uint64_t copied_pages; /* of segments with variables */
} program;

/* ---- the program ---- */

static uint64_t segment_pages(const struct elf_segment *segment)
{
    return ((segment->vaddr & PAGE_MASK) + segment->memory_size + PAGE_MASK) / PAGE;
}

static bool program_open(void)
{
    static const struct elf_limits limits = {LAYOUT_PROGRAM_LOWEST, LAYOUT_PROGRAM_END - 1, false};
    struct elf_segment segment;
    struct ustar_entry file;
    unsigned cursor = 0;
    void *base;
    uint64_t pages;

    if (program.archive != 0)
        return true;
    pages = cap_info(bootstrap_cap("initrd")).count;
    if (!CHECK_OK(memory_map(bootstrap_cap("initrd"), 0, pages, MNOS_MAP_READ, &base)) ||
        !CHECK_EQ(ustar_find(base, pages * PAGE, "init", &file), USTAR_OK) ||
        !CHECK_EQ(elf_open(&program.image, file.data, file.size, &limits), ELF_OK))
        return false;
    while (elf_next_load(&program.image, &cursor, &segment))
        if (segment.write)
            program.copied_pages += segment_pages(&segment);
    program.base = base;
    program.archive = bootstrap_cap("initrd");
    return true;
}

static bool map_shared(const struct child *child, const struct elf_segment *segment)
{
    uint64_t first = (uint64_t)(segment->data - program.base) / PAGE;
    uint64_t flags = MNOS_MAP_READ | (segment->execute ? MNOS_MAP_EXECUTE : 0);
    mnos_status_t status;

    /* user.ld pads code and constants to whole pages, and mkarchive.py puts files on them. */
    if (!CHECK(((uint64_t)segment->data & PAGE_MASK) == (segment->vaddr & PAGE_MASK)))
        return false;
    status = sys_mem_map(child->process, program.archive, segment->vaddr & ~PAGE_MASK, first,
                         segment_pages(segment), flags);
    return CHECK_OK(status);
}

static bool map_copied(const struct child *child, const struct elf_segment *segment, uint8_t *page,
                       uint64_t first)
{
    if (segment->file_size != 0)
        memcpy(page + (segment->vaddr & PAGE_MASK), segment->data, segment->file_size);
    return CHECK_OK(sys_mem_map(child->process, child->memory, segment->vaddr & ~PAGE_MASK, first,
                                segment_pages(segment), MAP_RW));
}

static bool map_segments(const struct child *child, uint8_t *filling)
{
    struct elf_segment segment;
    unsigned cursor = 0;
    uint64_t page = 0;

    while (elf_next_load(&program.image, &cursor, &segment)) {
        bool ok = segment.write ? map_copied(child, &segment, filling + page * PAGE, page)
                                : map_shared(child, &segment);

        if (!ok)
            return false;
        if (segment.write)
            page += segment_pages(&segment);
    }
    return CHECK_OK(sys_mem_map(child->process, child->memory,
                                LAYOUT_STACK_TOP - STACK_PAGES * PAGE, program.copied_pages,
                                STACK_PAGES, MAP_RW));
}

/* ---- a child ---- */

static bool map_image(struct child *child)
{
    void *filling;
    bool ok;

    child->memory = memory_new(program.copied_pages + STACK_PAGES);
    if (child->memory == 0 ||
        !CHECK_OK(memory_map(child->memory, 0, program.copied_pages, MAP_RW, &filling)))
        return false;
    ok = map_segments(child, filling);
    memory_unmap(filling, program.copied_pages);
    return ok;
}

bool child_create(struct child *child)
{
    return child_create_watched(child, 0);
}

bool child_create_watched(struct child *child, mnos_cap_t fault_endpoint)
{
    struct mnos_process_params params = {.name = "child",
                                         .frames_quota = QUOTA_FRAMES,
                                         .bytes_quota = QUOTA_BYTES,
                                         .priority_ceiling = TEST_PRIORITY,
                                         .exit_events = EVENT_ENDED,
                                         .fault_endpoint = fault_endpoint};

    *child = (struct child){0};
    if (!program_open())
        return false;
    child->ended = endpoint_new();
    params.exit_endpoint = child->ended;
    return CHECK_OK(process_create(&params, &child->process)) && map_image(child);
}

mnos_cap_t child_give(const struct child *child, mnos_cap_t cap, mnos_rights_t rights)
{
    mnos_cap_t given = 0;

    CHECK_OK(sys_cap_transfer(child->process, cap, rights, &given));
    return given;
}

/* Where a child's thread begins, as if called: the stack is one word off a multiple of 16. */
_Noreturn static void child_main(child_function *function, struct mnos_ipc_buffer *buffer,
                                 uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    thread_block_init(buffer, NULL);
    for (;;)
        (void)!sys_proc_destroy(MNOS_SELF, function(a, b, c, d));
}

static struct mnos_thread_params thread_params(child_function *function, uint64_t a, uint64_t b,
                                               uint64_t c, uint64_t d)
{
    struct mnos_thread_params params = {.name = "main",
                                        .ipc_buffer = LAYOUT_IPC_BUFFER,
                                        .priority = TEST_PRIORITY,
                                        .affinity = MNOS_AFFINITY_ANY};

    params.registers.rip = (uint64_t)child_main;
    params.registers.rsp = LAYOUT_STACK_TOP - 8;
    params.registers.fs_base = LAYOUT_IPC_BUFFER;
    params.registers.rdi = (uint64_t)function;
    params.registers.rsi = LAYOUT_IPC_BUFFER;
    params.registers.rdx = a;
    params.registers.rcx = b;
    params.registers.r8 = c;
    params.registers.r9 = d;
    return params;
}

bool child_start(struct child *child, child_function *function, uint64_t a, uint64_t b, uint64_t c,
                 uint64_t d)
{
    struct mnos_thread_params params = thread_params(function, a, b, c, d);

    return CHECK_OK(thread_create_raw(child->process, &params, &child->thread));
}

bool child_start_at(struct child *child, child_function *function, uint64_t a, uint64_t b,
                    uint32_t priority, uint32_t affinity)
{
    struct mnos_thread_params params = thread_params(function, a, b, 0, 0);

    params.priority = priority;
    params.affinity = affinity;
    return CHECK_OK(thread_create_raw(child->process, &params, &child->thread));
}

/* It has the lower half of the stack, and a buffer below that. */
bool child_start_beside(const struct child *child, child_function *function, uint64_t a,
                        uint32_t priority, uint32_t affinity, mnos_cap_t *thread)
{
    uint64_t buffer = LAYOUT_STACK_TOP - (STACK_PAGES + 2) * PAGE;
    struct mnos_thread_params params = thread_params(function, a, 0, 0, 0);

    params.priority = priority;
    params.affinity = affinity;
    params.ipc_buffer = buffer;
    params.registers.rsp -= STACK_PAGES / 2 * PAGE;
    params.registers.fs_base = buffer;
    params.registers.rsi = buffer;
    return CHECK_OK(thread_create_raw(child->process, &params, thread));
}

struct mnos_process_info child_wait(const struct child *child)
{
    struct message msg = {0};

    CHECK_OK(ipc_receive(child->ended, &msg, soon()));
    return process_info(child->process);
}

uint64_t child_result(const struct child *child)
{
    struct mnos_process_info info = child_wait(child);

    if (info.exit_reason == MNOS_EXIT_FAULT)
        CHECK_EQ(info.exit_code, 0); /* vector and error code */
    CHECK_EQ(info.exit_reason, MNOS_EXIT_SELF);
    return info.exit_code;
}

void child_drop(struct child *child)
{
    if (child->process != 0)
        process_end(child->process);
    if (child->thread != 0) /* it belongs to the process, and its capabilities died with that */
        CHECK_FAILS(sys_cap_delete(child->thread), MNOS_ERR_HANDLE, 1, 0);
    if (child->memory != 0)
        cap_drop(child->memory);
    if (child->ended != 0)
        cap_drop(child->ended);
    *child = (struct child){0};
}

struct mnos_process_info child_run(child_function *function, uint64_t a, uint64_t b, uint64_t c,
                                   uint64_t d)
{
    struct mnos_process_info info = {0};
    struct child child;

    if (child_create(&child) && child_start(&child, function, a, b, c, d))
        info = child_wait(&child);
    child_drop(&child);
    return info;
}
