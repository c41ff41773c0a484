// SPDX-License-Identifier: MIT
/* signals - see signals.h. */
#include "personality/linux/lx/signals.h"

#include "lib/base/string.h"
#include "lib/mnos/ipc.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/threads.h"
#include "personality/linux/lx/timers.h"
#include "personality/linux/lx/wait.h"

#define HANDLER_DEFAULT 0
#define HANDLER_IGNORE 1
#define QUEUE_MAX 128u /* RLIMIT_SIGPENDING */
/* Neither can be caught, blocked or ignored. */
#define UNSTOPPABLE (SIGNAL_BIT(LINUX_SIGKILL) | SIGNAL_BIT(LINUX_SIGSTOP))
/* By default: signal(7). */
#define IGNORED_BY_DEFAULT                                                                         \
    (SIGNAL_BIT(LINUX_SIGCHLD) | SIGNAL_BIT(LINUX_SIGCONT) | SIGNAL_BIT(LINUX_SIGURG) |            \
     SIGNAL_BIT(LINUX_SIGWINCH))
/* Those of faults come first: kernel/signal.c of Linux. */
#define FIRST                                                                                      \
    (SIGNAL_BIT(LINUX_SIGSEGV) | SIGNAL_BIT(LINUX_SIGBUS) | SIGNAL_BIT(LINUX_SIGILL) |             \
     SIGNAL_BIT(LINUX_SIGTRAP) | SIGNAL_BIT(LINUX_SIGFPE) | SIGNAL_BIT(LINUX_SIGSYS))

/* entry.S: where a call returns to when there is something to deliver. */
extern const char lx_answered_signals[];

struct linux_sigaction signals_actions[LINUX_SIGNALS];
static uint64_t pending; /* of the process: any thread takes them */
static struct {
    struct linux_siginfo info;
    const struct lx_thread *thread; /* whose it is; NULL: of the process */
} queue[QUEUE_MAX];
static uint32_t queued;

static bool is_ignored(uint32_t signal)
{
    uint64_t handler = signals_actions[signal - 1].handler;

    return handler == HANDLER_IGNORE ||
           (handler == HANDLER_DEFAULT && (IGNORED_BY_DEFAULT & SIGNAL_BIT(signal)) != 0);
}

struct lx_call_frame *lx_call_record(void)
{
    return (struct lx_call_frame *)ipc_buffer()->reserved[1] - 1; /* LX_TOP */
}

/* The call that runs returns to the delivery instead of to the program: its return address lies below its record. */
static void turn_the_way_out(void)
{
    ((uint64_t *)lx_call_record())[-1] = (uint64_t)lx_answered_signals;
}

/* What the calling thread is to deliver; one that is to end does so on its way out. */
static bool is_due(void)
{
    const struct lx_thread *self = thread_self();

    return ((pending | self->pending) & ~self->blocked) != 0 || self->must_end;
}

bool signals_due(void)
{
    if (!is_due())
        return false;
    turn_the_way_out();
    return true;
}

bool signals_wanted(void)
{
    return is_due() || host_is_stopped();
}

void signals_look(void)
{
    if (threads_many && signals_wanted())
        turn_the_way_out();
}

uint64_t signals_pending(uint64_t mask)
{
    return (pending | thread_self()->pending) & mask;
}

static uint64_t *pending_of(struct lx_thread *thread)
{
    return thread != NULL ? &thread->pending : &pending;
}

static bool is_queued(const struct lx_thread *thread, uint32_t signal)
{
    for (uint32_t i = 0; i < queued; i++) {
        if (queue[i].thread == thread && queue[i].info.signal == (int32_t)signal)
            return true;
    }
    return false;
}

/* A signal of the process has come: one thread is to deliver it, the calling one if it can. */
static void choose_thread(uint64_t bit)
{
    if ((thread_self()->blocked & bit) == 0)
        return;
    EACH_THREAD(thread)
    {
        if ((thread->blocked & bit) == 0) {
            thread_prod(thread);
            return;
        }
    }
}

/* Whoever is to deliver it hears of it, and who waits for signals by a call. */
static void tell(struct lx_thread *thread, uint64_t bit)
{
    (void)signals_due();
    if (!threads_many)
        return;
    wait_changed();
    if (thread == NULL)
        choose_thread(bit);
    else if ((thread->blocked & bit) == 0)
        thread_prod(thread);
}

bool signals_post_to(struct lx_thread *thread, uint32_t signal, const struct linux_siginfo *info)
{
    static const struct linux_siginfo from_system = {.code = LINUX_SI_KERNEL};
    bool counts = signal >= LINUX_SIGRTMIN;
    uint64_t bit = SIGNAL_BIT(signal), blocked = (thread != NULL ? thread : thread_self())->blocked;

    /* What is ignored is forgotten, unless it is blocked: by the time it comes it may have a handler. */
    if ((blocked & bit) == 0 && is_ignored(signal))
        return true;
    if (!counts && (*pending_of(thread) & bit) != 0)
        return true;
    if (queued == QUEUE_MAX && counts)
        return false;
    if (queued < QUEUE_MAX) { /* else it comes without saying from where, as on Linux */
        queue[queued].thread = thread;
        queue[queued].info = info != NULL ? *info : from_system;
        queue[queued++].info.signal = (int32_t)signal;
    }
    *pending_of(thread) |= bit;
    tell(thread, bit);
    return true;
}

bool signals_post(uint32_t signal, const struct linux_siginfo *info)
{
    return signals_post_to(NULL, signal, info);
}

bool signals_send_to(struct lx_thread *thread, uint32_t signal, int32_t code)
{
    struct linux_siginfo info = {.code = code, .process = process_id()};

    return signals_post_to(thread, signal, &info);
}

bool signals_send(uint32_t signal, int32_t code)
{
    return signals_send_to(NULL, signal, code);
}

void process_signal(uint32_t signal)
{
    (void)signals_post(signal, NULL);
}

static void drop_queued(uint32_t at)
{
    memmove(&queue[at], &queue[at + 1], (queued - at - 1) * sizeof queue[0]);
    queued--;
}

/* The first of that signal in the queue. */
static void take_queued(const struct lx_thread *thread, uint32_t signal, struct linux_siginfo *info)
{
    uint32_t at = 0;

    while (at < queued && (queue[at].thread != thread || queue[at].info.signal != (int32_t)signal))
        at++;
    *info = (struct linux_siginfo){.signal = (int32_t)signal};
    if (at == queued)
        return;
    *info = queue[at].info;
    drop_queued(at);
}

static uint32_t take_from(struct lx_thread *thread, uint64_t mask, struct linux_siginfo *info)
{
    uint64_t found = *pending_of(thread) & mask;
    uint32_t signal;

    if (found == 0)
        return 0;
    if ((found & FIRST) != 0)
        found &= FIRST;
    signal = (uint32_t)__builtin_ctzll(found) + 1;
    take_queued(thread, signal, info);
    if (!is_queued(thread, signal))
        *pending_of(thread) &= ~SIGNAL_BIT(signal);
    return signal;
}

uint32_t signals_take(uint64_t mask, struct linux_siginfo *info)
{
    uint32_t signal = take_from(thread_self(), mask, info);

    return signal != 0 ? signal : take_from(NULL, mask, info);
}

void signals_thread_ends(struct lx_thread *thread)
{
    struct linux_siginfo info;

    while (take_from(thread, UINT64_MAX, &info) != 0)
        ;
    thread->blocked = UINT64_MAX;
    for (uint64_t left = pending; left != 0; left &= left - 1)
        choose_thread(left & -left);
}

void signals_set_mask(uint64_t mask)
{
    thread_self()->blocked = mask & ~UNSTOPPABLE;
}

void signals_block(uint64_t mask)
{
    signals_set_mask(mask);
    (void)signals_due();
}

void signals_block_for_now(uint64_t mask)
{
    thread_self()->kept_mask = thread_self()->blocked;
    thread_self()->mask_is_kept = true;
    signals_block(mask);
    turn_the_way_out(); /* which sets it back */
}

int64_t signals_block_for_now_at(uint64_t address, uint64_t bytes)
{
    uint64_t mask;

    if (address == 0)
        return 0;
    if (bytes != sizeof mask)
        return -LX_EINVAL;
    if (user_read(&mask, address, sizeof mask) != 0)
        return -LX_EFAULT;
    signals_block_for_now(mask);
    return 0;
}

uint64_t signals_mask_to_return_to(void)
{
    struct lx_thread *self = thread_self();
    uint64_t mask = self->mask_is_kept ? self->kept_mask : self->blocked;

    self->mask_is_kept = false;
    return mask;
}

/* Whether children that end are waited for, which lxhost has to know. A copy of the process begins with what it knows of this
 * one. */
static void tell_of_children(void)
{
    static bool told;
    const struct linux_sigaction *action = &signals_actions[LINUX_SIGCHLD - 1];
    struct lxhost_children record = {.forgotten = action->handler == HANDLER_IGNORE ||
                                                  (action->flags & LINUX_SA_NOCLDWAIT) != 0};

    if ((record.forgotten != 0) != told &&
        host_ask(LXHOST_CHILDREN, &record, sizeof record, NULL, 0) == MNOS_OK)
        told = record.forgotten != 0;
}

/* What is pending of a signal that nobody wants any more is forgotten. */
void signals_set_action(uint32_t signal, const struct linux_sigaction *action)
{
    struct linux_siginfo info;

    signals_actions[signal - 1] = *action;
    signals_actions[signal - 1].mask &= ~UNSTOPPABLE;
    if (signal == LINUX_SIGCHLD)
        tell_of_children();
    if (!is_ignored(signal))
        return;
    EACH_THREAD(thread)
    {
        while (take_from(thread, SIGNAL_BIT(signal), &info) != 0)
            ;
    }
    while (take_from(NULL, SIGNAL_BIT(signal), &info) != 0)
        ;
}

bool signals_is_ignored(uint32_t signal)
{
    return is_ignored(signal);
}

void signals_forked(void)
{
    pending = thread_self()->pending = 0;
    queued = 0;
    thread_self()->mask_is_kept = false;
    timers_forget();
}

void signals_clear_handlers(void)
{
    for (uint32_t signal = 1; signal <= LINUX_SIGNALS; signal++) {
        uint64_t handler = signals_actions[signal - 1].handler;

        signals_actions[signal - 1] = (struct linux_sigaction){
            .handler = handler == HANDLER_IGNORE ? HANDLER_IGNORE : HANDLER_DEFAULT};
    }
    tell_of_children();
}

void signals_executed(void)
{
    signals_clear_handlers();
    thread_self()->stack = (struct linux_sigaltstack){.flags = LINUX_SS_DISABLE};
}
