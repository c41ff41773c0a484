// SPDX-License-Identifier: MIT
/*
 * events - a static program of Linux, for tests/system/test_linux.py: eventfd, timerfd, signalfd, and epoll over them and over
 * sockets, a line each. The same file runs on the host, and is to say the same there.
 */
#include "tests/linux/program.h"

PROGRAM_START;

enum { SEMAPHORE = 1, NONBLOCK = 04000 };
enum { IN = 1, OUT = 4, ONESHOT = 1 << 30, ADD = 1, DEL = 2, MOD = 3 };
#define EDGE (1u << 31)

static int64_t read8(int64_t fd)
{
    uint64_t value = 0;
    int64_t result = call(READ, fd, &value, 8);

    return result < 0 ? result : (int64_t)value;
}

static int64_t write8(int64_t fd, uint64_t value)
{
    return call(WRITE, fd, &value, 8);
}

static void counts(void)
{
    int64_t fd = call(EVENTFD, 3, NONBLOCK), semaphore = call(EVENTFD, 2, NONBLOCK | SEMAPHORE);
    uint32_t small = 0;

    tell("ready", poll_one(fd, IN | OUT, 0));
    tell("value", read8(fd));
    tell("nothing", read8(fd));
    tell("ready", poll_one(fd, IN | OUT, 0));
    tell("add", write8(fd, 5));
    tell("add", write8(fd, 6));
    tell("sum", read8(fd));
    tell("too much at once", write8(fd, UINT64_MAX));
    tell("all there can be", write8(fd, UINT64_MAX - 1));
    tell("no more", write8(fd, 1));
    tell("ready", poll_one(fd, IN | OUT, 0));
    tell("too few bytes", call(READ, fd, &small, 4));
    tell("semaphore", read8(semaphore));
    tell("semaphore", read8(semaphore));
    tell("semaphore", read8(semaphore));
    tell("no such flag", call(EVENTFD, 0, 2));
    tell("close", call(CLOSE, fd));
}

static void timers(void)
{
    int64_t fd = call(TIMERFD, 1, NONBLOCK), wanted[4] = {0, 20000000, 0, 30000000}, old[4];

    tell("not set", read8(fd));
    tell("set", call(SETTIME, fd, 0, wanted, old));
    tell("was not set", old[2] + old[3]);
    tell("not yet", read8(fd));
    tell("ready", poll_one(fd, IN, -1));
    tell("ends", read8(fd) > 0);
    tell("periodic", poll_one(fd, IN, -1));
    tell("gettime", call(GETTIME, fd, old));
    tell("interval", old[1]);
    wanted[0] = wanted[1] = wanted[2] = 0;
    wanted[3] = 1; /* since boot */
    tell("at a time that is over", call(SETTIME, fd, 1, wanted, 0));
    tell("ends", read8(fd));
    tell("once", read8(fd));
    wanted[2] = 100;
    wanted[3] = 0;
    tell("set", call(SETTIME, fd, 0, wanted, 0));
    wanted[2] = 0;
    tell("stopped", call(SETTIME, fd, 0, wanted, old));
    tell("before its end", old[2] == 99 || old[2] == 100);
    wanted[3] = 1000000000;
    tell("no time", call(SETTIME, fd, 0, wanted, 0));
    tell("no timer", call(GETTIME, 0, old));
    tell("no clock", call(TIMERFD, 77, 0));
}

static void signals(void)
{
    uint64_t set = 1ull << 9 | 1ull << 11;
    uint32_t record[32] = {0};
    int64_t fd, me = call(GETPID);

    (void)call(SIGPROCMASK, 0, &set, 0, 8);
    fd = call(SIGNALFD, -1, &set, 8, NONBLOCK);
    tell("nothing", call(READ, fd, record, sizeof record));
    (void)call(KILL, me, 12);
    (void)call(KILL, me, 10);
    tell("ready", poll_one(fd, IN, 0));
    tell("one", call(READ, fd, record, sizeof record));
    tell("signal", record[0]);
    tell("from", record[3] == (uint32_t)me);
    set = 1ull << 9;
    tell("another set", call(SIGNALFD, fd, &set, 8, 0) == fd);
    tell("not that one", call(READ, fd, record, sizeof record));
    tell("too few bytes", call(READ, fd, record, 100));
    tell("no signalfd", call(SIGNALFD, 0, &set, 8, 0));
}

/* ---- epoll ---- */

struct __attribute__((packed)) event {
    uint32_t events;
    uint64_t data;
};

static int64_t control(int64_t epoll, int operation, int64_t fd, uint32_t events, uint64_t data)
{
    struct event event = {events, data};

    return call(EPOLL_CTL, epoll, operation, fd, &event);
}

static struct event found[8];

static void wait(const char *what, int64_t epoll, int64_t timeout_ms)
{
    int64_t count = call(EPOLL_WAIT, epoll, found, 8, timeout_ms);

    tell(what, count);
    for (int64_t i = 0; i < count; i++) {
        tell(" data", (int64_t)found[i].data);
        tell(" events", found[i].events);
    }
}

static void watches(void)
{
    int64_t epoll = call(EPOLL, 0), one = call(EVENTFD, 0, NONBLOCK),
            two = call(EVENTFD, 0, NONBLOCK);
    int64_t other = call(EPOLL, 0), copy, file = call(OPEN, "/dev/null", 0);

    tell("add", control(epoll, ADD, one, IN, 1));
    tell("add again", control(epoll, ADD, one, IN, 1));
    tell("add", control(epoll, ADD, two, IN | EDGE, 2));
    tell("itself", control(epoll, ADD, epoll, IN, 0));
    tell("a device", control(epoll, ADD, file, IN, 0));
    tell("no descriptor", control(epoll, ADD, 999, IN, 0));
    tell("no epoll", control(one, ADD, two, IN, 0));
    tell("no operation", control(epoll, 7, one, IN, 0));
    tell("from nowhere", call(EPOLL_CTL, epoll, ADD, one, 0));
    wait("nothing", epoll, 0);
    (void)write8(two, 1);
    wait("an edge", epoll, -1);
    wait("once", epoll, 20);
    (void)write8(two, 1);
    wait("another edge", epoll, -1);
    (void)write8(one, 1);
    wait("a level", epoll, -1);
    wait("still", epoll, -1);
    tell("once only", control(epoll, MOD, one, IN | OUT | ONESHOT, 11));
    wait("once", epoll, -1);
    wait("never", epoll, 0);
    tell("again", control(epoll, MOD, one, IN | ONESHOT, 12));
    wait("again", epoll, -1);
    tell("nested", control(other, ADD, epoll, IN, 100));
    tell("in a circle", control(epoll, ADD, other, IN, 0));
    (void)control(epoll, MOD, one, IN, 13);
    wait("nested", other, -1);
    copy = call(DUP, one);
    tell("close", call(CLOSE, one));
    wait("the copy keeps it", epoll, 0);
    tell("close", call(CLOSE, copy));
    wait("gone", epoll, 0);
    tell("remove", control(epoll, DEL, two, 0, 0));
    tell("remove again", control(epoll, DEL, two, 0, 0));
    tell("none wanted", call(EPOLL_WAIT, epoll, found, 0, 0));
    tell("no epoll", call(EPOLL_WAIT, two, found, 1, 0));
    tell("close", call(CLOSE, epoll));
    wait("nested, and gone", other, 0);
}

static void sockets(void)
{
    uint16_t to[8] = {2, __builtin_bswap16(5011), 0x007F, 0x0100};
    int64_t epoll = call(EPOLL, 0), fd = call(SOCKET, 2, 2 | NONBLOCK, 0),
            sender = call(SOCKET, 2, 2, 0);
    char byte;

    tell("bind", call(BIND, fd, to, 16));
    tell("add", control(epoll, ADD, fd, IN | EDGE, 7));
    (void)call(SENDTO, sender, "a", 1, 0, to, 16);
    wait("a datagram", epoll, -1);
    wait("once", epoll, 20);
    (void)call(SENDTO, sender, "b", 1, 0, to, 16);
    wait("another", epoll, -1);
    while (call(READ, fd, &byte, 1) > 0)
        ;
    (void)call(SENDTO, sender, "c", 1, 0, to, 16);
    wait("after all was read", epoll, -1);
}

void start(void)
{
    counts();
    timers();
    signals();
    watches();
    sockets();
    end(0);
}
