// SPDX-License-Identifier: MIT
/* main - keeps the clock: which servers, what becomes of an answer, and the loop. See README.md. */
#include "lib/base/string.h"
#include "lib/client/clock.h"
#include "lib/client/region.h"
#include "lib/client/socket.h"
#include "lib/format/date.h"
#include "lib/format/net/ip.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"
#include "protocols/clock.h"
#include "services/sntp/keep.h"
#include "services/sntp/question.h"

enum { EXIT_ARGUMENT = 1, EXIT_CLOCK = 2, EXIT_NET = 3 };

static struct socket_session net;
static struct clock_page *clock_page;
static struct keep keep;

/* Who is asked: one that the arguments name, by address or by name, or those that DHCP has told. */
static struct {
    char name[SOCKET_NAME_BYTES]; /* empty: none is named so */
    bool fixed;                   /* `addresses` are those of the arguments */
    uint16_t port;
    uint32_t count;
    struct ip_address addresses[SOCKET_ADDRESSES];
} servers = {.port = SNTP_PORT};

/* Those that do not want to be asked by this run any more; the oldest of them goes when there are too many. */
static struct {
    uint32_t count;
    struct ip_address addresses[SOCKET_ADDRESSES];
} refusing;

/* ---- Servers ---- */

/* "10.0.2.2", "[fec0::2]" or "time.example.org", with a port behind it, or without. */
static bool read_argument(const char *text)
{
    const char *behind = text;
    struct ip_address last;
    uint32_t port = SNTP_PORT;
    size_t bytes;

    servers.fixed = ip_read_network(&behind, &servers.addresses[0], &last) &&
                    ip_equal(servers.addresses[0], last) && (*behind == 0 || *behind == ':');
    if (!servers.fixed)
        for (behind = text; *behind != 0 && *behind != ':';)
            behind++;
    bytes = (size_t)(behind - text);
    if (bytes == 0 || bytes >= sizeof servers.name)
        return false;
    if (!ip_read_port(&behind, &port))
        return false;
    if (!servers.fixed)
        memcpy(servers.name, text, bytes);
    servers.count = servers.fixed;
    servers.port = (uint16_t)port;
    return *behind == 0;
}

/* MNOS_OK: there are some. Without an argument it waits until DHCP tells one, as long as it takes. */
static mnos_status_t find_servers(void)
{
    struct socket_resolved found;
    mnos_status_t status;

    if (servers.fixed)
        return MNOS_OK;
    status = servers.name[0] != 0 ? socket_resolve(&net, servers.name, 0, &found)
                                  : socket_time_servers(&net, 0, &found);
    if (status != MNOS_OK)
        return status;
    servers.count = found.count;
    memcpy(servers.addresses, found.addresses, sizeof servers.addresses);
    return MNOS_OK;
}

static bool refuses(struct ip_address address)
{
    for (uint32_t i = 0; i < refusing.count && i < SOCKET_ADDRESSES; i++)
        if (ip_equal(refusing.addresses[i], address))
            return true;
    return false;
}

/* ---- The clock ---- */

static const char *told_last; /* NULL: that all is well */

/* What is as it was the last time is not told again. */
static void say_bad(const char *who, const char *what)
{
    if (what != told_last)
        log_line("%s: %s", who, what);
    told_last = what;
}

static void set_clock(const char *who, int64_t boot_ns, int64_t before_ns)
{
    uint64_t now_ns = kinfo_time_ns();
    int64_t step_ms = (boot_ns - before_ns) / 1000000;
    char text[DATE_WORDS_BYTES];

    atomic_store_explicit(&clock_page->said_ns, now_ns, memory_order_relaxed);
    atomic_store_explicit(&clock_page->boot_ns, boot_ns, memory_order_release);
    log_line("%s: it is %s, which moves the clock by %lld ms", who,
             date_words(text, boot_ns + (int64_t)now_ns), (long long)step_ms);
    told_last = NULL;
}

/* True: the clock is set. */
static bool judge(const char *who, const struct answer *answer)
{
    int64_t boot_ns = clock_boot_ns(), before_ns = boot_ns;

    switch (answer->result) {
    case SNTP_IGNORED: say_bad(who, "no answer"); return false;
    case SNTP_SLOWER: say_bad(who, "it is asked too often"); return false;
    case SNTP_REFUSED: say_bad(who, "it does not want to be asked"); return false;
    case SNTP_USELESS: say_bad(who, "it does not know the time"); return false;
    case SNTP_TIME: break;
    }
    switch (keep_take(&keep, &answer->times, answer->asked_ns, answer->answered_ns, &boot_ns)) {
    case KEEP_IMPOSSIBLE: say_bad(who, "what it says cannot be"); return false;
    case KEEP_TOO_FAR:
        say_bad(who,
                "its time is more than 1000 s from ours: not taken; \"restart sntp\" takes it");
        return false;
    case KEEP_TAKEN: break;
    }
    set_clock(who, boot_ns, before_ns);
    return true;
}

/* ---- The loop ---- */

/* Asks one after the other until one has said it, and says how long to wait then. */
static mnos_status_t ask_all(uint64_t *pause_ns)
{
    bool slower = false, anybody = false;

    for (uint32_t i = 0; i < servers.count; i++) {
        struct ip_address server = servers.addresses[i];
        char who[IP_TEXT_BYTES];
        struct answer answer;
        mnos_status_t status;

        if (refuses(server))
            continue;
        anybody = true;
        status = question_ask(&net, server, servers.port, &answer);
        if (status != MNOS_OK)
            return status;
        if (judge(ip_text(who, server), &answer)) {
            *pause_ns = keep_pause_good(&keep);
            return MNOS_OK;
        }
        slower |= answer.result == SNTP_SLOWER;
        if (answer.result == SNTP_REFUSED)
            refusing.addresses[refusing.count++ % SOCKET_ADDRESSES] = server;
    }
    *pause_ns = !anybody ? KEEP_PAUSE_MAX_NS
                : slower ? keep_pause_longer(&keep)
                         : keep_pause_bad(&keep);
    return MNOS_OK;
}

/* Returns when the session is lost, and when it may not do what is asked for. */
static mnos_status_t serve(void)
{
    for (;;) {
        uint64_t pause_ns;
        mnos_status_t status = find_servers();

        if (status == MNOS_OK)
            status = ask_all(&pause_ns);
        if (status == MNOS_ERR_LOST || status == MNOS_ERR_DENIED)
            return status;
        if (status != MNOS_OK) {
            say_bad(servers.name[0] != 0 ? servers.name : "a question",
                    socket_resolve_text(status) != NULL ? socket_resolve_text(status)
                                                        : "it could not be asked");
            pause_ns = keep_pause_bad(&keep);
        }
        sleep_until(deadline_after_ns(pause_ns));
    }
}

static mnos_status_t open_clock(void)
{
    static struct region_piece piece;
    struct region region;
    mnos_status_t status = region_open(&region, BOOTSTRAP_REQUIRED("clock"), &piece, 1);

    if (status != MNOS_OK)
        return status;
    clock_page = (struct clock_page *)region.address;
    keep.has_time = atomic_load_explicit(&clock_page->boot_ns, memory_order_relaxed) != 0 &&
                    clock_page->header.ordered == 0;
    return MNOS_OK;
}

int main(void)
{
    char argument[SOCKET_NAME_BYTES + 8];
    mnos_status_t status = open_clock();

    if (status != MNOS_OK)
        return log_failure(status, "open the clock", EXIT_CLOCK);
    if (bootstrap_argument_value("server=", argument, sizeof argument) &&
        !read_argument(argument)) {
        log_line("server=%s: not ADDRESS[:PORT] or NAME[:PORT]", argument);
        return EXIT_ARGUMENT;
    }
    do {
        status = socket_session_open(&net, bootstrap_cap("net"), 1);
        if (status == MNOS_OK)
            status = serve();
        socket_session_close(&net);
    } while (status == MNOS_ERR_LOST);
    if (status == MNOS_ERR_DENIED && net.refusal.limit != 0)
        log_line("net: not allowed: %s", socket_refusal_text(&net.refusal));
    return log_failure(status, "ask for the time", EXIT_NET);
}
