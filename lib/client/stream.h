// SPDX-License-Identifier: MIT
/*
 * stream.h - a terminal (protocols/stream.def), through messages, so that nothing is lost when its driver dies in
 * the middle. Rings: stream_ring.h. `stream` is a capability with Write; a child of the monitor finds it under the name
 * "terminal".
 */
#pragma once

#include <stddef.h>

#include "abi/types.h"
#include "protocols/stream.h"

/* Returns when the device has all of the bytes, which may take as long as the other side of the line likes. What a
 * driver had taken when it died is written again to its successor, so part of it may appear twice. An error is one that
 * trying again does not help; MNOS_ERR_LOST: the session has ended. */
mnos_status_t stream_write(mnos_cap_t stream, const void *bytes, size_t count);

/* Waits for 1 to `max` bytes (at most MNOS_MESSAGE_MAX_BYTES are taken at once). MNOS_ERR_AGAIN: the session is not in
 * front, and nothing will come until it is. MNOS_ERR_LOST: bytes are missing here, or the session has ended. */
mnos_status_t stream_read(mnos_cap_t stream, void *bytes, size_t max, size_t *count);
/* The same without waiting: *count may be 0. */
mnos_status_t stream_poll(mnos_cap_t stream, void *bytes, size_t max, size_t *count);

/* Has events set at `endpoint`, through a capability with `badge`, whose end (MNOS_KIND_CLIENT_GONE) says that the driver
 * has ended and has to be asked again. Waits until a run of it has taken the request. */
mnos_status_t stream_listen(mnos_cap_t stream, mnos_cap_t endpoint, mnos_badge_t badge,
                            const struct stream_events *events);

/* `flags`: enum stream_ask_flags. Without any it waits for the terminal's answer, 200 ms at most, the first time. */
mnos_status_t stream_size(mnos_cap_t stream, uint32_t flags, struct stream_size *size);

/* A session of its own for another program, in front or, with STREAM_BEHIND, not: enum stream_front_flags. It is the
 * only capability of it (Write, Grant), to be handed on and deleted, or kept for stream_take_front(). */
mnos_status_t stream_give_front(mnos_cap_t stream, uint32_t flags, mnos_cap_t *session);
/* The same at another terminal of the same service, which only the service's holder may say. */
mnos_status_t stream_give_front_at(mnos_cap_t stream, uint32_t terminal, uint32_t flags,
                                   mnos_cap_t *session);
/* A session that was made so comes in front again. */
mnos_status_t stream_put_front(mnos_cap_t stream, uint32_t flags, mnos_cap_t session);
/* Ends a session, which is not deleted; if it or one below it was in front, the caller is now. 0: the caller comes in
 * front, and no session ends. */
mnos_status_t stream_take_front(mnos_cap_t stream, mnos_cap_t session);
