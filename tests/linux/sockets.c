// SPDX-License-Identifier: MIT
/*
 * sockets - a static program of Linux, for tests/system/test_linux_net.py: connections and datagrams from the process to
 * itself over loopback, and errors, a line each. The same file runs on the host, and is to say the same there.
 */
#include "tests/linux/program.h"

PROGRAM_START;

enum {
    STREAM = 1,
    DATAGRAM = 2,
    NONBLOCK = 04000,
    PEEK = 2,
    DONTWAIT = 0x40,
    WAITALL = 0x100,
    NOSIGNAL = 0x4000
};
enum { POLLIN = 1, POLLOUT = 4, FIONREAD = 0x541B, TRUNC = 0x20 };
#define PORT 5000
#define NOWHERE 0x10000000ull /* nothing is mapped there */

struct address {
    uint16_t family, port;
    uint32_t ip;
    uint64_t zero;
};

static struct address loopback(uint16_t port)
{
    return (struct address){2, __builtin_bswap16(port), __builtin_bswap32(0x7F000001), 0};
}

static int64_t option(int64_t fd, int level, int name)
{
    int32_t value = -1, bytes = 4;
    int64_t result = call(GETSOCKOPT, fd, level, name, &value, &bytes);

    return result < 0 ? result : value;
}

/* ---- A connection ---- */

static int64_t listener, one, other;

static void listens(void)
{
    struct address at = loopback(PORT), name = {0};
    int32_t bytes = sizeof name, on = 1;

    listener = call(SOCKET, 2, STREAM | NONBLOCK, 0);
    tell("reuse", call(SETSOCKOPT, listener, 1, 2, &on, 4));
    tell("bind", call(BIND, listener, &at, sizeof at));
    tell("bind again", call(BIND, listener, &at, sizeof at));
    tell("listen", call(LISTEN, listener, 5));
    tell("is a listener", option(listener, 1, 30));
    tell("accept of nobody", call(ACCEPT, listener, 0, 0));
    tell("name", call(GETSOCKNAME, listener, &name, &bytes));
    tell("bytes", bytes);
    tell("port", __builtin_bswap16(name.port));
    tell("address", __builtin_bswap32(name.ip));
    tell("ready", poll_one(listener, POLLIN | POLLOUT, 0));
}

static void connects(void)
{
    struct address at = loopback(PORT), peer = {0};
    int32_t bytes = sizeof peer;

    one = call(SOCKET, 2, STREAM, 6);
    tell("peer of a new one", call(GETPEERNAME, one, &peer, &bytes));
    tell("read of a new one", call(READ, one, &peer, 1));
    tell("connect", call(CONNECT, one, &at, sizeof at));
    tell("connect again", call(CONNECT, one, &at, sizeof at));
    tell("listener is ready", poll_one(listener, POLLIN, -1));
    other = call(ACCEPT4, listener, &peer, &bytes, NONBLOCK);
    tell("accepted", other > one);
    tell("bytes", bytes);
    tell("address", __builtin_bswap32(peer.ip));
    tell("does not wait", (call(FCNTL, other, 3) & NONBLOCK) != 0);
    bytes = sizeof peer;
    tell("peer", call(GETPEERNAME, one, &peer, &bytes));
    tell("port", __builtin_bswap16(peer.port));
    tell("type", option(one, 1, 3));
    tell("domain", option(one, 1, 39));
    tell("protocol", option(one, 1, 38));
    tell("error", option(one, 1, 4));
}

static char buffer[200000];

static void moves_bytes(void)
{
    struct {
        const char *base;
        uint64_t length;
    } pieces[2] = {{buffer, 3}, {buffer + 100, 4}};
    struct {
        void *name;
        int32_t name_bytes;
        void *pieces;
        uint64_t count;
        void *control;
        uint64_t control_bytes;
        int32_t flags;
    } header = {NULL, 0, pieces, 2, NULL, 0, 0};
    int64_t time[2] = {0, 50000};
    int32_t waiting = 0;

    tell("nothing to read", call(READ, other, buffer, 10));
    tell("ready", poll_one(other, POLLIN | POLLOUT, 0));
    tell("write", call(WRITE, one, "hello, you", 10));
    tell("ready to read", poll_one(other, POLLIN, -1));
    (void)call(SELECT, 0, 0, 0, 0, time);
    tell("how many", call(IOCTL, other, FIONREAD, &waiting));
    tell("of them", waiting);
    tell("peek", call(RECVFROM, other, buffer, 5, PEEK, 0, 0));
    tell("in pieces", call(RECVMSG, other, &header, 0));
    tell("first", buffer[0]);
    tell("second", buffer[100]);
    tell("rest", call(RECVFROM, other, buffer, 100, 0, 0, 0));
    tell("to nowhere", call(WRITE, one, NOWHERE, 10));
    tell("nothing", call(WRITE, one, buffer, 0));
    tell("out of turn", call(RECVFROM, other, buffer, 1, 1, 0, 0));
    pieces[0].base = "ab";
    pieces[0].length = 2;
    pieces[1].base = "cde";
    pieces[1].length = 3;
    tell("send in pieces", call(SENDMSG, one, &header, 0));
    tell("ready to read", poll_one(other, POLLIN, -1));
    tell("all of it", call(RECVFROM, other, buffer, 5, 0, 0, 0));
    tell("last", buffer[4]);
}

/* More than any ring has, in turns, as there is one thread. */
static void moves_many(void)
{
    uint64_t sent = 0, received = 0, sum = 0;

    for (uint64_t i = 0; i < sizeof buffer; i++)
        buffer[i] = (char)(i * 7);
    while (received < sizeof buffer) {
        static char in[65536];
        int64_t count = sent < sizeof buffer
                            ? call(SENDTO, one, buffer + sent, sizeof buffer - sent, DONTWAIT, 0, 0)
                            : 0;

        sent += count > 0 ? (uint64_t)count : 0;
        (void)poll_one(other, POLLIN, -1);
        count = call(READ, other, in, sizeof in);
        for (int64_t i = 0; i < count; i++)
            sum += (uint64_t)(uint8_t)in[i] * (received + (uint64_t)i);
        received += count > 0 ? (uint64_t)count : 0;
    }
    tell("many", (int64_t)received);
    tell("sum", (int64_t)(sum & 0xFFFFFFFF));
}

static void ends(void)
{
    tell("shutdown", call(SHUTDOWN, one, 1));
    tell("write behind it", call(SENDTO, one, "x", 1, NOSIGNAL, 0, 0));
    tell("ready", poll_one(other, POLLIN, -1) & POLLIN);
    tell("end", call(READ, other, buffer, 10));
    tell("still the other way", call(WRITE, other, "back", 4));
    tell("read", call(RECVFROM, one, buffer, 4, WAITALL, 0, 0));
    tell("shutdown in no way", call(SHUTDOWN, one, 3));
    tell("close", call(CLOSE, other));
    tell("end", call(READ, one, buffer, 10));
    tell("close", call(CLOSE, one));
    tell("close", call(CLOSE, listener));
}

/* ---- Without a connection ---- */

static void refusals(void)
{
    struct address nobody = loopback(PORT + 1);
    int64_t fd = call(SOCKET, 2, STREAM, 0);

    tell("refused", call(CONNECT, fd, &nobody, sizeof nobody));
    tell("refused again", call(CONNECT, fd, &nobody, sizeof nobody));
    (void)call(FCNTL, fd, 4, NONBLOCK);
    tell("begun", call(CONNECT, fd, &nobody, sizeof nobody));
    tell("ready", poll_one(fd, POLLOUT, -1) & POLLOUT);
    tell("error", option(fd, 1, 4));
    tell("error is told once", option(fd, 1, 4));
    (void)call(CLOSE, fd);
    fd = call(SOCKET, 2, STREAM, 0);
    tell("short address", call(CONNECT, fd, &nobody, 4));
    nobody.family = 77;
    tell("another family", call(CONNECT, fd, &nobody, sizeof nobody));
    tell("accept of no listener", call(ACCEPT, fd, 0, 0));
    tell("shutdown of none", call(SHUTDOWN, fd, 2));
    tell("no option", option(fd, 1, 12345));
    tell("close", call(CLOSE, fd));
    tell("no such type", call(SOCKET, 2, 9, 0));
    tell("no such flag", call(SOCKET, 2, STREAM | 0x100, 0));
    tell("another protocol", call(SOCKET, 2, STREAM, 17));
    tell("no socket", call(LISTEN, 1, 5));
    tell("no descriptor", call(CONNECT, 999, &nobody, sizeof nobody));
}

/* ---- Datagrams ---- */

static void datagrams(void)
{
    struct address at = loopback(PORT), from = {0};
    int64_t to = call(SOCKET, 2, DATAGRAM, 0), fd = call(SOCKET, 2, DATAGRAM, 17);
    int64_t wait[2] = {0, 30000};
    int32_t bytes = sizeof from;

    tell("bind", call(BIND, to, &at, sizeof at));
    tell("nowhere to", call(SENDTO, fd, "x", 1, 0, 0, 0));
    tell("send", call(SENDTO, fd, "one", 3, 0, &at, sizeof at));
    tell("send", call(SENDTO, fd, "three", 5, 0, &at, sizeof at));
    tell("send nothing", call(SENDTO, fd, "", 0, 0, &at, sizeof at));
    tell("ready", poll_one(to, POLLIN, -1));
    tell("peek", call(RECVFROM, to, buffer, 100, PEEK, &from, &bytes));
    tell("receive", call(RECVFROM, to, buffer, 100, 0, &from, &bytes));
    tell("address", __builtin_bswap32(from.ip));
    tell("cut", call(RECVFROM, to, buffer, 2, TRUNC, 0, 0));
    tell("nothing", call(RECVFROM, to, buffer, 2, 0, 0, 0));
    tell("no more", call(RECVFROM, to, buffer, 2, DONTWAIT, 0, 0));
    tell("limit", call(SETSOCKOPT, to, 1, 20, wait, sizeof wait));
    tell("waited", call(RECVFROM, to, buffer, 2, 0, 0, 0));
    tell("answer", call(SENDTO, to, "yes", 3, 0, &from, sizeof from));
    tell("receive", call(READ, fd, buffer, 100));
    tell("connect", call(CONNECT, fd, &at, sizeof at));
    tell("write", call(WRITE, fd, "connected", 9));
    tell("receive", call(READ, to, buffer, 100));
    tell("too long", call(WRITE, fd, buffer, 100000));
    tell("listen", call(LISTEN, to, 1));
}

void start(void)
{
    listens();
    connects();
    moves_bytes();
    moves_many();
    ends();
    refusals();
    datagrams();
    end(0);
}
