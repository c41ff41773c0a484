// SPDX-License-Identifier: MIT
/*
 * test_state - state that outlives its process (lib/server/state.h): a death at every store of an operation
 * leaves it wholly done or not at all.
 *
 * The operation runs with the trap flag set, so that the processor stops after each instruction. Whenever the
 * memory has changed since the last one, what a death would have left is kept; each of these is then opened
 * as the next run would, at another address. So is what a death in the middle of the undoing would leave.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/server/state.h"
#include "tests/unit/step_by_step.h"

#define BLOCK_BYTES 2048u
#define LOG_BYTES 1024u
#define OTHER_BYTES 256u
#define MAGIC 0x5445535445544154ull
#define MOMENTS_MAX 1024u

struct memory {
    _Alignas(64) uint8_t block[BLOCK_BYTES];
    uint8_t other[OTHER_BYTES]; /* area 1 */
};

static enum state_found open_memory(struct state *state, struct memory *memory)
{
    struct state_area areas[STATE_AREAS_MAX] = {[1] = {memory->other, OTHER_BYTES}};

    return state_open(state, memory->block, BLOCK_BYTES, MAGIC, 1, LOG_BYTES, areas);
}

static void make_memory(struct state *state, struct memory *memory)
{
    memset(memory, 0, sizeof *memory);
    CHECK_EQ(open_memory(state, memory), STATE_NONE);
    memset(state_content(state), 7, 512);
    memset(memory->other, 9, sizeof memory->other);
    state_ready(state);
}

/* ---- Deaths ---- */

/* Changes pieces of several sizes, one of them twice, in both areas. */
static void operate(void *argument)
{
    struct state *state = argument;
    uint64_t *words = state_content(state);
    uint8_t *other = state->areas[1].base;

    state_put(state, words, 8);
    words[0] = 1;
    state_put(state, (uint8_t *)words + 101, 3);
    memset((uint8_t *)words + 101, 0xAA, 3);
    state_put(state, other + 40, 24);
    memset(other + 40, 0xBB, 24);
    state_put_other(state, other + 100, 4); /* without a call */
    memset(other + 100, 0xCC, 4);
    state_put_other(state, words + 9, 8);
    words[9] = 4;
    state_put(state, words, 16);
    words[0] = 2;
    words[1] = 3;
    state_done(state);
}

static bool content_is(const struct memory *memory, const struct memory *wanted)
{
    size_t skip = sizeof(struct state_header) + LOG_BYTES;

    return memcmp(memory->block + skip, wanted->block + skip, BLOCK_BYTES - skip) == 0 &&
           memcmp(memory->other, wanted->other, OTHER_BYTES) == 0;
}

static void reopen(void *argument)
{
    struct state state;

    CHECK_EQ(open_memory(&state, argument), STATE_WHOLE);
    CHECK(state_is_clean(&state));
}

TEST(state, a_death_at_any_store_leaves_all_or_nothing)
{
    static struct memory memory, before, after, successor;
    struct memory *deaths, *moments; /* of the operation, and of undoing it */
    unsigned death_count, moment_count, undone = 0, done = 0;
    struct state state;

    moments = calloc(MOMENTS_MAX, sizeof *moments);
    deaths = calloc(MOMENTS_MAX, sizeof *deaths);
    make_memory(&state, &memory);
    before = memory;
    death_count = step_by_step(deaths, MOMENTS_MAX, &memory, sizeof memory, operate, &state);
    after = memory;
    CHECK(death_count > 20);
    for (unsigned i = 0; i < death_count; i++) {
        successor = deaths[i];
        moment_count =
            step_by_step(moments, MOMENTS_MAX, &successor, sizeof successor, reopen, &successor);
        if (content_is(&successor, &before))
            undone++;
        else if (content_is(&successor, &after))
            done++;
        else
            CHECK(false);
        /* Each store of the undoing may be the last one, too. */
        for (unsigned j = 0; j < moment_count; j++) {
            struct memory again = moments[j];

            reopen(&again);
            CHECK(content_is(&again, content_is(&successor, &before) ? &before : &after));
        }
    }
    CHECK_EQ(undone, death_count - 1);
    CHECK_EQ(done, 1);
    free(moments);
    free(deaths);
}

/* ---- What is found ---- */

TEST(state, what_was_never_finished_is_nothing)
{
    static struct memory memory;
    struct state state;

    memset(&memory, 0, sizeof memory);
    CHECK_EQ(open_memory(&state, &memory), STATE_NONE);
    CHECK_EQ(open_memory(&state, &memory), STATE_NONE);
    state_ready(&state);
    CHECK_EQ(open_memory(&state, &memory), STATE_WHOLE);
    CHECK_PTR_EQ(state_content(&state), memory.block + state_overhead(LOG_BYTES));
}

TEST(state, what_is_of_no_use_is_nothing_until_it_is_made_anew)
{
    static struct memory memory;
    struct state state;

    make_memory(&state, &memory);
    state_put(&state, state_content(&state), 8);
    state_drop(&state);
    memset(state_content(&state), 0, 100); /* and dies */
    CHECK_EQ(open_memory(&state, &memory), STATE_NONE);
    CHECK(state_is_clean(&state));
    state_ready(&state);
    CHECK_EQ(open_memory(&state, &memory), STATE_WHOLE);
}

TEST(state, the_managers_words_are_not_touched)
{
    static struct memory memory;
    struct state_header *header = (void *)memory.block;
    struct state state;

    make_memory(&state, &memory);
    header->epoch = 17;
    header->deaths = 3;
    CHECK_EQ(open_memory(&state, &memory), STATE_WHOLE);
    header->layout = 2;
    CHECK_EQ(open_memory(&state, &memory), STATE_FOREIGN);
    CHECK_EQ(header->epoch, 17);
    CHECK_EQ(header->deaths, 3);
}

#define DAMAGED(statement)                                                                         \
    do {                                                                                           \
        make_memory(&state, &memory);                                                              \
        statement;                                                                                 \
        CHECK_EQ(open_memory(&state, &memory), STATE_FOREIGN);                                     \
        CHECK(state_is_clean(&state));                                                             \
        CHECK_EQ(open_memory(&state, &memory), STATE_NONE);                                        \
    } while (0)

TEST(state, another_layout_and_damage_are_noticed)
{
    static struct memory memory;
    struct state_header *header = (void *)memory.block;
    uint64_t *log = (void *)(memory.block + sizeof *header);
    struct state state;

    DAMAGED(header->magic++);
    DAMAGED(header->layout++);
    DAMAGED(header->log_bytes += 8);
    DAMAGED(header->checksum ^= 1);
    DAMAGED(header->bytes = BLOCK_BYTES + 1);
    DAMAGED(header->log_used = LOG_BYTES + 8);
    /* Records that state_put() does not make. */
    DAMAGED(header->log_used = 8);
    DAMAGED(header->log_used = 17);
    DAMAGED((header->log_used = 24, log[1] = 0, log[2] = 9));
    DAMAGED((header->log_used = 24, log[1] = 0, log[2] = UINT64_MAX));
    DAMAGED((header->log_used = 24, log[1] = BLOCK_BYTES - 7, log[2] = 8));
    DAMAGED((header->log_used = 24, log[1] = 2ull << 56, log[2] = 1));
    DAMAGED((header->log_used = 24, log[1] = 200ull << 56, log[2] = 1));
}

TEST(state, any_log_is_undone_inside_the_areas_or_refused)
{
    static struct memory memory;
    struct state_header *header = (void *)memory.block;
    uint64_t seed = 1;
    struct state state;

    for (unsigned round = 0; round < 20000; round++) {
        make_memory(&state, &memory);
        for (unsigned i = 0; i < LOG_BYTES / 8; i++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            ((uint64_t *)state.log)[i] = seed >> (seed >> 58);
        }
        header->log_used = (uint32_t)(seed >> 20) % (LOG_BYTES + 16);
        if (open_memory(&state, &memory) != STATE_WHOLE)
            CHECK_EQ(open_memory(&state, &memory), STATE_NONE);
    }
}

TEST(state, the_more_often_a_service_has_died_in_a_row_the_less_is_trusted)
{
    static const enum state_trust expected[] = {STATE_TRUST_ALL, STATE_TRUST_ALL, STATE_TRUST_OPEN,
                                                STATE_TRUST_NONE, STATE_TRUST_NONE};
    struct state_header header = {0};
    struct state state = {.header = &header};

    for (header.deaths = 0; header.deaths < 5; header.deaths++) {
        header.ordered = 0;
        CHECK_EQ(state_trust(&state), expected[header.deaths]);
        CHECK_EQ(state_was_ordered(&state), header.deaths == 0);
        header.ordered = 1; /* whatever came before */
        CHECK_EQ(state_trust(&state), STATE_TRUST_ALL);
        CHECK(state_was_ordered(&state));
    }
}
