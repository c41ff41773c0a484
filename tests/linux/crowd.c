// SPDX-License-Identifier: MIT
/* crowd - a static program of Linux, for tests/system/test_linux.py: as many processes as a container may have. */
#include "tests/linux/program.h"

PROGRAM_START;

enum { ROUNDS = 2, MANY = 100, WAITID = 247 };
enum { P_PID = 1, EXITED = 4, NOWAIT = 0x1000000 };

/* One child after the other ends, and nobody waits for any of them until there can be no more. */
static void not_waited_for(void)
{
    int64_t made = 0, child = 0, ended = 0;
    uint64_t info[16];

    while (made < MANY && (child = call(FORK)) >= 0) {
        if (child == 0)
            end(0);
        (void)call(WAITID, P_PID, child, info, EXITED | NOWAIT, 0);
        made++;
    }
    tell("ended", made);
    tell("one more", child);
    while (call(WAIT4, -1, 0, 0, 0) > 0)
        ended++;
    tell("waited for", ended);
}

void start(void)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        not_waited_for();
    end(0);
}
