// SPDX-License-Identifier: MIT
/* thread.c - life of threads: creation, suspension, control, and the table of their numbers. Their end is
 * thread_end.c. */
#include "object/thread.h"

#include <stdatomic.h>
#include <stddef.h>

#include "abi/inspect.h"
#include "assert.h"
#include "boot/boot_code.h"
#include "ipc/wait.h"
#include "lib/base/string.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "object/name.h"
#include "object/process.h"
#include "sched/sched.h"
#include "sched/deferred.h"
#include "base/trace.h"

/* ---- numbers: the low bits of reply ids ---- */

#define NUMBERS_PER_PAGE (PAGE_BYTES / sizeof(struct number))
#define NUMBER_PAGES 2048
#define NUMBER_BITS 24

/* `thread` while the number is in use; else `next_free`. `sequence` outlives the thread, so that no
 * reply id is ever used twice. */
struct number {
    struct thread *_Atomic thread;
    uint64_t sequence;
    uint32_t next_free;
};

static struct number *number_pages[NUMBER_PAGES];
static struct spinlock number_lock = SPINLOCK_INIT(LOCK_THREADTABLE);
static uint32_t number_page_count;
static uint32_t number_free;     /* of those that have been used; 0: none */
static uint32_t number_next = 1; /* from here on none has; number 0 never is */

static struct number *number_at(uint32_t n)
{
    return &number_pages[n / NUMBERS_PER_PAGE][n % NUMBERS_PER_PAGE];
}

static bool number_page_add_locked(void)
{
    paddr_t frame = number_page_count == NUMBER_PAGES ? PADDR_NONE : frame_alloc_zeroed();

    if (frame == PADDR_NONE)
        return false;
    __atomic_store_n(&number_pages[number_page_count], phys_to_virt(frame), __ATOMIC_RELEASE);
    number_page_count++;
    return true;
}

/* 0: there is no memory for more. */
static uint32_t number_choose_locked(void)
{
    uint32_t n = number_free;

    if (n != 0)
        number_free = number_at(n)->next_free;
    else if (number_next / NUMBERS_PER_PAGE < number_page_count || number_page_add_locked())
        n = number_next++;
    return n;
}

static mnos_status_t number_take(struct thread *thread)
{
    uint32_t n;

    spin_lock(&number_lock);
    n = number_choose_locked();
    if (n != 0) {
        thread->number = n;
        thread->reply_id = number_at(n)->sequence << NUMBER_BITS | n;
        atomic_store_explicit(&number_at(n)->thread, thread, memory_order_release);
    }
    spin_unlock(&number_lock);
    return n == 0 ? MNOS_ERR_MEMORY : MNOS_OK;
}

void thread_number_give_back(struct thread *thread)
{
    struct number *number = number_at(thread->number);

    spin_lock(&number_lock);
    atomic_store_explicit(&number->thread, NULL, memory_order_relaxed);
    number->sequence = (thread->reply_id >> NUMBER_BITS) + 1;
    number->next_free = number_free;
    number_free = thread->number;
    spin_unlock(&number_lock);
}

struct thread *thread_by_number(uint64_t number)
{
    const struct number *page = number_pages[number / NUMBERS_PER_PAGE % NUMBER_PAGES];

    return page == NULL ? NULL : page[number % NUMBERS_PER_PAGE].thread;
}

/* ---- creation ---- */

static struct slab_cache *thread_cache;
static struct slab_cache *vector_cache;

BOOT_CODE void thread_caches_create(void)
{
    thread_cache = slab_cache_create("thread", sizeof(struct thread), 64);
    vector_cache = slab_cache_create("vector", arch_vector_bytes(), 64);
}

bool thread_affinity_valid(uint64_t affinity)
{
    return affinity == MNOS_AFFINITY_ANY || (affinity < core_count && cores[affinity].online);
}

static mnos_status_t check_params(const struct process *process,
                                  const struct mnos_thread_params *params)
{
    if (params->priority > process->priority_ceiling)
        return MNOS_ERR_CEILING;
    if (!thread_affinity_valid(params->affinity))
        return MNOS_ERR_ARGUMENT;
    if ((params->flags & ~(uint32_t)MNOS_THREAD_SUSPENDED) != 0)
        return MNOS_ERR_ARGUMENT;
    if (params->ipc_buffer % PAGE_BYTES != 0 || params->ipc_buffer < PAGE_BYTES ||
        params->ipc_buffer >= MNOS_USER_END)
        return MNOS_ERR_ADDRESS;
    return MNOS_OK;
}

static mnos_status_t buffer_create(struct thread *thread, uaddr_t address)
{
    struct process *process = thread->process;
    mnos_status_t status = quota_frame_alloc(&process->quota, &thread->buffer_frame);

    if (status != MNOS_OK)
        return status;
    spin_lock(&process->aspace.lock);
    status = arch_aspace_map_page(&process->aspace.arch, &process->quota, address,
                                  thread->buffer_frame, MAP_READ | MAP_WRITE);
    spin_unlock(&process->aspace.lock);
    if (status != MNOS_OK) {
        quota_frame_free(&process->quota, thread->buffer_frame);
        return status;
    }
    thread->buffer_address = address;
    thread->buffer = phys_to_virt(thread->buffer_frame);
    return MNOS_OK;
}

void thread_buffer_unmap(struct thread *thread)
{
    struct process *process = thread->process;

    spin_lock(&process->aspace.lock);
    arch_aspace_unmap_page(&process->aspace.arch, thread->buffer_address);
    spin_unlock(&process->aspace.lock);
    quota_return_frames(&process->quota, 1);
}

void thread_buffer_free(struct process *process, uaddr_t address, paddr_t frame)
{
    arch_aspace_flush(&process->aspace.arch, address, 1);
    frame_free_zeroing(frame);
}

static void thread_init(struct thread *thread, struct process *process,
                        const struct mnos_thread_params *params)
{
    thread->process = process;
    thread->aspace = &process->aspace.arch;
    thread->state = THREAD_SUSPENDED;
    thread->stop = STOP_SUSPEND;
    thread->affinity = params->affinity;
    thread->slow = slow_for_affinity(params->affinity) | (arch_fast_switch() ? 0 : SLOW_PROCESSOR);
    thread->core = params->affinity == MNOS_AFFINITY_ANY ? this_core()->index : params->affinity;
    thread->priority = (uint8_t)params->priority;
    thread->effective = thread->priority;
    list_init(&thread->run_link);
    spin_init(&thread->lock, LOCK_THREAD);
    thread_queue_init(&thread->callers);
    list_init(&thread->cap_link);
    thread->via = &cap_nothing;
    thread->sent_cap = &cap_nothing;
    thread->deadline_ns = MNOS_DEADLINE_NEVER;
    thread->timer.due = UINT64_MAX;
    thread->timer.cancel = wait_cancel;
    ending_init(&thread->end, process, thread_end_step);
    list_init(&thread->process_link);
    name_copy(thread->name, params->name);
}

/* Enters it into its process, unless that is dying. */
static mnos_status_t thread_join(struct thread *thread, struct process *process)
{
    mnos_status_t status = MNOS_ERR_STATE;

    spin_lock(&process->lock);
    if (process->state == MNOS_PROCESS_ALIVE || process->state == MNOS_PROCESS_SUSPENDED) {
        if (process->state == MNOS_PROCESS_SUSPENDED)
            thread->stop |= STOP_PROCESS;
        list_append(&process->threads, &thread->process_link);
        process->thread_count++;
        process_thread_counts(process, thread->effective);
        thread->counted = true;
        status = MNOS_OK;
    }
    spin_unlock(&process->lock);
    return status;
}

mnos_status_t thread_create(struct process *process, const struct mnos_thread_params *params,
                            struct thread **created)
{
    struct quota *quota = &process->quota;
    struct thread *thread;
    void *object;
    paddr_t frame = PADDR_NONE;
    mnos_status_t status = check_params(process, params);

    if (status != MNOS_OK)
        return status;
    status = quota_slab_alloc(quota, thread_cache, &object);
    if (status != MNOS_OK)
        return status;
    thread = object;
    thread_init(thread, process, params);
    status = arch_thread_set_registers(thread, &params->registers);
    if (status != MNOS_OK)
        goto out_thread;
    status = quota_slab_take(quota, vector_cache, &thread->arch.vector_area);
    if (status != MNOS_OK)
        goto out_thread;
    arch_vector_init(thread->arch.vector_area);
    status = buffer_create(thread, params->ipc_buffer);
    if (status != MNOS_OK)
        goto out_vector;
    status = number_take(thread);
    if (status != MNOS_OK)
        goto out_buffer;
    kobject_init(&thread->obj, MNOS_TYPE_THREAD, process);
    status = thread_join(thread, process);
    if (status != MNOS_OK)
        goto out_number;
    trace(MNOS_TRACE_THREAD_CREATE, thread->obj.id, process->obj.id);
    *created = thread;
    return MNOS_OK;

out_number:
    (void)kobject_detach(&thread->obj);
    thread_number_give_back(thread);
out_buffer:
    thread_buffer_unmap(thread);
    frame = thread->buffer_frame;
out_vector:
    quota_slab_free(quota, vector_cache, thread->arch.vector_area);
out_thread:
    quota_slab_free(quota, thread_cache, thread);
    if (frame != PADDR_NONE)
        thread_buffer_free(process, params->ipc_buffer, frame);
    return status;
}

/* ---- stopping ---- */

void thread_suspend(struct thread *thread, enum thread_stop why)
{
    atomic_fetch_or(&thread->stop, why);
    if (thread == this_core()->current)
        this_core()->need_resched = true;
    else
        sched_wait_stopped(thread);
}

void thread_resume(struct thread *thread, enum thread_stop why)
{
    uint32_t suspended = THREAD_SUSPENDED;

    /* Pairs with thread_stopped() in sched/ready.c. */
    atomic_fetch_and(&thread->stop, ~(uint32_t)why);
    if ((thread->stop & ~(uint32_t)STOP_CALL) == 0 &&
        atomic_compare_exchange_strong(&thread->state, &suspended, THREAD_PAIRED))
        sched_make_ready(thread);
}

bool thread_free(struct kobject *object)
{
    struct thread *thread = thread_of(object);
    struct quota *quota = &thread->process->quota;

    quota_slab_free(quota, vector_cache, thread->arch.vector_area);
    quota_slab_free(quota, thread_cache, thread);
    return true;
}

void thread_forget_call(struct thread *thread)
{
    if (thread->record.memory != NULL)
        kobject_unreferenced(&thread->record.memory->obj);
    thread->record = (struct call_record){0};
    atomic_fetch_and(&thread->stop, ~(uint32_t)STOP_CALL);
}

/* ---- control ---- */

void thread_set_priority(struct thread *thread, uint8_t priority)
{
    spin_lock(&thread->lock);
    thread->priority = priority;
    spin_unlock(&thread->lock);
    wait_inherit(thread);
}

void thread_set_affinity(struct thread *thread, uint32_t affinity)
{
    /* One at a time: the bits in `slow` and the affinity belong together. */
    spin_lock(&thread->lock);
    atomic_fetch_and(&thread->slow, ~slow_for_affinity(thread->affinity));
    atomic_fetch_or(&thread->slow, slow_for_affinity(affinity));
    __atomic_store_n(&thread->affinity, affinity, __ATOMIC_RELAXED);
    spin_unlock(&thread->lock);
    atomic_thread_fence(memory_order_seq_cst);
    /* Whoever puts it somewhere from now on sees that, or the core that has it looks again. */
    if (sched_remove_ready(thread, THREAD_PAIRED))
        sched_make_ready(thread);
    else
        wait_look_again(thread);
}

static mnos_status_t registers_move(struct thread *thread, struct mnos_registers *registers,
                                    bool set)
{
    mnos_status_t status;

    if (!set) {
        arch_thread_get_registers(thread, registers);
        return MNOS_OK;
    }
    status = arch_thread_set_registers(thread, registers);
    if (status == MNOS_OK)
        thread_forget_call(thread);
    return status;
}

/* Off wherever a thread is that is stopped and does not wait: THREAD_PAIRED, and ours. */
static bool claim_stopped(struct thread *thread)
{
    uint32_t suspended = THREAD_SUSPENDED;

    if (atomic_compare_exchange_strong(&thread->state, &suspended, THREAD_PAIRED))
        return true;
    return (thread->stop & (STOP_SUSPEND | STOP_PROCESS)) != 0 &&
           sched_remove_ready(thread, THREAD_PAIRED);
}

result_t thread_registers(struct thread *thread, struct mnos_registers *registers, bool set)
{
    struct spinlock *lock = wait_lock(thread);
    result_t result = result_of(MNOS_ERR_STATE);
    uint32_t state = thread->state;

    if (lock != NULL) {
        if ((thread->slow & SLOW_FAULTED) != 0)
            result = result_of(registers_move(thread, registers, set));
        spin_unlock(lock);
    } else if (claim_stopped(thread)) {
        result = result_of(registers_move(thread, registers, set));
        sched_make_ready(thread); /* back to where it was, if the reason has not gone */
    } else if (thread != this_core()->current &&
               (state == THREAD_RUNNING || state == THREAD_PAIRED) &&
               (thread->stop & (STOP_SUSPEND | STOP_PROCESS)) != 0) {
        /* Who set the bit may be less urgent than we are, and not have come to tell that core. */
        sched_wait_stopped(thread);
        result = RESULT_AGAIN;
    }
    return result;
}

uint32_t thread_state_shown(const struct thread *thread)
{
    static const uint8_t shown[] = {
        [THREAD_READY] = MNOS_STATE_READY,         [THREAD_RUNNING] = MNOS_STATE_RUNNING,
        [THREAD_SENDING] = MNOS_STATE_SENDING,     [THREAD_RECEIVING] = MNOS_STATE_RECEIVING,
        [THREAD_CALLING] = MNOS_STATE_CALLING,     [THREAD_PARKED] = MNOS_STATE_PARKED,
        [THREAD_SUSPENDED] = MNOS_STATE_SUSPENDED, [THREAD_DEAD] = MNOS_STATE_DEAD,
        [THREAD_PAIRED] = MNOS_STATE_READY,        [THREAD_ENDING] = MNOS_STATE_ENDING,
    };

    uint32_t stop = thread->stop;
    uint32_t state = thread->state;

    if ((thread->slow & SLOW_FAULTED) != 0 &&
        (state == THREAD_SENDING || state == THREAD_CALLING || state == THREAD_PAIRED))
        return MNOS_STATE_FAULTED;
    /* It is stopped when its turn comes, or on its core's way out of the kernel: in any case it does
     * not get to user mode again. */
    if ((state == THREAD_READY || state == THREAD_RUNNING || state == THREAD_PAIRED) &&
        (stop & (STOP_SUSPEND | STOP_PROCESS)) != 0)
        return MNOS_STATE_SUSPENDED;
    return shown[state];
}
