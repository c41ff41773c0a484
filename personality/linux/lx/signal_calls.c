// SPDX-License-Identifier: MIT
/* signal_calls - calls about signals: see signals.h. */
#include "lib/mnos/time.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/clock.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/threads.h"
#include "personality/linux/lx/wait.h"

#define SET_BYTES 8
#define MINIMAL_STACK 2048u /* MINSIGSTKSZ */

int64_t lx_rt_sigaction(uint32_t signal, uint64_t action, uint64_t old, uint64_t size)
{
    struct linux_sigaction wanted;

    if (size != SET_BYTES)
        return -LX_EINVAL;
    if (action != 0 && user_read(&wanted, action, sizeof wanted) != 0)
        return -LX_EFAULT;
    if (signal == 0 || signal > LINUX_SIGNALS ||
        (action != 0 && (signal == LINUX_SIGKILL || signal == LINUX_SIGSTOP)))
        return -LX_EINVAL;
    if (old != 0 && user_write(old, &signals_actions[signal - 1], sizeof wanted) != 0)
        return -LX_EFAULT;
    if (action != 0)
        signals_set_action(signal, &wanted);
    return 0;
}

int64_t lx_rt_sigprocmask(uint32_t how, uint64_t set, uint64_t old, uint64_t size)
{
    uint64_t mask = 0, before = thread_self()->blocked;

    if (size != SET_BYTES)
        return -LX_EINVAL;
    if (set != 0 && user_read(&mask, set, sizeof mask) != 0)
        return -LX_EFAULT;
    if (set != 0 && how > 2)
        return -LX_EINVAL;
    if (set != 0)
        signals_block(how == 0 ? before | mask : how == 1 ? before & ~mask : mask);
    return old == 0 ? 0 : user_write(old, &before, sizeof before);
}

int64_t lx_rt_sigpending(uint64_t to, uint64_t size)
{
    uint64_t found = signals_pending(thread_self()->blocked);

    return size > SET_BYTES ? -LX_EINVAL : user_write(to, &found, size);
}

/* Until a signal is delivered. */
static int64_t wait_for_signal(void)
{
    int64_t result;

    do
        result = wait_or_signal(MNOS_DEADLINE_NEVER);
    while (result == 0);
    return result;
}

int64_t lx_rt_sigsuspend(uint64_t set, uint64_t size)
{
    uint64_t mask;

    if (size != SET_BYTES)
        return -LX_EINVAL;
    if (user_read(&mask, set, sizeof mask) != 0)
        return -LX_EFAULT;
    signals_block_for_now(mask);
    return wait_for_signal();
}

int64_t lx_pause(void)
{
    return wait_for_signal();
}

int64_t lx_rt_sigtimedwait(uint64_t set, uint64_t to, uint64_t timeout, uint64_t size)
{
    uint64_t mask, deadline = MNOS_DEADLINE_NEVER;
    struct linux_timespec time;
    struct linux_siginfo info;
    int64_t result = 0;

    if (size != SET_BYTES)
        return -LX_EINVAL;
    if (user_read(&mask, set, sizeof mask) != 0)
        return -LX_EFAULT;
    if (timeout != 0 && user_read(&time, timeout, sizeof time) != 0)
        return -LX_EFAULT;
    if (timeout != 0 && !time_is_valid(&time))
        return -LX_EINVAL;
    if (timeout != 0)
        deadline = deadline_after_ns(time_to_ns(&time));
    for (;;) {
        uint32_t signal = signals_take(mask, &info);

        if (signal != 0)
            return to == 0 || user_write(to, &info, sizeof info) == 0 ? (int64_t)signal
                                                                      : -LX_EFAULT;
        if (result != 0)
            return result;
        /* One that is not blocked and not waited for ends the wait; so may one that is waited for. */
        result = deadline == 0 ? -LX_EAGAIN : wait_or_signal(deadline);
    }
}

int64_t lx_sigaltstack(uint64_t wanted, uint64_t old)
{
    struct linux_sigaltstack next, current = thread_self()->stack;
    bool is_on_it = signals_is_on_stack(lx_call_record()->rsp);
    uint32_t flags;

    if (wanted != 0 && user_read(&next, wanted, sizeof next) != 0)
        return -LX_EFAULT;
    current.flags |= is_on_it ? LINUX_SS_ONSTACK : 0;
    if (wanted != 0) {
        flags = next.flags & ~LINUX_SS_AUTODISARM;
        if (is_on_it)
            return -LX_EPERM;
        if (flags != 0 && flags != LINUX_SS_DISABLE && flags != LINUX_SS_ONSTACK)
            return -LX_EINVAL;
        if (flags != LINUX_SS_DISABLE && next.size < MINIMAL_STACK)
            return -LX_ENOMEM;
        if (flags == LINUX_SS_DISABLE)
            next.stack = next.size = 0;
        next.flags &= ~LINUX_SS_ONSTACK;
        thread_self()->stack = next;
    }
    return old == 0 ? 0 : user_write(old, &current, sizeof current);
}

/* ---- Sending: to this process ---- */

int64_t lx_tkill(int32_t which, uint32_t signal)
{
    return lx_tgkill(process_id(), which, signal);
}

int64_t lx_tgkill(int32_t group, int32_t which, uint32_t signal)
{
    struct lx_thread *thread = thread_of(which);

    if (group <= 0 || which <= 0 || signal > LINUX_SIGNALS)
        return -LX_EINVAL;
    if (group != process_id() || thread == NULL)
        return -LX_ESRCH;
    return signal == 0 || signals_send_to(thread, signal, LINUX_SI_TKILL) ? 0 : -LX_EAGAIN;
}

int64_t lx_rt_sigqueueinfo(int32_t which, uint32_t signal, uint64_t from)
{
    struct linux_siginfo info;

    if (user_read(&info, from, sizeof info) != 0)
        return -LX_EFAULT;
    if (signal > LINUX_SIGNALS)
        return -LX_EINVAL;
    if (which != process_id())
        return -LX_ESRCH;
    return signal == 0 || signals_post(signal, &info) ? 0 : -LX_EAGAIN;
}

int64_t lx_rt_tgsigqueueinfo(int32_t group, int32_t which, uint32_t signal, uint64_t from)
{
    struct lx_thread *thread = thread_of(which);
    struct linux_siginfo info;

    if (user_read(&info, from, sizeof info) != 0)
        return -LX_EFAULT;
    if (group <= 0 || which <= 0 || signal > LINUX_SIGNALS)
        return -LX_EINVAL;
    if (group != process_id() || thread == NULL)
        return -LX_ESRCH;
    return signal == 0 || signals_post_to(thread, signal, &info) ? 0 : -LX_EAGAIN;
}
