// SPDX-License-Identifier: MIT
/* thread_calls - calls that make threads and end them, and what each thread has: see threads.h. */
#include "lib/mnos/syscall.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/fork.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/threads.h"

#define CLONE_SIGNAL 0xFFu
#define CLONE_VM 0x100u
#define CLONE_FS 0x200u
#define CLONE_FILES 0x400u
#define CLONE_SIGHAND 0x800u
#define CLONE_PARENT 0x8000u
#define CLONE_VFORK 0x4000u
#define CLONE_THREAD 0x10000u
#define CLONE_SYSVSEM 0x40000u
#define CLONE_SETTLS 0x80000u
#define CLONE_PARENT_SETTID 0x100000u
#define CLONE_CHILD_CLEARTID 0x200000u
#define CLONE_DETACHED 0x400000u
#define CLONE_CHILD_SETTID 0x1000000u
#define CLONE_CLEAR_SIGHAND 0x100000000ull /* clone3 alone has it */

#define CLONE_OF_BOTH                                                                              \
    (CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_SETTLS)
#define CLONE_OF_PROCESS (CLONE_OF_BOTH | CLONE_SIGNAL | CLONE_VM | CLONE_VFORK)
/* What threads have together is all of it. */
#define CLONE_TOGETHER (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define CLONE_OF_THREAD (CLONE_OF_BOTH | CLONE_TOGETHER | CLONE_SYSVSEM | CLONE_DETACHED)

#define CALL_CLONE 56
#define CALL_CLONE3 435
#define SYSCALL_BYTES 2u
#define RFLAGS_OF_CALL 0x202u
#define ROBUST_HEAD_BYTES 24u

struct clone {
    uint64_t flags, stack, parent_id, child_id, tls;
    int64_t call; /* the number of the call that makes it */
    bool clear_handlers;
};

/* A process; with CLONE_VM only beside CLONE_VFORK, of which see lx_vfork(). */
static int64_t clone_process(const struct clone *clone)
{
    int32_t pid;
    int64_t result;

    if ((clone->flags & ~(uint64_t)CLONE_OF_PROCESS) != 0 ||
        (clone->flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM ||
        (clone->flags & CLONE_SIGNAL) > LINUX_SIGNALS)
        return -LX_EINVAL;
    result = process_fork();
    pid = result == 0 ? process_id() : (int32_t)result;
    if (result > 0 && (clone->flags & CLONE_PARENT_SETTID) != 0)
        (void)!user_write(clone->parent_id, &pid, sizeof pid);
    if (result != 0)
        return result;
    if (clone->clear_handlers)
        signals_clear_handlers();
    if ((clone->flags & CLONE_CHILD_SETTID) != 0)
        (void)!user_write(clone->child_id, &pid, sizeof pid);
    if ((clone->flags & CLONE_CHILD_CLEARTID) != 0)
        thread_self()->clear_id = clone->child_id;
    if ((clone->flags & CLONE_SETTLS) != 0)
        __asm__ volatile("wrfsbase %0" ::"r"(clone->tls));
    if (clone->stack != 0)
        lx_call_record()->rsp = clone->stack; /* where entry.S takes it from */
    return 0;
}

/* The new thread returns from the call as the calling one does, with 0. */
static struct lx_frame frame_of(const struct clone *clone)
{
    const struct lx_call_frame *record = lx_call_record();
    const uint64_t *kept = thread_self()->kept;

    return (struct lx_frame){
        .rbx = kept[0],
        .rbp = kept[1],
        .r12 = kept[2],
        .r13 = kept[3],
        .r14 = kept[4],
        .r15 = kept[5],
        .rdx = record->rdx,
        .rsi = record->rsi,
        .rdi = record->rdi,
        .r8 = record->r8,
        .r9 = record->r9,
        .r10 = record->r10,
        .rcx = record->rip,
        .r11 = RFLAGS_OF_CALL,
        .rflags = RFLAGS_OF_CALL,
        .rip = record->rip,
        .rsp = clone->stack != 0 ? clone->stack : record->rsp,
    };
}

/* The first one makes calls go the way on which the lock is, and on which `kept` is filled; and then the call is made again. */
static int64_t clone_again(const struct clone *clone)
{
    if (!threads_prepare())
        return -LX_EAGAIN;
    lx_call_record()->rip -= SYSCALL_BYTES;
    return clone->call;
}

static int64_t clone_thread(const struct clone *clone)
{
    struct lx_frame frame = frame_of(clone);
    struct lx_thread *thread;
    uint64_t fs_base;
    int32_t id;

    if (!threads_many)
        return clone_again(clone);
    if ((clone->flags & CLONE_SETTLS) != 0)
        fs_base = clone->tls;
    else
        __asm__ volatile("rdfsbase %0" : "=r"(fs_base));
    thread = thread_make(&frame, fs_base);
    if (thread == NULL)
        return -LX_EAGAIN;
    id = thread_id(thread);
    if ((clone->flags & CLONE_PARENT_SETTID) != 0)
        (void)!user_write(clone->parent_id, &id, sizeof id);
    if ((clone->flags & CLONE_CHILD_SETTID) != 0)
        (void)!user_write(clone->child_id, &id, sizeof id);
    if ((clone->flags & CLONE_CHILD_CLEARTID) != 0)
        thread->clear_id = clone->child_id;
    if (thread_begin(thread))
        return id;
    thread_unmake(thread);
    return -LX_EAGAIN;
}

static int64_t clone_either(const struct clone *clone)
{
    if ((clone->flags & CLONE_SETTLS) != 0 && clone->tls >= LX_BASE)
        return -LX_EPERM;
    if ((clone->flags & CLONE_THREAD) == 0)
        return clone_process(clone);
    if ((clone->flags & CLONE_TOGETHER) != CLONE_TOGETHER ||
        (clone->flags & ~(uint64_t)(CLONE_OF_THREAD | CLONE_SIGNAL)) != 0)
        return -LX_EINVAL;
    return clone_thread(clone);
}

int64_t lx_clone(uint64_t flags, uint64_t stack, uint64_t parent_id, uint64_t child_id,
                 uint64_t tls)
{
    struct clone clone = {flags, stack, parent_id, child_id, tls, CALL_CLONE, false};

    return clone_either(&clone);
}

/* ---- clone3 ---- */

/* struct clone_args of Linux, of which a program may know the beginning alone. */
struct clone_arguments {
    uint64_t flags, descriptor, child_id, parent_id, signal, stack, stack_bytes, tls, ids,
        ids_count, group;
};
#define CLONE_ARGUMENTS_MIN 64u
#define CLONE_ARGUMENTS_MAX 4096u
#define CLONE_IDS_MAX 32u

/* What we do not know of the arguments has to be 0. */
static int64_t read_arguments(struct clone_arguments *arguments, uint64_t from, uint64_t bytes)
{
    uint64_t known = bytes < sizeof *arguments ? bytes : sizeof *arguments;
    uint8_t more;

    if (bytes > CLONE_ARGUMENTS_MAX)
        return -LX_E2BIG;
    if (bytes < CLONE_ARGUMENTS_MIN)
        return -LX_EINVAL;
    for (uint64_t at = known; at < bytes; at++) {
        if (user_read(&more, from + at, sizeof more) != 0)
            return -LX_EFAULT;
        if (more != 0)
            return -LX_E2BIG;
    }
    *arguments = (struct clone_arguments){0};
    return user_read(arguments, from, known) == 0 ? 0 : -LX_EFAULT;
}

static bool is_stack(const struct clone_arguments *arguments)
{
    return arguments->stack == 0
               ? arguments->stack_bytes == 0
               : arguments->stack_bytes != 0 && arguments->stack_bytes <= LX_BASE &&
                     arguments->stack <= LX_BASE - arguments->stack_bytes;
}

/* What lx_clone() looks at is not looked at here. */
static int64_t check_arguments(const struct clone_arguments *arguments)
{
    uint64_t known = UINT32_MAX | CLONE_CLEAR_SIGHAND, both = CLONE_SIGHAND | CLONE_CLEAR_SIGHAND;

    if (arguments->ids_count > CLONE_IDS_MAX ||
        (arguments->ids == 0) != (arguments->ids_count == 0) || arguments->signal > LINUX_SIGNALS)
        return -LX_EINVAL;
    if ((arguments->flags & ~known) != 0 ||
        (arguments->flags & (CLONE_DETACHED | CLONE_SIGNAL)) != 0 ||
        (arguments->flags & both) == both ||
        ((arguments->flags & (CLONE_THREAD | CLONE_PARENT)) != 0 && arguments->signal != 0) ||
        !is_stack(arguments))
        return -LX_EINVAL;
    return arguments->ids_count != 0 ? -LX_EPERM : 0;
}

int64_t lx_clone3(uint64_t from, uint64_t bytes)
{
    struct clone_arguments arguments;
    struct clone clone;
    int64_t result = read_arguments(&arguments, from, bytes);

    if (result == 0)
        result = check_arguments(&arguments);
    if (result != 0)
        return result;
    clone = (struct clone){
        .flags = (arguments.flags & ~CLONE_CLEAR_SIGHAND) | arguments.signal,
        .stack = arguments.stack + arguments.stack_bytes,
        .parent_id = arguments.parent_id,
        .child_id = arguments.child_id,
        .tls = arguments.tls,
        .call = CALL_CLONE3,
        .clear_handlers = (arguments.flags & CLONE_CLEAR_SIGHAND) != 0,
    };
    return clone_either(&clone);
}

/* ---- What a thread has ---- */

int64_t lx_exit_thread(int32_t status)
{
    if (!threads_many)
        return lx_exit_group(status);
    thread_end(status);
}

int64_t lx_gettid(void)
{
    return thread_id(thread_self());
}

int64_t lx_set_tid_address(uint64_t address)
{
    thread_self()->clear_id = address;
    return thread_id(thread_self());
}

int64_t lx_set_robust_list(uint64_t head, uint64_t size)
{
    if (size != ROBUST_HEAD_BYTES)
        return -LX_EINVAL;
    thread_self()->robust_list = head;
    return 0;
}

int64_t lx_get_robust_list(int32_t which, uint64_t head, uint64_t size)
{
    const struct lx_thread *thread = which == 0 ? thread_self() : thread_of(which);
    uint64_t bytes = ROBUST_HEAD_BYTES;

    if (thread == NULL)
        return -LX_ESRCH;
    return user_write(size, &bytes, sizeof bytes) == 0 &&
                   user_write(head, &thread->robust_list, sizeof thread->robust_list) == 0
               ? 0
               : -LX_EFAULT;
}

int64_t lx_sched_yield(void)
{
    threads_yield();
    return 0;
}
