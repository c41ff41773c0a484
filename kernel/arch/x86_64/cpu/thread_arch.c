// SPDX-License-Identifier: MIT
/*
 * thread_arch.c - the machine part of a thread: which registers it may have, and what of it is put into
 * and taken out of a core besides the general registers, which interrupt.S moves.
 */
#include "arch/arch.h"

#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/selectors.h"
#include "arch/x86_64/cpu/switch.h"
#include "base/trace.h"

#define SYSCALL_INSTRUCTION_BYTES 2

/* clang-format off */
/* Those that have the same name in a frame and in struct mnos_registers. */
#define GENERAL_REGISTERS(X)                                                                       \
    X(rax)                                                                                         \
    X(rbx) X(rcx) X(rdx) X(rsi) X(rdi) X(rbp) X(rsp) X(r8) X(r9) X(r10) X(r11) X(r12) X(r13)       \
        X(r14) X(r15) X(rip)
/* clang-format on */

/* ---- switching ---- */

void arch_thread_save(struct thread *thread, bool voluntary)
{
    if (voluntary) {
        arch_switch_out(thread);
        return;
    }
    arch_switch_out_whole(thread);
}

bool arch_fast_switch(void)
{
    return cpu_facts.fast_switch;
}

void switch_to_process_of(struct thread *thread)
{
    struct core *core = this_core();
    struct arch_ports *ports = thread->process->open_ports;
    struct arch_aspace *aspace = thread->aspace;
    uint32_t bit = 1u << core->index;

    arch_aspace_load(aspace);
    if (ports == NULL && (aspace->plain_on & bit) == 0) {
        atomic_fetch_or(&aspace->plain_on, bit);
        ports = thread->process->open_ports; /* pairs with announce_locked() in ports.c */
        if (ports != NULL)
            atomic_fetch_and(&aspace->plain_on, ~bit);
    }
    if (ports != NULL || core->tss->iomap_base != TSS_IOMAP_NONE)
        ports_load(core, ports);
}

/* For assembly, when writing CR3 is not all it takes. The vector registers of the thread that leaves are saved or lost,
 * those of the other are not loaded yet, and threads of one process may see where one of them last used x87. */
void switch_to_process_first(struct thread *thread)
{
    if (cpu_facts.x87_pointers_stay_initial)
        vector_forget_x87_pointers();
    switch_to_process_of(thread);
}

void switch_the_long_way(struct thread *thread)
{
    trace(MNOS_TRACE_SWITCH, thread->obj.id, thread->process->obj.id);
    switch_to_process_of(thread);
}

/* ---- registers ---- */

#define CANONICAL_BITS 48

/* What a program can put there itself, by WRFSBASE and WRGSBASE, which is also all that the kernel can: a base
 * in the upper half opens nothing. Intel SDM vol 2, "WRFSBASE/WRGSBASE". */
static bool is_canonical(uint64_t address)
{
    return (uint64_t)((int64_t)(address << (64 - CANONICAL_BITS)) >> (64 - CANONICAL_BITS)) ==
           address;
}

mnos_status_t arch_thread_set_registers(struct thread *thread, const struct mnos_registers *r)
{
    struct user_frame *f = &thread->frame;

    /* RSP is a general register to who does not push: IRET and SYSRET take any value. */
    if (r->rip >= MNOS_USER_END || !is_canonical(r->fs_base) || !is_canonical(r->gs_base))
        return MNOS_ERR_ADDRESS;
#define SET(name) f->name = r->name;
    GENERAL_REGISTERS(SET)
#undef SET
    f->vector = 0; /* not FRAME_SYSCALL: RCX and R11 count */
    f->error = 0;
    f->cs = SELECTOR_USER_CODE;
    f->ss = SELECTOR_USER_DATA;
    f->rflags = (r->rflags & RFLAGS_USER) | RFLAGS_ALWAYS;
    thread->arch.fs_base = r->fs_base;
    thread->arch.gs_base = r->gs_base;
    if (!thread->arch.started) {
        thread->arch.started = true;
        vector_reset(&thread->arch);
    }
    if (thread == this_core()->current)
        switch_load_bases(&thread->arch);
    return MNOS_OK;
}

void arch_thread_get_registers(const struct thread *thread, struct mnos_registers *r)
{
    const struct user_frame *f = &thread->frame;
    struct thread_arch bases = thread->arch;

    if (thread == this_core()->current)
        switch_save_bases(&bases);
#define GET(name) r->name = f->name;
    GENERAL_REGISTERS(GET)
#undef GET
    r->rflags = f->rflags & (RFLAGS_USER | RFLAGS_ALWAYS);
    r->fs_base = bases.fs_base;
    r->gs_base = bases.gs_base;
}

/* The registers still hold the arguments. */
void arch_thread_before_syscall(struct thread *thread)
{
    thread->frame.rip -= SYSCALL_INSTRUCTION_BYTES;
}

void arch_thread_after_syscall(struct thread *thread)
{
    thread->frame.rip += SYSCALL_INSTRUCTION_BYTES;
}
