// SPDX-License-Identifier: MIT
/* lane - exactly once: see session.h. Sequences are compared for equality only. */
#include "lib/server/session.h"
#include "lib/base/string.h"
#include "lib/server/state.h"

enum lane_verdict lane_begin(struct server_lane *lane, uint32_t sequence, uint64_t reply_id,
                             uint64_t *stale)
{
    bool same = lane->state != LANE_EMPTY && sequence == lane->sequence;

    *stale = 0;
    if (sequence == 0 ||
        (!same && lane->state != LANE_EMPTY && sequence != label_next(lane->sequence)))
        return LANE_REFUSED;
    if (same && lane->state == LANE_DONE)
        return LANE_REPLAY;
    if (lane->state == LANE_RUNNING)
        *stale = lane->reply_id;
    state_note(lane, sizeof *lane);
    lane->reply_id = reply_id;
    if (same && lane->state == LANE_RUNNING)
        return LANE_JOINED;
    if (!same)
        lane->deaths = 0;
    lane->sequence = sequence;
    lane->state = LANE_RUNNING;
    /* That it runs is known before it does anything: what the service dies of is found again. */
    state_step();
    return LANE_RUN;
}

void lane_done(struct server_lane *lane, mnos_status_t status, const uint64_t words[4],
               uint32_t length)
{
    state_note(lane, sizeof *lane);
    lane->status = status;
    lane->length = length;
    memcpy(lane->words, words, sizeof lane->words);
    lane->reply_id = 0;
    lane->state = LANE_DONE;
}

void lane_undone(struct server_lane *lane)
{
    state_note(lane, sizeof *lane);
    lane->reply_id = 0;
    lane->state = LANE_AGAIN;
}
