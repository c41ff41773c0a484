// SPDX-License-Identifier: MIT
/*
 * fork - makes a copy of the process: see docs/linux.md.
 *
 * The process copies itself into memory that lxhost lends it: first its program's present pages, then what is lx's own.
 * That is the last thing it does, so the copy finds lx as it is here. lxhost makes a process of it, whose first
 * thread returns from fork_save() a second time; there all capabilities are others, and each part of lx
 * that has some takes what the copy was given instead.
 */
#include "personality/linux/lx/fork.h"

#include "abi/fault.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/clock.h"
#include "lib/client/file_copy.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/files.h"
#include "personality/linux/lx/heap_range.h"
#include "personality/linux/lx/futex.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/memory.h"
#include "personality/linux/lx/mounts.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/random.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/socket.h"
#include "personality/linux/lx/threads.h"
#include "personality/linux/lx/wait.h"

/* entry.S */
int fork_save(void) __attribute__((returns_twice));
void lx_copy_start(void);
extern uint64_t fork_stack;
void lx_upcall(void);
/* lx.ld */
extern uint8_t lx_data_end[], lx_scratch[], lx_scratch_end[];

/* Whole pages, which lxhost maps. */
static union {
    _Alignas(LX_PAGE) struct lxhost_image image;
    uint8_t pages[LXHOST_IMAGE_PAGES * LX_PAGE];
} shared;

/* The memory that is filled. */
static struct {
    void *to;
    uint64_t pages, filled;
    uint64_t image_page;
} copy;

/* Whole pages, of which the copy has those from `kept` on as they are, and zeros for what is before. */
struct part {
    uint64_t start, end, kept;
};
#define PARTS 4u

/* What is lx's own: its code and constants are in every process. Of the stack what the copy returns through is known at the
 * end (keep_stack()). */
static void list_parts(struct part parts[PARTS])
{
    uint64_t scratch = (uint64_t)lx_scratch, scratch_end = (uint64_t)lx_scratch_end;

    parts[0] = (struct part){LX_CODE_END, scratch, LX_CODE_END};
    parts[1] = (struct part){scratch, lx_page_up((uint64_t)lx_data_end), scratch_end};
    parts[2] = (struct part){LX_HEAP, heap_end(), LX_HEAP};
    thread_stack(&parts[3].start, &parts[3].end);
    parts[3].kept = parts[3].start;
}

static void keep_stack(struct part parts[PARTS])
{
    parts[3].kept = fork_stack & ~LX_PAGE_MASK;
}

/* ---- In the parent ---- */

/* One that goes on where the one before ends becomes part of it. */
static bool add_run(uint64_t address, uint64_t pages, uint32_t rights)
{
    struct lxhost_run *last = &shared.image.runs[shared.image.run_count];

    if (shared.image.run_count != 0 && (--last)->rights == rights &&
        last->address + last->pages * LX_PAGE == address) {
        last->pages += (uint32_t)pages;
        return true;
    }
    if (shared.image.run_count == LXHOST_RUNS_MAX)
        return false;
    shared.image.runs[shared.image.run_count++] =
        (struct lxhost_run){address, (uint32_t)pages, rights};
    return true;
}

static uint32_t run_rights(uint32_t protection)
{
    return ((protection & VMA_READ) != 0 ? LXHOST_RUN_READ : 0) |
           ((protection & VMA_WRITE) != 0 ? LXHOST_RUN_WRITE : 0) |
           ((protection & VMA_EXECUTE) != 0 ? LXHOST_RUN_EXECUTE : 0);
}

static void copy_pages(const void *from, uint64_t pages)
{
    memcpy((uint8_t *)copy.to + copy.filled * LX_PAGE, from, pages * LX_PAGE);
    copy.filled += pages;
}

static void *next_page(void)
{
    return (uint8_t *)copy.to + copy.filled++ * LX_PAGE;
}

static bool copy_program(void)
{
    struct memory_run run = {0};

    while (memory_next_run(run.address + run.pages * LX_PAGE, &run)) {
        if (!add_run(run.address, run.pages, run_rights(run.rights)))
            return false;
        for (uint64_t i = 0; i < run.pages; i++) {
            if (!memory_copy_page(run.address + i * LX_PAGE, next_page()))
                return false;
        }
    }
    return true;
}

static bool list_own(const struct part parts[PARTS])
{
    uint64_t at = copy.filled;

    for (unsigned i = 0; i < PARTS; i++) {
        uint64_t pages = (parts[i].end - parts[i].start) / LX_PAGE;

        if ((uint64_t)&shared >= parts[i].start && (uint64_t)&shared < parts[i].end)
            copy.image_page = at + ((uint64_t)&shared - parts[i].start) / LX_PAGE;
        at += pages;
        if (pages != 0 && !add_run(parts[i].start, pages, LXHOST_RUN_READ | LXHOST_RUN_WRITE))
            return false;
    }
    return true;
}

static void list_handle(struct open_file *file, void *failed)
{
    struct lxhost_image *image = &shared.image;

    if (image->handle_count == LXHOST_HANDLES_MAX) {
        *(bool *)failed = true;
        return;
    }
    image->handles[image->handle_count++] =
        (struct lxhost_handle){file->file.handle, mounts_session_number(file->file.session), 0};
}

/* That there is no copy: there are as many processes as may be, or the container has nothing left. */
static int64_t no_copy(mnos_status_t status)
{
    return status == MNOS_ERR_AGAIN ? -LX_EAGAIN : -LX_ENOMEM;
}

/* Memory for the program's pages and lx's own. */
static mnos_status_t take_memory(const struct part parts[PARTS], mnos_cap_t *memory)
{
    mnos_status_t status;

    copy.pages = memory_present();
    copy.filled = 0;
    for (unsigned i = 0; i < PARTS; i++)
        copy.pages += (parts[i].end - parts[i].start) / LX_PAGE;
    status = host_ask_capability(LXHOST_FORK_MEMORY, &(struct lxhost_pages){copy.pages},
                                 sizeof(struct lxhost_pages), memory);
    if (status != MNOS_OK)
        return status;
    return host_map_somewhere(*memory, 0, copy.pages, MNOS_MAP_READ | MNOS_MAP_WRITE, &copy.to);
}

/* No copy is asked for: the memory is the container's again. */
static void give_memory_back(void)
{
    (void)!host_ask(LXHOST_FORK_MEMORY, &(struct lxhost_pages){0}, sizeof(struct lxhost_pages),
                    NULL, 0);
}

static int64_t make_copy(struct part parts[PARTS])
{
    struct lxhost_fork record = {
        .image_page = copy.image_page, .rip = (uint64_t)lx_copy_start, .rsp = fork_stack};
    struct lxhost_process made;
    mnos_status_t status;

    keep_stack(parts);
    for (unsigned i = 0; i < PARTS; i++) {
        copy.filled += (parts[i].kept - parts[i].start) / LX_PAGE; /* new memory is zeros */
        copy_pages((const void *)parts[i].kept, (parts[i].end - parts[i].kept) / LX_PAGE);
    }
    status = host_ask(LXHOST_FORK, &record, sizeof record, &made, sizeof made);
    return status == MNOS_OK ? made.pid : no_copy(status);
}

/* ---- In the copy ---- */

bool session_become(struct file_session *session, const char *name,
                    const struct lxhost_image *image)
{
    uint32_t number = mounts_session_number(session);
    struct file_session_begun begun = {.window_bytes = image->window_bytes[number],
                                       .rights = image->session_rights[number],
                                       .type = image->session_types[number]};
    char window[MNOS_NAME_BYTES];
    mnos_cap_t service = bootstrap_lookup(bootstrap_listed(name));

    mnos_snprintf(window, sizeof window, "window%u", number);
    begun.window = bootstrap_lookup(bootstrap_listed(window));
    if (service == 0) /* it was taken from the container: requests say that it is lost */
        begun = (struct file_session_begun){.rights = session->rights, .type = session->root_type};
    return file_session_become(session, service, &begun) == MNOS_OK;
}

static void take_handle(struct open_file *file, void *number)
{
    file->file.handle = shared.image.handles[(*(uint32_t *)number)++].handle;
    files_forked(file);
}

static void become(void)
{
    uint32_t number = 0;

    address_release((uint64_t)copy.to, copy.pages);
    memory_forked(bootstrap_lookup(BOOTSTRAP_OPTIONAL("image")), copy.pages, 0);
    wait_forked();
    futex_forked();
    signals_forked();
    inet_forked();
    process_forked(shared.image.pid);
    random_forked(shared.image.pid);
    if (!host_forked() || clock_forked() != MNOS_OK || !mounts_forked(&shared.image) ||
        sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL,
                           (uint64_t)lx_upcall | MNOS_UPCALL_FAULTS | MNOS_UPCALL_SYSCALLS) !=
            MNOS_OK)
        lx_exit(LXHOST_END_OF_LX | LX_EXIT_START);
    open_files_each(take_handle, &number);
    threads_forked(); /* which closes what only the others had */
}

/* The pid of the copy, 0 in the copy, or an error. */
int64_t process_fork(void)
{
    struct part parts[PARTS];
    mnos_cap_t memory = 0;
    bool failed = false;
    mnos_status_t status;
    int64_t result;

    shared.image.run_count = shared.image.handle_count = 0;
    open_files_each(list_handle, &failed);
    if (failed || !open_files_share())
        return -LX_ENOMEM;
    list_parts(parts);
    copy.to = NULL;
    status = take_memory(parts, &memory);
    if (status == MNOS_OK && copy_program() && list_own(parts)) {
        if (fork_save() != 0) {
            become();
            return 0;
        }
        result = make_copy(parts);
    } else {
        give_memory_back();
        result = no_copy(status);
    }
    /* lxhost has taken the memory back, and what was mapped with it. */
    if (copy.to != NULL)
        memory_unmap(copy.to, copy.pages);
    if (memory != 0)
        (void)!sys_cap_delete(memory);
    return result;
}

/* ---- Calls ---- */

int64_t lx_fork(void)
{
    return process_fork();
}

/* As fork(): what the copy does to memory its parent does not see. */
int64_t lx_vfork(void)
{
    return process_fork();
}
