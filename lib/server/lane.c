// SPDX-License-Identifier: MIT
/*
 * lane - exactly once: see session.h. Sequences are compared for equality only.
 *
 * What a lane does next is one word, its sequence with its state, so that a death finds either the request that came or
 * the one before. While it runs the record means nothing, so only the word is noted when it is done.
 */
#include "lib/server/session.h"
#include "lib/base/string.h"
#include "lib/server/state.h"

static uint64_t word_of(uint32_t sequence, enum lane_state state)
{
    return sequence | (uint64_t)state << 32;
}

/* That it runs is known before it does anything: what the service dies of is found again. The one before is not sent
 * again, since its client has the answer or wants none. */
static enum lane_verdict run_next(struct server_lane *lane, uint32_t sequence, uint64_t reply_id,
                                  uint64_t *stale)
{
    if (lane->state == LANE_RUNNING)
        *stale = lane->reply_id;
    /* Those of another request: of the next one there were none. */
    __atomic_store_n(&lane->deaths, 0, __ATOMIC_RELEASE);
    lane->begun = 0;
    lane->reply_id = reply_id;
    __atomic_store_n(&lane->word, word_of(sequence, LANE_RUNNING), __ATOMIC_RELEASE);
    return LANE_RUN;
}

enum lane_verdict lane_begin(struct server_lane *lane, uint32_t sequence, uint64_t reply_id,
                             uint64_t *stale)
{
    *stale = 0;
    if (sequence == 0)
        return LANE_REFUSED;
    if (lane->state == LANE_EMPTY || sequence == label_next(lane->sequence))
        return run_next(lane, sequence, reply_id, stale);
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
    __atomic_store_n(&lane->word, word_of(sequence, LANE_RUNNING), __ATOMIC_RELEASE);
    return LANE_RUN;
}

/* The words of one that runs in parts are its progress until then. */
static inline void note_end(struct server_lane *lane)
{
    if (__builtin_expect(lane->begun != 0, 0))
        state_note(lane, sizeof *lane);
    else
        state_note(&lane->word, sizeof lane->word);
    lane->begun = 0;
}

void lane_done(struct server_lane *lane, mnos_status_t status, const uint64_t words[4],
               uint32_t length)
{
    note_end(lane);
    lane->status = status;
    lane->length = length;
    memcpy(lane->words, words, sizeof lane->words);
    lane->reply_id = 0;
    lane->word = word_of(lane->sequence, LANE_DONE);
}

void lane_undone(struct server_lane *lane)
{
    note_end(lane);
    lane->reply_id = 0;
    lane->word = word_of(lane->sequence, LANE_AGAIN);
}
