// SPDX-License-Identifier: MIT
/* main - TCP/IP: capabilities, and the loop. See README.md. */
#include "abi/inspect.h"
#include "lib/client/service.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "protocols/entropy.h"
#include "protocols/manager.h"
#include "services/net/loopback.h"
#include "services/net/net.h"

enum { EXIT_MEMORY = 1, EXIT_ENTROPY = 2, EXIT_LIMITS = 3, EXIT_RECEIVE = 4 };

struct net the_net;
static bool again; /* there is more to do: the next message is not waited for */

/* ---- The loop ---- */

/* One pass: net.h says what is in it. */
static void one_pass(void *)
{
    bool more = interfaces_receive(the_net.interfaces);

    sys_check_timeouts();
    /* A frame or a timer may have changed them, or their masks alone. */
    interfaces_own(the_net.interfaces, &the_net.own);
    (void)pings_deadline_ns(&the_net, kinfo_time_ns());
    (void)names_deadline_ns(&the_net, kinfo_time_ns());
    shares_pump(&the_net); /* what is put later is found by shares_sleep() */
    more |= loopback_deliver();
    kept_commit(&the_net);
    sockets_publish(&the_net);
    shares_publish(&the_net);
    interfaces_bell(the_net.interfaces);
    again = more || !interfaces_sleep(the_net.interfaces) || !shares_sleep(&the_net);
}

static uint64_t deadline_ns(void *)
{
    uint64_t first = port_deadline_ns(), pings, names;

    if (again)
        return 0;
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

static mnos_status_t get_key(uint8_t key[32])
{
    struct message message = {0};
    mnos_status_t status;

    message_put(&message, ENTROPY_GET, NULL, 0);
    status = service_call_parking(bootstrap_cap("entropy"), &message);
    if (status == MNOS_OK && message_get(&message, key, 32) != 32)
        status = MNOS_ERR_FORMAT;
    return status;
}

/* What the manifest lets services do. Without it nobody may do anything. */
static const char *open_limits(void)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    mnos_cap_t cap = bootstrap_cap("net_limits");
    const struct net_limits_header *header;
    uint64_t size, bytes;
    void *address;

    if (sys_cap_inspect(cap, MNOS_VIEW_CAPABILITY, 0, &size) != MNOS_OK)
        return "there is no capability \"net_limits\"";
    bytes = info->count * MNOS_PAGE_BYTES;
    if (memory_map(cap, 0, bytes / MNOS_PAGE_BYTES, MNOS_MAP_READ, &address) != MNOS_OK)
        return "the limits cannot be mapped";
    header = address;
    if (header->magic != NET_LIMITS_MAGIC || header->version != NET_LIMITS_VERSION ||
        header->count > (bytes - sizeof *header) / sizeof *the_net.records)
        return "what is there are no limits";
    the_net.records = (const struct net_limits_record *)(header + 1);
    the_net.record_count = header->count;
    for (uint32_t i = 0; i < the_net.record_count; i++)
        if (!limits_valid(&the_net.records[i].limits))
            return "a record cannot be";
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
    uint8_t key[32];
    const char *wrong = open_limits();
    mnos_status_t status;

    if (wrong != NULL) {
        log_line("limits: %s", wrong);
        return EXIT_LIMITS;
    }
    status = get_key(key);
    if (status != MNOS_OK)
        return log_failure(status, "get random numbers", EXIT_ENTROPY);
    port_open(key);
    loopback_open();
    memset(key, 0, sizeof key);
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
