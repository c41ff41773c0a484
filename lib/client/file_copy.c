// SPDX-License-Identifier: MIT
/* file_copy - see file_copy.h. */
#include "lib/client/file_copy.h"

#include "lib/base/string.h"
#include "lib/client/file_internal.h"
#include "lib/client/service.h"
#include "lib/mnos/memory.h"

mnos_status_t file_session_begin_for(mnos_cap_t service, uint64_t window_bytes,
                                     struct file_session_begun *begun)
{
    struct file_open_session wanted = {window_bytes, FILE_SESSION_HANDED_ON};

    return file_session_ask(service, &wanted, begun);
}

mnos_status_t file_session_inherit(mnos_cap_t service, mnos_cap_t from, uint64_t *handles,
                                   uint32_t count)
{
    struct message message = {0};
    size_t bytes = count * sizeof handles[0];
    mnos_status_t status;

    message_put(&message, FILE_INHERIT, handles, bytes);
    message_add_cap(&message, from, MNOS_RIGHT_WRITE);
    status = service_call(service, &message);
    if (status == MNOS_OK && message_get(&message, handles, bytes) != bytes)
        status = MNOS_ERR_FORMAT;
    return status;
}

mnos_status_t file_session_become(struct file_session *session, mnos_cap_t service,
                                  const struct file_session_begun *begun)
{
    mnos_status_t status;

    /* The window is not in the copy, only the addresses are taken. */
    if (session->window != NULL)
        address_release((uint64_t)session->window, session->window_bytes / MNOS_PAGE_BYTES);
    session->window = NULL;
    session->window_bytes = session->buffers_used = 0;
    status = file_session_take(session, begun);
    if (status != MNOS_OK)
        return status;
    session->service = service;
    session->lost = false;
    memset(session->sequences, 0, sizeof session->sequences);
    memset(session->stopped, 0, sizeof session->stopped);
    return MNOS_OK;
}
