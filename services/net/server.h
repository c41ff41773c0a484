// SPDX-License-Identifier: MIT
/* server.h - what the handlers of protocols/socket.def share. */
#pragma once

#include "services/net/net.h"

#define REQUEST(label, name, class, asked, reply, text)                                            \
    mnos_status_t server_##name(void *context, struct server_request *request);
#include "protocols/socket.def"
#undef REQUEST

#define HANDLER(name)                                                                              \
    mnos_status_t server_##name([[maybe_unused]] void *context, struct server_request *request)

static inline mnos_status_t answer(struct server_request *request, const void *record, size_t bytes)
{
    message_put(request->message, MNOS_OK, record, bytes);
    return MNOS_OK;
}

static inline mnos_status_t refuse(struct server_request *request,
                                   const struct socket_refusal *refusal)
{
    message_put(request->message, MNOS_ERR_DENIED, refusal, sizeof *refusal);
    return MNOS_OK; /* what the message says is the answer */
}

/* The record of a request, all of it. */
static inline mnos_status_t record_of(struct server_request *request, void *record, size_t bytes)
{
    if (request->message->length != bytes)
        return MNOS_ERR_SIZE;
    memcpy(record, server_body(&the_net.loop, request), bytes);
    return MNOS_OK;
}

static inline uint32_t number_of(const struct server_request *request)
{
    return request->session->number;
}

static inline struct socket_limits *limits_of(const struct server_request *request)
{
    return &the_net.limits[number_of(request)];
}
