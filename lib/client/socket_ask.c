// SPDX-License-Identifier: MIT
/* socket_ask - requests that are not about a socket: interfaces, names, servers of the time, frames, pings. See socket.h. */
#include "lib/base/string.h"
#include "lib/client/socket_internal.h"

mnos_status_t socket_interface(struct socket_session *session, uint64_t index,
                               struct socket_interface *interface)
{
    struct socket_index record = {index};
    mnos_status_t status = socket_call(session, SOCKET_INTERFACES, &record, sizeof record,
                                       interface, sizeof *interface, false, false);

    if (status == MNOS_OK)
        interface->name[sizeof interface->name - 1] = 0;
    return status;
}

mnos_status_t socket_entry(struct socket_session *session, uint64_t index,
                           struct socket_shown_entry *entry)
{
    struct socket_index record = {index};
    mnos_status_t status = socket_call(session, SOCKET_SOCKETS, &record, sizeof record, entry,
                                       sizeof *entry, false, false);

    if (status == MNOS_OK)
        entry->owner[sizeof entry->owner - 1] = 0;
    return status;
}

/* Addresses that were asked for. */
static mnos_status_t checked(mnos_status_t status, const struct socket_resolved *found)
{
    return status == MNOS_OK && (found->count == 0 || found->count > SOCKET_ADDRESSES)
               ? MNOS_ERR_FORMAT
               : status;
}

mnos_status_t socket_resolve(struct socket_session *session, const char *name, uint64_t flags,
                             struct socket_resolved *resolved)
{
    struct socket_resolve record = {.flags = flags};
    mnos_status_t status;

    if (strlen(name) >= sizeof record.name)
        return MNOS_ERR_ARGUMENT;
    string_copy(record.name, name, sizeof record.name);
    status = socket_call(session, SOCKET_RESOLVE, &record, sizeof record, resolved,
                         sizeof *resolved, false, (flags & SOCKET_RESOLVE_NOW) == 0);
    return checked(status, resolved);
}

mnos_status_t socket_time_servers(struct socket_session *session, uint64_t flags,
                                  struct socket_resolved *found)
{
    struct socket_time record = {flags};

    return checked(socket_call(session, SOCKET_TIME_SERVERS, &record, sizeof record, found,
                               sizeof *found, false, (flags & SOCKET_TIME_NOW) == 0),
                   found);
}

mnos_status_t socket_capture(struct socket_session *session, struct ip_address host, uint32_t port)
{
    struct socket_capture record = {.host = host, .port = port};

    return socket_call(session, SOCKET_CAPTURE, &record, sizeof record, NULL, 0, false, false);
}

mnos_status_t socket_captured(struct socket_session *session, uint8_t *bytes, size_t *count)
{
    struct message message = {0};
    mnos_status_t status = socket_request(session, &message, SOCKET_CAPTURED, false, true, NULL, 0);

    *count = status == MNOS_OK ? message_get(&message, bytes, MNOS_MESSAGE_MAX_BYTES) : 0;
    return status;
}

mnos_status_t socket_ping(struct socket_session *session, const struct socket_ping *ping,
                          struct socket_pong *pong)
{
    return socket_call(session, SOCKET_PING, ping, sizeof *ping, pong, sizeof *pong, false, true);
}
