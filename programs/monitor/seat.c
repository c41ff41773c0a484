// SPDX-License-Identifier: MIT
/* seat - see seat.h. */
#include "programs/monitor/seat.h"

#include "lib/client/stream.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "programs/monitor/console.h"

#define EVENT_INTERRUPT(at) (SEAT_EVENT_FIRST << (at))
#define EVENT_NOTHING (SEAT_EVENT_FIRST << SEATS_MAX) /* nothing is read there */

static mnos_cap_t seats[SEATS_MAX]; /* 0: free */
static bool listens[SEATS_MAX];
static void (*interrupted)(mnos_cap_t seat);

static mnos_status_t listen_at(unsigned at)
{
    const struct stream_events wanted = {.input = EVENT_NOTHING, .interrupt = EVENT_INTERRUPT(at)};
    mnos_status_t status =
        stream_listen(seats[at], console_endpoint(), SEAT_BADGE_FIRST + at, &wanted);

    listens[at] = status == MNOS_OK;
    return status;
}

void seat_note_gone(mnos_badge_t badge)
{
    for (unsigned i = 0; i < SEATS_MAX; i++) {
        mnos_status_t status = MNOS_OK;

        /* What was refused goes with its capability, too: no reason to ask again. */
        if (seats[i] != 0 && listens[i] &&
            ipc_client_is_gone(console_endpoint(), badge, SEAT_BADGE_FIRST + i))
            status = listen_at(i);
        if (status != MNOS_OK)
            log_error(status, "listen at another terminal"); /* Ctrl-C is not heard there */
    }
}

void seat_note_events(uint64_t set)
{
    for (unsigned i = 0; i < SEATS_MAX; i++)
        if ((set & EVENT_INTERRUPT(i)) != 0 && seats[i] != 0)
            interrupted(seats[i]);
}

void seat_on_interrupt(void (*handler)(mnos_cap_t seat))
{
    interrupted = handler;
}

mnos_status_t seat_take(unsigned number, mnos_cap_t *seat)
{
    mnos_status_t status;
    unsigned at = 0;

    while (at < SEATS_MAX && seats[at] != 0)
        at++;
    if (at == SEATS_MAX)
        return MNOS_ERR_QUOTA;
    status = stream_give_front_at(bootstrap_cap("terminal"), number, 0, &seats[at]);
    if (status != MNOS_OK)
        return status;
    status = listen_at(at);
    if (status != MNOS_OK)
        seat_leave(seats[at]);
    *seat = seats[at];
    return status;
}

void seat_leave(mnos_cap_t seat)
{
    mnos_status_t status = stream_take_front(bootstrap_cap("terminal"), seat);

    if (status != MNOS_OK)
        log_error(status, "end a session of another terminal");
    (void)!sys_cap_delete(seat);
    for (unsigned i = 0; i < SEATS_MAX; i++)
        if (seats[i] == seat)
            seats[i] = 0;
}
