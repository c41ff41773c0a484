// SPDX-License-Identifier: MIT
/* inspect.c - see inspect.h. */
#include "object/inspect.h"

#include <stddef.h>

#include "abi/message.h"
#include "lib/string.h"
#include "object/endpoint.h"
#include "object/interrupt.h"
#include "object/memory.h"
#include "object/process.h"
#include "object/thread.h"
#include "sched/sched.h"

/* Children beyond this many are not counted: the lock is not held for longer. */
#define CHILDREN_COUNTED 200
/* Slots looked at in one step. */
#define SLOTS_STEP 64

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
    if (view->object->type == MNOS_TYPE_ENDPOINT) {
        info->badge = slot->badge;
        info->event_mask = slot->event_mask;
    }
    return MNOS_OK;
}

static void describe_memory(const struct cap_view *view, bool is_holder, struct mnos_cap_info *info)
{
    const struct memory *memory = (const struct memory *)view->object;
    uint64_t run;
    paddr_t address;

    info->flavour = memory->flavour;
    info->physical_address = UINT64_MAX;
    if (!is_holder || memory->flavour == MNOS_MEMORY_PORTS || (view->rights & MNOS_RIGHT_READ) == 0)
        return;
    address = memory_frame(memory, view->first, &run);
    if (run >= view->count && run != 0)
        info->physical_address = address;
}

/* The message of the first of several message lines; the others' data follow. */
static void describe_interrupt(const struct cap_view *view, bool is_holder,
                               struct mnos_cap_info *info)
{
    if (!is_holder || (view->rights & MNOS_RIGHT_READ) == 0 ||
        !arch_irq_message((uint32_t)view->first, &info->physical_address, &info->message_data)) {
        info->physical_address = UINT64_MAX;
        info->message_data = 0;
    }
}

mnos_status_t inspect_capability(const struct cap_view *view, enum inspect_as who,
                                 struct mnos_cap_info *record)
{
    struct mnos_cap_info own, *info = &own; /* `record` is where a program can write */
    struct kobject *object = view->object;
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
    if (object->type == MNOS_TYPE_MEMORY || object->type == MNOS_TYPE_INTERRUPT) {
        info->first = view->first;
        info->count = view->count;
    }
    if (object->type == MNOS_TYPE_MEMORY)
        describe_memory(view, who == INSPECT_HOLDER, info);
    if (object->type == MNOS_TYPE_INTERRUPT)
        describe_interrupt(view, who == INSPECT_HOLDER, info);
    if (object->type == MNOS_TYPE_PROCESS || object->type == MNOS_TYPE_THREAD)
        info->id = object->id;
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

void inspect_process(struct process *process, struct mnos_process_info *info)
{
    uint64_t cycles;

    memset(info, 0, sizeof(*info));
    info->id = process->obj.id;
    info->parent_id = process->parent == NULL ? 0 : process->parent->obj.id;
    memcpy(info->name, process->name, sizeof(info->name));
    info->frames_used = process->quota.frames_used;
    info->frames_quota = process->quota.frames_limit;
    info->bytes_used = process->quota.bytes_used;
    info->bytes_quota = process->quota.bytes_limit;
    info->cap_count = process->captable.used;
    info->priority_ceiling = process->priority_ceiling;
    spin_lock(&process->lock);
    info->state = process->state;
    info->exit_reason = process->exit_reason;
    info->exit_code = process->exit_code;
    info->thread_count = process->thread_count;
    cycles = process->past_cpu_cycles;
    for (struct list *l = process->threads.next; l != &process->threads; l = l->next)
        cycles += sched_cpu_cycles(container_of(l, struct thread, process_link));
    spin_unlock(&process->lock);
    info->cpu_time_ns = arch_cycles_to_ns(cycles);
}

mnos_status_t inspect_process_thread(struct process *process, uint64_t index,
                                     struct mnos_thread_info *info)
{
    struct thread *thread = NULL;
    struct list *l;

    spin_lock(&process->lock);
    for (l = process->threads.next; l != &process->threads && index != 0; l = l->next)
        index--;
    if (l != &process->threads)
        thread = container_of(l, struct thread, process_link);
    spin_unlock(&process->lock);
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

        if (cap_lookup(table, key, MNOS_TYPE_NONE, 0, &view) == MNOS_OK &&
            inspect_capability(&view, who, info) == MNOS_OK)
            return MNOS_OK;
    }
    return MNOS_ERR_STATE;
}
