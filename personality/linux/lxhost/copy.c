// SPDX-License-Identifier: MIT
/*
 * copy - a process that is a copy of another: fork(2). See host.h.
 *
 * The parent puts its pages into memory of the container's; lxhost takes that back, and maps it into the new process where
 * the runs of the image say. What the image says is the parent's word: runs lie where a program and lx have their
 * memory, and overlap only what the copy itself would have there, so a lie harms the copy alone.
 */
#include "personality/linux/lxhost/host.h"

#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/syscall.h"
#include "personality/linux/lx/layout.h"

#define PAGES_MAX (1ull << 24) /* 64 GiB: keeps sums from wrapping */

static void drop_memory(struct process *asker)
{
    if (asker->fork_memory != 0) {
        (void)!sys_cap_revoke(asker->fork_memory);
        (void)!sys_cap_delete(asker->fork_memory);
    }
    asker->fork_memory = 0;
}

static bool is_room(void)
{
    EACH_PROCESS(at)
    {
        if (at->state == PROCESS_FREE)
            return true;
    }
    return false;
}

mnos_status_t copy_memory(struct process *asker, const struct lxhost_pages *wanted,
                          struct message *reply)
{
    mnos_status_t status;

    drop_memory(asker);
    if (wanted->pages == 0)
        return MNOS_OK; /* nothing more was asked for */
    if (wanted->pages > PAGES_MAX)
        return MNOS_ERR_QUOTA;
    if (!is_room())
        return MNOS_ERR_AGAIN;
    status = sys_mem_alloc(wanted->pages, 0, &asker->fork_memory);
    if (status != MNOS_OK)
        return status;
    asker->fork_pages = wanted->pages;
    message_put(reply, MNOS_OK, NULL, 0);
    message_add_cap(reply, asker->fork_memory, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE);
    return MNOS_OK;
}

/* What a run may be: memory of the program, or of lx where it is not the same in all processes. */
static bool is_allowed(const struct lxhost_run *run)
{
    uint64_t end = run->address + run->pages * MNOS_PAGE_BYTES;
    bool of_program = run->address >= MNOS_PAGE_BYTES && end <= LX_BASE;
    bool of_lx = run->address >= LX_CODE_END && end <= LAYOUT_STACK_TOP;

    return run->address % MNOS_PAGE_BYTES == 0 && end > run->address && (of_program || of_lx) &&
           (run->rights & ~7u) == 0 && (run->rights & 6u) != 6u;
}

static uint64_t map_flags(uint32_t rights)
{
    return MNOS_MAP_READ | ((rights & LXHOST_RUN_WRITE) != 0 ? MNOS_MAP_WRITE : 0) |
           ((rights & LXHOST_RUN_EXECUTE) != 0 ? MNOS_MAP_EXECUTE : 0);
}

static mnos_status_t map_runs(const struct process *process, const struct lxhost_image *image,
                              uint64_t pages)
{
    uint64_t first = 0;
    mnos_status_t status = MNOS_OK;

    if (image->run_count > LXHOST_RUNS_MAX)
        return MNOS_ERR_FORMAT;
    for (uint32_t i = 0; i < image->run_count && status == MNOS_OK; i++) {
        const struct lxhost_run *run = &image->runs[i];

        if (!is_allowed(run) || run->pages > pages - first)
            return MNOS_ERR_FORMAT;
        if (run->rights != 0)
            status = sys_mem_map(process->native.process, process->native.image, run->address,
                                 first, run->pages, map_flags(run->rights));
        first += run->pages;
    }
    return status;
}

#define PAGES_OF_TABLE 512u /* Intel SDM vol 3A, "4-Level Paging" */

/* What page tables and mappings of the copy take, beyond what each process has. */
static mnos_status_t make_room(struct process *process, const struct lxhost_image *image,
                               uint64_t pages)
{
    struct lxhost_grow more = {.frames = 2ull * image->run_count + pages / PAGES_OF_TABLE,
                               .bytes = 256ull * image->run_count};

    return image->run_count > LXHOST_RUNS_MAX ? MNOS_ERR_FORMAT : native_grow(process, &more);
}

static mnos_status_t fill(struct birth *birth, const struct process *parent,
                          struct lxhost_image *image, uint64_t pages)
{
    struct process *process = birth->process;
    mnos_status_t status = native_give_all(birth);

    if (status == MNOS_OK)
        status = native_give(birth, "image", process->native.image,
                             MNOS_RIGHT_READ | MNOS_RIGHT_WRITE | MNOS_RIGHT_EXECUTE);
    if (status == MNOS_OK)
        status = sessions_copy(birth, parent, image);
    if (status == MNOS_OK)
        status = make_room(process, image, pages);
    if (status == MNOS_OK)
        status = native_map(birth, LAYOUT_BOOTSTRAP, 0, 1, MNOS_MAP_READ);
    if (status == MNOS_OK)
        status = image_map_shared(process->native.process);
    if (status == MNOS_OK)
        status = map_runs(process, image, pages);
    return status;
}

static mnos_status_t make(struct process *parent, const struct lxhost_fork *wanted,
                          struct lxhost_image *image, uint64_t pages, struct birth *birth)
{
    struct process *process = birth->process;
    mnos_status_t status;

    process->parent = parent->pid;
    process->group = parent->group;
    process->session = parent->session;
    process->title = parent->title;
    process->forgets_children = parent->forgets_children;
    status = native_make(birth, 1);
    if (status != MNOS_OK)
        return status;
    string_copy(birth->table->program, bootstrap_program(), sizeof birth->table->program);
    status = fill(birth, parent, image, pages);
    if (status != MNOS_OK)
        return status;
    image->pid = process->pid;
    objects_inherit(process, parent);
    return native_start(birth, wanted->rip, wanted->rsp);
}

mnos_status_t copy_make(struct process *asker, const struct lxhost_fork *wanted,
                        struct lxhost_process *made)
{
    struct birth birth = {.process = process_new()};
    uint64_t pages = asker->fork_pages;
    mnos_cap_t memory = asker->fork_memory;
    void *image;
    mnos_status_t status;

    asker->fork_memory = 0;
    if (birth.process == NULL || memory == 0 || wanted->image_page > pages ||
        pages - wanted->image_page < LXHOST_IMAGE_PAGES) {
        asker->fork_memory = memory;
        drop_memory(asker);
        if (birth.process != NULL)
            birth.process->state = PROCESS_FREE;
        return birth.process == NULL ? MNOS_ERR_AGAIN : MNOS_ERR_STATE;
    }
    birth.process->native.image = memory;
    /* From here on the parent changes nothing of it. */
    status = sys_cap_revoke(memory);
    if (status == MNOS_OK)
        status = memory_map(memory, wanted->image_page, LXHOST_IMAGE_PAGES,
                            MNOS_MAP_READ | MNOS_MAP_WRITE, &image);
    if (status == MNOS_OK) {
        status = make(asker, wanted, image, pages, &birth);
        memory_unmap(image, LXHOST_IMAGE_PAGES);
    }
    if (birth.table != NULL)
        memory_unmap(birth.table, birth.table_pages);
    made->pid = birth.process->pid;
    if (status == MNOS_OK)
        return MNOS_OK;
    native_drop(birth.process);
    objects_drop_all(birth.process);
    birth.process->state = PROCESS_FREE;
    return status;
}
