// SPDX-License-Identifier: MIT
/* test_inherit.c - priorities lent along chains of servers on several cores, and given back. */
#include "tests/guest/scene.h"

enum { CHAIN = 4, CLIENTS = 5, LOW = 10, HIGH = 45 };

/* A server calls the next one, with a deadline, before it replies; the last one waits for `gate`. */
struct server {
    struct thread thread;
    mnos_cap_t port, next, gate;
    uint64_t patience_ns;
};

static struct server servers[CHAIN];

struct client {
    struct thread thread;
    mnos_cap_t port;
    uint64_t patience_ns, until_ns;
};

static void serve(void *argument)
{
    const struct server *s = argument;
    struct message msg, inner = {0};

    while (ipc_receive(s->port, &msg, MNOS_DEADLINE_NEVER) == MNOS_OK) {
        bool last = msg.label == 1;
        uint64_t deadline =
            s->patience_ns == 0 ? MNOS_DEADLINE_NEVER : kinfo_time_ns() + s->patience_ns;

        inner = (struct message){.label = msg.label};
        if (s->next != 0)
            (void)!ipc_call(s->next, &inner, deadline);
        else if (s->gate != 0)
            (void)!ipc_receive(s->gate, &inner, soon());
        if (msg.reply_id != 0)
            (void)!ipc_reply(&msg);
        if (last)
            return;
    }
}

static void chain_start(mnos_cap_t gate, uint64_t patience_ns)
{
    for (unsigned i = 0; i < CHAIN; i++) {
        servers[i] = (struct server){.port = endpoint_new(), .patience_ns = patience_ns};
        if (i == 0)
            servers[i].gate = gate;
        else
            servers[i].next = servers[i - 1].port;
    }
    for (unsigned i = 0; i < CHAIN; i++)
        helper_start_at(&servers[i].thread, serve, &servers[i], LOW + i, i % core_count());
}

/* The message that passes all of them ends them; every priority must be its owner's again. */
static void chain_end(void)
{
    struct message end = {.label = 1};

    for (unsigned i = CHAIN; i-- > 0;) {
        thread_reaches(servers[i].thread.thread, MNOS_STATE_RECEIVING);
        CHECK_EQ(thread_info(servers[i].thread.thread).effective_priority, LOW + i);
    }
    for (unsigned i = 0; i < CHAIN; i++)
        servers[i].patience_ns = 0;
    CHECK_OK(ipc_call(servers[CHAIN - 1].port, &end, soon()));
    for (unsigned i = 0; i < CHAIN; i++) {
        helper_finish(&servers[i].thread);
        cap_drop(servers[i].port);
    }
}

/* Waits until every server runs at `high`, or with 0 at what the first has and none less. */
static bool chain_runs_at(uint32_t high)
{
    uint64_t deadline = soon();
    unsigned right = 0;

    while (right < CHAIN && kinfo_time_ns() < deadline) {
        right = 0;
        for (unsigned i = 0; i < CHAIN; i++)
            right += thread_info(servers[i].thread.thread).effective_priority ==
                     (high != 0 ? high : LOW + CHAIN - 1);
        sleep_ns(100000);
    }
    return right == CHAIN;
}

static void call_once(void *argument)
{
    const struct client *c = argument;
    struct message msg = {0};

    (void)!ipc_call(c->port, &msg, c->until_ns);
}

TEST(inherit, a_loan_reaches_every_server_of_a_chain_and_ends_with_the_callers_patience)
{
    mnos_cap_t gate = endpoint_new();
    struct client client;

    chain_start(gate, 0);
    client = (struct client){.port = servers[CHAIN - 1].port, .until_ns = MNOS_DEADLINE_NEVER};
    helper_start_at(&client.thread, call_once, &client, HIGH, MNOS_AFFINITY_ANY);
    CHECK(chain_runs_at(HIGH));
    helper_end(&client.thread);
    CHECK(chain_runs_at(0)); /* what is left of the chain: each server has called the next */
    CHECK_OK(sys_ipc_notify(gate, 1));
    for (unsigned i = 0; i < CHAIN; i++)
        servers[i].gate = 0;
    chain_end();
    cap_drop(gate);
}

static void call_often(void *argument)
{
    const struct client *c = argument;

    while (kinfo_time_ns() < c->until_ns) {
        struct message msg = {0};

        (void)!ipc_call(c->port, &msg, kinfo_time_ns() + c->patience_ns);
    }
}

TEST(inherit, impatient_callers_on_all_cores_leave_no_loan_behind)
{
    struct client clients[CLIENTS];

    chain_start(0, 40000);
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.port = servers[CHAIN - 1 - i % 2].port,
                                     .patience_ns = 20000 + 17000 * i,
                                     .until_ns = kinfo_time_ns() + 100 * MILLISECOND_NS};
        helper_start_at(&clients[i].thread, call_often, &clients[i], HIGH - i, MNOS_AFFINITY_ANY);
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        helper_finish(&clients[i].thread);
    chain_end();
}
