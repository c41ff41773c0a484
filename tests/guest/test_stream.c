// SPDX-License-Identifier: MIT
/* test_stream.c - ATTACH of protocols/stream.def through the real service, library and kernel: bytes through rings, how many may
 * attach, what another's session reaches, and the death of either side. */
#include "lib/base/string.h"
#include "lib/client/stream.h"
#include "lib/client/stream_ring.h"
#include "lib/server/stream_client.h"
#include "tests/guest/child.h"
#include "tests/guest/terminal.h"

#define EXPORTS 64u /* lasting mints: sessions of GIVE_FRONT */
#define HOLDER_BADGE (0x10000ull | TERMINAL_HOLDER)
#define VISITOR_BADGE 0x20008ull /* of a service that is not the holder, in its runs */
#define RUN (1ull << 16)
#define RING_BADGE 0xABCDull
#define EVENT_INPUT 1ull
#define EVENT_FRONT 2ull
#define EVENT_SIZE 4ull
#define EVENT_OUTPUT 8ull
#define EVENT_READY 1ull
#define PART 200u

static const struct stream_attach record = {{EVENT_INPUT, EVENT_FRONT, EVENT_SIZE, 0},
                                            EVENT_OUTPUT};

/* A program with a terminal. */
struct user {
    mnos_cap_t session, endpoint;
    struct stream_ring ring;
};

struct world {
    struct child child;
    mnos_cap_t endpoint, state;
    bool fresh;
    struct user holder;
};

static bool start_service(struct world *world)
{
    bool fresh = world->fresh;

    world->fresh = false;
    return child_create(&world->child) &&
           child_start(&world->child, terminal_serve,
                       child_give(&world->child, world->endpoint, MNOS_RIGHTS_ALL),
                       child_give(&world->child, world->state, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE),
                       fresh, 0);
}

static bool user_begin(struct user *user, mnos_cap_t session)
{
    *user = (struct user){.session = session, .endpoint = endpoint_new()};
    return CHECK_OK(stream_ring_open(&user->ring, session, user->endpoint, RING_BADGE, &record, 1));
}

static void user_end(struct user *user)
{
    memory_free(&user->ring.input_memory);
    memory_free(&user->ring.output_memory);
    cap_drop(user->endpoint);
    cap_drop(user->session);
}

static bool world_begin(struct world *world)
{
    *world = (struct world){.endpoint = endpoint_with_reserve(EXPORTS),
                            .state = memory_new(TERMINAL_STATE_PAGES),
                            .fresh = true};
    return start_service(world) &&
           user_begin(&world->holder, cap_mint(world->endpoint, HOLDER_BADGE, STREAM_EVENT_LOOK));
}

static void world_end(struct world *world)
{
    child_drop(&world->child);
    user_end(&world->holder);
    cap_drop(world->state);
    cap_drop(world->endpoint);
}

/* ---- Bytes ---- */

static void fill(uint8_t *bytes, uint8_t pattern)
{
    for (unsigned i = 0; i < PART; i++)
        bytes[i] = (uint8_t)(32 + (pattern * 7u + i) % 90); /* no key that means anything */
}

static void put(struct user *user, uint8_t pattern)
{
    uint8_t bytes[PART];
    size_t count = 0;

    fill(bytes, pattern);
    CHECK_OK(stream_ring_write(&user->ring, bytes, PART, &count));
    CHECK_EQ(count, PART);
}

/* The next event, or the end of the service's run: then it attaches again. */
static bool wait_for_news(struct user *user)
{
    struct message message = {0};

    if (!CHECK_OK(ipc_receive(user->endpoint, &message, soon())))
        return false;
    return message.kind != MNOS_KIND_CLIENT_GONE || CHECK_OK(stream_ring_attach(&user->ring));
}

/* Whether these bytes come next. */
static bool comes(struct user *user, uint8_t pattern)
{
    uint8_t bytes[PART], expected[PART];
    size_t have = 0, count;

    fill(expected, pattern);
    while (have < PART) {
        if (!CHECK_OK(stream_ring_read(&user->ring, bytes + have, PART - have, &count)))
            return false;
        have += count;
        if (count == 0 && !wait_for_news(user))
            return false;
    }
    return CHECK(memcmp(bytes, expected, PART) == 0);
}

static bool nothing_came(struct user *user)
{
    uint8_t byte;
    size_t count = 0;

    return CHECK_OK(stream_ring_read(&user->ring, &byte, 1, &count)) && CHECK_EQ(count, 0);
}

/* The service has handled all that was sent to it before. */
static void wait_for_service(struct user *user)
{
    struct stream_size size;

    CHECK_OK(stream_size(user->session, STREAM_NOW, &size));
}

static uint64_t caps_of(const struct world *world)
{
    return process_info(world->child.process).cap_count;
}

TEST(stream, bytes_go_through_the_rings_and_come_back)
{
    static struct world world;
    struct user *user = &world.holder;

    if (world_begin(&world)) {
        /* Many times what a ring holds. */
        for (unsigned i = 0; i < 100 && !check_failed(); i++) {
            put(user, (uint8_t)i);
            comes(user, (uint8_t)i);
        }
        wait_for_service(user);
        CHECK(stream_ring_is_sent(&user->ring));
        CHECK_STATUS(stream_poll(user->session, &(char){0}, 1, &(size_t){0}), MNOS_ERR_STATE);
    }
    world_end(&world);
}

/* ---- How many may attach ---- */

/* Each with the memory of one user, which nothing is written to. */
static mnos_status_t attach_as(const struct user *user, mnos_cap_t session)
{
    struct stream_ring ring = user->ring;

    ring.stream = session;
    return stream_ring_attach(&ring);
}

static mnos_cap_t visitor(const struct world *world, uint32_t number)
{
    return cap_mint(world->endpoint, VISITOR_BADGE + number * RUN, STREAM_EVENT_LOOK);
}

TEST(stream, clients_attach_until_refused_and_one_that_goes_makes_room)
{
    static struct world world;
    static struct user other;
    static mnos_cap_t sessions[STREAM_CLIENTS_MAX + 1];
    mnos_status_t status = MNOS_OK;
    uint32_t count = 0;
    uint64_t caps;

    if (world_begin(&world) && user_begin(&other, visitor(&world, STREAM_CLIENTS_MAX + 1))) {
        for (; status == MNOS_OK && count <= STREAM_CLIENTS_MAX; count++) {
            sessions[count] = visitor(&world, count);
            caps = caps_of(&world);
            status = attach_as(&other, sessions[count]);
        }
        CHECK_STATUS(status, MNOS_ERR_AGAIN);
        CHECK_EQ(count - 1, STREAM_CLIENTS_MAX - 2); /* the holder and `other` are there, too */
        CHECK_EQ(caps_of(&world), caps);             /* it keeps nothing of whom it refuses */
        CHECK_OK(attach_as(&other, sessions[0]));    /* again is no more */
        CHECK_EQ(caps_of(&world), caps);
        put(&world.holder, 1);
        comes(&world.holder, 1);
        cap_drop(sessions[0]); /* its end is told before what comes later */
        CHECK_OK(attach_as(&other, sessions[count - 1]));
        CHECK_EQ(caps_of(&world), caps);
    }
    for (uint32_t i = 1; i < count; i++)
        cap_drop(sessions[i]);
    user_end(&other);
    world_end(&world);
}

/* ---- Another's session ---- */

TEST(stream, a_session_is_sent_what_comes_while_it_is_in_front_and_no_other_is)
{
    static struct world world;
    static struct user front, behind;
    struct user *holder = &world.holder;
    mnos_cap_t session, below;

    if (world_begin(&world) && CHECK_OK(stream_give_front(holder->session, 0, &session)) &&
        user_begin(&front, session) &&
        CHECK_OK(stream_give_front(front.session, STREAM_BEHIND, &below)) &&
        user_begin(&behind, below)) {
        put(holder, 1); /* all may write */
        comes(&front, 1);
        put(&behind, 2);
        comes(&front, 2);
        nothing_came(holder);
        nothing_came(&behind);
        /* Who has not made a session cannot end it. */
        CHECK_STATUS(stream_take_front(holder->session, behind.session), MNOS_ERR_DENIED);
        CHECK_STATUS(stream_take_front(behind.session, front.session), MNOS_ERR_DENIED);
        CHECK_OK(stream_take_front(front.session, behind.session));
        CHECK_STATUS(stream_ring_attach(&behind.ring), MNOS_ERR_LOST);
        put(&behind, 3); /* into memory that nobody looks at any more */
        put(&front, 4);
        comes(&front, 4);
        CHECK_OK(stream_take_front(holder->session, front.session));
        put(&front, 5);
        put(holder, 6);
        comes(holder, 6);
        nothing_came(&front);
    }
    user_end(&behind);
    user_end(&front);
    world_end(&world);
}

TEST(stream, a_session_that_attaches_again_has_the_new_rings_alone)
{
    static struct world world;
    static struct user again;
    struct user *holder = &world.holder;
    uint64_t caps;

    if (world_begin(&world)) {
        mnos_cap_t same = cap_copy(holder->session, MNOS_RIGHT_WRITE);

        caps = caps_of(&world);
        if (user_begin(&again, same)) {
            CHECK_EQ(caps_of(&world), caps);
            put(holder, 1);
            put(&again, 2);
            comes(&again, 2);
            nothing_came(holder);
        }
        user_end(&again);
    }
    world_end(&world);
}

/* ---- The death of the service ---- */

TEST(stream, the_service_dies_and_what_is_in_the_rings_goes_on)
{
    static struct world world;
    static struct user front;
    mnos_cap_t session;

    if (world_begin(&world) && CHECK_OK(stream_give_front(world.holder.session, 0, &session)) &&
        user_begin(&front, session)) {
        for (unsigned i = 0; i < 20 && !check_failed(); i++) {
            put(&front, (uint8_t)i);
            comes(&front, (uint8_t)i);
            child_drop(&world.child);
            put(&front, (uint8_t)(100 + i)); /* for the next run to send */
            CHECK(start_service(&world));
            comes(&front, (uint8_t)(100 + i));
            nothing_came(&world.holder); /* who is in front has outlived it */
        }
    }
    user_end(&front);
    world_end(&world);
}

/* ---- The death of a client ---- */

/* Attaches rings in memory of its own, fills the one, and waits until it is ended. */
static uint64_t attach_and_wait(uint64_t session, uint64_t ready, uint64_t, uint64_t)
{
    static struct user user;
    uint8_t bytes[PART];
    size_t count = 0;

    if (sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, &user.endpoint) != MNOS_OK ||
        stream_ring_open(&user.ring, session, user.endpoint, RING_BADGE, &record, 1) != MNOS_OK)
        return 1;
    fill(bytes, 77);
    while (stream_ring_write(&user.ring, bytes, PART, &count) == MNOS_OK && count == PART)
        ;
    (void)!sys_ipc_notify(ready, EVENT_READY);
    sleep_until(MNOS_DEADLINE_NEVER - 1);
    return 2;
}

/* A program that has the front, and is ended with its rings full. */
static void client_that_dies(const struct world *world)
{
    mnos_cap_t told = endpoint_new(), ready = cap_mint(told, 1, EVENT_READY), session = 0;
    struct child client;

    if (child_create(&client) && CHECK_OK(stream_give_front(world->holder.session, 0, &session))) {
        mnos_cap_t given = child_give(&client, session, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);

        cap_drop(session); /* the client has the only one */
        CHECK(child_start(&client, attach_and_wait, given,
                          child_give(&client, ready, MNOS_RIGHT_WRITE), 0, 0));
        CHECK(event_comes(told, EVENT_READY));
    }
    child_drop(&client);
    cap_drop(ready);
    cap_drop(told);
}

/* What the line sent back while nobody else was in front, until these bytes: parts of other patterns come before. */
static bool comes_at_last(struct user *user, const char *text)
{
    size_t length = strlen(text), matched = 0, count;
    char byte;

    while (matched < length) {
        if (!CHECK_OK(stream_ring_read(&user->ring, &byte, 1, &count)))
            return false;
        if (count == 0 && !wait_for_news(user))
            return false;
        if (count != 0)
            matched = byte == text[matched] ? matched + 1 : byte == text[0];
    }
    return true;
}

TEST(stream, a_client_dies_with_full_rings_and_the_front_is_its_givers)
{
    static struct world world;
    struct user *holder = &world.holder;
    uint64_t caps = 0, frames = 0;
    size_t count;

    if (world_begin(&world)) {
        for (unsigned i = 0; i < 10 && !check_failed(); i++) {
            client_that_dies(&world);
            CHECK_OK(stream_ring_write(&holder->ring, "\1end\2", 5, &count));
            comes_at_last(holder, "\1end\2");
            if (i == 1) {
                caps = caps_of(&world);
                frames = process_info(world.child.process).frames_used;
            }
        }
        CHECK_EQ(process_info(world.child.process).state, MNOS_PROCESS_ALIVE);
        CHECK_EQ(caps_of(&world), caps); /* nor does anything of them stay */
        CHECK_EQ(process_info(world.child.process).frames_used, frames);
    }
    world_end(&world);
}
