// SPDX-License-Identifier: MIT
/* fault - what the program, or lx in the program's memory, could not go on from. */
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/memory.h"
#include "personality/linux/lx/mounts.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/socket.h"
#include "personality/linux/lx/threads.h"

#define PAGE_FAULT 14u
#define RFLAGS_TF (1u << 8)

void lx_fault(struct lx_frame *frame, uint64_t what, uint64_t address);

/* entry.S: instructions that reach into the program's memory, and where they go on when that fails. */
#define NAMED(name) extern const char name[], name##_failed[];
NAMED(lx_user_copy_words)
NAMED(lx_user_copy_bytes)
NAMED(lx_user_zero_bytes)
NAMED(lx_user_text_byte)
NAMED(lx_user_compare_word)
#undef NAMED

static const struct {
    const char *at, *failed;
} reaching[] = {
    {lx_user_copy_words, lx_user_copy_words_failed},
    {lx_user_copy_bytes, lx_user_copy_bytes_failed},
    {lx_user_zero_bytes, lx_user_zero_bytes_failed},
    {lx_user_text_byte, lx_user_text_byte_failed},
    {lx_user_compare_word, lx_user_compare_word_failed},
};

/* A fault in lx itself: only those instructions may have one, and any in memory that a service may take back. */
static void own_fault(struct lx_frame *frame, uint64_t address, bool helped)
{
    static bool failing;

    if (helped)
        return;
    for (unsigned i = 0; i < sizeof reaching / sizeof reaching[0]; i++) {
        if (frame->rip == (uint64_t)reaching[i].at) {
            frame->rip = (uint64_t)reaching[i].failed;
            return;
        }
    }
    if ((mounts_have_window(address) || inet_has_window(address)) && host_blank_page(address))
        return;     /* the session was closed, as the next request says: its bytes are nobody's */
    if (!failing) { /* what says so may be what is broken */
        failing = true;
        lx_say("a fault in lx itself at %lx, address %lx", frame->rip, address);
    }
    lx_exit(LXHOST_END_OF_LX | LX_EXIT_SELF);
}

/* ---- What a fault is to the program: Intel SDM vol 3A, "Exception and Interrupt Reference", arch/x86/kernel/traps.c ---- */

#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define TRAP_TRACE 2
#define ILL_ILLOPN 2
#define FPE_INTDIV 1

/* si_code by the exceptions that are reported and not masked: x87's and SSE's are in the same order, from bit 0 on. */
static int32_t float_code(uint32_t exceptions)
{
    static const int32_t codes[6] = {7 /* FLTINV */, 5 /* FLTUND, denormal */, 3 /* FLTDIV */,
                                     4 /* FLTOVF */, 5 /* FLTUND */,           6 /* FLTRES */};

    for (unsigned i = 0; i < 6; i++) {
        if ((exceptions >> i & 1) != 0)
            return codes[i];
    }
    return 0;
}

static int32_t x87_code(void)
{
    uint16_t control, status;

    __asm__ volatile("fnstcw %0; fnstsw %1" : "=m"(control), "=m"(status));
    return float_code(status & ~(uint32_t)control & 0x3F);
}

static int32_t sse_code(void)
{
    uint32_t mxcsr;

    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    return float_code(mxcsr & ~(mxcsr >> 7) & 0x3F);
}

static struct linux_siginfo made(int32_t signal, int32_t code, uint64_t address)
{
    return (struct linux_siginfo){.signal = signal, .code = code, .address = address};
}

static struct linux_siginfo describe(uint32_t vector, const struct lx_frame *frame,
                                     uint64_t address, enum memory_answer answer)
{
    switch (vector) {
    case 0: return made(LINUX_SIGFPE, FPE_INTDIV, frame->rip);
    case 1: return made(LINUX_SIGTRAP, TRAP_TRACE, frame->rip);
    case 3: return made(LINUX_SIGTRAP, LINUX_SI_KERNEL, 0);
    case 6: return made(LINUX_SIGILL, ILL_ILLOPN, frame->rip);
    case 11:
    case 12: return made(LINUX_SIGBUS, LINUX_SI_KERNEL, 0);
    case 16: return made(LINUX_SIGFPE, x87_code(), frame->rip);
    case 17: return made(LINUX_SIGBUS, BUS_ADRALN, 0);
    case 19: return made(LINUX_SIGFPE, sse_code(), frame->rip);
    case PAGE_FAULT:
        if (answer == MEMORY_NO_FILE || answer == MEMORY_NONE_LEFT)
            return made(LINUX_SIGBUS, BUS_ADRERR, address);
        return made(LINUX_SIGSEGV, answer == MEMORY_FORBIDDEN ? SEGV_ACCERR : SEGV_MAPERR, address);
    default: return made(LINUX_SIGSEGV, LINUX_SI_KERNEL, 0);
    }
}

/* lxhost, or another thread, has made the program go on where nothing is, for a signal's sake. */
static bool was_interrupted(struct lx_frame *frame)
{
    struct lx_thread *self = thread_self();
    uint64_t at = atomic_exchange_explicit(&self->interrupted_at, 0, memory_order_acquire);

    if (at == 0 && self->is_known)
        at = host_interrupted_at();

    if (at == 0)
        return false;
    frame->rip = at;
    signals_interrupt(frame);
    return true;
}

static bool is_of_lx(const struct lx_frame *frame)
{
    return frame->rip >= LX_BASE && frame->rip < LX_CODE_END;
}

static void handle(struct lx_frame *frame, uint64_t what, uint64_t address)
{
    uint32_t vector = (uint32_t)(what >> 16);
    enum memory_answer answer = MEMORY_UNMAPPED;
    struct linux_siginfo info;

    if (frame->rip == LXHOST_INTERRUPT_AT && was_interrupted(frame))
        return;
    if (vector == PAGE_FAULT)
        answer = memory_fault(address, what & 0xFFFF);
    if (is_of_lx(frame)) {
        own_fault(frame, address, answer == MEMORY_READY);
        return;
    }
    if (answer == MEMORY_READY && (frame->rflags & RFLAGS_TF) == 0)
        return;
    if (answer == MEMORY_READY) /* one that steps would step through the way back to it */
        vector = 1;
    if (answer == MEMORY_NONE_LEFT)
        lx_say("memory: %lu KiB are in use, and there is no more", memory_present() * 4);
    info = describe(vector, frame, address, answer);
    signals_fault(frame, &info, vector, what & 0xFFFF, vector == PAGE_FAULT ? address : 0);
}

/* `what`: the error code in bits 0 to 15, the vector above. A fault in lx is one of a thread that is in it already. */
void lx_fault(struct lx_frame *frame, uint64_t what, uint64_t address)
{
    bool from_program = !is_of_lx(frame);

    if (from_program)
        threads_enter();
    handle(frame, what, address);
    if (from_program && threads_many && signals_wanted())
        signals_interrupt(frame);
    if (from_program)
        threads_leave();
}
