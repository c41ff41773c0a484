// SPDX-License-Identifier: MIT
/* network - the commands ip and ping: interfaces, and whether a machine answers; and sessions for programs: network.h. */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/socket.h"
#include "lib/format/net/ip.h"
#include "lib/format/net/ipv4.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/launch.h"
#include "programs/monitor/network.h"

#define PINGS_DEFAULT 3u
#define PINGS_MAX 100u
#define PING_BYTES 56u
#define PING_TIMEOUT_NS 2000000000ull
#define NS_OF_US 1000ull
/* How long an interface is waited for: at the first prompt the card's driver may not have begun, or no address be there. */
#define INTERFACE_PATIENCE_NS 5000000000ull
#define INTERFACE_LOOK_NS 100000000ull
#define RESOLVE_LOOK_NS 20000000ull
#define LOOPBACK6 ((struct ip_address){0, 1})

static struct socket_session session;

static bool open_session(const char *command)
{
    mnos_cap_t service = bootstrap_find("net");
    mnos_status_t status;

    if (service == 0) {
        console_print("%s: this monitor has no capability \"net\"; the manifest must grant "
                      "uses = { net = { endpoint = \"net\", ping = true, observe = true } }\n",
                      command);
        return false;
    }
    status = socket_session_open(&session, service, 0);
    if (status != MNOS_OK)
        console_error(status, command);
    return status == MNOS_OK;
}

static void print_error(const char *command, mnos_status_t status)
{
    if (status == MNOS_ERR_DENIED)
        console_print("%s: not allowed: %s\n", command, socket_refusal_text(&session.refusal));
    else
        console_error(status, command);
}

/* Until there is an answer, or Ctrl-C; and at the first prompt until somebody has told who knows names. */
static mnos_status_t resolve_patiently(const char *name, uint64_t family,
                                       struct socket_resolved *resolved)
{
    uint64_t until = kinfo_time_ns() + INTERFACE_PATIENCE_NS;
    mnos_status_t status;

    for (;;) {
        status = socket_resolve(&session, name, SOCKET_RESOLVE_NOW | family, resolved);
        if (status != MNOS_ERR_AGAIN && (status != MNOS_ERR_STATE || kinfo_time_ns() >= until))
            return status;
        if (!console_pause(RESOLVE_LOOK_NS))
            return MNOS_ERR_CANCELLED;
    }
}

/* Those of IPv4, and behind them, as far as there is room, those of IPv6. */
static mnos_status_t resolve_both(const char *name, struct socket_resolved *resolved)
{
    struct socket_resolved more;
    mnos_status_t status = resolve_patiently(name, 0, resolved), status6;

    if (status != MNOS_OK)
        resolved->count = 0;
    if (status != MNOS_OK && status != MNOS_ERR_NOT_FOUND)
        return status; /* who does not say is not asked for others */
    status6 = resolve_patiently(name, SOCKET_RESOLVE_V6, &more);
    for (uint32_t i = 0; status6 == MNOS_OK && i < more.count; i++)
        if (resolved->count < SOCKET_ADDRESSES)
            resolved->addresses[resolved->count++] = more.addresses[i];
    return resolved->count != 0 ? MNOS_OK : status;
}

bool network_resolve(const char *command, const char *name, struct socket_resolved *resolved)
{
    mnos_status_t status;
    const char *why;

    if (!open_session(command))
        return false;
    status = resolve_both(name, resolved);
    why = socket_resolve_text(status);
    if (status == MNOS_ERR_CANCELLED)
        console_print("^C\n");
    else if (why != NULL)
        console_print("%s: %s: %s\n", command, name, why);
    else if (status != MNOS_OK)
        print_error(command, status);
    socket_session_close(&session);
    return status == MNOS_OK;
}

static bool has_address(const struct socket_interface *entry, struct ip_address address)
{
    bool found = entry->address != 0 && ip_equal(IP_V4(entry->address), address);

    for (uint32_t i = 0; i < SOCKET_ADDRESSES6; i++)
        found |= !ip_is_none(address) && ip_equal(entry->addresses6[i], address);
    return found;
}

bool network_is_loopback(struct ip_address address)
{
    return ip_equal(address, LOOPBACK6) || (ip_is_v4(address) && ip_v4_of(address) >> 24 == 127);
}

bool network_is_own(struct ip_address address)
{
    struct socket_interface entry;
    bool found = false;

    if (!open_session("net"))
        return false;
    for (uint64_t i = 0; !found && socket_interface(&session, i, &entry) == MNOS_OK; i++)
        found = has_address(&entry, address) && !network_is_loopback(address);
    socket_session_close(&session);
    return found;
}

/* False: why not was told. */
static bool narrow(const char *command, const struct net_limits *wanted, mnos_cap_t *below)
{
    mnos_status_t status;
    const char *word;

    if (!open_session(command))
        return false;
    status = socket_narrow(&session, &wanted->limits, below);
    word = net_limits_word(wanted, &session.refusal);
    if (status == MNOS_ERR_DENIED)
        console_print("%s: %s: this monitor may not do that itself: %s\n", command,
                      word != NULL ? word : "net", socket_refusal_text(&session.refusal));
    else if (status == MNOS_ERR_QUOTA)
        console_print("%s: as many programs have the network as there can be\n", command);
    else if (status != MNOS_OK)
        console_error(status, command);
    socket_session_close(&session);
    return status == MNOS_OK;
}

bool network_give(const char *command, const struct net_limits *wanted, mnos_rights_t rights)
{
    mnos_cap_t below;
    bool given;

    if (!narrow(command, wanted, &below)) {
        launch_drop();
        return false;
    }
    given = launch_give("net", below, rights);
    (void)!sys_cap_delete(below);
    return given;
}

static unsigned prefix_of(uint32_t mask)
{
    unsigned bits = 0;

    for (; mask != 0; mask <<= 1)
        bits++;
    return bits;
}

static void print_address6(struct ip_address address)
{
    char text[IP_TEXT_BYTES];

    if (!ip_is_none(address))
        console_print("%10s %s/%u\n", "", ip_text(text, address),
                      ip_equal(address, LOOPBACK6) ? 128 : 64);
}

static void print_interface(const struct socket_interface *entry)
{
    char address[IPV4_TEXT_BYTES], gateway[IPV4_TEXT_BYTES], whole[24];
    const uint8_t *mac = entry->mac;

    (void)ipv4_text(address, entry->address);
    (void)ipv4_text(gateway, entry->gateway);
    mnos_snprintf(whole, sizeof whole, "%s/%u", address, prefix_of(entry->mask));
    console_print("%-5s %-4s %-18s %-15s %02x:%02x:%02x:%02x:%02x:%02x %8llu %8llu %7llu\n",
                  entry->name, entry->up ? "up" : "down",
                  entry->address != 0 ? whole
                  : entry->dhcp       ? "asking"
                                      : "-",
                  entry->gateway != 0 ? gateway : "-", mac[0], mac[1], mac[2], mac[3], mac[4],
                  mac[5], (unsigned long long)entry->received, (unsigned long long)entry->sent,
                  (unsigned long long)entry->dropped);
    for (uint32_t i = 0; i < SOCKET_ADDRESSES6; i++)
        print_address6(entry->addresses6[i]);
}

void command_ip(const struct words *)
{
    struct socket_interface entry;
    mnos_status_t status = MNOS_OK;

    if (!open_session("ip"))
        return;
    console_print("%-5s %-4s %-18s %-15s %-17s %8s %8s %7s\n", "NAME", "LINK", "ADDRESS", "GATEWAY",
                  "MAC", "RECEIVED", "SENT", "DROPPED");
    for (uint64_t i = 0; (status = socket_interface(&session, i, &entry)) == MNOS_OK; i++)
        print_interface(&entry);
    if (status != MNOS_ERR_END)
        print_error("ip", status);
    socket_session_close(&session);
}

static mnos_status_t ping_patiently(const struct socket_ping *ping, struct socket_pong *pong)
{
    uint64_t until = kinfo_time_ns() + INTERFACE_PATIENCE_NS;
    mnos_status_t status = socket_ping(&session, ping, pong);

    while (status == MNOS_ERR_NOT_FOUND && kinfo_time_ns() < until &&
           console_pause(INTERFACE_LOOK_NS))
        status = socket_ping(&session, ping, pong);
    return status;
}

static bool ping_once(struct ip_address address, const char *text)
{
    struct socket_ping ping = {
        .address = address, .bytes = PING_BYTES, .timeout_ns = PING_TIMEOUT_NS};
    struct socket_pong pong;
    mnos_status_t status = ping_patiently(&ping, &pong);

    if (status == MNOS_OK)
        console_print("%u bytes from %s: ttl %u, %llu us\n", pong.bytes, text, pong.ttl,
                      (unsigned long long)(pong.round_trip_ns / NS_OF_US));
    else if (status == MNOS_ERR_DEADLINE)
        console_print("no answer from %s\n", text);
    else
        print_error("ping", status);
    console_flush();
    return status == MNOS_OK || status == MNOS_ERR_DEADLINE;
}

void command_ping(const struct words *words)
{
    struct ip_address address;
    uint32_t count = PINGS_DEFAULT;
    const char *number = words->word[2], *end = words->word[1];

    if (!ip_read(&end, &address) || *end != 0) {
        console_print("ping: %s is no address such as 10.0.2.2 or fec0::2\n", words->word[1]);
        return;
    }
    if (words->count > 2 && (!ipv4_read_number(&number, PINGS_MAX, &count) || *number != 0)) {
        console_print("ping: COUNT is a number up to %u\n", PINGS_MAX);
        return;
    }
    if (!open_session("ping"))
        return;
    for (uint32_t i = 0; i < count; i++)
        if (!ping_once(address, words->word[1]))
            break;
    socket_session_close(&session);
}
