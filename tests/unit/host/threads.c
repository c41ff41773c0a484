// SPDX-License-Identifier: MIT
/* threads.c - the machine part of threads, which is their frames, and the ports of processes. */
#include <stdlib.h>

#include "tests/unit/host/host.h"
#include "assert.h"
#include "syscall/calls.h"
#include "core.h"
#include "lib/base/string.h"
#include "mm/frame.h"
#include "object/process.h"
#include "mm/quota.h"
#include "object/thread.h"
#include "sched/sched.h"

#define VECTOR_BYTES 512
#define SYSCALL_BYTES 2
#define PORTS 65536u
#define PORT_FRAMES 2

size_t arch_vector_bytes(void)
{
    return VECTOR_BYTES;
}

void arch_vector_init(void *area)
{
    (void)area;
}

mnos_status_t arch_thread_set_registers(struct thread *thread, const struct mnos_registers *r)
{
    struct user_frame *f = &thread->frame;

    if (r->rip >= MNOS_USER_END || (r->fs_base + (1ull << 47)) >> 48 != 0 ||
        (r->gs_base + (1ull << 47)) >> 48 != 0)
        return MNOS_ERR_ADDRESS;
    *f = (struct user_frame){.rax = r->rax,
                             .rbx = r->rbx,
                             .rcx = r->rcx,
                             .rdx = r->rdx,
                             .rsi = r->rsi,
                             .rdi = r->rdi,
                             .rbp = r->rbp,
                             .rsp = r->rsp,
                             .r8 = r->r8,
                             .r9 = r->r9,
                             .r10 = r->r10,
                             .r11 = r->r11,
                             .r12 = r->r12,
                             .r13 = r->r13,
                             .r14 = r->r14,
                             .r15 = r->r15,
                             .rip = r->rip};
    thread->arch.fs_base = r->fs_base;
    thread->arch.gs_base = r->gs_base;
    return MNOS_OK;
}

void arch_thread_get_registers(const struct thread *thread, struct mnos_registers *r)
{
    const struct user_frame *f = &thread->frame;

    *r = (struct mnos_registers){.rax = f->rax,
                                 .rbx = f->rbx,
                                 .rcx = f->rcx,
                                 .rdx = f->rdx,
                                 .rsi = f->rsi,
                                 .rdi = f->rdi,
                                 .rbp = f->rbp,
                                 .rsp = f->rsp,
                                 .r8 = f->r8,
                                 .r9 = f->r9,
                                 .r10 = f->r10,
                                 .r11 = f->r11,
                                 .r12 = f->r12,
                                 .r13 = f->r13,
                                 .r14 = f->r14,
                                 .r15 = f->r15,
                                 .rip = f->rip,
                                 .rflags = f->rflags,
                                 .fs_base = thread->arch.fs_base,
                                 .gs_base = thread->arch.gs_base};
}

void arch_thread_save(struct thread *thread, bool voluntary)
{
    (void)voluntary;
    assert(thread == this_core()->current);
}

void arch_thread_load(struct thread *thread)
{
    arch_aspace_load(&thread->process->aspace.arch);
}

void arch_thread_before_syscall(struct thread *thread)
{
    thread->frame.rip -= SYSCALL_BYTES;
}

void arch_thread_after_syscall(struct thread *thread)
{
    thread->frame.rip += SYSCALL_BYTES;
}

/* ---- system calls ---- */

bool arch_fast_switch(void)
{
    return true;
}

struct call_return arch_call_unknown(CALL_REGISTERS)
{
    call_unknown(this_core()->current);
    return (struct call_return){(uint64_t)CALL_IN_FRAME, 0};
}

struct call_return arch_call_in_frame(CALL_REGISTERS)
{
    call_in_frame(this_core()->current);
    return (struct call_return){(uint64_t)CALL_IN_FRAME, 0};
}

void host_system_call(void)
{
    struct core *core = this_core();
    struct thread *thread = core->current;
    const struct user_frame *f = &thread->frame;
    uint64_t number = f->rax - MNOS_SYSCALL_BASE;
    struct call_return result;

    thread->frame.vector = FRAME_SYSCALL;
    if (number >= CALL_COUNT) {
        call_unknown(thread);
        return;
    }
    result = call_table[number](f->rdi, f->rsi, f->rdx, f->r10, f->r8, f->r9);
    if (result.rax == (uint64_t)CALL_IN_FRAME)
        return;
    thread->frame.rax = result.rax;
    thread->frame.rdx = result.rdx;
}

/* ---- ports ---- */

/* In the frames that the process pays for; bit set: open. */
struct arch_ports {
    uint64_t open[PORTS / 64];
};

mnos_status_t arch_ports_open(struct arch_ports **ports, struct quota *quota, uint32_t first,
                              uint32_t count)
{
    assert(first < PORTS && count != 0 && count <= PORTS - first);
    if (*ports == NULL) {
        mnos_status_t status = quota_charge_frames(quota, PORT_FRAMES);
        paddr_t frames;

        if (status != MNOS_OK)
            return status;
        frames = frame_alloc_run(PORT_FRAMES, 1, FRAME_LIMIT_NONE);
        if (frames == PADDR_NONE) {
            quota_return_frames(quota, PORT_FRAMES);
            return MNOS_ERR_MEMORY;
        }
        *ports = memset(phys_to_virt(frames), 0, PORT_FRAMES * PAGE_BYTES);
    }
    for (uint32_t port = first; port < first + count; port++)
        (*ports)->open[port / 64] |= 1ull << port % 64;
    return MNOS_OK;
}

void arch_ports_close(struct arch_ports *ports, uint32_t first, uint32_t count)
{
    for (uint32_t port = first; port < first + count; port++)
        ports->open[port / 64] &= ~(1ull << port % 64);
}

void arch_ports_changed(void)
{
    arch_ipi_round(UINT32_MAX, IPI_QUIESCE);
}

void arch_ports_destroy(struct arch_ports **ports, struct quota *quota)
{
    if (*ports == NULL)
        return;
    frame_free_run(virt_to_phys(*ports), PORT_FRAMES);
    quota_return_frames(quota, PORT_FRAMES);
    *ports = NULL;
}

bool host_port_open(const struct arch_ports *ports, uint32_t port)
{
    return ports != NULL && (ports->open[port / 64] >> port % 64 & 1) != 0;
}
