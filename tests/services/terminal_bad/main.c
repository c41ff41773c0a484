// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: asks its terminal for what must be refused, breaks its rings and takes them away. It ends
 * with 0, or with the line of the first thing that was not as it must be.
 */
#include "lib/client/stream.h"
#include "lib/client/stream_ring.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/front.h"

BOOTSTRAP_LAUNCHED;

#define ALL_EVENTS 15ull
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __LINE__;                                                                       \
    } while (0)

static mnos_cap_t terminal, endpoint;
static struct memory_block page, large;
static mnos_cap_t read_only;

/* A request with capabilities, which are sent with Write, or with what they have. */
static mnos_status_t ask(uint32_t label, const void *record, size_t bytes, unsigned count,
                         const mnos_cap_t *caps)
{
    struct message msg = {.accept = 1};

    message_put(&msg, label, record, bytes);
    for (unsigned i = 0; i < count; i++)
        message_add_cap(&msg, caps[i], 0xFF);
    return ipc_request(terminal, &msg);
}

static mnos_status_t ask_plain(uint32_t label, uint64_t word, size_t bytes)
{
    return ask(label, &word, bytes, 0, NULL);
}

static mnos_cap_t mint(uint64_t events)
{
    mnos_cap_t minted = 0;

    return sys_cap_create(MNOS_CREATE_MINT, endpoint, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT, 7,
                          events, &minted) == MNOS_OK
               ? minted
               : 0;
}

static int malformed(void)
{
    const struct stream_events events = {1, 2, 4, 8};
    const mnos_cap_t few = mint(1), all = mint(ALL_EVENTS);

    MUST(ask_plain(STREAM_READ, 0, 8) == MNOS_ERR_ARGUMENT);
    MUST(ask_plain(STREAM_READ, 1, 4) == MNOS_ERR_SIZE);
    MUST(ask_plain(STREAM_POLL, 1, 0) == MNOS_ERR_SIZE);
    MUST(ask_plain(STREAM_WRITE, 0, 0) == MNOS_ERR_ARGUMENT);
    MUST(ask_plain(STREAM_WINSIZE, 8, 8) == MNOS_ERR_ARGUMENT);
    MUST(ask_plain(STREAM_GIVE_FRONT, 4, 8) == MNOS_ERR_ARGUMENT);
    MUST(ask_plain(STREAM_TAKE_FRONT, 0, 8) == MNOS_ERR_SIZE);
    MUST(ask_plain(200, 0, 8) == MNOS_ERR_LABEL);
    MUST(ask(STREAM_LISTEN, &events, sizeof events, 0, NULL) == MNOS_ERR_ARGUMENT);
    MUST(ask(STREAM_LISTEN, &events, sizeof events, 1, &few) == MNOS_ERR_ARGUMENT);
    MUST(ask(STREAM_LISTEN, &events, sizeof events, 1, &page.memory) == MNOS_ERR_ARGUMENT);
    MUST(ask(STREAM_GIVE_FRONT, &(struct stream_front){0}, 8, 1, &all) == MNOS_ERR_ARGUMENT);
    MUST(ask(STREAM_TAKE_FRONT, NULL, 0, 1, &all) == MNOS_ERR_ARGUMENT);
    MUST(ask(STREAM_LISTEN, &events, sizeof events, 1, &all) == MNOS_OK);
    /* The bits of the interrupt and of the manager are not this program's. */
    MUST(sys_ipc_notify(terminal, 1) != MNOS_OK);
    MUST(sys_ipc_notify(terminal, 1ull << 62) != MNOS_OK);
    MUST(sys_ipc_notify(terminal, STREAM_EVENT_LOOK) == MNOS_OK);
    return 0;
}

static int no_rings(void)
{
    const struct stream_attach record = {{1, 2, 4, 0}, 8};
    const mnos_cap_t all = mint(ALL_EVENTS);
    const mnos_cap_t too_large[] = {large.memory, page.memory, all},
                     not_to_write[] = {page.memory, read_only, all},
                     no_memory[] = {page.memory, all, all},
                     no_endpoint[] = {page.memory, page.memory, page.memory};

    MUST(ask(STREAM_ATTACH, &record, sizeof record, 3, too_large) == MNOS_ERR_ARGUMENT);
    MUST(ask(STREAM_ATTACH, &record, sizeof record, 3, not_to_write) == MNOS_ERR_ARGUMENT);
    MUST(ask(STREAM_ATTACH, &record, sizeof record, 3, no_memory) == MNOS_ERR_ARGUMENT);
    MUST(ask(STREAM_ATTACH, &record, sizeof record, 3, no_endpoint) == MNOS_ERR_ARGUMENT);
    MUST(ask(STREAM_ATTACH, &record, sizeof record, 2, too_large) == MNOS_ERR_ARGUMENT);
    MUST(ask(STREAM_ATTACH, &record, 8, 3, too_large) == MNOS_ERR_SIZE);
    return 0;
}

static int too_many_sessions(void)
{
    mnos_cap_t sessions[FRONT_SESSIONS_BELOW], more;
    char byte = '.';

    for (unsigned i = 0; i < FRONT_SESSIONS_BELOW; i++)
        MUST(stream_give_front(terminal, STREAM_BEHIND, &sessions[i]) == MNOS_OK);
    MUST(stream_give_front(terminal, STREAM_BEHIND, &more) == MNOS_ERR_QUOTA);
    MUST(stream_give_front(sessions[0], STREAM_BEHIND, &more) == MNOS_ERR_QUOTA);
    MUST(stream_give_front(sessions[0], 0, &more) == MNOS_ERR_AGAIN); /* it is not in front */
    MUST(stream_take_front(sessions[0], sessions[0]) == MNOS_ERR_DENIED);
    MUST(stream_take_front(sessions[0], sessions[1]) == MNOS_ERR_DENIED);
    for (unsigned i = 0; i < FRONT_SESSIONS_BELOW; i++) {
        MUST(stream_take_front(terminal, sessions[i]) == MNOS_OK);
        MUST(stream_take_front(terminal, sessions[i]) == MNOS_OK);
        MUST(stream_write(sessions[i], &byte, 1) == MNOS_ERR_LOST);
        MUST(sys_cap_delete(sessions[i]) == MNOS_OK);
    }
    return 0;
}

/* Until the service has given the rings up: then it answers POLL again. */
static bool is_detached(void)
{
    char bytes[8];
    size_t count;

    for (unsigned i = 0; i < 200; i++) {
        if (sys_ipc_notify(terminal, STREAM_EVENT_LOOK) != MNOS_OK)
            return false;
        if (stream_poll(terminal, bytes, sizeof bytes, &count) == MNOS_OK)
            return true;
        sleep_until(deadline_after_ns(10000000));
    }
    return false;
}

static int broken_rings(void)
{
    static const struct stream_attach record = {{1, 2, 4, 0}, 8};
    struct stream_ring ring;
    char bytes[8];
    size_t count;

    MUST(stream_ring_open(&ring, terminal, endpoint, 9, &record, 1) == MNOS_OK);
    MUST(stream_poll(terminal, bytes, sizeof bytes, &count) == MNOS_ERR_STATE);
    ring.output.shared->written = UINT64_MAX;
    MUST(is_detached());
    MUST(stream_ring_open(&ring, terminal, endpoint, 9, &record, 1) == MNOS_OK);
    MUST(sys_cap_revoke(ring.output_memory.memory) == MNOS_OK);
    MUST(sys_cap_revoke(ring.input_memory.memory) == MNOS_OK);
    MUST(is_detached());
    return 0;
}

static int all(void)
{
    static const char said[] = "all was refused\r\n";
    int line = malformed();

    line = line != 0 ? line : no_rings();
    line = line != 0 ? line : too_many_sessions();
    line = line != 0 ? line : broken_rings();
    if (line == 0)
        MUST(stream_write(terminal, said, sizeof said - 1) == MNOS_OK);
    return line;
}

int main(void)
{
    terminal = bootstrap_cap("terminal");
    MUST(sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, &endpoint) == MNOS_OK);
    MUST(memory_allocate(1, &page) == MNOS_OK);
    MUST(memory_allocate(STREAM_RING_PAGES_MAX + 1, &large) == MNOS_OK);
    MUST(sys_cap_create(MNOS_CREATE_RANGE, page.memory, MNOS_RIGHT_READ | MNOS_RIGHT_GRANT, 0, 1,
                        &read_only) == MNOS_OK);
    return all();
}
