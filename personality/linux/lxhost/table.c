// SPDX-License-Identifier: MIT
/* table - who the processes of the container are: pids, groups, sessions, ends, signals. See host.h. */
#include "personality/linux/lxhost/host.h"

#include <stdatomic.h>

#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "personality/linux/lx/abi.h"

#define PID_MAX 32767
#define BADGE_SLOT_BITS 8u
#define SIGNALS_THAT_STOP                                                                          \
    (SIGNAL_BIT(LINUX_SIGSTOP) | SIGNAL_BIT(LINUX_SIGTSTP) | SIGNAL_BIT(LINUX_SIGTTIN) |           \
     SIGNAL_BIT(LINUX_SIGTTOU))
#define STATUS_STOPPED(signal) ((signal) << 8 | 0x7F)
#define STATUS_CONTINUED 0xFFFFu

struct host host;

/* ---- Finding ---- */

static bool is_used(int32_t pid)
{
    EACH_PROCESS(at)
    {
        if (at->state != PROCESS_FREE && (at->pid == pid || at->group == pid || at->session == pid))
            return true;
    }
    return false;
}

struct process *process_new(void)
{
    EACH_PROCESS(at)
    {
        if (at->state != PROCESS_FREE)
            continue;
        do {
            host.last_pid = host.last_pid == PID_MAX ? 2 : host.last_pid + 1;
        } while (is_used(host.last_pid)); /* a few dozen are */
        *at = (struct process){.state = PROCESS_NEW,
                               .pid = host.last_pid,
                               .generation = ++host.generation,
                               .started_ns = kinfo_time_ns()};
        return at;
    }
    return NULL;
}

struct process *process_of(int32_t pid)
{
    EACH_PROCESS(at)
    {
        if (at->state != PROCESS_FREE && at->state != PROCESS_NEW && at->pid == pid)
            return at;
    }
    return NULL;
}

mnos_badge_t process_badge(const struct process *process)
{
    return process->generation << BADGE_SLOT_BITS | (uint64_t)(process - host.processes);
}

struct process *process_by_badge(mnos_badge_t badge)
{
    uint64_t slot = badge & ((1u << BADGE_SLOT_BITS) - 1);

    if (slot >= PROCESSES_MAX || host.processes[slot].generation != badge >> BADGE_SLOT_BITS ||
        !process_lives(&host.processes[slot]))
        return NULL;
    return &host.processes[slot];
}

/* ---- Telling ---- */

void process_tell(const struct process *process, uint64_t events)
{
    if (process->listener != 0)
        (void)!sys_ipc_notify(process->listener, events); /* it fails where it has ended */
}

struct lxhost_notice *process_notice(const struct process *process)
{
    return (void *)((uint8_t *)process->native.window.address + LXHOST_WINDOW_BYTES);
}

/* What the process sees without a request. */
void process_note(const struct process *process)
{
    struct lxhost_notice *notice = process_notice(process);

    if (process->native.window.page_count == 0)
        return;
    atomic_store_explicit(&notice->parent, process->parent, memory_order_relaxed);
    atomic_store_explicit(&notice->stopped, process->state == PROCESS_STOPPED,
                          memory_order_release);
    atomic_store_explicit(&notice->signals, process->pending != 0, memory_order_release);
}

void process_signal(struct process *process, uint32_t signal, int32_t sender)
{
    if (!process_lives(process))
        return;
    if (signal == LINUX_SIGKILL) {
        /* How it has ended follows from that nobody but lxhost destroys it: native_collect(). */
        (void)!sys_proc_destroy(process->native.process, 0);
        return;
    }
    if (signal == LINUX_SIGCONT) {
        process->pending &= ~SIGNALS_THAT_STOP;
        process->told_stopped = false;
        process->told_continued = process->state == PROCESS_STOPPED;
        process->state = PROCESS_RUN;
    } else if ((SIGNALS_THAT_STOP & SIGNAL_BIT(signal)) != 0) {
        process->pending &= ~SIGNAL_BIT(LINUX_SIGCONT);
    }
    process->pending |= SIGNAL_BIT(signal);
    process->senders[signal != LINUX_SIGCHLD] = sender;
    process_note(process);
    process_tell(process, LXHOST_EVENT_SIGNAL);
    interrupt_soon();
}

unsigned group_signal(int32_t group, uint32_t signal)
{
    unsigned count = 0;

    EACH_PROCESS(at)
    {
        if (process_lives(at) && at->group == group) {
            process_signal(at, signal, 0);
            count++;
        }
    }
    return count;
}

static void tell_parent(struct process *process)
{
    struct process *parent = process_of(process->parent);

    if (parent == NULL)
        return;
    process_signal(parent, LINUX_SIGCHLD, process->pid);
    process_tell(parent, LXHOST_EVENT_LOOK);
    if (process->state == PROCESS_ZOMBIE && parent->forgets_children)
        process->state = PROCESS_FREE;
}

/* Children of one that has ended are the first process'; those that have ended already wait for it there. */
static void give_children_away(const struct process *process)
{
    EACH_PROCESS(at)
    {
        if (at->state == PROCESS_FREE || at->parent != process->pid)
            continue;
        at->parent = process->pid == 1 ? 0 : 1;
        process_note(at);
        if (at->state == PROCESS_ZOMBIE)
            tell_parent(at);
    }
}

void process_ended(struct process *process, uint32_t status)
{
    native_drop(process);
    objects_drop_all(process);
    process->state = PROCESS_ZOMBIE;
    process->status = status;
    give_children_away(process);
    tell_parent(process);
}

/* ---- Requests ---- */

mnos_status_t table_ids(const struct process *asker, const struct lxhost_process *which,
                        struct lxhost_ids *ids)
{
    const struct process *process = which->pid == 0 ? asker : process_of(which->pid);

    if (process == NULL)
        return MNOS_ERR_NOT_FOUND;
    *ids = (struct lxhost_ids){process->pid, process->parent, process->group, process->session};
    return MNOS_OK;
}

static bool is_wanted(const struct process *child, const struct process *asker, int32_t which)
{
    if (child->state == PROCESS_FREE || child->state == PROCESS_NEW || child->parent != asker->pid)
        return false;
    if (which == -1)
        return true;
    return which > 0 ? child->pid == which : child->group == (which == 0 ? asker->group : -which);
}

/* Whether there is something to tell of the child, and what. */
static bool take_news(struct process *child, uint32_t options, uint32_t *status)
{
    bool keep = (options & LXHOST_WAIT_KEEP) != 0;

    *status = child->status;
    if (child->state == PROCESS_ZOMBIE && (options & LXHOST_WAIT_ENDED) != 0) {
        if (!keep)
            child->state = PROCESS_FREE;
        return true;
    }
    if (child->told_stopped && (options & LXHOST_WAIT_STOPPED) != 0) {
        child->told_stopped = keep;
        return true;
    }
    if (child->told_continued && (options & LXHOST_WAIT_CONTINUED) != 0) {
        child->told_continued = keep;
        *status = STATUS_CONTINUED;
        return true;
    }
    return false;
}

mnos_status_t table_wait(struct process *asker, const struct lxhost_wait *wanted,
                         struct lxhost_waited *waited)
{
    mnos_status_t status = MNOS_ERR_NOT_FOUND;

    if (wanted->which == INT32_MIN) /* no group: it has no positive number */
        return status;
    EACH_PROCESS(at)
    {
        if (!is_wanted(at, asker, wanted->which))
            continue;
        status = MNOS_ERR_AGAIN;
        *waited = (struct lxhost_waited){.pid = at->pid, .cpu_time_ns = at->cpu_time_ns};
        if (take_news(at, wanted->options, &waited->status))
            return MNOS_OK;
    }
    return status;
}

static bool is_target(const struct process *process, const struct process *asker, int32_t which)
{
    if (process->state == PROCESS_FREE || process->state == PROCESS_NEW)
        return false;
    if (which == -1) /* all but the first and oneself: kill(2) */
        return process->pid != 1 && process != asker;
    return which > 0 ? process->pid == which
                     : process->group == (which == 0 ? asker->group : -which);
}

mnos_status_t table_kill(struct process *asker, const struct lxhost_kill *wanted)
{
    mnos_status_t status = MNOS_ERR_NOT_FOUND;

    if (wanted->signal > LINUX_SIGNALS || wanted->which == INT32_MIN)
        return wanted->signal > LINUX_SIGNALS ? MNOS_ERR_ARGUMENT : MNOS_ERR_NOT_FOUND;
    EACH_PROCESS(at)
    {
        if (!is_target(at, asker, wanted->which))
            continue;
        status = MNOS_OK;
        if (wanted->signal != 0)
            process_signal(at, wanted->signal, asker->pid);
    }
    return status;
}

void table_signals(struct process *asker, struct lxhost_signals *signals)
{
    *signals = (struct lxhost_signals){.pending = asker->pending,
                                       .senders = {asker->senders[0], asker->senders[1]}};
    asker->pending = 0;
    process_note(asker);
}

mnos_status_t table_setpgid(struct process *asker, const struct lxhost_setpgid *wanted)
{
    struct process *process = wanted->pid == 0 ? asker : process_of(wanted->pid);
    int32_t group = wanted->group == 0 && process != NULL ? process->pid : wanted->group;
    bool is_there = false;

    if (wanted->group < 0)
        return MNOS_ERR_ARGUMENT;
    if (process == NULL || !process_lives(process) ||
        (process != asker && process->parent != asker->pid))
        return MNOS_ERR_NOT_FOUND;
    if (process->session != asker->session || process->session == process->pid)
        return MNOS_ERR_DENIED;
    EACH_PROCESS(at)
    {
        is_there = is_there || (at->state != PROCESS_FREE && at->group == group &&
                                at->session == asker->session);
    }
    if (!is_there && group != process->pid)
        return MNOS_ERR_DENIED;
    process->group = group;
    return MNOS_OK;
}

mnos_status_t table_setsid(struct process *asker, struct lxhost_process *session)
{
    EACH_PROCESS(at)
    {
        if (at->state != PROCESS_FREE && at->group == asker->pid)
            return MNOS_ERR_DENIED;
    }
    asker->session = asker->group = asker->pid;
    *session = (struct lxhost_process){.pid = asker->pid};
    return MNOS_OK;
}

mnos_status_t table_stop(struct process *asker, uint32_t signal)
{
    if (signal == 0 || signal > LINUX_SIGNALS || (SIGNALS_THAT_STOP & SIGNAL_BIT(signal)) == 0)
        return MNOS_ERR_ARGUMENT;
    if ((asker->pending & SIGNAL_BIT(LINUX_SIGCONT)) != 0)
        return MNOS_OK; /* which has come meanwhile, and ends it at once */
    asker->state = PROCESS_STOPPED;
    asker->status = STATUS_STOPPED(signal);
    asker->told_stopped = true;
    asker->told_continued = false;
    process_note(asker);
    tell_parent(asker);
    return MNOS_OK;
}
