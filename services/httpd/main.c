// SPDX-License-Identifier: MIT
/* main - the web server: its sockets, and the loop. See README.md. */
#include "lib/client/clock.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"
#include "services/httpd/connection.h"

#define PORT 80u
#define BACKLOG 64u
#define CONNECTIONS 23u
/* How often connections are looked at for being late. */
#define LOOK_NS 1000000000ull

enum { EXIT_FILES = 1, EXIT_NET = 2 };

static struct socket_session net;
#define LISTENERS 2u /* one of each family */

static struct socket listeners[LISTENERS];
static uint32_t listener_count;
static struct site site;
static struct connection connections[CONNECTIONS];

static mnos_status_t open_files(void)
{
    mnos_status_t status =
        file_session_open(&site.files, bootstrap_cap("files"), FILE_WINDOW_BYTES_MIN);

    if (status == MNOS_OK)
        site.buffer = file_buffer(&site.files, SITE_BUFFER_BYTES);
    return status == MNOS_OK && site.buffer == NULL ? MNOS_ERR_MEMORY : status;
}

/* At all addresses of one family. */
static mnos_status_t open_listener(struct ip_address any)
{
    struct socket *listener = &listeners[listener_count];
    uint32_t port = PORT;
    mnos_status_t status = socket_open(&net, SOCKET_TCP, listener);

    if (status != MNOS_OK)
        return status;
    status = socket_bind(listener, any, &port);
    if (status == MNOS_OK)
        status = socket_listen(listener, BACKLOG);
    if (status == MNOS_OK)
        listener_count++;
    else
        (void)!socket_close(listener);
    return status;
}

/* By the families that the manifest allows, of which there is one at least. */
static mnos_status_t open_net(void)
{
    mnos_status_t status = socket_session_open(&net, bootstrap_cap("net"), CONNECTIONS + LISTENERS);

    net.rings_late = true;
    for (uint32_t i = 0; i < CONNECTIONS; i++)
        connections[i].state = CONNECTION_FREE;
    listener_count = 0;
    if (status == MNOS_OK)
        status = open_listener(IP_V4(0));
    if (status == MNOS_OK || status == MNOS_ERR_DENIED) {
        mnos_status_t other = open_listener(IP_NONE);

        if (other != MNOS_ERR_DENIED)
            status = other;
    }
    return listener_count != 0 && status == MNOS_ERR_DENIED ? MNOS_OK : status;
}

/* One that is free, or else the one that has had nothing to do for longest; NULL: all are at work. */
static struct connection *choose(uint64_t now_ns)
{
    struct connection *idlest = NULL;
    uint64_t longest = UINT64_MAX;

    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        struct connection *at = &connections[i];
        uint64_t since;

        if (at->state == CONNECTION_FREE)
            return at;
        since = connection_idle_since(at, now_ns);
        if (since < longest) {
            longest = since;
            idlest = at;
        }
    }
    return idlest;
}

/* A place for who comes: who is there without asking gives way. What it has asked just now is answered, and then it is
 * another's turn to give way. NULL: nobody does. */
static struct connection *make_room(uint64_t now_ns)
{
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        struct connection *at = choose(now_ns);
        uint64_t since;

        if (at == NULL || at->state == CONNECTION_FREE)
            return at;
        since = connection_idle_since(at, now_ns);
        if (connection_work(at, &site, now_ns)) {
            if (connection_idle_since(at, now_ns) != since)
                continue;
            connection_end(at);
        }
        return at;
    }
    return NULL;
}

/* Whether somebody waits at the listener. */
static bool has_waiting(const struct socket *listener)
{
    mnos_status_t error;

    return (socket_state(listener, &error) & SOCKET_ACCEPTABLE) != 0;
}

/* By turns, so that however many come by one family, who comes by the other finds a place. Ends: who has just come gives
 * way to nobody for a second. */
static void accept_all(uint64_t now_ns)
{
    static uint32_t turn;
    uint32_t without = 0; /* listeners in a row that have nobody */

    while (without < listener_count) {
        struct socket *listener = &listeners[turn % listener_count];
        struct connection *at = has_waiting(listener) ? make_room(now_ns) : NULL;

        if (at == NULL && has_waiting(listener))
            return; /* it is its turn when there is room */
        turn++;
        without++;
        if (at == NULL || socket_accept_now(listener, &at->socket) != MNOS_OK)
            continue;
        connection_begin(at, now_ns);
        without = 0;
    }
}

/* Each connection once. True: one is over, and there is room for another. */
static bool work_once(uint64_t now_ns, bool *any, bool *more)
{
    bool over = false;

    *any = *more = false;
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        struct connection *at = &connections[i];

        if (at->state == CONNECTION_FREE)
            continue;
        socket_flush(&net); /* what was done for one does not wait for the disk of another */
        if (connection_work(at, &site, now_ns)) {
            *any = true;
            *more |= at->more;
        } else {
            over = true;
        }
    }
    return over;
}

/* Returns when there is something to do without news: at once, if a turn was too short; when somebody may be late; never:
 * nobody is there. Ends: a connection is over once. */
static uint64_t work(uint64_t now_ns)
{
    bool any, more;

    do
        accept_all(now_ns);
    while (work_once(now_ns, &any, &more));
    if (more)
        return now_ns;
    /* One that could not be accepted, for lack of room, is tried again. */
    for (uint32_t i = 0; i < listener_count; i++)
        any |= has_waiting(&listeners[i]);
    return any ? deadline_after_ns(LOOK_NS) : MNOS_DEADLINE_NEVER;
}

static mnos_status_t serve(void)
{
    for (;;) {
        uint64_t deadline;
        mnos_status_t status;

        site.boot_ns = (uint64_t)clock_boot_ns();
        deadline = work(kinfo_time_ns());
        status = socket_wait(&net, deadline);
        if (status != MNOS_OK && status != MNOS_ERR_DEADLINE)
            return status;
        /* The file system has begun anew, and its window with it. */
        if (site.files.runs != site.run) {
            site.run = site.files.runs;
            site.buffer = file_buffer(&site.files, SITE_BUFFER_BYTES);
            if (site.buffer == NULL)
                return MNOS_ERR_MEMORY;
        }
    }
}

int main(void)
{
    mnos_status_t status = open_files();

    if (status != MNOS_OK)
        return log_failure(status, "open the directory", EXIT_FILES);
    site.run = site.files.runs;
    site.run_ns = (uint64_t)kinfo()->wall_clock_base_ns;
    do {
        status = open_net();
        if (status == MNOS_OK)
            log_line("port %u", PORT);
        if (status == MNOS_OK)
            status = serve();
        socket_session_close(&net);
    } while (status == MNOS_ERR_LOST); /* the service has died, and with it all connections */
    return log_failure(status, "serve", EXIT_NET);
}
