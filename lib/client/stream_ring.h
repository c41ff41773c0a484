// SPDX-License-Identifier: MIT
/*
 * stream_ring.h - a terminal through rings (protocols/stream.def, ATTACH): bytes go without a message each, and nothing here
 * but attaching waits. For one thread. The caller waits at its endpoint:
 *
 *   status = stream_ring_open(&ring, stream, endpoint, badge, &record, 1);
 *   for (;;) {
 *       ipc_receive(endpoint, &msg, deadline);
 *       if (msg.kind == MNOS_KIND_CLIENT_GONE)      the driver's run has ended, its badge is `badge`
 *           status = stream_ring_attach(&ring);
 *       while (stream_ring_read(&ring, bytes, sizeof bytes, &count) == MNOS_OK && count != 0) ...
 *   }
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/mnos/memory.h"
#include "lib/mnos/ring.h"
#include "protocols/stream.h"

struct stream_ring {
    mnos_cap_t stream;
    mnos_cap_t endpoint;
    mnos_badge_t badge;
    struct stream_attach record;
    struct memory_block input_memory, output_memory;
    struct ring input, output;
    uint64_t lost; /* places where bytes are missing, that have been told */
};

/* `stream` needs STREAM_EVENT_LOOK in its event mask, `endpoint` Grant and the events of `record`. `pages` for each ring: 1
 * to STREAM_RING_PAGES_MAX, from this program's quota. Needs what stream_ring_attach() does. */
mnos_status_t stream_ring_open(struct stream_ring *ring, mnos_cap_t stream, mnos_cap_t endpoint,
                               mnos_badge_t badge, const struct stream_attach *record,
                               uint64_t pages);
/* Attaches again, after the driver has ended; waits until a run of it has taken the request. What is in the rings stays.
 * An error is one that trying again does not help. */
mnos_status_t stream_ring_attach(struct stream_ring *ring);

/* What has been typed: *count is 0 when there is nothing more. MNOS_ERR_LOST: bytes are missing here.
 * MNOS_ERR_FORMAT: the driver has broken the ring. */
mnos_status_t stream_ring_read(struct stream_ring *ring, void *bytes, size_t max, size_t *count);
/* Puts as many bytes as there is room for; `record.output` is set when all has been sent. */
mnos_status_t stream_ring_write(struct stream_ring *ring, const void *bytes, size_t count,
                                size_t *put);
/* Whether the device has all that was put. */
bool stream_ring_is_sent(const struct stream_ring *ring);
