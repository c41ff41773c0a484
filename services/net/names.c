// SPDX-License-Identifier: MIT
/* names - see names.h. */
#include "services/net/names.h"

#include "lib/base/string.h"
#include "lib/format/net/ip.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"
#include "services/net/hooks.h"
#include "services/net/net.h"

#define NS_PER_S 1000000000ull
/* How long an answer is waited for; all tries together are 11 s, and each is of the next server. */
static const uint64_t patience_ns[] = {1 * NS_PER_S, 2 * NS_PER_S, 4 * NS_PER_S, 4 * NS_PER_S};
#define TRIES (sizeof patience_ns / sizeof patience_ns[0])
#define BIND_TRIES 8u
/* Answers are kept an hour at most, also if they say more; that there is none, 10 s; that nobody says, 1 s. */
#define TTL_MAX_S 3600u
#define NOTHING_S 10u
#define FAILED_S 1u

/* ---- Servers ---- */

static void say_server(struct ip_address address, uint16_t port)
{
    char text[IP_TEXT_BYTES];

    log_line("names are asked of %s%s", ip_text(text, address),
             port == DNS_PORT ? "" : ", at a port of its own");
}

/* "dns=10.0.2.3" or "dns=[fec0::3]", or with a port. */
void names_open(struct net *net, const char *text)
{
    struct ip_address address, last;
    uint32_t port = DNS_PORT;

    if (text == NULL)
        return;
    if (!ip_read_network(&text, &address, &last) || !ip_equal(address, last) ||
        !ip_read_port(&text, &port)) {
        log_line("dns: its argument is not ADDRESS[:PORT]: DHCP is to say who knows names");
        return;
    }
    net->names.servers[0].address = address;
    net->names.servers[0].port = (uint16_t)port;
    net->names.fixed = true;
    say_server(address, (uint16_t)port);
}

/* What DHCP has told, server by server: lwIP calls it. */
void dns_setserver(u8_t number, const ip_addr_t *server)
{
    struct names *names = &the_net.names;
    struct ip_address address = port_address(server);

    if (names->fixed || number >= NAMES_SERVERS ||
        ip_equal(names->servers[number].address, address))
        return;
    names->servers[number].address = address;
    names->servers[number].port = DNS_PORT;
    say_server(address, DNS_PORT);
}

/* The one of a try; false: there is none. */
static bool server_of(const struct names *names, uint32_t try, ip_addr_t *address, uint16_t *port)
{
    uint32_t count = 0, wanted;

    for (uint32_t i = 0; i < NAMES_SERVERS; i++)
        count += !ip_is_any(names->servers[i].address);
    wanted = count == 0 ? 0 : try % count;
    for (uint32_t i = 0; i < NAMES_SERVERS; i++) {
        if (ip_is_any(names->servers[i].address) || wanted-- != 0)
            continue;
        *address = port_to_lwip(names->servers[i].address);
        *port = names->servers[i].port;
        return true;
    }
    return false;
}

/* ---- One question ---- */

static void stop_asking(struct name *name)
{
    if (name->udp != NULL)
        udp_remove(name->udp);
    name->udp = NULL;
}

/* What it has come to; who waits goes on. */
static void finish(struct name *name, mnos_status_t error, uint32_t good_s)
{
    stop_asking(name);
    the_net.names.asking--;
    name->state = NAME_KNOWN;
    name->error = error;
    name->until_ns = deadline_after_ns(good_s * NS_PER_S);
    park_wake(&the_net.park, NET_WAIT_NAME + (uint64_t)(name - the_net.names.entries));
}

static void ask(struct name *name);

static void next_try(struct name *name, mnos_status_t error)
{
    stop_asking(name);
    if (++name->tries < TRIES)
        ask(name);
    else
        finish(name, error, FAILED_S);
}

static void on_answer(void *arg, struct udp_pcb *, struct pbuf *pbuf, const ip_addr_t *, u16_t)
{
    uint8_t bytes[SOCKET_DATAGRAM_MAX];
    struct name *name = arg;
    size_t count = pbuf_copy_partial(pbuf, bytes, sizeof bytes, 0);
    struct dns_answer answer;

    (void)pbuf_free(pbuf);
    switch (dns_read_answer(bytes, count, name->id, name->text, name->v6, &answer)) {
    case DNS_FOUND:
        name->answer = answer;
        finish(name, MNOS_OK, answer.ttl_s < TTL_MAX_S ? answer.ttl_s : TTL_MAX_S);
        break;
    case DNS_NOTHING: finish(name, MNOS_ERR_NOT_FOUND, NOTHING_S); break;
    case DNS_REFUSED: next_try(name, MNOS_ERR_PEER); break;
    case DNS_IGNORED: break;
    }
}

/* N1. */
static bool open_port(struct name *name, const ip_addr_t *server, uint16_t port)
{
    ip_addr_t any = port_to_lwip(ip_any_beside(port_address(server)));
    err_t error = ERR_USE;

    name->udp = udp_new_ip_type(IP_GET_TYPE(server));
    if (name->udp == NULL)
        return false;
    udp_recv(name->udp, on_answer, name);
    for (unsigned i = 0; i < BIND_TRIES && error == ERR_USE; i++)
        error = udp_bind(name->udp, &any, port_of_own());
    return error == ERR_OK && udp_connect(name->udp, server, port) == ERR_OK;
}

/* What cannot be sent now is lost like what gets lost on its way: the next try comes. */
static void ask(struct name *name)
{
    uint8_t question[DNS_QUESTION_BYTES];
    struct pbuf *pbuf;
    ip_addr_t server;
    size_t bytes;
    uint16_t port;

    name->until_ns = deadline_after_ns(patience_ns[name->tries]);
    name->id = (uint16_t)port_random();
    if (!server_of(&the_net.names, name->tries, &server, &port) || !open_port(name, &server, port))
        return;
    bytes = dns_write_question(question, name->id, name->text, name->v6);
    pbuf = pbuf_alloc(PBUF_TRANSPORT, (u16_t)bytes, PBUF_RAM);
    if (pbuf == NULL)
        return;
    (void)pbuf_take(pbuf, question, (u16_t)bytes);
    (void)udp_send(name->udp, pbuf);
    (void)pbuf_free(pbuf);
}

/* ---- The table ---- */

/* One that is free, or that was looked at longest ago and is not being asked for; NULL: all are. */
static struct name *place(struct names *names)
{
    struct name *oldest = NULL;

    for (uint32_t i = 0; i < NAMES_ENTRIES; i++) {
        struct name *at = &names->entries[i];

        if (at->state == NAME_FREE)
            return at;
        if (at->state == NAME_KNOWN && (oldest == NULL || at->used < oldest->used))
            oldest = at;
    }
    return oldest;
}

/* N3. */
static bool has_share(const struct names *names, uint32_t account)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < NAMES_ENTRIES; i++)
        count += names->entries[i].state == NAME_ASKING && names->entries[i].account == account;
    return count < NAMES_SHARE;
}

static mnos_status_t begin(struct names *names, uint32_t account, const char *text, bool v6,
                           struct name **begun)
{
    struct name *name = has_share(names, account) ? place(names) : NULL;
    ip_addr_t server;
    uint16_t port;

    if (!server_of(names, 0, &server, &port))
        return MNOS_ERR_STATE;
    if (name == NULL)
        return MNOS_ERR_AGAIN;
    *name = (struct name){
        .state = NAME_ASKING, .v6 = v6, .account = account, .number = ++names->next_number};
    names->asking++;
    string_copy(name->text, text, sizeof name->text);
    ask(name);
    *begun = name;
    return MNOS_OK;
}

/* What is known of a name, or being asked for; N2 says how long. */
static struct name *find(struct names *names, const char *text, bool v6, uint64_t number)
{
    for (uint32_t i = 0; i < NAMES_ENTRIES; i++) {
        struct name *at = &names->entries[i];

        if (at->state == NAME_FREE || at->v6 != v6 || strcmp(at->text, text) != 0)
            continue;
        if (at->state == NAME_ASKING || at->number == number || kinfo_time_ns() < at->until_ns)
            return at;
        at->state = NAME_FREE;
        return NULL;
    }
    return NULL;
}

mnos_status_t names_look(struct net *net, uint32_t account, const char *text, uint64_t flags,
                         uint64_t *number, struct dns_answer *answer)
{
    bool v6 = (flags & SOCKET_RESOLVE_V6) != 0;
    struct name *name = find(&net->names, text, v6, *number);
    uint64_t at = kinfo_time_ns();
    mnos_status_t status = name != NULL ? MNOS_OK : begin(&net->names, account, text, v6, &name);

    if (status != MNOS_OK)
        return status;
    *number = name->number;
    name->used = ++net->names.next_use;
    net->waits_for = NET_WAIT_NAME + (uint64_t)(name - net->names.entries);
    if (name->state == NAME_ASKING)
        return (flags & SOCKET_RESOLVE_NOW) != 0 ? MNOS_ERR_AGAIN : SERVER_PARKED;
    *answer = name->answer;
    answer->ttl_s = at < name->until_ns ? (uint32_t)((name->until_ns - at) / NS_PER_S) : 0;
    return name->error;
}

uint64_t names_deadline_ns(struct net *net, uint64_t now_ns)
{
    uint64_t first = MNOS_DEADLINE_NEVER;

    for (uint32_t i = 0; i < NAMES_ENTRIES && net->names.asking != 0; i++) {
        struct name *name = &net->names.entries[i];

        if (name->state == NAME_ASKING && now_ns >= name->until_ns)
            next_try(name, MNOS_ERR_DEADLINE);
        if (name->state == NAME_ASKING && name->until_ns < first)
            first = name->until_ns;
    }
    return first;
}
