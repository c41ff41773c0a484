// SPDX-License-Identifier: MIT
/* inspect.c - see inspect.h. */
#include "object/inspect.h"

#include <stddef.h>

#include "arch/arch.h"
#include "lib/base/string.h"
#include "object/endpoint.h"
#include "object/process.h"
#include "object/thread.h"
#include "object/types.h"
#include "sched/sched.h"

/* Children beyond this many are not counted: the lock is not held for longer. */
#define CHILDREN_COUNTED 200
/* Slots looked at in one step. */
#define SLOTS_STEP 64
/* Threads likewise. */
#define THREADS_STEP 64

/* What `slot` was derived from. That it came from another process, and under which handle it is held there, is
 * that process's business: only who may inspect where `slot` is learns of it. */
static void describe_parent_locked(const struct capability *slot, enum inspect_as who,
                                   struct mnos_cap_info *info)
{
    const struct capability *parent = cap_at(slot->parent);

    while (parent != NULL && parent->type == MNOS_TYPE_NONE) /* a ghost */
        parent = cap_at(parent->parent);
    if (parent == NULL || cap_owner(parent) == NULL ||
        (who != INSPECT_TABLE && parent->owner != slot->owner))
        return;
    info->parent_process_id = cap_owner(parent)->obj.id;
    info->parent_handle = parent->key;
}

/* Everything that the derivation lock keeps together. */
static mnos_status_t copy_locked(const struct cap_view *view, enum inspect_as who,
                                 struct mnos_cap_info *info)
{
    const struct capability *slot = view->slot;

    if (!cap_alive(view))
        return MNOS_ERR_HANDLE;
    describe_parent_locked(slot, who, info);
    for (cap_ref_t ref = slot->child; ref != 0 && info->child_count < CHILDREN_COUNTED;
         ref = cap_at(ref)->next)
        info->child_count++;
    return MNOS_OK;
}

mnos_status_t inspect_capability(const struct cap_view *view, enum inspect_as who,
                                 struct mnos_cap_info *record)
{
    struct mnos_cap_info own, *info = &own; /* `record` is where a program can write */
    struct kobject *object = view->object;
    const struct object_type *type = object_type(object);
    mnos_status_t status;

    memset(info, 0, sizeof(*info));
    info->handle = view->key;
    info->type = object->type;
    info->rights = view->rights;
    info->object_id = object->id;
    spin_lock(&object->derive);
    status = copy_locked(view, who, info);
    spin_unlock(&object->derive);
    if (status != MNOS_OK)
        return status;
    if (type->has_range) {
        info->first = view->first;
        info->count = view->count;
    }
    type->describe(view, who == INSPECT_HOLDER, info);
    memcpy(record, info, sizeof(*record));
    return MNOS_OK;
}

void inspect_thread(struct thread *thread, struct mnos_thread_info *info)
{
    const struct endpoint *endpoint = thread->waits_on;
    const struct thread *server = thread->owed_by;
    const struct ending *ending = thread->awaits;

    memset(info, 0, sizeof(*info));
    info->id = thread->obj.id;
    info->process_id = thread->process->obj.id;
    memcpy(info->name, thread->name, sizeof(info->name));
    info->state = thread_state_shown(thread);
    info->core = thread->core;
    info->priority = thread->priority;
    info->effective_priority = thread->effective;
    info->affinity = thread->affinity;
    info->cpu_time_ns = arch_cycles_to_ns(sched_cpu_cycles(thread));
    if (endpoint != NULL)
        info->waits_for = endpoint->obj.id;
    else if (server != NULL)
        info->waits_for = server->obj.id;
    else if (ending != NULL)
        info->waits_for = ending_object(ending)->id;
}

/* The thread behind `thread` in its process's list; NULL: it is the last. */
static struct thread *next_thread(const struct process *process, const struct thread *thread)
{
    const struct list *next = thread == NULL ? process->threads.next : thread->process_link.next;

    return next == &process->threads ? NULL : container_of(next, struct thread, process_link);
}

void inspect_thread_leaves_locked(struct process *process, const struct thread *thread)
{
    if (process->listing.next == thread)
        process->listing.next = next_thread(process, thread);
}

/* Goes on through the threads, up to number `end`, where process->listing is then. False: there is more to do, or
 * somebody else is at it. */
static bool list_threads_locked(struct process *process, uint64_t end, uint64_t *progress)
{
    struct search *search = &process->listing;
    enum search_turn turn = search_turn_locked(search, progress);

    if (turn == SEARCH_OTHERS)
        return false;
    if (turn == SEARCH_BEGINS) {
        search->next = next_thread(process, NULL);
        process->listed = 0;
        process->listed_cycles = process->past_cpu_cycles;
    }
    for (unsigned i = 0; i < THREADS_STEP && search->next != NULL && process->listed < end; i++) {
        process->listed_cycles += sched_cpu_cycles(search->next);
        process->listed++;
        search->next = next_thread(process, search->next);
    }
    search_stepped_locked(search, progress);
    return search->next == NULL || process->listed == end;
}

bool inspect_process(struct process *process, uint64_t *progress, struct mnos_process_info *record)
{
    struct mnos_process_info own = {0}, *info = &own; /* `record` is where a program can write */
    bool done;

    info->id = process->obj.id;
    info->parent_id = process->parent == NULL ? 0 : process->parent->obj.id;
    memcpy(info->name, process->name, sizeof(info->name));
    info->cap_count = process->captable.used;
    info->priority_ceiling = process->priority_ceiling;
    spin_lock(&process->lock);
    info->frames_used = quota_used(&process->quota.frames);
    info->frames_quota = process->quota.frames.limit;
    info->bytes_used = quota_used(&process->quota.bytes);
    info->bytes_quota = process->quota.bytes.limit;
    done = list_threads_locked(process, UINT64_MAX, progress);
    info->state = process->state;
    info->exit_reason = process->exit_reason;
    info->exit_code = process->exit_code;
    info->thread_count = process->thread_count;
    info->cpu_time_ns = arch_cycles_to_ns(process->listed_cycles);
    spin_unlock(&process->lock);
    if (done)
        memcpy(record, info, sizeof(*record));
    return done;
}

mnos_status_t inspect_process_thread(struct process *process, uint64_t index, uint64_t *progress,
                                     struct mnos_thread_info *info)
{
    struct thread *thread = NULL;
    bool done;

    spin_lock(&process->lock);
    done = list_threads_locked(process, index, progress);
    if (done) {
        thread = process->listing.next;
        process->listing.next = NULL;
    }
    spin_unlock(&process->lock);
    if (!done)
        return MNOS_ERR_STATE;
    if (thread == NULL)
        return MNOS_ERR_END;
    inspect_thread(thread, info);
    return MNOS_OK;
}

mnos_status_t inspect_process_cap(struct process *process, uint64_t *index, enum inspect_as who,
                                  struct mnos_cap_info *info)
{
    struct captable *table = &process->captable;
    uint32_t table_end = captable_end(table);

    if (*index >= table_end || !process_is_open(process))
        return MNOS_ERR_END;
    for (uint32_t i = 0; i < SLOTS_STEP && *index < table_end; i++, ++*index) {
        uint64_t key = __atomic_load_n(&captable_slot(table, *index)->key, __ATOMIC_RELAXED);
        struct cap_view view;

        if (cap_lookup(table, key, MNOS_TYPE_NONE, 0, &view) == RESULT_OK &&
            inspect_capability(&view, who, info) == MNOS_OK)
            return MNOS_OK;
    }
    return MNOS_ERR_STATE;
}
