// SPDX-License-Identifier: MIT
/*
 * lane - exactly once: see session.h. Sequences are compared for equality only.
 *
 * What a lane does next is one word, its sequence with its state, so that a death finds either the request that came or
 * the one before. While it runs the record means nothing, so only the word is noted when it is done.
 */
#include "lib/server/session.h"

enum lane_verdict lane_begin_other(struct server_lane *lane, uint32_t sequence, uint64_t reply_id,
                                   uint64_t *stale)
{
    if (sequence == 0)
        return LANE_REFUSED;
    if (lane->state == LANE_EMPTY || sequence == label_next(lane->sequence)) {
        /* The one before is not sent again, since its client has the answer or wants none. */
        if (lane->state == LANE_RUNNING)
            *stale = lane->reply_id;
        lane_run(lane, sequence, reply_id);
        return LANE_RUN;
    }
    if (sequence != lane->sequence)
        return LANE_REFUSED;
    if (lane->state == LANE_DONE)
        return LANE_REPLAY;
    if (lane->state == LANE_RUNNING) {
        *stale = lane->reply_id;
        lane->reply_id = reply_id;
        return LANE_JOINED;
    }
    lane->reply_id = reply_id; /* again, with the deaths and the progress that it has had */
    __atomic_store_n(&lane->word, lane_word(sequence, LANE_RUNNING), __ATOMIC_RELEASE);
    return LANE_RUN;
}

void lane_undone(struct server_lane *lane)
{
    lane_note_end(lane);
    lane->reply_id = 0;
    lane->word = lane_word(lane->sequence, LANE_AGAIN);
}
