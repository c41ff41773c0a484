// SPDX-License-Identifier: MIT
/*
 * main - a client for tests: writes numbered lines to the serial line, while a second thread ends the driver as often as its argument
 * says. A write that the driver had taken when it was ended fails with MNOS_ERR_PEER, is counted and sent again, as
 * lib/client/stream.h does; any other error is a failure.
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/thread.h"
#include "lib/mnos/time.h"
#include "protocols/stream.h"

#define LINE_BYTES 200u
#define LINES_BETWEEN 3u /* at most, that are written between two kills */
#define BUSY_WAIT_NS 1000000ull
#define STACK_PAGES 4
#define PRIORITY_KILLER                                                                            \
    45 /* above the driver's, so that it strikes in the middle on one core, too */

static _Atomic unsigned written;
static _Atomic bool over;
static unsigned kills, interrupted, failed;
static unsigned wanted;

static void kill_again_and_again(void *)
{
    uint64_t seed = 1;

    while (kills < wanted) {
        unsigned before = written;

        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        while (written - before < (seed >> 40) % (LINES_BETWEEN + 1))
            sleep_until(deadline_after_ns(200000));
        sleep_until(deadline_after_ns(100000 + (seed >> 33) % 900000));
        kills += manager_command(MANAGER_KILL, "serial") == MNOS_OK;
    }
    over = true;
}

static void write_line(unsigned number)
{
    char line[LINE_BYTES + 1];
    mnos_status_t status;
    struct message msg;
    size_t bytes = (size_t)mnos_snprintf(line, sizeof line, "<%06u:", number);

    while (bytes + 3 < LINE_BYTES)
        line[bytes++] = (char)('a' + number % 26);
    string_copy(line + bytes, ">\r\n", sizeof line - bytes);
    do {
        msg = (struct message){0};
        message_put(&msg, STREAM_WRITE, line, LINE_BYTES);
        status = ipc_request(bootstrap_cap("serial"), &msg);
        interrupted += status == MNOS_ERR_PEER;
        if (status == MNOS_ERR_AGAIN)
            sleep_until(deadline_after_ns(BUSY_WAIT_NS));
    } while (status == MNOS_ERR_PEER || status == MNOS_ERR_AGAIN);
    if (status != MNOS_OK) {
        failed++;
        log_error(status, "write");
    }
    written++;
}

int main(void)
{
    struct thread killer;
    unsigned number = 0;

    for (const char *at = bootstrap_arguments(); *at >= '0' && *at <= '9'; at++)
        wanted = wanted * 10 + (unsigned)(*at - '0');
    if (thread_create(&killer, "killer", kill_again_and_again, NULL, STACK_PAGES, PRIORITY_KILLER,
                      MNOS_AFFINITY_ANY) != MNOS_OK)
        return 1;
    while (!over)
        write_line(number++);
    write_line(number++); /* to a run that nobody ends */
    log_line("%u kills, %u in the middle of a write, %u failed, %u lines", kills, interrupted,
             failed, number);
    return failed != 0;
}
