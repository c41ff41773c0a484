// SPDX-License-Identifier: MIT
/*
 * cores.c - simulated cores. The way out of each core's kernel runs on a stack of its own, so that it
 * can be left in the middle of idling and be resumed there by the next interrupt.
 */
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/host/host.h"
#include "core.h"
#include "lockdep.h"
#include "sched/sched.h"

#define STACK_BYTES (256u << 10)

/* Where a core's kernel stack stands. */
enum stack_state {
    STACK_UNUSED, /* nothing on it: the next way out begins at its top */
    STACK_RUNNING,
    STACK_IDLE,   /* in arch_idle() */
    STACK_PAUSED, /* in arch_poll_interrupts(): another core that waits for this one goes on */
};

struct stack {
    char *memory;
    enum stack_state state;
    void *inside;  /* stack pointer where it stands */
    void *outside; /* that of whoever wanted to leave the kernel */
    const void *outside_bottom;
    size_t outside_bytes;
    void (*entry)(void);
    bool asked; /* it runs on behalf of a core that waits for it */
};

struct core *host_core = &cores[0];
struct host_core_state host_cores[MNOS_CORES_MAX] = {
    [0].in_kernel = true, [0].timer_ns = UINT64_MAX};
void (*host_on_poll)(void);

static struct stack stacks[MNOS_CORES_MAX];

/* ---- stacks ---- */

/* Saves what functions preserve on this stack, its pointer in *from, and goes on with what was saved
 * on the other. (The C library's swapcontext() is the same with a warning of the sanitizer.) */
void host_switch_stack(void **from, void *to);
__asm__(".text\n"
        ".type host_switch_stack, @function\n"
        "host_switch_stack:\n"
        "    push %rbp\n"
        "    push %rbx\n"
        "    push %r12\n"
        "    push %r13\n"
        "    push %r14\n"
        "    push %r15\n"
        "    mov %rsp, (%rdi)\n"
        "    mov %rsi, %rsp\n"
        "    pop %r15\n"
        "    pop %r14\n"
        "    pop %r13\n"
        "    pop %r12\n"
        "    pop %rbx\n"
        "    pop %rbp\n"
        "    ret\n"
        ".size host_switch_stack, . - host_switch_stack\n");

enum { SAVED_WORDS = 6 };

/* Back to whoever wanted to leave the kernel of this core. */
static void switch_out(struct stack *stack, enum stack_state state)
{
    void *fake = NULL;

    stack->state = state;
    __sanitizer_start_switch_fiber(state == STACK_UNUSED ? NULL : &fake, stack->outside_bottom,
                                   stack->outside_bytes);
    host_switch_stack(&stack->inside, stack->outside);
    __sanitizer_finish_switch_fiber(fake, &stack->outside_bottom, &stack->outside_bytes);
}

static void on_stack(void)
{
    struct stack *stack = &stacks[host_core->index];

    __sanitizer_finish_switch_fiber(NULL, &stack->outside_bottom, &stack->outside_bytes);
    stack->entry();
    switch_out(&stacks[host_core->index], STACK_UNUSED);
}

/* As host_switch_stack() would have left it: registers, then where to return to, aligned as if
 * on_stack() had been called. */
static void prepare(struct stack *stack)
{
    void (*start)(void) = on_stack;
    char *top = stack->memory + STACK_BYTES - 2 * sizeof(uint64_t);

    __asan_unpoison_memory_region(stack->memory, STACK_BYTES); /* frames that were abandoned */
    memset(top, 0, 2 * sizeof(uint64_t));
    memcpy(top, &start, sizeof(start));
    stack->inside = memset(top - SAVED_WORDS * sizeof(uint64_t), 0, SAVED_WORDS * sizeof(uint64_t));
}

/* Runs `entry` on the stack of this core, or resumes its idling, until it comes out. */
static void switch_in(void (*entry)(void))
{
    struct stack *stack = &stacks[host_core->index];
    void *fake = NULL;

    if (stack->memory == NULL)
        stack->memory = aligned_alloc(16, STACK_BYTES);
    if (stack->state == STACK_UNUSED) {
        stack->entry = entry;
        prepare(stack);
    }
    stack->state = STACK_RUNNING;
    __sanitizer_start_switch_fiber(&fake, stack->memory, STACK_BYTES);
    host_switch_stack(&stack->outside, stack->inside);
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

bool host_leave_kernel(void)
{
    switch_in(sched_leave_kernel);
    return host_core->current != NULL;
}

void host_core_select(uint32_t index)
{
    host_cores[host_core->index].in_kernel = false;
    host_core = &cores[index];
    host_cores[index].in_kernel = true;
    if (stacks[index].state == STACK_PAUSED)
        (void)host_leave_kernel();
}

void host_core_start(uint32_t index)
{
    uint32_t self = host_core->index;

    host_cores[index].timer_ns = UINT64_MAX;
    if (core_count <= index)
        core_count = index + 1;
    host_core_select(index);
    switch_in(sched_core_start);
    host_core_select(self);
}

/* ---- arch.h ---- */

void arch_idle(void)
{
    switch_out(&stacks[host_core->index], STACK_IDLE);
}

void arch_enter_user(void)
{
    switch_out(&stacks[host_core->index], STACK_UNUSED);
    __builtin_unreachable();
}

void arch_leave_boot(void)
{
}

uint64_t arch_boot_pages(void)
{
    return 0;
}

void arch_poll_interrupts(void)
{
    lockdep_assert_none();
    if (host_on_poll != NULL)
        host_on_poll();
    if (stacks[host_core->index].asked)
        switch_out(&stacks[host_core->index], STACK_PAUSED);
}

/* What a core does when it is asked, in the kernel or interrupted. */
static void serve(struct core *core, unsigned work)
{
    struct host_core_state *state = &host_cores[core->index];

    state->rounds++;
    core->quiescent_points++;
    state->flushes += (work & (IPI_FLUSH_TLB | IPI_FLUSH_ALL)) != 0;
    if (core->aspace != NULL && core->aspace->dying)
        core->aspace = NULL;
}

/* Lets an interrupted core leave its kernel, as far as it comes without waiting for the one that asks. */
static void run_asked(struct core *core)
{
    struct stack *stack = &stacks[core->index];

    host_core = core;
    host_cores[core->index].in_kernel = true;
    stack->asked = true;
    (void)host_leave_kernel();
    stack->asked = false;
    host_cores[core->index].in_kernel = stack->state == STACK_PAUSED;
}

void arch_ipi_round(uint32_t core_mask, unsigned work)
{
    struct core *self = host_core;

    lockdep_assert_none();
    for (uint32_t i = 0; i < core_count; i++) {
        struct core *core = &cores[i];

        if ((core_mask >> i & 1) == 0 || core == self || !core->online)
            continue;
        serve(core, work);
        if (!host_cores[i].in_kernel || stacks[i].state == STACK_PAUSED)
            run_asked(core);
        /* Else it waits for us, or for someone who does. */
    }
    host_core = self;
}

void arch_ipi_reschedule(struct core *target)
{
    host_cores[target->index].reschedules++;
    target->need_resched = true;
}
