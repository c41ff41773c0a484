// SPDX-License-Identifier: MIT
/*
 * test_block_queue - a block ring that is full, a driver and a client that break the rules, and the sessions that say
 * which sectors a client may reach. Deaths are in test_block_ring.c.
 */
#include "lib/server/block_queue.h"

#include <string.h>

#include "lib/client/block_ring.h"
#include "lib/server/block_session.h"
#include "tests/unit/unit.h"

static struct block_ring ring;
static struct block_queue queue;
static struct block_ring_client client;

TEST(block_queue, a_full_ring_is_the_clients_to_wait_for)
{
    struct block_submission entry = {.op = BLOCK_FLUSH};
    struct block_result result;
    uint32_t taken = 0;

    memset(&ring, 0, sizeof ring);
    CHECK_EQ(block_ring_open(&client, &ring), MNOS_OK);
    CHECK_EQ(block_queue_adopt(&queue, &ring), MNOS_OK);
    for (unsigned i = 0; i < BLOCK_ENTRIES; i++)
        CHECK_EQ(block_ring_put(&client, &entry), MNOS_OK);
    CHECK_EQ(block_ring_put(&client, &entry), MNOS_ERR_AGAIN);
    CHECK(!block_queue_take(&queue, &entry)); /* not published */
    CHECK(block_ring_publish(&client));
    CHECK(!block_ring_publish(&client));
    while (block_queue_take(&queue, &entry))
        CHECK_EQ(entry.id, taken++);
    CHECK_EQ(taken, BLOCK_FLIGHTS_MAX);
    block_queue_complete(&queue, 7, MNOS_ERR_DEVICE, 99); /* out of order */
    CHECK_EQ(block_ring_take(&client, &result), MNOS_OK);
    CHECK_EQ(result.id, 7);
    CHECK_EQ(result.status, MNOS_ERR_DEVICE);
    CHECK_EQ(result.bad_sector, 99);
    CHECK_EQ(ring.completed, 0);
    CHECK_EQ(block_ring_put(&client, &entry), MNOS_ERR_AGAIN); /* entry 0 is not finished */
    block_queue_complete(&queue, 0, MNOS_OK, 0);
    CHECK_EQ(block_ring_take(&client, &result), MNOS_OK);
    CHECK_EQ(ring.completed, 1);
}

TEST(block_queue, results_that_cannot_be_are_passed_over)
{
    struct block_submission entry = {.op = BLOCK_FLUSH};
    struct block_result result;
    static const uint32_t ids[] = {1, 255, 256, UINT32_MAX, 0};

    memset(&ring, 0, sizeof ring);
    CHECK_EQ(block_ring_open(&client, &ring), MNOS_OK);
    CHECK_EQ(block_ring_put(&client, &entry), MNOS_OK);
    (void)block_ring_publish(&client);
    for (unsigned i = 0; i < 5; i++)
        ring.completions[i].id = ids[i];
    ring.done = 5;
    CHECK_EQ(block_ring_take(&client, &result), MNOS_OK);
    CHECK_EQ(result.id, 0);
    CHECK_EQ(client.duplicates, 4);
    ring.completions[5].id = 0; /* once more */
    ring.done = 6;
    CHECK_EQ(block_ring_take(&client, &result), MNOS_ERR_END);
    CHECK_EQ(client.duplicates, 5);
    ring.done = 6 + BLOCK_ENTRIES + 1; /* more than there is room for */
    CHECK_EQ(block_ring_take(&client, &result), MNOS_ERR_END);
    CHECK_EQ(client.taken, 6);
}

TEST(block_queue, what_has_no_driver_any_more_is_given_up_once_each)
{
    struct block_submission entry = {.op = BLOCK_FLUSH};
    struct block_result result;

    memset(&ring, 0, sizeof ring);
    CHECK_EQ(block_ring_open(&client, &ring), MNOS_OK);
    for (entry.user = 10; entry.user < 13; entry.user++)
        CHECK_EQ(block_ring_put(&client, &entry), MNOS_OK);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(block_ring_give_up(&client, &result), MNOS_OK);
        CHECK_EQ(result.user, 10 + i);
    }
    CHECK_EQ(block_ring_give_up(&client, &result), MNOS_ERR_END);
    CHECK_EQ(ring.completed, 3);
    CHECK_EQ(client.outstanding, 0);
}

/* ---- a hostile client ---- */

TEST(block_queue, a_ring_whose_indexes_contradict_each_other_is_refused_or_left)
{
    struct block_submission entry;

    memset(&ring, 0, sizeof ring);
    ring.submitted = BLOCK_ENTRIES + 1;
    CHECK_EQ(block_queue_adopt(&queue, &ring), MNOS_ERR_FORMAT);
    ring.submitted = 0;
    CHECK_EQ(block_queue_adopt(&queue, &ring), MNOS_OK);
    ring.submitted = BLOCK_ENTRIES + 1;
    CHECK(!block_queue_take(&queue, &entry));
    CHECK(queue.broken);
    ring.submitted = 1;
    CHECK(!block_queue_take(&queue, &entry)); /* for good */
    ring.submitted = 0;
    CHECK_EQ(block_queue_adopt(&queue, &ring), MNOS_OK);
    ring.submissions[0].op = BLOCK_FLUSH;
    ring.submitted = 1;
    ring.taken = 1; /* more than was done */
    CHECK(!block_queue_take(&queue, &entry));
    CHECK(queue.broken);
}

TEST(block_queue, results_never_overtake_what_the_client_has_taken)
{
    struct block_submission entry;
    uint32_t count = 0;

    memset(&ring, 0, sizeof ring);
    for (unsigned i = 0; i < BLOCK_ENTRIES; i++)
        ring.submissions[i].op = BLOCK_FLUSH;
    CHECK_EQ(block_queue_adopt(&queue, &ring), MNOS_OK);
    for (unsigned i = 0; i < 1000; i++) { /* a client that submits for ever and takes nothing */
        ring.submitted = queue.next + BLOCK_ENTRIES;
        if (!block_queue_take(&queue, &entry))
            continue;
        count++;
        block_queue_complete(&queue, entry.id, MNOS_OK, 0);
    }
    CHECK_EQ(count, BLOCK_ENTRIES);
    CHECK(!queue.broken);
    ring.taken = 3;
    for (unsigned i = 0; i < 3; i++) {
        CHECK(block_queue_take(&queue, &entry));
        block_queue_complete(&queue, entry.id, MNOS_OK, 0);
    }
    CHECK(!block_queue_take(&queue, &entry));
}

static mnos_status_t checked(uint8_t op, uint8_t flags, uint64_t sector, uint32_t page,
                             uint16_t offset, uint32_t bytes)
{
    struct block_limits small = {.sector_bytes = 512,
                                 .rights = BLOCK_RIGHT_READ | BLOCK_RIGHT_WRITE,
                                 .flags = BLOCK_CAN_DISCARD,
                                 .pages = 200,
                                 .first = 1000,
                                 .sectors = 2000};
    struct block_submission entry = {
        .op = op, .flags = flags, .offset = offset, .sector = sector, .page = page, .bytes = bytes};
    mnos_status_t status = block_queue_check(&small, &entry);

    if (status == MNOS_OK && op != BLOCK_FLUSH)
        CHECK_EQ(entry.sector, sector + 1000);
    return status;
}

TEST(block_queue, an_entry_reaches_nothing_outside_session_and_data)
{
    CHECK_EQ(checked(BLOCK_READ, 0, 0, 0, 0, 4096), MNOS_OK);
    CHECK_EQ(checked(BLOCK_READ, 0, 1999, 199, 3584, 512), MNOS_OK);
    CHECK_EQ(checked(BLOCK_READ, 0, 1999, 0, 0, 1024), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_READ, 0, 2000, 0, 0, 512), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_READ, 0, UINT64_MAX, 0, 0, 512), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_READ, 0, UINT64_MAX - 999, 0, 0, 512), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_READ, 0, 0, 200, 0, 512), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_READ, 0, 0, 199, 3584, 1024), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_READ, 0, 0, UINT32_MAX, 0, 512), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_READ, 0, 0, 0, 4096, 512), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_READ, 0, 0, 0, 100, 512), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_READ, 0, 0, 0, 0, 0), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_READ, 0, 0, 0, 0, 513), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_READ, 0, 0, 0, 0, BLOCK_PAGES_MAX * 4096), MNOS_OK);
    CHECK_EQ(checked(BLOCK_READ, 0, 0, 0, 0, BLOCK_PAGES_MAX * 4096 + 512), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_READ, 0, 0, 0, 512, BLOCK_PAGES_MAX * 4096), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_READ, 0, 0, 0, 0, 0xFFFFFE00), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_DISCARD, 0, 0, UINT32_MAX, 9999, 2000 * 512), MNOS_OK); /* no data */
    CHECK_EQ(checked(BLOCK_DISCARD, 0, 1, 0, 0, 2000 * 512), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_ZERO, 0, 0, 0, 0, 512), MNOS_ERR_DENIED); /* the disk cannot */
    CHECK_EQ(checked(BLOCK_FLUSH, 0, UINT64_MAX, 0, 0, 0), MNOS_OK);
    CHECK_EQ(checked(BLOCK_WRITE, BLOCK_FUA, 0, 0, 0, 512), MNOS_OK);
    CHECK_EQ(checked(BLOCK_READ, BLOCK_FUA, 0, 0, 0, 512), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_WRITE, 2, 0, 0, 0, 512), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(BLOCK_NONE, 0, 0, 0, 0, 512), MNOS_ERR_ARGUMENT);
    CHECK_EQ(checked(6, 0, 0, 0, 0, 512), MNOS_ERR_ARGUMENT);
}

/* ---- sessions ---- */

static struct block_sessions sessions;

static mnos_status_t make(const struct block_session *parent, uint64_t first, uint64_t sectors,
                          uint64_t rights, struct block_session **made)
{
    return block_session_make(&sessions, parent,
                              &(struct block_restrict){first, sectors, rights, 0}, made);
}

TEST(block_session, a_session_covers_a_part_of_the_one_it_was_made_below)
{
    struct block_session *whole, *part, *below;

    block_sessions_open(&sessions, true, 10000, 5);
    whole = block_session_of(&sessions, 0x10007);
    CHECK_EQ(whole->sectors, 10000);
    CHECK_PTR_EQ(block_session_of(&sessions, 0x10007), whole);
    CHECK_PTR_EQ(block_session_of(&sessions, BLOCK_BADGE_MADE | 5), NULL); /* never made */
    CHECK_PTR_EQ(block_session_of(&sessions, 0), NULL);
    CHECK_EQ(make(whole, 1000, 500, BLOCK_RIGHT_READ, &part), MNOS_OK);
    CHECK_EQ(part->badge, BLOCK_BADGE_MADE | 5);
    CHECK_EQ(make(part, 100, 400, BLOCK_RIGHT_READ, &below), MNOS_OK);
    CHECK_EQ(below->first, 1100);
    CHECK_EQ(make(part, 100, 401, BLOCK_RIGHT_READ, &below), MNOS_ERR_ARGUMENT);
    CHECK_EQ(make(part, 501, UINT64_MAX, BLOCK_RIGHT_READ, &below), MNOS_ERR_ARGUMENT);
    CHECK_EQ(make(part, 0, 0, BLOCK_RIGHT_READ, &below), MNOS_ERR_ARGUMENT);
    CHECK_EQ(make(part, 0, 1, BLOCK_RIGHT_WRITE, &below), MNOS_ERR_DENIED);
}

TEST(block_session, what_is_below_goes_with_the_tree_and_stays_with_the_one_above)
{
    struct block_session *whole, *part, *below, *other;
    mnos_badge_t top;
    unsigned count = 0;

    block_sessions_open(&sessions, true, 10000, 5);
    whole = block_session_of(&sessions, 7);
    CHECK_EQ(make(whole, 0, 100, 1, &part), MNOS_OK);
    CHECK_EQ(make(whole, 100, 100, 1, &other), MNOS_OK);
    CHECK_EQ(make(part, 0, 10, 1, &below), MNOS_OK);
    block_session_remove(&sessions, part); /* its holder is gone */
    CHECK_EQ(below->parent, 7);
    top = whole->badge;
    for (struct block_session *at; (at = block_session_below(&sessions, top)) != NULL; count++)
        block_session_remove(&sessions, at);
    CHECK_EQ(count, 3);
}

TEST(block_session, a_client_cannot_use_up_the_table)
{
    struct block_session *whole, *part, *made;
    unsigned count = 0;

    block_sessions_open(&sessions, true, 10000, 5);
    whole = block_session_of(&sessions, 7);
    CHECK_EQ(make(whole, 0, 100, 1, &part), MNOS_OK);
    while (make(part, 0, 1, 1, &made) == MNOS_OK)
        count++;
    CHECK_EQ(count, BLOCK_SESSIONS_OF_SHARE - 1);
    for (count = 1; make(whole, 0, 1, 1, &made) == MNOS_OK;)
        count++;
    CHECK_EQ(count, BLOCK_SESSIONS_BELOW_FIRST);
    CHECK(block_session_of(&sessions, 8) != NULL);
}

/* Below those that it has made itself, and after it has given up the one that it was given. */
TEST(block_session, a_client_cannot_use_up_the_table_by_what_it_has_made)
{
    struct block_session *whole, *part, *made, *given;
    unsigned count = 0;

    block_sessions_open(&sessions, true, 10000, 5);
    whole = block_session_of(&sessions, 7);
    CHECK_EQ(make(whole, 0, 100, 1, &given), MNOS_OK);
    for (part = given; make(part, 0, 1, 1, &made) == MNOS_OK; part = made)
        count++;
    CHECK_EQ(count, BLOCK_SESSIONS_OF_SHARE - 1);
    block_session_remove(&sessions, given);
    CHECK_EQ(make(part, 0, 1, 1, &made), MNOS_OK); /* in the place of that one */
    CHECK_EQ(make(made, 0, 1, 1, &part), MNOS_ERR_QUOTA);
    CHECK_EQ(make(whole, 0, 100, 1, &given), MNOS_OK); /* another client */
    block_sessions_open(&sessions, false, 10000, 5);
    CHECK_EQ(make(made, 0, 1, 1, &part), MNOS_ERR_QUOTA);
}
