// SPDX-License-Identifier: MIT
/* timers - setitimer(ITIMER_REAL) and alarm(): SIGALRM, which reaches a program that computes as other signals do. See host.h. */
#include "personality/linux/lxhost/host.h"

#include "lib/mnos/time.h"
#include "personality/linux/lx/abi.h"

/* No timer is due before: looked at around each message, of which few have to do with timers. */
static uint64_t next = MNOS_DEADLINE_NEVER;

static void note(const struct lxhost_timer *timer)
{
    if (timer->due_ns != 0 && timer->due_ns < next)
        next = timer->due_ns;
}

mnos_status_t timer_set(struct process *asker, const struct lxhost_timer *timer)
{
    asker->timer = *timer;
    note(timer);
    return MNOS_OK;
}

uint64_t timers_deadline(void)
{
    return next;
}

/* Of those that were missed one is told. */
static void go_on(struct lxhost_timer *timer, uint64_t now)
{
    uint64_t missed = timer->interval_ns == 0 ? 0 : (now - timer->due_ns) / timer->interval_ns + 1;

    if (missed == 0 || __builtin_mul_overflow(missed, timer->interval_ns, &missed) ||
        __builtin_add_overflow(timer->due_ns, missed, &timer->due_ns))
        timer->due_ns = 0;
}

void timers_look(void)
{
    uint64_t now;

    if (next == MNOS_DEADLINE_NEVER)
        return;
    now = kinfo_time_ns();
    if (now < next)
        return;
    next = MNOS_DEADLINE_NEVER;
    EACH_PROCESS(at)
    {
        if (!process_lives(at) || at->timer.due_ns == 0)
            continue;
        if (at->timer.due_ns <= now) {
            go_on(&at->timer, now);
            process_signal(at, LINUX_SIGALRM, 0);
        }
        note(&at->timer);
    }
}
