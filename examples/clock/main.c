// SPDX-License-Identifier: MIT
/* main - the service `clock`: a clock that begins with 1970 when the machine is started. */
#include "lib/format/date.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"
#include "server.h"

#define SECOND_NS 1000000000ull

enum { EXIT_RECEIVE = 1 };

static struct clock_server server;
static uint64_t seconds; /* that it shows */

static void look(void)
{
    struct date date;

    seconds = kinfo_time_ns() / SECOND_NS;
    date_of((int64_t)seconds, &date);
    clock_server_show(&server, &(struct clock_time){date.year, date.month, date.day, date.hour,
                                                    date.minute, date.second});
}

int main(void)
{
    mnos_cap_t endpoint = bootstrap_cap("requests");
    struct message msg = {0};

    for (;;) {
        uint64_t deadline =
            server.waiting_count == 0 ? MNOS_DEADLINE_NEVER : (seconds + 1) * SECOND_NS;
        mnos_status_t status = ipc_reply_receive(endpoint, &msg, deadline);

        if (status != MNOS_OK && status != MNOS_ERR_DEADLINE)
            return log_failure(status, "receive a request", EXIT_RECEIVE);
        if (kinfo_time_ns() / SECOND_NS != seconds)
            look();
        if (status == MNOS_OK)
            alive_answer(&msg);
        if (status == MNOS_OK && msg.kind == MNOS_KIND_MESSAGE)
            clock_server_handle(&server, &msg);
        else
            msg = (struct message){0};
    }
}
