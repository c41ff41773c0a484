// SPDX-License-Identifier: MIT
/* capability.c - system calls on capabilities as such: create, delete, transfer, revoke, inspect. */
#include <stddef.h>

#include "abi/inspect.h"
#include "abi/message.h"
#include "syscall/calls.h"
#include "cap/badge.h"
#include "cap/derive.h"
#include "cap/lasting.h"
#include "lib/base/string.h"
#include "object/endpoint.h"
#include "object/inspect.h"
#include "object/memory.h"
#include "object/process.h"
#include "sched/sched.h"
#include "base/trace.h"

static mnos_status_t create_endpoint(struct process *process, uint64_t lasting, uint64_t *value)
{
    struct endpoint *endpoint;
    mnos_status_t status;

    if (lasting > MNOS_LASTING_MAX)
        return call_argument(4, MNOS_ERR_ARGUMENT);
    status = endpoint_create(process, (uint32_t)lasting, &endpoint);
    if (status != MNOS_OK)
        return status;
    status = cap_create_root(process, &endpoint->obj, MNOS_RIGHTS_ALL, 0, MNOS_EVENTS_ALL, value);
    if (status != MNOS_OK)
        kobject_unreferenced(&endpoint->obj);
    return status;
}

/* Makes of `source` what is to be minted, or the part that is asked for. */
static mnos_status_t choose_mint(struct cap_view *source, uint64_t badge, uint64_t mask)
{
    if (source->object->type != MNOS_TYPE_ENDPOINT)
        return call_type(2, source);
    if (source->badge != 0)
        return call_argument(2, MNOS_ERR_STATE); /* a badge is minted once */
    if (badge == 0)
        return call_argument(4, MNOS_ERR_ARGUMENT);
    source->badge = badge;
    source->event_mask = mask;
    return MNOS_OK;
}

static mnos_status_t choose_range(struct cap_view *source, uint64_t first, uint64_t count)
{
    if (source->object->type != MNOS_TYPE_MEMORY && source->object->type != MNOS_TYPE_INTERRUPT)
        return call_type(2, source);
    if (count == 0 || first >= source->count || count > source->count - first)
        return call_argument(4, MNOS_ERR_ARGUMENT);
    source->first += first;
    source->count = count;
    return MNOS_OK;
}

[[gnu::noinline]] static mnos_status_t create(struct thread *current, uint64_t kind,
                                              mnos_cap_t source_cap, uint64_t rights, uint64_t a,
                                              uint64_t b, uint64_t *value)
{
    struct cap_view source;
    mnos_rights_t needed = 0;
    mnos_status_t status;

    switch (kind) {
    case MNOS_CREATE_ENDPOINT: return create_endpoint(current->process, a, value);
    case MNOS_CREATE_COPY:
    case MNOS_CREATE_RANGE: break;
    case MNOS_CREATE_MINT: needed = MNOS_RIGHT_GRANT; break;
    case MNOS_CREATE_MINT | MNOS_MINT_LASTING: needed = MNOS_RIGHT_READ | MNOS_RIGHT_GRANT; break;
    default: return call_argument(1, MNOS_ERR_ARGUMENT);
    }
    status = call_cap(current, 2, source_cap, MNOS_TYPE_NONE, needed, &source);
    if (status != MNOS_OK)
        return status;
    if ((rights & ~(uint64_t)source.rights) != 0)
        return call_rights(3, rights, source.rights);
    source.rights = (mnos_rights_t)rights;
    if (needed != 0)
        status = choose_mint(&source, a, b);
    else if (kind == MNOS_CREATE_RANGE)
        status = choose_range(&source, a, b);
    if (status != MNOS_OK)
        return status;
    if ((kind & MNOS_MINT_LASTING) != 0)
        return lasting_mint(current->process, &source, value);
    return cap_derive(current->process, &source, needed == 0 ? 0 : CAP_MINTED, value);
}

/* A copy, a badge or a part of what the caller holds. A badge needs Grant: the receiver takes it for who sends,
 * so who makes one introduces somebody. The others need no right beyond those that they pass on. */
mnos_status_t sys_cap_create(struct thread *current, uint64_t kind, mnos_cap_t source,
                             uint64_t rights, uint64_t a, uint64_t b, uint64_t *value)
{
    struct captable *table = &current->process->captable;
    const struct cap_wish copy = {.depth_max = CAP_DEPTH_MAX, .rights = rights};
    const struct cap_wish mint = {.needs = MNOS_RIGHT_GRANT,
                                  .depth_max = CAP_DEPTH_MAX,
                                  .rights = rights,
                                  .badge = a,
                                  .event_mask = b};

    if (kind == MNOS_CREATE_COPY && cap_derive_fast(table, source, &copy, table, value))
        return MNOS_OK;
    if (kind == MNOS_CREATE_MINT && a != 0 && cap_derive_fast(table, source, &mint, table, value))
        return MNOS_OK;
    return create(current, kind, source, rights, a, b, value);
}

[[gnu::noinline]] static mnos_status_t delete_in_steps(struct thread *current, mnos_cap_t cap)
{
    struct tlb_batch batch = {0};
    struct cap_view view;
    enum cap_progress progress;
    mnos_status_t status = call_cap(current, 1, cap, MNOS_TYPE_NONE, 0, &view);

    if (status != MNOS_OK)
        return status;
    progress = cap_delete(&view, &batch);
    tlb_batch_finish(&batch);
    return progress == CAP_AGAIN ? CALL_AGAIN : MNOS_OK;
}

/* Needs nothing but the capability. Its children become children of its parent; mappings made through
 * it are undone, the interrupt is unbound, threads that wait through it wake with MNOS_ERR_REVOKED. */
mnos_status_t sys_cap_delete(struct thread *current, mnos_cap_t cap)
{
    if (cap_delete_leaf(&current->process->captable, cap))
        return MNOS_OK;
    return delete_in_steps(current, cap);
}

/* Needs Write on the process, Grant on the capability. The new one is a child of it. */
mnos_status_t sys_cap_transfer(struct thread *current, mnos_cap_t process_cap, mnos_cap_t cap,
                               uint64_t rights, uint64_t *value)
{
    struct process *process;
    struct cap_view view;
    mnos_status_t status = call_process(current, 1, process_cap, MNOS_RIGHT_WRITE, &process);

    if (status != MNOS_OK)
        return status;
    status = call_cap(current, 2, cap, MNOS_TYPE_NONE, MNOS_RIGHT_GRANT, &view);
    if (status != MNOS_OK)
        return status;
    if ((rights & ~(uint64_t)view.rights) != 0)
        return call_rights(3, rights, view.rights);
    view.rights = (mnos_rights_t)rights;
    return cap_give(process, &view, value);
}

/* Needs Revoke. When it returns, nothing derived from the capability can be used anywhere. */
mnos_status_t sys_cap_revoke(struct thread *current, mnos_cap_t cap)
{
    struct tlb_batch batch = {0};
    struct cap_view view;
    enum cap_progress progress;
    mnos_status_t status = call_cap(current, 1, cap, MNOS_TYPE_NONE, MNOS_RIGHT_REVOKE, &view);

    if (status != MNOS_OK)
        return status;
    trace(MNOS_TRACE_REVOKE, view.object->id, cap);
    progress = cap_revoke(&view, &batch);
    cap_removal_finish(&batch);
    return progress == CAP_AGAIN ? CALL_AGAIN : MNOS_OK;
}

static mnos_status_t inspect_cap(struct thread *current, mnos_cap_t cap, uint64_t *value)
{
    struct mnos_cap_info *info = (struct mnos_cap_info *)current->buffer->data;
    struct cap_view view;
    mnos_status_t status = call_cap(current, 1, cap, MNOS_TYPE_NONE, 0, &view);

    if (status != MNOS_OK)
        return status;
    *value = sizeof(*info);
    return inspect_capability(&view, INSPECT_HOLDER, info);
}

static mnos_status_t inspect_thread_cap(struct thread *current, mnos_cap_t cap, uint64_t *value)
{
    struct thread *thread;
    mnos_status_t status = call_thread(current, 1, cap, MNOS_RIGHT_READ, &thread);

    if (status != MNOS_OK)
        return status;
    inspect_thread(thread, (struct mnos_thread_info *)current->buffer->data);
    *value = sizeof(struct mnos_thread_info);
    return MNOS_OK;
}

/* Goes through a table, which may be large and empty, in steps. */
static mnos_status_t inspect_table(struct thread *current, mnos_cap_t cap, uint64_t index,
                                   uint64_t *value)
{
    struct mnos_cap_info *info = (struct mnos_cap_info *)current->buffer->data;
    struct call_record *record = call_record(current);
    struct process *process;
    mnos_status_t status;

    if (index < record->done)
        index = record->done;
    status = call_process(current, 1, cap, MNOS_RIGHT_READ, &process);
    if (status != MNOS_OK)
        return status;
    *value = sizeof(*info);
    for (;;) {
        status = inspect_process_cap(process, &index,
                                     cap == MNOS_SELF ? INSPECT_OWN_TABLE : INSPECT_TABLE, info);
        if (status != MNOS_ERR_STATE)
            return call_argument(3, status);
        record->done = index;
        if (sched_preempt_point())
            return CALL_AGAIN;
    }
}

static mnos_status_t inspect_registers(struct thread *current, mnos_cap_t cap, uint64_t *value)
{
    struct thread *thread;
    mnos_status_t status = call_thread(current, 1, cap, MNOS_RIGHT_READ, &thread);

    if (status != MNOS_OK)
        return status;
    *value = sizeof(struct mnos_registers);
    return call_argument(
        1, thread_registers(thread, (struct mnos_registers *)current->buffer->data, false));
}

/* Goes through the capabilities to the endpoint, of which there may be many, in steps. */
static mnos_status_t inspect_badge(struct thread *current, mnos_cap_t cap, mnos_badge_t badge,
                                   uint64_t *value)
{
    struct call_record *record = call_record(current);
    struct cap_view view;
    enum badge_state state;
    mnos_status_t status;

    status = call_cap(current, 1, cap, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_READ, &view);
    if (status != MNOS_OK)
        return status;
    if (badge == 0)
        return call_argument(3, MNOS_ERR_ARGUMENT);
    state = badge_find(&view, badge, &record->done);
    *value = state == BADGE_LIVES;
    return state == BADGE_ASK_AGAIN ? CALL_AGAIN : MNOS_OK;
}

/* Views that go through the threads of a process, of which there may be many, in steps. */
static mnos_status_t inspect_threads(struct thread *current, mnos_cap_t cap, uint64_t view,
                                     uint64_t index, uint64_t *value)
{
    struct call_record *record = call_record(current);
    void *info = current->buffer->data;
    struct process *process;
    mnos_status_t status = call_process(current, 1, cap, MNOS_RIGHT_READ, &process);

    if (status != MNOS_OK)
        return status;
    *value = view == MNOS_VIEW_PROCESS ? sizeof(struct mnos_process_info)
                                       : sizeof(struct mnos_thread_info);
    do {
        if (view == MNOS_VIEW_PROCESS_THREAD)
            status = inspect_process_thread(process, index, &record->done, info);
        else if (!inspect_process(process, &record->done, info))
            status = MNOS_ERR_STATE;
        else
            status = MNOS_OK;
        if (status != MNOS_ERR_STATE)
            return call_argument(3, status);
    } while (!sched_preempt_point());
    return CALL_AGAIN;
}

/* Needs Read for the views of processes, threads and badges; abi/inspect.h lists them. */
mnos_status_t sys_cap_inspect(struct thread *current, mnos_cap_t cap, uint64_t view, uint64_t index,
                              uint64_t *value)
{
    if (view == MNOS_VIEW_CAPABILITY)
        return inspect_cap(current, cap, value);
    if (view == MNOS_VIEW_THREAD)
        return inspect_thread_cap(current, cap, value);
    if (view == MNOS_VIEW_PROCESS_CAP)
        return inspect_table(current, cap, index, value);
    if (view == MNOS_VIEW_REGISTERS)
        return inspect_registers(current, cap, value);
    if (view == MNOS_VIEW_BADGE)
        return inspect_badge(current, cap, index, value);
    if (view > MNOS_VIEW_BADGE)
        return call_argument(2, MNOS_ERR_ARGUMENT);
    return inspect_threads(current, cap, view, index, value);
}
