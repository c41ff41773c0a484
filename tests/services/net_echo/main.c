// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: sends back what comes to port 7 by TCP and by UDP (RFC 862). When `net` dies it begins
 * anew. With the argument "limits" it tries what its limits do not allow first, and says how each was refused; with "names"
 * it asks for names, says what came of it, and ends.
 */
#include "lib/base/string.h"
#include "lib/client/socket.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/status.h"
#include "lib/mnos/time.h"

#define SOCKETS 8u
#define ECHO_PORT 7u
#define CONNECTIONS (SOCKETS - 2)
#define PART_BYTES 16384u
#define ADDRESS_TRIES 200u
#define ADDRESS_WAIT_NS 50000000ull

static struct socket_session session;
static struct socket listener, datagrams;

static struct connection {
    struct socket socket;
    bool used, shut;
    uint32_t start, end; /* of `bytes`: what came and is not sent yet */
    uint8_t bytes[PART_BYTES];
} connections[CONNECTIONS];

/* ---- TCP ---- */

static void accept_one(void)
{
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        struct connection *at = &connections[i];
        mnos_status_t error;

        if (at->used)
            continue;
        if ((socket_state(&listener, &error) & SOCKET_ACCEPTABLE) == 0)
            return;
        if (socket_accept_now(&listener, &at->socket) != MNOS_OK)
            return;
        at->used = true;
        at->shut = false;
        at->start = at->end = 0;
    }
}

/* Until nothing moves any more; false: it is over. */
static bool echo(struct connection *at)
{
    mnos_status_t error;
    size_t count;

    for (;;) {
        uint32_t state = socket_state(&at->socket, &error);

        if (at->start != at->end) {
            if (socket_send(&at->socket, at->bytes + at->start, at->end - at->start, &count) !=
                MNOS_OK)
                return false;
            at->start += (uint32_t)count;
            if (count == 0)
                return true;
            continue;
        }
        if (socket_receive(&at->socket, at->bytes, PART_BYTES, &count) != MNOS_OK ||
            (state & SOCKET_FAILED) != 0)
            return false;
        at->start = 0;
        at->end = (uint32_t)count;
        if (count == 0 && (state & SOCKET_PEER_CLOSED) != 0) /* the state is older than the look */
            return false;
        if (count == 0)
            return true;
    }
}

/* ---- UDP ---- */

static void echo_datagrams(void)
{
    uint8_t bytes[SOCKET_DATAGRAM_MAX];
    struct ip_address address;
    uint32_t port;
    size_t count;

    while (socket_receive_from(&datagrams, &address, &port, bytes, sizeof bytes, &count) == MNOS_OK)
        (void)!socket_send_to(&datagrams, address, port, bytes, count);
}

/* ---- Limits ---- */

static void say(const char *what, mnos_status_t status)
{
    log_line("%s: %u (%s)", what, (unsigned)status,
             status == MNOS_ERR_DENIED ? socket_refusal_text(&session.refusal) : "-");
}

static void try_bind(const char *what, enum socket_protocol type, struct ip_address address,
                     uint32_t port)
{
    struct socket socket;
    mnos_status_t status = socket_open(&session, type, &socket);

    if (status == MNOS_OK) {
        status = socket_bind(&socket, address, &port);
        say(what, status);
        (void)!socket_close(&socket);
    } else {
        say(what, status);
    }
}

/* A listener to which nobody has come. */
static void try_accept(void)
{
    uint32_t port = ECHO_PORT;
    struct socket socket, none;
    mnos_status_t status = socket_open(&session, SOCKET_TCP, &socket);

    if (status == MNOS_OK)
        status = socket_bind(&socket, IP_V4(0), &port);
    if (status == MNOS_OK)
        status = socket_listen(&socket, 1);
    if (status == MNOS_OK)
        status = socket_accept_now(&socket, &none);
    say("accept", status);
    (void)!socket_close(&socket);
}

static void try_connect(const char *what, enum socket_protocol type, struct ip_address address,
                        uint32_t port)
{
    struct socket socket;
    mnos_status_t status = socket_open(&session, type, &socket);

    if (status == MNOS_OK) {
        status = socket_connect(&socket, address, port);
        say(what, status);
        (void)!socket_close(&socket);
    } else {
        say(what, status);
    }
}

static void try_narrow(const char *what, void (*change)(struct socket_limits *limits))
{
    struct socket_limits limits;
    mnos_cap_t below = 0;
    mnos_status_t status = socket_limits(&session, &limits);

    if (status == MNOS_OK) {
        change(&limits);
        status = socket_narrow(&session, &limits, &below);
    }
    say(what, status);
}

static void widen_port(struct socket_limits *limits)
{
    limits->listen[0].last_port++;
}

static void widen_rights(struct socket_limits *limits)
{
    limits->rights = SOCKET_RIGHT_PING;
}

static void keep(struct socket_limits *)
{
}

/* What is below may do what is left to it, and no more. */
static void try_below(void)
{
    struct socket_session own = session;
    struct socket_limits limits;
    mnos_cap_t below = 0;
    mnos_status_t status = socket_limits(&session, &limits);

    limits.connect_count = 0;
    limits.sockets = 2;
    if (status == MNOS_OK)
        status = socket_narrow(&session, &limits, &below);
    session = (struct socket_session){0};
    if (status == MNOS_OK)
        status = socket_session_open(&session, below, 2);
    if (status != MNOS_OK) {
        say("below", status);
    } else {
        try_bind("below: port 7", SOCKET_UDP, IP_V4(0), ECHO_PORT + 100);
        try_connect("below: host", SOCKET_TCP, IP_V4(0x0A000202), 9);
        socket_session_close(&session);
    }
    session = own;
}

/* Until an interface leads somewhere: before it, nobody can be connected to. */
static void wait_for_address(void)
{
    mnos_status_t status = MNOS_ERR_NOT_FOUND;

    for (uint32_t i = 0; i < ADDRESS_TRIES && status == MNOS_ERR_NOT_FOUND; i++) {
        struct socket socket;

        if (socket_open(&session, SOCKET_TCP, &socket) != MNOS_OK)
            return;
        status = socket_connect(&socket, IP_V4(0x0A000202), 9);
        (void)!socket_close(&socket);
        if (status == MNOS_ERR_NOT_FOUND)
            sleep_until(deadline_after_ns(ADDRESS_WAIT_NS));
    }
}

/* Port 0: one of two that the limits allow of 16384, as long as there is one. */
static void try_any_port(void)
{
    static const char *const names[] = {"any port", "another port", "a third port"};
    struct socket sockets[3];

    for (unsigned i = 0; i < 3; i++) {
        uint32_t port = 0;

        if (socket_open(&session, SOCKET_UDP, &sockets[i]) != MNOS_OK)
            return;
        say(names[i], socket_bind(&sockets[i], IP_V4(0), &port));
    }
    for (unsigned i = 0; i < 3; i++)
        (void)!socket_close(&sockets[i]);
}

static void try_limits(void)
{
    struct socket_ping ping = {.address = IP_V4(0x0A000202)};
    struct socket_interface interface;
    struct socket_shown_entry entry;
    struct socket_resolved resolved;
    struct socket_pong pong;

    wait_for_address();
    say("ping", socket_ping(&session, &ping, &pong));
    say("sockets", socket_entry(&session, 0, &entry));
    say("resolve", socket_resolve(&session, "example.org", 0, &resolved));
    say("observe", socket_interface(&session, 0, &interface));
    try_bind("bind 8", SOCKET_TCP, IP_V4(0), 8);
    try_bind("bind 107/udp", SOCKET_UDP, IP_V4(0), 107);
    try_bind("bind 107/tcp", SOCKET_TCP, IP_V4(0), 107);
    try_bind("any tcp", SOCKET_TCP, IP_V4(0), 0);
    try_any_port();
    try_bind("bind loopback", SOCKET_TCP, IP_V4(0x7F000001), ECHO_PORT);
    try_bind("bind other", SOCKET_TCP, IP_V4(0x0A000203), ECHO_PORT);
    try_accept();
    try_connect("connect other", SOCKET_TCP, IP_V4(0x0A000203), 9);
    try_connect("connect port", SOCKET_TCP, IP_V4(0x0A000202), 10);
    try_connect("connect udp", SOCKET_UDP, IP_V4(0x0A000202), 9);
    try_connect("connect own", SOCKET_TCP, IP_V4(0x0A00020F), 9);
    try_connect("connect loopback", SOCKET_TCP, IP_V4(0x7F000001), 9);
    try_connect("connect host", SOCKET_TCP, IP_V4(0x0A000202), 9);
    try_narrow("narrow port", widen_port);
    try_narrow("narrow rights", widen_rights);
    try_narrow("narrow same", keep);
    try_below();
}

/* Names inside of what it may ask for, and others. */
static void try_names(void)
{
    static const char *const names[] = {"www.example.test", "EXAMPLE.test.", "badexample.test",
                                        "example.test.org", "a..b"};
    struct socket_resolved resolved;

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        say(names[i], socket_resolve(&session, names[i], 0, &resolved));
}

/* ---- The loop ---- */

static mnos_status_t begin(void)
{
    uint32_t port = ECHO_PORT;
    /* By its first word "v6" at all addresses of IPv6. */
    const char *word = bootstrap_argument(1);
    struct ip_address any = word != NULL && strcmp(word, "v6") == 0 ? IP_NONE : IP_V4(0);
    mnos_status_t status = socket_session_open(&session, bootstrap_cap("net"), SOCKETS);

    memset(connections, 0, sizeof connections);
    if (status == MNOS_ERR_LOST)
        return MNOS_ERR_HANDLE; /* it was made of a session of a run of net that is gone */
    if (status == MNOS_OK && bootstrap_has_argument("limits"))
        try_limits();
    if (status == MNOS_OK)
        status = socket_open(&session, SOCKET_TCP, &listener);
    if (status == MNOS_OK)
        status = socket_bind(&listener, any, &port);
    if (status == MNOS_OK)
        status = socket_listen(&listener, 4);
    if (status == MNOS_OK)
        status = socket_open(&session, SOCKET_UDP, &datagrams);
    if (status == MNOS_OK)
        status = socket_bind(&datagrams, any, &port);
    log_line("echo: %s", status == MNOS_OK ? "listening" : status_text(status));
    return status;
}

static mnos_status_t serve(void)
{

    for (;;) {
        mnos_status_t status;
        bool over = false;

        accept_one();
        echo_datagrams();
        for (uint32_t i = 0; i < CONNECTIONS; i++) {
            struct connection *at = &connections[i];

            if (at->used && !echo(at)) {
                (void)!socket_close(&at->socket);
                at->used = false;
                over = true;
            }
        }
        if (over)
            continue; /* there is room for one that waits */
        status = socket_wait(&session, MNOS_DEADLINE_NEVER);
        if (status != MNOS_OK)
            return status;
    }
}

int main(void)
{
    if (bootstrap_has_argument("names")) {
        if (socket_session_open(&session, bootstrap_cap("net"), 0) == MNOS_OK)
            try_names();
        return 0;
    }
    for (;;) {
        mnos_status_t status = begin();

        if (status == MNOS_OK)
            status = serve();
        socket_session_close(&session);
        if (status != MNOS_ERR_LOST) {
            log_error(status, "echo");
            return 1;
        }
        log_line("echo: the service has died");
    }
}
