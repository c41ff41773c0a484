// SPDX-License-Identifier: MIT
/* test_block.c - disks through the real driver, library and kernel: data, sessions, the death of the driver, and
 * clients that take away what they gave. */
#include "lib/base/string.h"
#include "lib/client/block.h"
#include "lib/server/block_session.h"
#include "tests/guest/child.h"
#include "tests/guest/disk.h"

#define DISK_PAGES 64u
#define DISK_SECTORS (DISK_PAGES * 8u)
#define DATA_PAGES 32u
#define BADGE 0x10007ull
#define EXPORTS 256u /* lasting mints */
#define EVENT_DISK 4u

/* A program that uses a disk: its ring and its data. */
struct user {
    mnos_cap_t session, endpoint;
    struct memory_block ring, data;
    struct block_client client;
};

struct world {
    struct child child;
    mnos_cap_t endpoint, memory;
    uint64_t epoch;
    struct user user;
};

static bool start_driver(struct world *world)
{
    return child_create(&world->child) &&
           child_start(&world->child, disk_serve,
                       child_give(&world->child, world->endpoint, MNOS_RIGHTS_ALL),
                       child_give(&world->child, world->memory, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE),
                       DISK_PAGES, ++world->epoch);
}

static bool user_begin(struct user *user, mnos_cap_t session)
{
    struct block_setup setup = {
        .service = session, .data_pages = DATA_PAGES, .events = EVENT_DISK, .badge = 0xABCD0000};

    *user = (struct user){.session = session, .endpoint = endpoint_new()};
    if (!CHECK_OK(memory_allocate(BLOCK_RING_PAGES, &user->ring)) ||
        !CHECK_OK(memory_allocate(DATA_PAGES, &user->data)))
        return false;
    setup.ring_memory = user->ring.memory;
    setup.ring = user->ring.address;
    setup.data = user->data.memory;
    setup.endpoint = user->endpoint;
    return CHECK_OK(block_open(&user->client, &setup));
}

static void user_end(struct user *user)
{
    memory_free(&user->ring);
    memory_free(&user->data);
    cap_drop(user->endpoint);
    cap_drop(user->session);
}

static bool world_begin(struct world *world)
{
    *world = (struct world){.endpoint = endpoint_with_reserve(EXPORTS),
                            .memory = memory_new(DISK_STATE_PAGES + DISK_PAGES)};
    return start_driver(world) &&
           user_begin(&world->user, cap_mint(world->endpoint, BADGE, BLOCK_EVENT_SUBMITTED));
}

static void world_end(struct world *world)
{
    child_drop(&world->child);
    user_end(&world->user);
    cap_drop(world->memory);
    cap_drop(world->endpoint);
}

static uint8_t *page_of(const struct user *user, uint32_t page)
{
    return (uint8_t *)user->data.address + page * PAGE;
}

static void fill(struct user *user, uint32_t page, uint8_t pattern)
{
    for (unsigned i = 0; i < PAGE; i++)
        page_of(user, page)[i] = (uint8_t)(pattern + i * 3 + i / 512);
}

static bool has(const struct user *user, uint32_t page, uint8_t pattern)
{
    for (unsigned i = 0; i < PAGE; i++)
        if (page_of(user, page)[i] != (uint8_t)(pattern + i * 3 + i / 512))
            return false;
    return true;
}

TEST(block, bytes_go_to_the_disk_and_back)
{
    static struct world world;
    struct user *user = &world.user;

    if (world_begin(&world)) {
        CHECK_EQ(user->client.info.sectors, DISK_SECTORS);
        fill(user, 0, 7);
        fill(user, 1, 9);
        CHECK_OK(block_do(&user->client, BLOCK_WRITE, 100, 0, 2 * PAGE));
        CHECK_OK(block_do(&user->client, BLOCK_FLUSH, 0, 0, 0));
        CHECK_OK(block_do(&user->client, BLOCK_READ, 108, 5, PAGE));
        CHECK(has(user, 5, 9));
        CHECK_OK(block_do(&user->client, BLOCK_READ, 100, 6, PAGE));
        CHECK(has(user, 6, 7));
        CHECK_OK(block_do(&user->client, BLOCK_ZERO, 100, 0, 512));
        CHECK_OK(block_do(&user->client, BLOCK_READ, 100, 6, PAGE));
        CHECK_EQ(page_of(user, 6)[511], 0);
        CHECK_EQ(page_of(user, 6)[512], page_of(user, 0)[512]);
        CHECK_STATUS(block_do(&user->client, BLOCK_READ, DISK_SECTORS, 0, 512), MNOS_ERR_ARGUMENT);
        CHECK_STATUS(block_do(&user->client, BLOCK_READ, 0, DATA_PAGES, 512), MNOS_ERR_ARGUMENT);
        CHECK_EQ(user->client.attaches, 1);
    }
    world_end(&world);
}

TEST(block, a_session_of_a_part_reaches_that_part_and_ends_with_its_tree)
{
    static struct world world;
    static struct user other;
    mnos_cap_t session = 0;

    if (world_begin(&world) &&
        CHECK_OK(block_restrict(world.user.session,
                                &(struct block_restrict){64, 16, BLOCK_RIGHT_READ, 0}, &session)) &&
        user_begin(&other, session)) {
        CHECK_EQ(other.client.info.sectors, 16);
        fill(&world.user, 0, 21);
        CHECK_OK(block_do(&world.user.client, BLOCK_WRITE, 64, 0, PAGE));
        CHECK_OK(block_do(&other.client, BLOCK_READ, 0, 0, PAGE));
        CHECK(has(&other, 0, 21));
        CHECK_STATUS(block_do(&other.client, BLOCK_READ, 16, 0, 512), MNOS_ERR_ARGUMENT);
        CHECK_STATUS(block_do(&other.client, BLOCK_WRITE, 0, 0, 512), MNOS_ERR_DENIED);
        CHECK_STATUS(block_close_tree(other.session, other.session), MNOS_ERR_DENIED);
        CHECK_OK(block_close_tree(world.user.session, other.session));
        CHECK_STATUS(block_do(&other.client, BLOCK_READ, 0, 0, PAGE), MNOS_ERR_LOST);
        CHECK_OK(block_do(&world.user.client, BLOCK_READ, 64, 0, PAGE));
    }
    user_end(&other);
    world_end(&world);
}

/* Makes sessions of a sector below one until it is refused; how many. */
static uint32_t restrict_until_refused(mnos_cap_t session, mnos_cap_t made[BLOCK_SESSIONS_MAX])
{
    const struct block_restrict part = {.sectors = 1, .rights = BLOCK_RIGHT_READ};
    mnos_status_t status = MNOS_OK;
    uint32_t count = 0;

    for (; count < BLOCK_SESSIONS_MAX; count++) {
        status = block_restrict(session, &part, &made[count]);
        if (status != MNOS_OK)
            break;
    }
    CHECK_STATUS(status, MNOS_ERR_QUOTA);
    return count;
}

static void drop_all(const mnos_cap_t *caps, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        cap_drop(caps[i]);
}

/* Nobody's end takes another's, and the next run of the driver gives no more than the one before. */
TEST(block, sessions_are_made_until_refused_and_others_get_theirs)
{
    static struct world world;
    static mnos_cap_t made[BLOCK_SESSIONS_MAX], below[BLOCK_SESSIONS_MAX], one;
    const struct block_restrict part = {.sectors = 1, .rights = BLOCK_RIGHT_READ};

    if (world_begin(&world)) {
        mnos_cap_t session = world.user.session;
        mnos_cap_t other = cap_mint(world.endpoint, BADGE + 1, BLOCK_EVENT_SUBMITTED);

        for (unsigned round = 0; round < 3 && !check_failed(); round++) {
            uint32_t count, of_share;

            CHECK_EQ(count = restrict_until_refused(session, made), BLOCK_SESSIONS_BELOW_FIRST);
            of_share = restrict_until_refused(made[0], below);
            CHECK_EQ(of_share, BLOCK_SESSIONS_OF_SHARE - 1); /* it is one of them */
            if (CHECK_OK(block_restrict(other, &part, &one)))
                cap_drop(one);
            child_drop(&world.child);
            CHECK(start_driver(&world));
            CHECK_STATUS(block_restrict(session, &part, &one), MNOS_ERR_QUOTA);
            CHECK_STATUS(block_restrict(made[0], &part, &one), MNOS_ERR_QUOTA);
            if (CHECK_OK(block_restrict(other, &part, &one)))
                cap_drop(one);
            drop_all(below, of_share);
            drop_all(made, count);
        }
        cap_drop(other);
    }
    world_end(&world);
}

/* The driver is killed with requests outstanding, again and again; the client only ever waits. */
TEST(block, the_driver_dies_and_nothing_fails)
{
    static struct world world;
    struct user *user = &world.user;
    struct block_result result;
    uint32_t done = 0, attaches;

    if (world_begin(&world)) {
        for (uint32_t round = 0; round < 10 && !check_failed(); round++) {
            for (uint32_t page = 0; page < 16; page++) {
                struct block_submission entry = {.op = BLOCK_WRITE,
                                                 .sector = page * 8,
                                                 .page = page,
                                                 .bytes = PAGE,
                                                 .user = page};

                fill(user, page, (uint8_t)(round + page));
                CHECK_OK(block_submit(&user->client, &entry));
            }
            block_bell(&user->client);
            if (round % 2 != 0)
                (void)!sys_thread_yield();
            child_drop(&world.child);
            CHECK(start_driver(&world));
            while (block_wait(&user->client, &result) == MNOS_OK) {
                CHECK_EQ(result.status, MNOS_OK);
                done++;
            }
            CHECK_OK(block_do(&user->client, BLOCK_READ, 8 * round, 20, PAGE));
            CHECK(has(user, 20, (uint8_t)(round + round)));
        }
        CHECK_EQ(done, 160);
        attaches = user->client.attaches;
        CHECK(attaches >= 10);          /* two reports of one death may come */
        block_restarted(&user->client); /* which is no news to it */
        CHECK_EQ(user->client.attaches, attaches);
    }
    world_end(&world);
}

TEST(block, a_client_that_takes_its_memory_away_harms_itself_alone)
{
    static struct world world;
    static struct user other;
    struct block_submission entry = {.op = BLOCK_WRITE, .bytes = PAGE};

    if (world_begin(&world) &&
        user_begin(&other, cap_mint(world.endpoint, BADGE + 1, BLOCK_EVENT_SUBMITTED))) {
        CHECK_OK(block_submit(&other.client, &entry));
        CHECK_OK(sys_cap_revoke(other.data.memory));
        block_bell(&other.client);
        CHECK_OK(block_do(&world.user.client, BLOCK_WRITE, 64, 0, PAGE));
        CHECK_OK(sys_cap_revoke(other.ring.memory));
        (void)!sys_ipc_notify(other.session, BLOCK_EVENT_SUBMITTED);
        CHECK_OK(block_do(&world.user.client, BLOCK_READ, 64, 0, PAGE));
        CHECK_EQ(world.user.client.attaches, 1); /* the driver lives */
        CHECK_EQ(process_info(world.child.process).state, MNOS_PROCESS_ALIVE);
    }
    user_end(&other);
    world_end(&world);
}

TEST(block, a_ring_of_nonsense_is_left_alone)
{
    static struct world world;
    static struct user other;

    if (world_begin(&world) &&
        user_begin(&other, cap_mint(world.endpoint, BADGE + 1, BLOCK_EVENT_SUBMITTED))) {
        memset(other.ring.address, 0xA7, BLOCK_RING_PAGES * PAGE);
        (void)!sys_ipc_notify(other.session, BLOCK_EVENT_SUBMITTED);
        fill(&world.user, 0, 3);
        CHECK_OK(block_do(&world.user.client, BLOCK_WRITE, 0, 0, PAGE));
        for (uint32_t i = 0; i < 64; i++) { /* and one that changes all the time */
            struct block_ring *ring = other.ring.address;

            memset(ring->submissions, (int)(i * 37), sizeof ring->submissions);
            ring->submitted = i * 50;
            ring->taken = i * 49;
            (void)!sys_ipc_notify(other.session, BLOCK_EVENT_SUBMITTED);
            CHECK_OK(block_do(&world.user.client, BLOCK_READ, 0, 1, PAGE));
            CHECK(has(&world.user, 1, 3));
        }
        memset(other.ring.address, 0, BLOCK_RING_PAGES * PAGE);
        CHECK_OK(block_open(&other.client, &other.client.setup));
        CHECK_OK(block_do(&other.client, BLOCK_READ, 0, 0, PAGE));
    }
    user_end(&other);
    world_end(&world);
}
