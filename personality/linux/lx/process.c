// SPDX-License-Identifier: MIT
/* process - who the program is, its children, and what becomes of it: lxhost knows all of them. */
#include "personality/linux/lx/process.h"

#include "abi/inspect.h"
#include "lib/base/string.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/proc.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/threads.h"
#include "personality/linux/lx/wait.h"

static struct lxhost_title title; /* as others see the process; its name is that of PR_SET_NAME */
static int32_t id;

static bool inspect(struct mnos_process_info *info)
{
    uint64_t size;

    if (sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS, 0, &size) != MNOS_OK)
        return false;
    memcpy(info, ipc_buffer()->data, sizeof *info);
    return true;
}

/* Who a process of the container is; 0: this one. */
static int64_t ids_of(int32_t which, struct lxhost_ids *ids)
{
    struct lxhost_process record = {.pid = which};

    return host_ask(LXHOST_IDS, &record, sizeof record, ids, sizeof *ids) == MNOS_OK ? 0
                                                                                     : -LX_ESRCH;
}

int32_t process_id(void)
{
    struct lxhost_ids ids;

    if (id == 0)
        id = ids_of(0, &ids) == 0 ? ids.pid : 1;
    return id;
}

void process_forked(int32_t pid)
{
    id = pid;
}

uint64_t process_cpu_ns(void)
{
    struct mnos_process_info info;

    return inspect(&info) ? info.cpu_time_ns : 0;
}

uint64_t thread_cpu_ns(void)
{
    const struct mnos_thread_info *info = (const void *)ipc_buffer()->data;
    uint64_t size;

    return sys_cap_inspect(MNOS_SELF, MNOS_VIEW_THREAD, 0, &size) == MNOS_OK ? info->cpu_time_ns
                                                                             : 0;
}

void process_set_name(const char *text)
{
    memset(title.name, 0, sizeof title.name);
    string_copy(title.name, text, sizeof title.name);
}

static void tell_title(void)
{
    (void)!host_ask(LXHOST_TITLE, &title, sizeof title, NULL, 0);
}

void process_set_words(const char *const *words, uint32_t count)
{
    title.words_bytes = 0;
    for (uint32_t i = 0; i < count && title.words_bytes < sizeof title.words; i++) {
        size_t bytes = strlen(words[i]) + 1, room = sizeof title.words - title.words_bytes;

        bytes = bytes < room ? bytes : room;
        memcpy(title.words + title.words_bytes, words[i], bytes);
        title.words_bytes += (uint32_t)bytes;
    }
    tell_title();
}

/* ---- Who ---- */

int64_t lx_getpid(void)
{
    return process_id();
}

int64_t lx_getppid(void)
{
    return host_parent();
}

int64_t lx_getpgrp(void)
{
    return lx_getpgid(0);
}

int64_t lx_getpgid(int32_t which)
{
    struct lxhost_ids ids;
    int64_t result = which < 0 ? -LX_ESRCH : ids_of(which, &ids);

    return result != 0 ? result : ids.group;
}

int64_t lx_getsid(int32_t which)
{
    struct lxhost_ids ids;
    int64_t result = which < 0 ? -LX_ESRCH : ids_of(which, &ids);

    return result != 0 ? result : ids.session;
}

static int64_t error_of(mnos_status_t status)
{
    switch ((int)status) {
    case MNOS_OK: return 0;
    case MNOS_ERR_DENIED: return -LX_EPERM;
    case MNOS_ERR_ARGUMENT: return -LX_EINVAL;
    default: return -LX_ESRCH;
    }
}

int64_t lx_setpgid(int32_t which, int32_t group)
{
    struct lxhost_setpgid record = {which, group};

    if (which < 0)
        return -LX_ESRCH;
    return error_of(host_ask(LXHOST_SETPGID, &record, sizeof record, NULL, 0));
}

int64_t lx_setsid(void)
{
    struct lxhost_process session;
    int64_t result = error_of(host_ask(LXHOST_SETSID, NULL, 0, &session, sizeof session));

    return result != 0 ? result : session.pid;
}

int64_t lx_getuid(void)
{
    return 0;
}

int64_t lx_getgid(void)
{
    return 0;
}

int64_t lx_geteuid(void)
{
    return 0;
}

int64_t lx_getegid(void)
{
    return 0;
}

int64_t lx_getgroups(int32_t count, uint64_t to)
{
    (void)to;
    return count < 0 ? -LX_EINVAL : 0;
}

int64_t lx_umask(uint32_t mask)
{
    static uint32_t current = 022;
    uint32_t old = current;

    current = mask & 0777;
    return old;
}

#define PR_SET_NAME 15
#define PR_GET_NAME 16
#define PR_GET_DUMPABLE 3

int64_t lx_prctl(uint32_t option, uint64_t argument)
{
    char text[PROCESS_NAME_BYTES];
    int64_t length;

    switch (option) {
    case PR_SET_NAME:
        length = user_text(text, argument, sizeof text);
        if (length == -LX_EFAULT)
            return -LX_EFAULT;
        text[sizeof text - 1] = 0;
        process_set_name(text);
        tell_title();
        return 0;
    case PR_GET_NAME: return user_write(argument, title.name, sizeof title.name);
    case PR_GET_DUMPABLE: return 1;
    default: return -LX_EINVAL;
    }
}

/* ---- What each thread has ---- */

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

int64_t lx_arch_prctl(uint32_t option, uint64_t argument)
{
    uint64_t base;

    switch (option) {
    case ARCH_SET_FS:
        if (argument >= LX_BASE)
            return -LX_EPERM;
        __asm__ volatile("wrfsbase %0" ::"r"(argument));
        return 0;
    case ARCH_GET_FS: __asm__ volatile("rdfsbase %0" : "=r"(base)); break;
    case ARCH_GET_GS: base = 0; break;
    case ARCH_SET_GS: return -LX_EPERM; /* GS is lx's */
    default: return -LX_EINVAL;
    }
    return user_write(argument, &base, sizeof base);
}

int64_t lx_sched_getaffinity(int32_t which, uint32_t size, uint64_t to)
{
    uint64_t cores = kinfo()->core_count, mask = cores < 64 ? (1ull << cores) - 1 : UINT64_MAX;

    if (size < sizeof mask || size % sizeof mask != 0)
        return -LX_EINVAL;
    if (which < 0 || (which != 0 && thread_of(which) == NULL && !proc_has_process(which)))
        return -LX_ESRCH;
    return user_write(to, &mask, sizeof mask) == 0 ? (int64_t)sizeof mask : -LX_EFAULT;
}

/* ---- The end ---- */

int64_t lx_exit_group(int32_t status)
{
    lx_exit(lxhost_exit_status((uint32_t)status));
}

/* ---- Others ---- */

int64_t lx_kill(int32_t which, uint32_t signal)
{
    struct lxhost_kill record = {which, signal};
    int64_t result = error_of(host_ask(LXHOST_KILL, &record, sizeof record, NULL, 0));

    host_take_signals(); /* oneself may be among them */
    return result;
}

#define WNOHANG 1u
#define WUNTRACED 2u
#define WCONTINUED 8u
#define WAIT4_OPTIONS 0xE000000Bu /* with __WNOTHREAD, __WALL, __WCLONE: all children are alike */

/* struct rusage begins with the time in the program and in the kernel, which is one here. */
#define RUSAGE_BYTES 144u

static int64_t write_usage(uint64_t to, uint64_t cpu_time_ns)
{
    uint64_t usage[RUSAGE_BYTES / 8] = {cpu_time_ns / 1000000000, cpu_time_ns / 1000 % 1000000};

    return to == 0 ? 0 : user_write(to, usage, sizeof usage);
}

/* The child of which there is something to tell; 0 with `now`: there is none yet. A signal that ends the wait may be that of the
 * child, which comes first. */
static int64_t wait_for_child(const struct lxhost_wait *wanted, bool now,
                              struct lxhost_waited *waited)
{
    int64_t ended = 0;

    for (;;) {
        mnos_status_t result =
            host_ask(LXHOST_WAIT, wanted, sizeof *wanted, waited, sizeof *waited);

        if (result != MNOS_ERR_AGAIN)
            return result == MNOS_OK ? waited->pid : -LX_ECHILD;
        if (now || ended != 0)
            return ended;
        ended = wait_or_signal(MNOS_DEADLINE_NEVER);
    }
}

int64_t lx_wait4(int32_t which, uint64_t status, uint32_t options, uint64_t usage)
{
    struct lxhost_wait record = {
        which, LXHOST_WAIT_ENDED | ((options & WUNTRACED) != 0 ? LXHOST_WAIT_STOPPED : 0) |
                   ((options & WCONTINUED) != 0 ? LXHOST_WAIT_CONTINUED : 0)};
    struct lxhost_waited waited;
    int64_t child;

    if ((options & ~WAIT4_OPTIONS) != 0)
        return -LX_EINVAL;
    if (which == INT32_MIN)
        return -LX_ESRCH;
    child = wait_for_child(&record, (options & WNOHANG) != 0, &waited);
    if (child <= 0)
        return child;
    if (status != 0 && user_write(status, &waited.status, sizeof waited.status) != 0)
        return -LX_EFAULT;
    return write_usage(usage, waited.cpu_time_ns) == 0 ? waited.pid : -LX_EFAULT;
}

/* linux/wait.h */
enum { P_ALL = 0, P_PID = 1, P_PGID = 2 };
#define WSTOPPED WUNTRACED
#define WEXITED 4u
#define WNOWAIT 0x1000000u
#define WAITID_OPTIONS (WAIT4_OPTIONS | WEXITED | WNOWAIT)
/* What of struct siginfo is about a child: up to its status. */
#define CHILD_INFO_BYTES 28u

/* Whom waitid(2) means, as wait4(2) has it. False: nobody can be meant so. */
static bool whom(uint32_t kind, int32_t which, int32_t *as_wait4)
{
    *as_wait4 = kind == P_ALL ? -1 : kind == P_PID ? which : -which;
    return kind == P_ALL || (kind == P_PID && which > 0) || (kind == P_PGID && which >= 0);
}

/* How it has ended or was stopped: si_code and si_status. */
static void describe_child(uint32_t status, struct linux_siginfo *info)
{
    uint32_t signal = status & 0x7F;

    if (status == 0xFFFF) {
        info->code = LINUX_CLD_CONTINUED;
        info->value = LINUX_SIGCONT;
    } else if (signal == 0x7F) {
        info->code = LINUX_CLD_STOPPED;
        info->value = status >> 8 & 0xFF;
    } else {
        info->code = signal == 0 ? LINUX_CLD_EXITED : LINUX_CLD_KILLED;
        info->value = signal == 0 ? status >> 8 & 0xFF : signal;
    }
}

int64_t lx_waitid(uint32_t kind, int32_t which, uint64_t to, uint32_t options, uint64_t usage)
{
    struct lxhost_wait record = {.options =
                                     ((options & WEXITED) != 0 ? LXHOST_WAIT_ENDED : 0) |
                                     ((options & WSTOPPED) != 0 ? LXHOST_WAIT_STOPPED : 0) |
                                     ((options & WCONTINUED) != 0 ? LXHOST_WAIT_CONTINUED : 0)};
    struct linux_siginfo info = {0};
    struct lxhost_waited waited;
    int64_t child;

    if ((options & ~WAITID_OPTIONS) != 0 || record.options == 0 ||
        !whom(kind, which, &record.which))
        return -LX_EINVAL;
    if ((options & WNOWAIT) != 0)
        record.options |= LXHOST_WAIT_KEEP;
    child = wait_for_child(&record, (options & WNOHANG) != 0, &waited);
    if (child < 0)
        return child;
    if (child > 0) {
        info.signal = LINUX_SIGCHLD;
        info.process = waited.pid;
        describe_child(waited.status, &info);
        if (write_usage(usage, waited.cpu_time_ns) != 0)
            return -LX_EFAULT;
    }
    return to == 0 ? 0 : user_write(to, &info, CHILD_INFO_BYTES);
}

/* Until SIGCONT comes, or what ends the process. */
void process_wait_while_stopped(void)
{
    while (host_is_stopped() && !thread_self()->must_end) {
        (void)!wait_until(MNOS_DEADLINE_NEVER);
        host_take_signals();
    }
}

void process_stop(uint32_t signal)
{
    struct lxhost_stop record = {signal, 0};

    if (host_ask(LXHOST_STOP, &record, sizeof record, NULL, 0) != MNOS_OK)
        return;
    EACH_THREAD(thread)
    thread_prod(thread);
    process_wait_while_stopped();
}
