// SPDX-License-Identifier: MIT
/* file_session - lanes, repeating, and beginning anew: see file.h. */
#include "lib/client/file_internal.h"
#include "lib/client/service.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/base/string.h"

uint32_t file_take_other_lane(struct file_session *session)
{
    for (uint32_t lane = 1; lane < LABEL_LANES; lane++) {
        if (mutex_try_lock(&session->lane_locks[lane]))
            return lane;
    }
    mutex_lock(&session->lane_locks[0]);
    return 0;
}

void file_call_add_long(struct file_call *call, const void *bytes, size_t count)
{
    size_t in_registers =
        call->bytes < sizeof call->message.words ? sizeof call->message.words - call->bytes : 0;
    size_t behind = call->bytes + in_registers - sizeof call->message.words;

    memcpy((uint8_t *)call->message.words + call->bytes, bytes, in_registers);
    memcpy(ipc_buffer()->data + behind, (const uint8_t *)bytes + in_registers,
           count - in_registers);
    call->bytes += (uint32_t)count;
}

static void drop_window(struct file_session *session)
{
    if (session->window == NULL)
        return;
    memory_unmap(session->window, session->window_bytes / MNOS_PAGE_BYTES);
    (void)!sys_cap_delete(session->window_cap);
    session->window = NULL;
    session->window_bytes = session->buffers_used = 0;
}

mnos_status_t file_session_ask(mnos_cap_t service, const struct file_open_session *wanted,
                               struct file_session_begun *begun)
{
    struct message message = {.accept = 1};
    struct file_limits limits;
    mnos_status_t status;

    message_put(&message, FILE_OPEN_SESSION, wanted, sizeof *wanted);
    status = service_call(service, &message);
    if (status != MNOS_OK)
        return status;
    /* A service that has only directories shares no memory. */
    if (message_get(&message, &limits, sizeof limits) != sizeof limits ||
        (message_cap(&message, 0) != 0) != (limits.window_bytes != 0)) {
        message_refuse_caps(&message);
        return MNOS_ERR_FORMAT;
    }
    *begun = (struct file_session_begun){message_cap(&message, 0), limits.window_bytes,
                                         limits.rights, limits.type};
    return MNOS_OK;
}

mnos_status_t file_session_take(struct file_session *session,
                                const struct file_session_begun *begun)
{
    void *address = NULL;
    mnos_status_t status = MNOS_OK;

    if (begun->window != 0)
        status = memory_map(begun->window, 0, begun->window_bytes / MNOS_PAGE_BYTES,
                            MNOS_MAP_READ | MNOS_MAP_WRITE, &address);
    if (status != MNOS_OK)
        return status;
    session->window_cap = begun->window;
    session->window = address;
    session->window_bytes = begun->window_bytes;
    session->rights = begun->rights;
    session->root_type = begun->type;
    return MNOS_OK;
}

/* The window of a run that is gone is memory still, which nobody else looks at; here it is given
 * up. */
static mnos_status_t begin(struct file_session *session)
{
    struct file_open_session wanted = {.window_bytes = session->window_wanted};
    struct file_session_begun begun;
    mnos_status_t status = file_session_ask(session->service, &wanted, &begun);

    if (status != MNOS_OK)
        return status;
    drop_window(session);
    status = file_session_take(session, &begun);
    if (status == MNOS_OK)
        session->runs++;
    else
        (void)!sys_cap_delete(begun.window);
    return status;
}

mnos_status_t file_session_open(struct file_session *session, mnos_cap_t service,
                                uint64_t window_bytes)
{
    *session = (struct file_session){.service = service, .window_wanted = window_bytes};
    return begin(session);
}

mnos_status_t file_session_replace(struct file_session *session, mnos_cap_t service)
{
    drop_window(session);
    session->service = service;
    session->lost = false;
    return begin(session);
}

void file_session_close(struct file_session *session)
{
    drop_window(session);
}

/* A request about the session itself, or the one of a capability. */
static mnos_status_t ask(struct file_session *session, uint32_t operation, mnos_cap_t which,
                         struct file_call *call)
{
    file_call_begin(call, operation, NULL, 0);
    if (which != 0)
        message_add_cap(&call->message, which, MNOS_RIGHT_WRITE);
    return file_call_send(session, call);
}

mnos_status_t file_session_info(struct file_session *session, mnos_cap_t which,
                                struct file_session_info *info)
{
    struct file_call call;
    mnos_status_t status = ask(session, FILE_SESSION_INFO, which, &call);

    if (status == MNOS_OK)
        (void)message_get(&call.message, info, sizeof *info);
    return status;
}

mnos_status_t file_session_lost(struct file_session *session, uint32_t run)
{
    /* The first thread that learns of it begins anew for all. */
    mutex_lock(&session->lock);
    if (session->runs == run && file_is_lost(begin(session))) {
        session->lost = true; /* it was exported, and is no more: a mount begins with another one */
        session->runs++;
    }
    mutex_unlock(&session->lock);
    return MNOS_ERR_LOST;
}

/* Whether the service may refuse the lane's request since it does not know the one before, which was answered in its place
 * while it was stopped. That is so of the very next one alone: one that is carried out shows that it knows the lane. */
static bool is_behind_stopped(const struct file_session *session, uint32_t run, uint32_t lane)
{
    return session->stopped[lane].run == run && session->stopped[lane].sequence != 0 &&
           session->sequences[lane] == label_next(session->stopped[lane].sequence);
}

mnos_status_t file_call_failed(struct file_session *session, uint32_t run, uint32_t lane,
                               mnos_status_t status)
{
    bool is_refused = false;

    if (lane != FILE_NO_LANE) {
        is_refused = status == MNOS_ERR_ARGUMENT && is_behind_stopped(session, run, lane);
        if (status == MNOS_ERR_STOPPED) {
            session->stopped[lane].sequence = session->sequences[lane];
            session->stopped[lane].run = run;
        }
        mutex_unlock(&session->lane_locks[lane]);
    }
    return is_refused || file_is_lost(status) ? file_session_lost(session, run) : status;
}

mnos_status_t file_space(struct file_session *session, struct file_space *space)
{
    struct file_call call;
    mnos_status_t status = ask(session, FILE_STATFS, 0, &call);

    if (status == MNOS_OK)
        (void)message_get(&call.message, space, sizeof *space);
    return status;
}

mnos_status_t file_sync_all(struct file_session *session)
{
    struct file_call call;

    return ask(session, FILE_SYNC, 0, &call);
}

mnos_status_t file_export(const struct file *file, uint32_t rights, mnos_cap_t *session)
{
    return file_export_for(file, rights, 0, session);
}

mnos_status_t file_export_for(const struct file *file, uint32_t rights, uint32_t account,
                              mnos_cap_t *session)
{
    struct file_export record = {.handle = file->handle, .rights = rights, .account = account};
    struct file_call call;
    mnos_status_t status;

    *session = 0;
    if (file->run != file->session->runs)
        return MNOS_ERR_LOST;
    file_call_begin(&call, FILE_EXPORT, &record, sizeof record);
    call.message.accept = 1;
    status = file_call_send(file->session, &call);
    *session = status == MNOS_OK ? message_cap(&call.message, 0) : 0;
    return status == MNOS_OK && *session == 0 ? MNOS_ERR_FORMAT : status;
}

mnos_status_t file_close_tree(struct file_session *session, mnos_cap_t which)
{
    struct file_call call;

    return ask(session, FILE_CLOSE_TREE, which, &call);
}
