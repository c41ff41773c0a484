// SPDX-License-Identifier: MIT
/*
 * waits - a static program of Linux, for tests/system/test_linux.py: what waitid() tells of children, and children that nobody
 * is to wait for; a line each. The same file runs on the host, and is to say the same there.
 */
#include "tests/linux/handlers.h"

PROGRAM_START;

enum { WAITID = 247 };
enum { SIGKILL = 9, SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19 };
enum { P_ALL = 0, P_PID = 1, P_PGID = 2 };
enum { NOHANG = 1, STOPPED = 2, EXITED = 4, CONTINUED = 8, NOWAIT = 0x1000000 };
#define NOCLDWAIT 2u
#define IGNORE 1u
/* More than a container may have processes. */
#define MANY 100

static struct {
    int32_t signal, error, code, pad, pid, user, status, rest[25];
} info;
static volatile unsigned told;

static void handler(int signal)
{
    (void)signal;
    told++;
}

static int64_t child_that_ends(int code)
{
    int64_t child = call(FORK);

    if (child == 0)
        (void)call(EXIT_GROUP, code);
    return child;
}

static int64_t child_that_waits(void)
{
    int64_t child = call(FORK);

    while (child == 0)
        (void)call(PAUSE);
    return child;
}

static void look(const char *what, int64_t kind, int64_t which, int64_t options, int64_t child)
{
    tell(what, call(WAITID, kind, which, &info, options, 0));
    tell(" about it", info.signal == 0 ? 0 : info.pid == child);
    tell(" code", info.code);
    tell(" status", info.status);
}

static void what_is_told(void)
{
    int64_t child = child_that_ends(7);

    look("looked at", P_ALL, 0, EXITED | NOWAIT, child);
    look("taken", P_PID, child, EXITED, child);
    tell("taken again", call(WAITID, P_PID, child, &info, EXITED, 0));
    child = child_that_waits();
    look("nothing yet", P_PID, child, EXITED | NOHANG, child);
    (void)call(KILL, child, SIGSTOP);
    look("stopped", P_PID, child, STOPPED, child);
    (void)call(KILL, child, SIGCONT);
    look("continued", P_PID, child, CONTINUED, child);
    (void)call(KILL, child, SIGKILL);
    look("killed", P_PGID, 0, EXITED, child);
    tell("no kind", call(WAITID, 9, 1, &info, EXITED, 0));
    tell("no child", call(WAITID, P_PID, 0, &info, EXITED, 0));
    tell("nothing wanted", call(WAITID, P_ALL, 0, &info, NOHANG, 0));
}

/* How many are gone without a trace: -ECHILD. */
static void many(const char *what)
{
    unsigned gone = 0;

    for (unsigned i = 0; i < MANY; i++) {
        int64_t child = child_that_ends(1);

        gone += child > 0 && call(WAIT4, child, 0, 0, 0) == -10;
    }
    tell(what, gone);
}

void start(void)
{
    int64_t child;

    what_is_told();
    (void)set_handler(SIGCHLD, IGNORE, 0, 0);
    many("ignored");
    child = call(FORK);
    if (child == 0) {
        many("ignored by a copy");
        (void)call(EXIT_GROUP, 0);
    }
    tell("and it itself", call(WAIT4, child, 0, 0, 0));
    (void)set_handler(SIGCHLD, (uint64_t)handler, NOCLDWAIT | RESTART, 0);
    many("not waited for");
    tell("and told", told == MANY);
    (void)set_handler(SIGCHLD, (uint64_t)handler, 0, 0);
    child = child_that_ends(3);
    look("kept again", P_PID, child, EXITED, child);
    (void)call(EXIT_GROUP, 0);
}
