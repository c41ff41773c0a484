// SPDX-License-Identifier: MIT
/*
 * signal_frame - the way into a handler of the program and back: arch/x86/kernel/signal_64.c and fpu/signal.c of Linux.
 *
 * From higher addresses to lower ones there are on the program's stack: 128 bytes that are not touched (the red zone of the
 * ABI), the vector registers as XSAVE writes them, at a multiple of 64, struct signal_record, and the handler's stack.
 */
#include "lib/base/string.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/threads.h"
#include "personality/linux/lx/vectors.h"

#define HANDLER_DEFAULT 0
#define RED_ZONE 128u
#define XSAVE_ALIGNMENT 64u
#define FRAME_ALIGNMENT 16u

/* asm/sigcontext.h, asm-generic/ucontext.h: struct rt_sigframe. */
struct signal_context {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip,
        rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, vector, old_mask, address, vectors, reserved[8];
};
struct signal_record {
    uint64_t restorer; /* where the handler returns to */
    uint64_t flags, link;
    struct linux_sigaltstack stack;
    struct signal_context context;
    uint64_t mask;
    struct linux_siginfo info;
};
_Static_assert(sizeof(struct signal_record) == 440, "struct rt_sigframe");
#define RECORD_FLAGS 7u /* UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS */
#define USER_CS 0x33u
#define USER_SS 0x2Bu

/* Those that the program may set: FIX_EFLAGS, without TF and NT, which would be lx's. */
#define RFLAGS_USER 0x50CD5ull
#define RFLAGS_FIXED 0x202ull
/* DF, TF and RF are off when a handler begins. */
#define RFLAGS_OFF_IN_HANDLER (1ull << 10 | 1ull << 8 | 1ull << 16)

uint64_t lx_call_number;

void lx_signals_at_exit(struct lx_frame *frame); /* called by entry.S */

/* That handlers with SA_ONSTACK run on. */
static struct linux_sigaltstack *own_stack(void)
{
    return &thread_self()->stack;
}

bool signals_is_on_stack(uint64_t stack_pointer)
{
    return (own_stack()->flags & (LINUX_SS_DISABLE | LINUX_SS_AUTODISARM)) == 0 &&
           stack_pointer - own_stack()->stack - 1 < own_stack()->size;
}

/* ---- Into a handler ---- */

static uint64_t choose_stack(const struct lx_frame *frame, uint64_t flags)
{
    if ((flags & LINUX_SA_ONSTACK) != 0 && (own_stack()->flags & LINUX_SS_DISABLE) == 0 &&
        !signals_is_on_stack(frame->rsp))
        return own_stack()->stack + own_stack()->size;
    return frame->rsp - RED_ZONE;
}

/* Those that both records have under the same name, but RFLAGS, of which a handler may change a part. */
#define COPY_REGISTERS(from)                                                                       \
    .r8 = (from)->r8, .r9 = (from)->r9, .r10 = (from)->r10, .r11 = (from)->r11,                    \
    .r12 = (from)->r12, .r13 = (from)->r13, .r14 = (from)->r14, .r15 = (from)->r15,                \
    .rdi = (from)->rdi, .rsi = (from)->rsi, .rbp = (from)->rbp, .rbx = (from)->rbx,                \
    .rdx = (from)->rdx, .rax = (from)->rax, .rcx = (from)->rcx, .rsp = (from)->rsp,                \
    .rip = (from)->rip

static struct signal_context context_of(const struct lx_frame *frame)
{
    return (struct signal_context){COPY_REGISTERS(frame), .rflags = frame->rflags, .cs = USER_CS,
                                   .ss = USER_SS};
}

/* What led to the signal, if it was a fault. */
struct cause {
    uint64_t vector, error, address;
};

/* The record of a handler's run, and registers with which the handler begins. False: the stack cannot be written to. */
static bool enter(struct lx_frame *frame, const struct linux_siginfo *info,
                  const struct linux_sigaction *action, const struct cause *cause)
{
    uint64_t at = (choose_stack(frame, action->flags) - vectors_signal_bytes()) &
                  ~(uint64_t)(XSAVE_ALIGNMENT - 1);
    struct signal_record record = {.restorer = action->restorer,
                                   .flags = RECORD_FLAGS,
                                   .stack = *own_stack(),
                                   .context = context_of(frame),
                                   .info = *info};

    record.context.vectors = at;
    record.context.vector = cause->vector;
    record.context.error = cause->error;
    record.context.address = cause->address;
    record.mask = signals_mask_to_return_to();
    record.context.old_mask = record.mask;
    if (!vectors_to_program(at))
        return false;
    at = ((at - sizeof record) & ~(uint64_t)(FRAME_ALIGNMENT - 1)) - 8; /* as after a call */
    if ((action->flags & LINUX_SA_RESTORER) == 0 || user_write(at, &record, sizeof record) != 0)
        return false;
    if ((own_stack()->flags & LINUX_SS_AUTODISARM) != 0)
        *own_stack() = (struct linux_sigaltstack){.flags = LINUX_SS_DISABLE};
    frame->rip = action->handler;
    frame->rsp = at;
    frame->rax = 0;
    frame->rdi = (uint64_t)info->signal;
    frame->rsi = at + offsetof(struct signal_record, info);
    frame->rdx = at + offsetof(struct signal_record, flags);
    frame->rflags = (frame->rflags & ~RFLAGS_OFF_IN_HANDLER) | RFLAGS_FIXED;
    return true;
}

/* One signal that has a handler. */
static void run_handler(struct lx_frame *frame, const struct linux_siginfo *info,
                        const struct cause *cause)
{
    uint32_t signal = (uint32_t)info->signal;
    struct linux_sigaction action = signals_actions[signal - 1];

    if ((action.flags & LINUX_SA_RESETHAND) != 0)
        signals_actions[signal - 1].handler = HANDLER_DEFAULT;
    if (!enter(frame, info, &action, cause))
        lx_killed(LINUX_SIGSEGV, frame, frame->rsp);
    signals_set_mask(thread_self()->blocked | action.mask |
                     ((action.flags & LINUX_SA_NODEFER) == 0 ? SIGNAL_BIT(signal) : 0));
}

/* ---- Calls whose wait was ended ---- */

enum restart { RESTART_NO, RESTART_AGAIN, RESTART_EINTR };
static const uint8_t restarts[CALL_NUMBERS] = {
#define CALL0(number, name, restart, ...) [number] = RESTART_##restart,
#define CALL1 CALL0
#define CALL2 CALL0
#define CALL3 CALL0
#define CALL4 CALL0
#define CALL5 CALL0
#define CALL6 CALL0
#include "personality/linux/calls.def"
#undef CALL0
#undef CALL1
#undef CALL2
#undef CALL3
#undef CALL4
#undef CALL5
#undef CALL6
};

#define SYSCALL_BYTES 2u
#define NO_CALL CALL_NUMBERS

static void make_again(struct lx_frame *frame, uint64_t call)
{
    frame->rip -= SYSCALL_BYTES;
    frame->rax = call;
}

/* `action` NULL: no handler has run, and the program is not to notice anything. */
static void end_call(struct lx_frame *frame, uint64_t call, const struct linux_sigaction *action)
{
    if (call == NO_CALL || (int64_t)frame->rax != -LX_ERESTART)
        return;
    if (action == NULL ||
        (restarts[call] == RESTART_AGAIN && (action->flags & LINUX_SA_RESTART) != 0))
        make_again(frame, call);
    else
        frame->rax = (uint64_t)-LX_EINTR;
}

/* By default: signal(7). */
static bool signal_stops(uint32_t signal)
{
    return signal >= LINUX_SIGSTOP && signal <= LINUX_SIGTTOU;
}

/* All that are due, each with a record on the program's stack: the last of them runs first. `call`: the number of the call on
 * its way out whose frame that is, or NO_CALL; it is the caller's, as other threads make calls while the process is stopped
 * here. The frame is not the one at the top of the lx stack: what comes meanwhile turns the way out of a call (signals.c), of
 * which that one has the place. */
static void deliver(struct lx_frame *frame, uint64_t call)
{
    struct linux_siginfo info;
    uint32_t signal;

    process_wait_while_stopped();
    while ((signal = signals_take(~thread_self()->blocked, &info)) != 0) {
        const struct linux_sigaction *action = &signals_actions[signal - 1];

        if (signals_is_ignored(signal))
            continue;
        if (action->handler == HANDLER_DEFAULT && signal_stops(signal)) {
            process_stop(signal);
            continue;
        }
        if (action->handler == HANDLER_DEFAULT)
            lx_killed(signal, NULL, 0);
        end_call(frame, call, action);
        run_handler(frame, &info, &(struct cause){0});
    }
    end_call(frame, call, NULL);
    signals_set_mask(signals_mask_to_return_to());
}

/* The way out of a call that has something to deliver. RCX and R11 are what SYSCALL leaves there. */
void lx_signals_at_exit(struct lx_frame *frame)
{
    struct lx_frame kept = *frame;

    threads_enter();
    kept.rcx = kept.rip;
    kept.r11 = kept.rflags;
    deliver(&kept, threads_many ? thread_self()->call_number : lx_call_number);
    *frame = kept;
    threads_leave();
}

void signals_interrupt(struct lx_frame *frame)
{
    struct lx_frame kept = *frame;

    host_take_signals();
    deliver(&kept, NO_CALL);
    *frame = kept;
}

void signals_fault(struct lx_frame *frame, const struct linux_siginfo *info, uint64_t vector,
                   uint64_t error, uint64_t address)
{
    uint32_t signal = (uint32_t)info->signal;
    struct cause cause = {vector, error, address};

    /* It cannot go on without its handler. */
    if ((thread_self()->blocked & SIGNAL_BIT(signal)) != 0 || signals_is_ignored(signal) ||
        signals_actions[signal - 1].handler == HANDLER_DEFAULT)
        lx_killed(signal, frame, address);
    run_handler(frame, info, &cause);
}

/* ---- And back ---- */

static struct lx_frame frame_of(const struct signal_context *context)
{
    return (struct lx_frame){COPY_REGISTERS(context),
                             .rflags = (context->rflags & RFLAGS_USER) | RFLAGS_FIXED};
}

/* The handler's `ret` has taken the first word of the record. */
int64_t lx_rt_sigreturn(void)
{
    struct signal_record record;
    uint64_t at = lx_call_record()->rsp - sizeof record.restorer;
    struct lx_frame frame;

    if (user_read(&record, at, sizeof record) != 0 || record.context.rip >= LX_BASE ||
        !vectors_from_program(record.context.vectors))
        lx_killed(LINUX_SIGSEGV, NULL, 0);
    frame = frame_of(&record.context);
    if (!signals_is_on_stack(lx_call_record()->rsp) ||
        (record.stack.flags & LINUX_SS_AUTODISARM) != 0)
        *own_stack() = record.stack;
    signals_set_mask(record.mask);
    deliver(&frame, NO_CALL);
    threads_leave();
    lx_resume(&frame);
}
