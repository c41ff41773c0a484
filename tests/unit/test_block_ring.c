// SPDX-License-Identifier: MIT
/*
 * test_block_ring - the ring between a disk's driver and its client (protocols/block.h, B1 to B7), with the
 * death of either side at each of its stores into the shared memory, and a client that breaks every rule.
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* Another test links the same. */
#define block_ring_open dying_ring_open
#define block_ring_put dying_ring_put
#define block_ring_publish dying_ring_publish
#define block_ring_take dying_ring_take
#define block_ring_give_up dying_ring_give_up
#define block_ring_outstanding dying_ring_outstanding
#define block_queue_adopt dying_queue_adopt
#define block_queue_take dying_queue_take
#define block_queue_check dying_queue_check
#define block_queue_complete dying_queue_complete
#define block_sessions_open dying_sessions_open
#define block_session_of dying_session_of
#define block_session_find dying_session_find
#define block_session_make dying_session_make
#define block_session_tagged dying_session_tagged
#define block_session_remove dying_session_remove
#define block_session_below dying_session_below

#include "lib/client/block_ring.h"
#include "lib/server/block_queue.h"
#include "lib/server/block_session.h"

/* Both halves as they are; each store into the ring may be where its side dies. */
static void death_point(void);
#undef atomic_store_explicit
#define atomic_store_explicit(place, value, order)                                                 \
    do {                                                                                           \
        death_point();                                                                             \
        *(place) = (value);                                                                        \
    } while (0)

#include "lib/client/block_ring.c"
#include "lib/server/block_queue.c"
#include "lib/server/block_session.c"

/* ---- chance ---- */

static uint64_t seed;

static uint32_t chance(uint32_t below)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(seed >> 33) % below;
}

/* ---- death ---- */

static jmp_buf grave;
static uint32_t stores_left; /* 0: nobody dies */
static uint32_t deaths;

static void death_point(void)
{
    if (stores_left != 0 && --stores_left == 0) {
        deaths++;
        longjmp(grave, 1);
    }
}

/* ---- the world: what outlives both ---- */

#define SECTORS 32u
#define PAGES 8u

enum page_state { IDLE, READING, WRITING };

static struct block_ring ring;
static uint32_t disk[SECTORS];     /* what the medium has */
static uint32_t expected[SECTORS]; /* what was acknowledged */
static bool unsure[SECTORS];       /* a write is outstanding */
static struct {
    uint32_t state, id, sector;
    uint32_t data;   /* what the device reads and writes */
    uint32_t wanted; /* IDLE: what the client has left there */
} pages[PAGES];

/* ---- the driver and its device ---- */

static struct block_queue queue;
static struct {
    bool used;
    struct block_submission entry;
} flights[BLOCK_FLIGHTS_MAX];
static const struct block_limits limits = {.sector_bytes = 512,
                                           .flags = BLOCK_CAN_DISCARD | BLOCK_CAN_ZERO,
                                           .rights = BLOCK_RIGHTS_ALL,
                                           .pages = PAGES,
                                           .sectors = SECTORS};

static void device_does(const struct block_submission *entry)
{
    if (entry->op == BLOCK_READ)
        pages[entry->page].data = disk[entry->sector];
    else if (entry->op == BLOCK_WRITE)
        disk[entry->sector] = pages[entry->page].data;
}

/* What the device had may have happened or not, and does not happen later. */
static void quiesce(void)
{
    for (unsigned i = 0; i < BLOCK_FLIGHTS_MAX; i++) {
        if (flights[i].used && chance(2))
            device_does(&flights[i].entry);
        flights[i].used = false;
    }
}

static void driver_takes(void)
{
    struct block_submission entry;

    if (!block_queue_take(&queue, &entry))
        return;
    CHECK_EQ(block_queue_check(&limits, &entry), MNOS_OK);
    for (unsigned i = 0; i < BLOCK_FLIGHTS_MAX; i++) {
        if (flights[i].used)
            continue;
        flights[i].used = true;
        flights[i].entry = entry;
        return;
    }
    CHECK(false);
}

static void driver_completes(void)
{
    uint32_t i = chance(BLOCK_FLIGHTS_MAX);

    if (!flights[i].used)
        return;
    device_does(&flights[i].entry);
    flights[i].used = false;
    block_queue_complete(&queue, flights[i].entry.id, MNOS_OK, 0);
}

/* ATTACH that begins anew, until a driver survives it; the client takes nothing meanwhile (B7). */
static void attach(void)
{
    quiesce();
    if (setjmp(grave) != 0)
        stores_left = 0;
    CHECK_EQ(block_queue_adopt(&queue, &ring), MNOS_OK);
    stores_left = 0;
}

/* ---- the client ---- */

static struct block_ring_client client;
static uint32_t next_value;

static void send_page(uint32_t page)
{
    struct block_submission entry = {.op = pages[page].state == READING ? BLOCK_READ : BLOCK_WRITE,
                                     .sector = pages[page].sector,
                                     .page = page,
                                     .bytes = 512,
                                     .user = page};

    pages[page].id = client.submitted; /* before anybody sees the entry */
    if (block_ring_put(&client, &entry) != MNOS_OK)
        return; /* full: after a death it would be sent again; here there is always room */
    (void)block_ring_publish(&client);
}

static bool sector_is_free(uint32_t sector)
{
    for (unsigned i = 0; i < PAGES; i++)
        if (pages[i].state != IDLE && pages[i].sector == sector)
            return false;
    return true;
}

static void client_submits(void)
{
    uint32_t page = chance(PAGES), sector = chance(SECTORS);

    if (pages[page].state != IDLE || !sector_is_free(sector)) /* B3 */
        return;
    pages[page].sector = sector;
    if (chance(2)) {
        unsure[sector] = true;
        pages[page].state = WRITING;
    } else {
        pages[page].state = READING;
    }
    send_page(page);
}

static void client_takes(void)
{
    struct block_result result;
    uint32_t page;

    if (block_ring_take(&client, &result) != MNOS_OK)
        return;
    page = (uint32_t)result.user;
    CHECK(page < PAGES);
    CHECK_EQ(result.status, MNOS_OK);
    CHECK_EQ(result.id, pages[page].id);
    if (pages[page].state == READING) {
        CHECK_EQ(pages[page].data, expected[pages[page].sector]);
    } else {
        CHECK_EQ(pages[page].state, WRITING);
        expected[pages[page].sector] = pages[page].data;
        unsure[pages[page].sector] = false;
    }
    /* The page is the client's again, which changes it at once. */
    pages[page].state = IDLE;
    pages[page].data = pages[page].wanted = ++next_value;
}

/* A successor: what is outstanding goes on, and what the pages say is under way and is not is sent again. */
static void client_begins(void)
{
    bool there[PAGES] = {0};
    struct block_result entry;
    uint32_t at;

    CHECK_EQ(block_ring_open(&client, &ring), MNOS_OK);
    at = client.completed;
    while (block_ring_outstanding(&client, &at, &entry))
        if (pages[entry.user].state != IDLE && pages[entry.user].id == entry.id)
            there[entry.user] = true;
    attach();
    for (uint32_t page = 0; page < PAGES; page++)
        if (pages[page].state != IDLE && !there[page])
            send_page(page);
}

static void check_world(void)
{
    CHECK(ring.submitted - ring.completed <= BLOCK_ENTRIES);
    for (uint32_t page = 0; page < PAGES; page++)
        if (pages[page].state == IDLE)
            CHECK_EQ(pages[page].data, pages[page].wanted);
    for (uint32_t sector = 0; sector < SECTORS; sector++)
        if (!unsure[sector])
            CHECK_EQ(disk[sector], expected[sector]);
}

/* One step of a side, which may die in it: true when it did. */
static bool step(void (*what)(void), uint32_t store)
{
    stores_left = store;
    if (setjmp(grave) != 0) {
        stores_left = 0;
        return true;
    }
    what();
    stores_left = 0;
    return false;
}

static void play(uint64_t game, uint32_t death_every)
{
    seed = game * 0x9E3779B97F4A7C15ull + 1;
    memset(&ring, 0, sizeof ring);
    memset(pages, 0, sizeof pages);
    memset(flights, 0, sizeof flights);
    memset(disk, 0, sizeof disk);
    memset(expected, 0, sizeof expected);
    memset(unsure, 0, sizeof unsure);
    client_begins();
    for (unsigned i = 0; i < 400; i++) {
        uint32_t store = chance(death_every) == 0 ? 1 + chance(3) : 0;

        switch (chance(9)) {
        case 0:
        case 1:
        case 2:
            if (step(client_submits, store))
                client_begins();
            break;
        case 3:
        case 4:
            if (step(client_takes, store))
                client_begins();
            break;
        case 5:
        case 6:
            if (step(driver_takes, store))
                attach();
            break;
        case 7:
            for (unsigned k = 0; k < BLOCK_FLIGHTS_MAX; k++)
                if (step(driver_completes, store)) {
                    attach();
                    break;
                }
            break;
        default:
            if (store != 0)
                attach(); /* the client lost its patience: a driver that lives begins anew */
        }
        check_world();
    }
}

static void finish_all(void)
{
    for (unsigned i = 0; i < 100000 && client.outstanding != 0; i++) {
        driver_takes();
        driver_completes();
        client_takes();
        check_world();
    }
    CHECK_EQ(client.outstanding, 0);
    CHECK_EQ(client.completed, client.submitted);
    for (uint32_t page = 0; page < PAGES; page++)
        CHECK_EQ(pages[page].state, IDLE);
    CHECK_EQ(memcmp(disk, expected, sizeof disk), 0);
}

TEST(block_ring, nothing_is_lost_and_no_page_overwritten_when_either_side_dies_at_any_store)
{
    for (uint64_t game = 0; game < 600; game++) {
        play(game, game % 3 == 0 ? 5 : 20);
        finish_all();
    }
    CHECK(deaths > 2000);
}

TEST(block_ring, without_deaths_all_is_done_once)
{
    for (uint64_t game = 0; game < 50; game++) {
        play(game, UINT32_MAX);
        finish_all();
        CHECK_EQ(client.duplicates, 0);
    }
}

TEST(block_ring, indexes_go_round_modulo_2_32)
{
    memset(&ring, 0, sizeof ring);
    ring.submitted = ring.completed = UINT32_MAX - 100;
    ring.taken = ring.done = UINT32_MAX - 50;
    memset(pages, 0, sizeof pages);
    memset(unsure, 0, sizeof unsure);
    memcpy(expected, disk, sizeof disk);
    client_begins();
    for (unsigned i = 0; i < 2000; i++) {
        client_submits();
        driver_takes();
        for (unsigned k = 0; k < 8; k++)
            driver_completes();
        client_takes();
        check_world();
    }
    finish_all();
    CHECK(client.submitted < UINT32_MAX / 2);
}

/* ---- sessions ---- */

static struct block_sessions sessions;

static void make_and_remove(void)
{
    struct block_session *whole = block_session_find(&sessions, 7), *made;

    (void)block_session_make(&sessions, whole, &(struct block_restrict){50, 100, 1, 0}, &made);
    block_session_remove(&sessions, whole);
}

/* The driver dies at each store of making and removing; its successor finds whole sessions, and no badge is
 * given twice. */
TEST(block_session, are_whole_wherever_the_driver_dies)
{
    for (uint32_t store = 1; store < 12; store++) {
        mnos_badge_t used;

        block_sessions_open(&sessions, true, 10000, 5);
        (void)block_session_of(&sessions, 7);
        (void)step(make_and_remove, store);
        used = sessions.next_badge;
        block_sessions_open(&sessions, false, 10000, 1);
        CHECK(sessions.next_badge >= used);
        for (unsigned i = 0; i < BLOCK_SESSIONS_MAX; i++) {
            struct block_session *session = &sessions.entries[i];

            if (session->badge == 0 || session->badge == 7)
                continue;
            CHECK(session->badge < sessions.next_badge);
            CHECK_EQ(session->first, 50);
            CHECK_EQ(session->sectors, 100);
        }
    }
    block_sessions_open(&sessions, false, 9999, 1); /* another disk: nothing is known */
    CHECK_PTR_EQ(block_session_find(&sessions, 7), NULL);
}
