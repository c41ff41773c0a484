// SPDX-License-Identifier: MIT
/* stream - see stream.h. */
#include "lib/client/stream.h"

#include "lib/client/service.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

#define BUSY_WAIT_NS 10000000ull

/* One request. The line may be stopped by the other side for as long as it likes, so nobody is asked whether
 * the driver works. */
static mnos_status_t write_message(mnos_cap_t stream, const void *bytes, size_t count)
{
    for (;;) {
        struct message msg = {0};
        mnos_status_t status;

        message_put(&msg, STREAM_WRITE, bytes, count);
        status = service_call_parking(stream, &msg);
        if (status != MNOS_ERR_AGAIN)
            return status;
        sleep_until(deadline_after_ns(BUSY_WAIT_NS));
    }
}

mnos_status_t stream_write(mnos_cap_t stream, const void *bytes, size_t count)
{
    const char *next = bytes;
    mnos_status_t status = MNOS_OK;

    while (count != 0 && status == MNOS_OK) {
        size_t part = count < MNOS_MESSAGE_MAX_BYTES ? count : MNOS_MESSAGE_MAX_BYTES;

        status = write_message(stream, next, part);
        next += part;
        count -= part;
    }
    return status;
}

mnos_status_t stream_read(mnos_cap_t stream, void *bytes, size_t max, size_t *count)
{
    struct stream_read request = {max};
    struct message msg = {0};
    mnos_status_t status;

    message_put(&msg, STREAM_READ, &request, sizeof request);
    status = service_call_parking(stream, &msg);
    if (status == MNOS_OK)
        *count = message_get_part(&msg, bytes, max);
    return status;
}

mnos_status_t stream_poll(mnos_cap_t stream, void *bytes, size_t max, size_t *count)
{
    struct stream_read request = {max};
    struct message msg = {0};
    mnos_status_t status;

    message_put(&msg, STREAM_POLL, &request, sizeof request);
    status = service_call(stream, &msg);
    if (status == MNOS_OK)
        *count = message_get_part(&msg, bytes, max);
    return status;
}

mnos_status_t stream_listen(mnos_cap_t stream, mnos_cap_t endpoint, mnos_badge_t badge,
                            const struct stream_events *events)
{
    uint64_t all = events->input | events->front | events->size | events->interrupt;
    struct message msg = {0};
    mnos_cap_t mine;
    mnos_status_t status = sys_cap_create(MNOS_CREATE_MINT, endpoint,
                                          MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT, badge, all, &mine);

    if (status != MNOS_OK)
        return status;
    message_put(&msg, STREAM_LISTEN, events, sizeof *events);
    message_add_cap(&msg, mine, MNOS_RIGHT_WRITE);
    /* Of one capability, whatever run takes it: the end of another one with this badge would be taken for the driver's. */
    status = service_call(stream, &msg);
    (void)!sys_cap_delete(mine); /* the driver's copy stays, and tells when the driver ends */
    return status;
}

mnos_status_t stream_size(mnos_cap_t stream, uint32_t flags, struct stream_size *size)
{
    struct stream_ask request = {flags, 0};
    struct message msg = {0};
    mnos_status_t status;

    message_put(&msg, STREAM_WINSIZE, &request, sizeof request);
    status = service_call(stream, &msg);
    if (status == MNOS_OK && message_get(&msg, size, sizeof *size) != sizeof *size)
        return MNOS_ERR_FORMAT;
    return status;
}

mnos_status_t stream_give_front(mnos_cap_t stream, uint32_t flags, mnos_cap_t *session)
{
    return stream_give_front_at(stream, 0, flags, session);
}

mnos_status_t stream_give_front_at(mnos_cap_t stream, uint32_t terminal, uint32_t flags,
                                   mnos_cap_t *session)
{
    struct stream_front request = {flags, terminal};
    struct message msg = {.accept = 1};
    mnos_status_t status;

    message_put(&msg, STREAM_GIVE_FRONT, &request, sizeof request);
    status = service_call(stream, &msg);
    if (status == MNOS_OK)
        *session = message_cap(&msg, 0);
    return status;
}

mnos_status_t stream_put_front(mnos_cap_t stream, uint32_t flags, mnos_cap_t session)
{
    struct stream_front request = {flags, 0};
    struct message msg = {0};

    message_put(&msg, STREAM_GIVE_FRONT, &request, sizeof request);
    message_add_cap(&msg, session, MNOS_RIGHT_WRITE);
    return service_call(stream, &msg);
}

mnos_status_t stream_take_front(mnos_cap_t stream, mnos_cap_t session)
{
    struct message msg = {0};

    message_put(&msg, STREAM_TAKE_FRONT, NULL, 0);
    if (session != 0)
        message_add_cap(&msg, session, MNOS_RIGHT_WRITE);
    return service_call(stream, &msg);
}
