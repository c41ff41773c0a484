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
#include "object/types.h"
#include "sched/sched.h"
#include "base/trace.h"

static result_t create_endpoint(struct process *process, uint64_t lasting, uint64_t *value)
{
    struct endpoint *endpoint;
    mnos_status_t status;

    if (lasting > MNOS_LASTING_MAX)
        return error_at(4, MNOS_ERR_ARGUMENT);
    status = endpoint_create(process, (uint32_t)lasting, &endpoint);
    if (status != MNOS_OK)
        return result_of(status);
    status = cap_create_root(process, &endpoint->obj, MNOS_RIGHTS_ALL, 0, MNOS_EVENTS_ALL, value);
    if (status != MNOS_OK)
        kobject_unreferenced(&endpoint->obj);
    return result_of(status);
}

/* Makes of `source` what is to be minted, or the part that is asked for. */
static result_t choose_mint(struct cap_view *source, uint64_t badge, uint64_t mask)
{
    if (source->object->type != MNOS_TYPE_ENDPOINT)
        return error_type(2, source->object->type);
    if (source->badge != 0)
        return error_at(2, MNOS_ERR_STATE); /* a badge is minted once */
    if (badge == 0)
        return error_at(4, MNOS_ERR_ARGUMENT);
    source->badge = badge;
    source->event_mask = mask;
    return RESULT_OK;
}

static result_t choose_range(struct cap_view *source, uint64_t first, uint64_t count)
{
    if (!object_type(source->object)->has_range)
        return error_type(2, source->object->type);
    if (count == 0 || first >= source->count || count > source->count - first)
        return error_at(4, MNOS_ERR_ARGUMENT);
    source->first += first;
    source->count = count;
    return RESULT_OK;
}

[[gnu::noinline]] static result_t create(struct thread *current, uint64_t kind,
                                         mnos_cap_t source_cap, uint64_t rights, uint64_t a,
                                         uint64_t b, uint64_t *value)
{
    struct cap_view source;
    mnos_rights_t needed = 0;
    result_t status;

    switch (kind) {
    case MNOS_CREATE_ENDPOINT: return create_endpoint(current->process, a, value);
    case MNOS_CREATE_COPY:
    case MNOS_CREATE_RANGE: break;
    case MNOS_CREATE_MINT: needed = MNOS_RIGHT_GRANT; break;
    case MNOS_CREATE_MINT | MNOS_MINT_LASTING: needed = MNOS_RIGHT_READ | MNOS_RIGHT_GRANT; break;
    default: return error_at(1, MNOS_ERR_ARGUMENT);
    }
    status = argument_cap(current, 2, source_cap, MNOS_TYPE_NONE, needed, &source);
    if (status != RESULT_OK)
        return status;
    if ((rights & ~(uint64_t)source.rights) != 0)
        return error_rights(3, rights, source.rights);
    source.rights = (mnos_rights_t)rights;
    if (needed != 0)
        status = choose_mint(&source, a, b);
    else if (kind == MNOS_CREATE_RANGE)
        status = choose_range(&source, a, b);
    if (status != RESULT_OK)
        return status;
    if ((kind & MNOS_MINT_LASTING) != 0)
        return lasting_mint(current->process, &source, value);
    return result_of(cap_derive(current->process, &source, needed == 0 ? 0 : CAP_MINTED, value));
}

/* A copy, a badge or a part of what the caller holds. A badge needs Grant: the receiver takes it for who sends,
 * so who makes one introduces somebody. The others need no right beyond those that they pass on. */
result_t sys_cap_create(struct thread *current, uint64_t kind, mnos_cap_t source, uint64_t rights,
                        uint64_t a, uint64_t b, uint64_t *value)
{
    struct captable *table = &current->process->captable;
    const struct cap_wish copy = {.depth_max = CAP_DEPTH_MAX, .rights = rights};
    const struct cap_wish mint = {.needs = MNOS_RIGHT_GRANT,
                                  .depth_max = CAP_DEPTH_MAX,
                                  .rights = rights,
                                  .badge = a,
                                  .event_mask = b};

    if (kind == MNOS_CREATE_COPY && cap_derive_fast(table, source, &copy, table, value))
        return RESULT_OK;
    if (kind == MNOS_CREATE_MINT && a != 0 && cap_derive_fast(table, source, &mint, table, value))
        return RESULT_OK;
    return create(current, kind, source, rights, a, b, value);
}

[[gnu::noinline]] static result_t delete_in_steps(struct thread *current, mnos_cap_t cap)
{
    struct tlb_batch batch = {0};
    struct cap_view view;
    enum cap_progress progress;
    result_t status = argument_cap(current, 1, cap, MNOS_TYPE_NONE, 0, &view);

    if (status != RESULT_OK)
        return status;
    progress = cap_delete(&view, &batch);
    tlb_batch_finish(&batch);
    return progress == CAP_AGAIN ? RESULT_AGAIN : RESULT_OK;
}

/* Needs nothing but the capability. Its children become children of its parent; mappings made through
 * it are undone, the interrupt is unbound, threads that wait through it wake with MNOS_ERR_REVOKED. */
result_t sys_cap_delete(struct thread *current, mnos_cap_t cap)
{
    if (cap_delete_leaf(&current->process->captable, cap))
        return RESULT_OK;
    return delete_in_steps(current, cap);
}

/* Needs Write on the process, Grant on the capability. The new one is a child of it. */
result_t sys_cap_transfer(struct thread *current, mnos_cap_t process_cap, mnos_cap_t cap,
                          uint64_t rights, uint64_t *value)
{
    struct process *process;
    struct cap_view view;
    result_t status = call_process(current, 1, process_cap, MNOS_RIGHT_WRITE, &process);

    if (status != RESULT_OK)
        return status;
    status = argument_cap(current, 2, cap, MNOS_TYPE_NONE, MNOS_RIGHT_GRANT, &view);
    if (status != RESULT_OK)
        return status;
    if ((rights & ~(uint64_t)view.rights) != 0)
        return error_rights(3, rights, view.rights);
    view.rights = (mnos_rights_t)rights;
    return result_of(cap_give(process, &view, value));
}

/* Needs Revoke. When it returns, nothing derived from the capability can be used anywhere. */
result_t sys_cap_revoke(struct thread *current, mnos_cap_t cap)
{
    struct tlb_batch batch = {0};
    struct cap_view view;
    enum cap_progress progress;
    result_t status = argument_cap(current, 1, cap, MNOS_TYPE_NONE, MNOS_RIGHT_REVOKE, &view);

    if (status != RESULT_OK)
        return status;
    trace(MNOS_TRACE_REVOKE, view.object->id, cap);
    progress = cap_revoke(&view, &batch);
    cap_removal_finish(&batch);
    return progress == CAP_AGAIN ? RESULT_AGAIN : RESULT_OK;
}

static result_t inspect_cap(struct thread *current, mnos_cap_t cap, uint64_t *value)
{
    struct mnos_cap_info *info = (struct mnos_cap_info *)current->buffer->data;
    struct cap_view view;
    result_t status = argument_cap(current, 1, cap, MNOS_TYPE_NONE, 0, &view);

    if (status != RESULT_OK)
        return status;
    *value = sizeof(*info);
    return result_of(inspect_capability(&view, INSPECT_HOLDER, info));
}

static result_t inspect_thread_cap(struct thread *current, mnos_cap_t cap, uint64_t *value)
{
    struct thread *thread;
    result_t status = call_thread(current, 1, cap, MNOS_RIGHT_READ, &thread);

    if (status != RESULT_OK)
        return status;
    inspect_thread(thread, (struct mnos_thread_info *)current->buffer->data);
    *value = sizeof(struct mnos_thread_info);
    return RESULT_OK;
}

/* Goes through a table, which may be large and empty, in steps. */
static result_t inspect_table(struct thread *current, mnos_cap_t cap, uint64_t index,
                              uint64_t *value)
{
    struct mnos_cap_info *info = (struct mnos_cap_info *)current->buffer->data;
    struct call_record *record = call_record(current);
    struct process *process;
    mnos_status_t status;
    result_t result = call_process(current, 1, cap, MNOS_RIGHT_READ, &process);

    if (result != RESULT_OK)
        return result;
    if (index < record->done)
        index = record->done;
    *value = sizeof(*info);
    for (;;) {
        status = inspect_process_cap(process, &index,
                                     cap == MNOS_SELF ? INSPECT_OWN_TABLE : INSPECT_TABLE, info);
        if (status != MNOS_ERR_STATE)
            return error_at(3, status);
        record->done = index;
        if (sched_preempt_point())
            return RESULT_AGAIN;
    }
}

static result_t inspect_registers(struct thread *current, mnos_cap_t cap, uint64_t *value)
{
    struct thread *thread;
    result_t status = call_thread(current, 1, cap, MNOS_RIGHT_READ, &thread);

    if (status != RESULT_OK)
        return status;
    *value = sizeof(struct mnos_registers);
    return result_at(
        1, thread_registers(thread, (struct mnos_registers *)current->buffer->data, false));
}

static result_t inspect_denial(struct thread *current, mnos_cap_t cap, uint64_t index,
                               uint64_t *value)
{
    struct process *process;
    result_t result = call_process(current, 1, cap, MNOS_RIGHT_READ, &process);

    if (result != RESULT_OK)
        return result;
    *value = sizeof(struct mnos_denial);
    return error_at(3, denial_get(process, index, (struct mnos_denial *)current->buffer->data));
}

/* Goes through the capabilities to the endpoint, of which there may be many, in steps. */
static result_t inspect_badge(struct thread *current, mnos_cap_t cap, mnos_badge_t badge,
                              uint64_t *value)
{
    struct call_record *record = call_record(current);
    struct cap_view view;
    enum badge_state state;
    result_t status;

    status = argument_cap(current, 1, cap, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_READ, &view);
    if (status != RESULT_OK)
        return status;
    if (badge == 0)
        return error_at(3, MNOS_ERR_ARGUMENT);
    state = badge_find(&view, badge, &record->done);
    *value = state == BADGE_LIVES;
    return state == BADGE_ASK_AGAIN ? RESULT_AGAIN : RESULT_OK;
}

/* Views that go through the threads of a process, of which there may be many, in steps. */
static result_t inspect_threads(struct thread *current, mnos_cap_t cap, uint64_t view,
                                uint64_t index, uint64_t *value)
{
    struct call_record *record = call_record(current);
    void *info = current->buffer->data;
    struct process *process;
    mnos_status_t status;
    result_t result = call_process(current, 1, cap, MNOS_RIGHT_READ, &process);

    if (result != RESULT_OK)
        return result;
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
            return error_at(3, status);
    } while (!sched_preempt_point());
    return RESULT_AGAIN;
}

/* Needs Read for the views of processes, threads and badges; abi/inspect.h lists them. */
result_t sys_cap_inspect(struct thread *current, mnos_cap_t cap, uint64_t view, uint64_t index,
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
    if (view == MNOS_VIEW_PROCESS_DENIAL)
        return inspect_denial(current, cap, index, value);
    if (view > MNOS_VIEW_PROCESS_DENIAL)
        return error_at(2, MNOS_ERR_ARGUMENT);
    return inspect_threads(current, cap, view, index, value);
}
