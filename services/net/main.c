// SPDX-License-Identifier: MIT
/* main - TCP/IP: capabilities, and the loop. See README.md. */
#include "abi/inspect.h"
#include "lib/client/entropy.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "protocols/manager.h"
#include "services/net/loopback.h"
#include "services/net/net.h"

BOOTSTRAP_NEEDS("observer");

enum { EXIT_MEMORY = 1, EXIT_ENTROPY = 2, EXIT_LIMITS = 3, EXIT_RECEIVE = 4 };

struct net the_net;
static bool again; /* there is more to do: the next message is not waited for */

/* ---- The loop ---- */

/* Before anything is sent by loopback: what may not be connected to one of them is not any more. */
static void learn_own(void)
{
    if (!the_net.own_stale)
        return;
    interfaces_own(the_net.interfaces, &the_net.own);
    if (the_net.own_changed)
        sockets_judge(&the_net);
    the_net.own_stale = the_net.own_changed = false;
}

/* One pass: net.h says what is in it. */
static void one_pass(void *)
{
    uint64_t now_ns = kinfo_time_ns();
    bool more;

    timers_pass(now_ns);
    more = interfaces_receive(the_net.interfaces);
    timers_run(now_ns);
    learn_own();
    if (the_net.ping_count != 0 || the_net.names.asking != 0) {
        (void)pings_deadline_ns(&the_net, now_ns);
        (void)names_deadline_ns(&the_net, now_ns);
    }
    shares_pump(&the_net); /* what is put later is found by shares_sleep() */
    more |= loopback_deliver();
    more |= direct_resume();
    more |= loopback_deliver();
    kept_commit(&the_net);
    sockets_publish(&the_net);
    shares_publish(&the_net);
    interfaces_bell(the_net.interfaces);
    again = more || !interfaces_sleep(the_net.interfaces) || !shares_sleep(&the_net);
}

static uint64_t deadline_ns(void *)
{
    uint64_t first = timers_deadline_ns(), pings, names;

    if (again)
        return 0;
    if (the_net.ping_count == 0 && the_net.names.asking == 0)
        return first;
    pings = pings_deadline_ns(&the_net, 0);
    names = names_deadline_ns(&the_net, 0);
    first = pings < first ? pings : first;
    return names < first ? names : first;
}

static void on_events(void *, uint64_t events)
{
    if ((events & MANAGER_EVENT_PEER_RESTARTED) != 0)
        interfaces_attach(the_net.interfaces);
}

/* Sessions have ended; what of their sockets has changed is a part of the same operation. */
static void on_gone(void *, mnos_badge_t badge)
{
    interfaces_gone(the_net.interfaces, badge);
    kept_note(&the_net);
}

/* ---- Beginning ---- */

/* What the manifest lets services do. Without it nobody may do anything. */
static const char *open_limits(void)
{
    const struct net_limits_record *record;
    uint64_t pages;
    void *address;

    if (memory_map_all(bootstrap_cap("net_limits"), MNOS_MAP_READ, &address, &pages) != MNOS_OK)
        return "the limits cannot be mapped";
    if (!service_limits_open(&the_net.given, address, pages * MNOS_PAGE_BYTES, NET_LIMITS_MAGIC,
                             NET_LIMITS_VERSION, sizeof *record))
        return "what is there are no limits";
    for (uint32_t i = 0; i < the_net.given.count; i++) {
        record = service_limits_at(&the_net.given, i);
        if (!limits_valid(&record->limits))
            return "a record cannot be";
    }
    return NULL;
}

static mnos_status_t open_server(mnos_cap_t endpoint)
{
    mnos_status_t status = recover_open(&the_net);

    if (status != MNOS_OK)
        return status;
    server_open(&the_net, endpoint);
    the_net.loop.events = on_events;
    the_net.loop.gone = on_gone;
    the_net.loop.deadline_ns = deadline_ns;
    the_net.loop.round = one_pass;
    return MNOS_OK;
}

int main(void)
{
    mnos_cap_t endpoint = bootstrap_cap("requests");
    struct entropy_bytes key;
    const char *wrong = open_limits();
    mnos_status_t status;

    if (wrong != NULL) {
        log_line("limits: %s", wrong);
        return EXIT_LIMITS;
    }
    status = entropy_get(bootstrap_cap("entropy"), &key);
    if (status != MNOS_OK)
        return log_failure(status, "get random numbers", EXIT_ENTROPY);
    port_open(key.bytes);
    loopback_open();
    memset(&key, 0, sizeof key);
    status = open_server(endpoint);
    if (status == MNOS_OK)
        status = interfaces_open(the_net.interfaces, endpoint);
    if (status != MNOS_OK)
        return log_failure(status, "get memory", EXIT_MEMORY);
    names_open(&the_net, argument_of(bootstrap_arguments(), "dns="));
    recover_all(&the_net);
    interfaces_attach(the_net.interfaces);
    recover_pump(&the_net);
    one_pass(NULL);
    return log_failure(server_loop_run(&the_net.loop, NULL), "receive a request", EXIT_RECEIVE);
}
