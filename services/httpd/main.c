// SPDX-License-Identifier: MIT
/* main - the web server: its sockets, and the loop. See README.md. */
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
static struct socket listener;
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

static mnos_status_t open_net(void)
{
    uint32_t port = PORT;
    mnos_status_t status = socket_session_open(&net, bootstrap_cap("net"), CONNECTIONS + 1);

    for (uint32_t i = 0; i < CONNECTIONS; i++)
        connections[i].state = CONNECTION_FREE;
    if (status == MNOS_OK)
        status = socket_open(&net, SOCKET_TCP, &listener);
    if (status == MNOS_OK)
        status = socket_bind(&listener, 0, &port);
    if (status == MNOS_OK)
        status = socket_listen(&listener, BACKLOG);
    return status;
}

/* One that is free, or else the one that has had nothing to do for longest; NULL: all are at work. */
static struct connection *choose(void)
{
    struct connection *idlest = NULL;
    uint64_t longest = UINT64_MAX;

    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        struct connection *at = &connections[i];
        uint64_t since;

        if (at->state == CONNECTION_FREE)
            return at;
        since = connection_idle_since(at);
        if (since < longest) {
            longest = since;
            idlest = at;
        }
    }
    return idlest;
}

/* A place for who asks: who is kept alive without asking gives way. What it has asked just now is answered, and then it is
 * another's turn to give way. NULL: nobody does. */
static struct connection *make_room(uint64_t now_ns)
{
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        struct connection *at = choose();
        uint64_t since;

        if (at == NULL || at->state == CONNECTION_FREE)
            return at;
        since = connection_idle_since(at);
        if (connection_work(at, &site, now_ns)) {
            if (connection_idle_since(at) != since)
                continue;
            connection_end(at);
        }
        return at;
    }
    return NULL;
}

/* Ends: who has just come gives way to nobody. */
static void accept_all(uint64_t now_ns)
{
    mnos_status_t error;

    while ((socket_state(&listener, &error) & SOCKET_ACCEPTABLE) != 0) {
        struct connection *at = make_room(now_ns);

        if (at == NULL || socket_accept_now(&listener, &at->socket) != MNOS_OK)
            return;
        connection_begin(at, now_ns);
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
    mnos_status_t error;
    bool any, more;

    do
        accept_all(now_ns);
    while (work_once(now_ns, &any, &more));
    if (more)
        return now_ns;
    /* One that could not be accepted, for lack of room, is tried again. */
    any |= (socket_state(&listener, &error) & SOCKET_ACCEPTABLE) != 0;
    return any ? deadline_after_ns(LOOK_NS) : MNOS_DEADLINE_NEVER;
}

static mnos_status_t serve(void)
{
    for (;;) {
        uint64_t numbers, deadline = work(kinfo_time_ns());
        mnos_status_t status = socket_wait(&net, deadline, &numbers);

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
    site.boot_ns = (uint64_t)kinfo()->wall_clock_base_ns;
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
