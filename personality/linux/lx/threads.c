// SPDX-License-Identifier: MIT
/* threads - the lock, and how threads come and go: see threads.h. */
#include "personality/linux/lx/threads.h"

#include "abi/fault.h"
#include "abi/inspect.h"
#include "abi/memory.h"
#include "abi/process.h"
#include "lib/base/string.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/lock.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/futex.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/native_wait.h"
#include "personality/linux/lx/open_file.h"
#include "personality/linux/lx/piece.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/vectors.h"
#include "personality/linux/lx/wait.h"

/* A thread's range of addresses: guard page | lx stack | guard page | IPC buffer. */
#define STACK_PAGES (LX_THREAD_STACK_BYTES / LX_PAGE)
#define RANGE_PAGES (STACK_PAGES + 3)
#define TOP_WORDS_BYTES 16u /* above LX_TOP: the address of struct lx_thread */

/* Ids are the pid and, above these bits, the number: no pid is larger. */
#define NUMBER_SHIFT 16u
#define NUMBERS 16384u         /* FUTEX_TID_MASK has 30 bits */
#define NUMBER_NONE UINT32_MAX /* of the first, when it has ended and others go on */

void lx_thread_start(void); /* entry.S */
void lx_thread_begun(void); /* called by entry.S */
void lx_upcall(void);

static struct lx_thread first = {.is_known = true, .stack = {.flags = LINUX_SS_DISABLE}};
struct lx_thread *threads_all = &first;
/* Those that have ended, which may be on their stacks still; and those of which nothing is left but what they had. */
static struct lx_thread *ended, *unused;
bool threads_many;
static struct mutex lock;
static uint32_t last_number;
static int32_t first_status; /* of the first, when it has ended */

void threads_start(void)
{
    struct lx_thread **top = (void *)(LAYOUT_STACK_TOP - LAYOUT_STACK_RESERVED);

    *top = &first;
    ipc_buffer()->reserved[1] = (uint64_t)top; /* LX_TOP */
}

/* ---- Who ---- */

int32_t thread_id(const struct lx_thread *thread)
{
    return process_id() + (int32_t)(thread->number << NUMBER_SHIFT);
}

struct lx_thread *thread_of(int32_t id)
{
    EACH_THREAD(thread)
    {
        if (thread->number != NUMBER_NONE && thread_id(thread) == id)
            return thread;
    }
    return NULL;
}

static uint32_t live_count(void)
{
    uint32_t count = 0;

    EACH_THREAD(thread)
    count += thread->number != NUMBER_NONE;
    return count;
}

void thread_stack(uint64_t *start, uint64_t *end)
{
    const struct lx_thread *self = thread_self();

    *start = self->address != 0 ? self->address + LX_PAGE : LAYOUT_STACK_TOP - LX_STACK_BYTES;
    *end = self->address != 0 ? *start + LX_THREAD_STACK_BYTES : LAYOUT_STACK_TOP;
}

static struct lx_thread **top_of(const struct lx_thread *thread)
{
    return (void *)(thread->address + LX_PAGE + LX_THREAD_STACK_BYTES - TOP_WORDS_BYTES);
}

static uint64_t buffer_of(const struct lx_thread *thread)
{
    return thread->address + (RANGE_PAGES - 1) * LX_PAGE;
}

/* ---- The lock ---- */

void threads_enter(void)
{
    struct lx_thread *self = thread_self();

    if (!threads_many)
        return;
    atomic_store_explicit(&self->in_lx, true, memory_order_relaxed);
    mutex_lock(&lock);
    self->holds_lock = true;
    wait_forget_file();
    if (self->must_end)
        thread_end(0);
}

static void let_go(struct lx_thread *self)
{
    self->holds_lock = false;
    mutex_unlock(&lock);
}

static bool wait_begins(void)
{
    struct lx_thread *self = thread_self();

    if (!self->lets_go)
        return false;
    self->lets_go = false; /* waiting for the lock is a wait of the kernel's, too */
    let_go(self);
    return true;
}

static void wait_ended(void)
{
    struct lx_thread *self = thread_self();

    mutex_lock(&lock);
    self->holds_lock = self->lets_go = true;
    wait_forget_file();
}

uint64_t lx_wait(uint64_t number, struct ipc_registers *regs)
{
    bool without = wait_begins();
    uint64_t rax = lx_native_wait(number, regs);

    if (without)
        wait_ended();
    return rax;
}

void threads_yield(void)
{
    thread_self()->lets_go = threads_many;
    (void)!sys_thread_yield();
    thread_self()->lets_go = false;
}

/* Those that have ended are gone for good: true, there is none left that may still be on its stack. */
static bool reap(void)
{
    struct lx_thread **link = &ended;

    while (*link != NULL) {
        struct lx_thread *thread = *link;

        if (!atomic_load_explicit(&thread->gone, memory_order_acquire)) {
            link = &thread->next;
            continue;
        }
        *link = thread->next;
        (void)!sys_thread_destroy(thread->native); /* fails when it has done so itself */
        (void)!sys_cap_delete(thread->native);
        thread->next = unused;
        unused = thread;
    }
    return ended == NULL;
}

void threads_leave(void)
{
    struct lx_thread *self = thread_self();

    if (!self->holds_lock)
        return;
    if (self->must_end)
        thread_end(0);
    wait_release_file();
    if (threads_all == self && self->next == NULL && reap()) { /* T1 */
        threads_many = false;
        calls_go_slowly(CALLS_OF_THREADS, false);
    }
    atomic_store_explicit(&self->in_lx, false, memory_order_relaxed);
    let_go(self);
}

/* ---- Beginning ---- */

bool threads_prepare(void)
{
    struct lx_thread *self = thread_self();

    if (!wait_have_endpoint(self) ||
        (self->native == 0 &&
         host_ask_capability(LXHOST_THREAD, NULL, 0, &self->native) != MNOS_OK))
        return false;
    threads_many = true;
    calls_go_slowly(CALLS_OF_THREADS, true);
    return true;
}

/* What a thread needs, with a stack that begins with zeros. */
static struct lx_thread *make_room(void)
{
    struct lx_thread *thread = piece_allocate(sizeof *thread + vectors_room());
    mnos_cap_t memory;
    uint64_t address;

    if (thread == NULL || host_memory(STACK_PAGES, &memory) != MNOS_OK)
        goto no_memory;
    if (address_reserve(RANGE_PAGES, &address) != MNOS_OK)
        goto no_address;
    if (host_map(memory, address + LX_PAGE, 0, STACK_PAGES, MNOS_MAP_READ | MNOS_MAP_WRITE) !=
        MNOS_OK)
        goto not_mapped;
    *thread = (struct lx_thread){.vectors = vectors_in(thread + 1), .address = address};
    return thread;
not_mapped:
    address_release(address, RANGE_PAGES);
no_address:
    (void)!sys_cap_delete(memory);
no_memory:
    piece_free(thread);
    return NULL;
}

static uint32_t next_number(void)
{
    do
        last_number = last_number + 1 < NUMBERS ? last_number + 1 : 1;
    while (thread_of(process_id() + (int32_t)(last_number << NUMBER_SHIFT)) != NULL);
    return last_number;
}

struct lx_thread *thread_make(const struct lx_frame *frame, uint64_t fs_base)
{
    struct lx_thread *thread;

    (void)reap();
    if (live_count() == NUMBERS - 1)
        return NULL;
    thread = unused;
    if (thread != NULL)
        unused = thread->next;
    else
        thread = make_room();
    if (thread == NULL)
        return NULL;
    *thread = (struct lx_thread){.vectors = thread->vectors,
                                 .address = thread->address,
                                 .endpoint = thread->endpoint,
                                 .number = next_number(),
                                 .blocked = thread_self()->blocked,
                                 .stack = {.flags = LINUX_SS_DISABLE},
                                 .fs_base = fs_base};
    *top_of(thread) = thread;
    ((struct lx_frame *)top_of(thread))[-1] = *frame;
    vectors_save(thread->vectors);
    return thread;
}

void thread_unmake(struct lx_thread *thread)
{
    thread->next = unused;
    unused = thread;
}

static mnos_status_t create(struct lx_thread *thread)
{
    struct mnos_thread_params params = {.ipc_buffer = buffer_of(thread),
                                        .affinity = MNOS_AFFINITY_ANY};
    const struct mnos_thread_info *info = (const void *)ipc_buffer()->data;
    uint64_t size;
    mnos_status_t status = sys_cap_inspect(MNOS_SELF, MNOS_VIEW_THREAD, 0, &size);

    if (status != MNOS_OK)
        return status;
    params.priority = info->priority;
    string_copy(params.name, "thread", sizeof params.name);
    params.registers.rip = (uint64_t)lx_thread_start;
    params.registers.rsp = (uint64_t)((struct lx_frame *)top_of(thread) - 1);
    params.registers.rsi = params.registers.gs_base = buffer_of(thread);
    params.registers.rdx = (uint64_t)top_of(thread);
    params.registers.fs_base = thread->fs_base;
    memcpy(ipc_buffer()->data, &params, sizeof params);
    return sys_thread_create(MNOS_SELF, sizeof params, &thread->native);
}

bool thread_begin(struct lx_thread *thread)
{
    struct lx_thread **last = &threads_all;
    mnos_status_t status;

    if (!wait_have_endpoint(thread))
        return false;
    status = create(thread);
    if (status == MNOS_ERR_QUOTA && host_grow())
        status = create(thread);
    if (status != MNOS_OK)
        return false;
    while (*last != NULL)
        last = &(*last)->next;
    *last = thread;
    return true;
}

/* It has not been in the program yet, and goes there next. */
void lx_thread_begun(void)
{
    if (sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL,
                           (uint64_t)lx_upcall | MNOS_UPCALL_FAULTS | MNOS_UPCALL_SYSCALLS) !=
        MNOS_OK)
        lx_exit(LXHOST_END_OF_LX | LX_EXIT_START);
}

/* ---- Ending ---- */

static void unlink(const struct lx_thread *thread)
{
    struct lx_thread **link = &threads_all;

    while (*link != thread)
        link = &(*link)->next;
    *link = thread->next;
}

/* The one that lxhost knows stays, and waits for what comes for the others. */
static _Noreturn void rest(struct lx_thread *self)
{
    self->number = NUMBER_NONE;
    self->must_end = false;
    for (;;)
        (void)wait_or_signal(MNOS_DEADLINE_NEVER);
}

_Noreturn void thread_end(int32_t status)
{
    struct lx_thread *self = thread_self();

    if (!self->must_end) /* else all of the program's memory goes */
        futex_thread_ends(self);
    wait_release_file();
    signals_thread_ends(self);
    if (self->number == 0)
        first_status = status;
    if (live_count() == 1)
        lx_exit(lxhost_exit_status((uint32_t)first_status));
    wait_changed(); /* one that calls execve() waits for it */
    if (self->is_known)
        rest(self);
    unlink(self);
    self->next = ended;
    ended = self;
    let_go(self);
    atomic_store_explicit(&self->gone, true, memory_order_release);
    /* From here on reap() may destroy it, as nothing is left to do. */
    for (;;)
        (void)!sys_thread_destroy(MNOS_SELF);
}

void threads_end_others(void)
{
    struct lx_thread *self = thread_self();

    self->clear_id = self->robust_list = 0; /* they are of memory that goes */
    if (!threads_many)
        return;
    EACH_THREAD(thread)
    {
        if (thread == self || thread->number == NUMBER_NONE)
            continue;
        thread->must_end = true;
        thread_prod(thread);
    }
    while (live_count() > 1)
        (void)!wait_until(MNOS_DEADLINE_NEVER);
    self->number = 0;
}

static void forget(struct lx_thread *thread)
{
    if (thread->held != NULL)
        open_file_release(thread->held);
    if (thread->address != 0)
        address_release(thread->address, RANGE_PAGES);
    if (thread != &first)
        piece_free(thread);
}

static void forget_list(struct lx_thread *list, const struct lx_thread *self)
{
    while (list != NULL) {
        struct lx_thread *next = list->next;

        if (list != self)
            forget(list);
        list = next;
    }
}

void threads_forked(void)
{
    struct lx_thread *self = thread_self();

    forget_list(threads_all, self);
    forget_list(ended, self);
    forget_list(unused, self);
    ended = unused = NULL;
    threads_all = self;
    self->next = NULL;
    self->number = 0;
    self->native = self->endpoint = 0;
    self->is_known = true;
    self->holds_lock = false;
    self->clear_id = self->robust_list = 0;
    lock = (struct mutex){0};
    threads_many = false;
    calls_go_slowly(CALLS_OF_THREADS, false);
}
