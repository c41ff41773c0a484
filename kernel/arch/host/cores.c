// SPDX-License-Identifier: MIT
/*
 * cores.c - simulated cores. The way out of each core's kernel runs on a stack of its own, so that it
 * can be left in the middle of idling and be resumed there by the next interrupt.
 */
#include <sanitizer/common_interface_defs.h>
#include <stdlib.h>
#include <ucontext.h>

#include "arch/host/host.h"
#include "core.h"
#include "lockdep.h"
#include "sched/sched.h"

#define STACK_BYTES (256u << 10)

/* Where a core's kernel stack stands. */
enum stack_state {
    STACK_UNUSED, /* nothing on it: the next way out begins at its top */
    STACK_IDLE,   /* in arch_idle() */
};

struct stack {
    char *memory;
    enum stack_state state;
    ucontext_t inside;  /* in arch_idle() */
    ucontext_t outside; /* whoever wanted to leave the kernel */
    const void *outside_bottom;
    size_t outside_bytes;
    void (*entry)(void);
};

struct core *host_core = &cores[0];
struct host_core_state host_cores[MNOS_CORES_MAX] = {
    [0].in_kernel = true, [0].timer_ns = UINT64_MAX};
void (*host_on_poll)(void);

static struct stack stacks[MNOS_CORES_MAX];

void host_core_select(uint32_t index)
{
    host_cores[host_core->index].in_kernel = false;
    host_core = &cores[index];
    host_cores[index].in_kernel = true;
}

/* ---- stacks ---- */

/* Back to whoever wanted to leave the kernel of this core. */
static void switch_out(struct stack *stack, enum stack_state state)
{
    void *fake = NULL;

    stack->state = state;
    __sanitizer_start_switch_fiber(state == STACK_UNUSED ? NULL : &fake, stack->outside_bottom,
                                   stack->outside_bytes);
    swapcontext(&stack->inside, &stack->outside);
    __sanitizer_finish_switch_fiber(fake, &stack->outside_bottom, &stack->outside_bytes);
}

static void on_stack(void)
{
    struct stack *stack = &stacks[host_core->index];

    __sanitizer_finish_switch_fiber(NULL, &stack->outside_bottom, &stack->outside_bytes);
    stack->entry();
    switch_out(&stacks[host_core->index], STACK_UNUSED);
}

/* Runs `entry` on the stack of this core, or resumes its idling, until it comes out. */
static void switch_in(void (*entry)(void))
{
    struct stack *stack = &stacks[host_core->index];
    void *fake = NULL;

    if (stack->memory == NULL)
        stack->memory = malloc(STACK_BYTES);
    if (stack->state == STACK_UNUSED) {
        stack->entry = entry;
        getcontext(&stack->inside);
        stack->inside.uc_stack.ss_sp = stack->memory;
        stack->inside.uc_stack.ss_size = STACK_BYTES;
        stack->inside.uc_link = NULL;
        makecontext(&stack->inside, on_stack, 0);
    }
    __sanitizer_start_switch_fiber(&fake, stack->memory, STACK_BYTES);
    swapcontext(&stack->outside, &stack->inside);
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

bool host_leave_kernel(void)
{
    switch_in(sched_leave_kernel);
    return host_core->current != NULL;
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

void arch_poll_interrupts(void)
{
    lockdep_assert_none();
    if (host_on_poll != NULL)
        host_on_poll();
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

void arch_ipi_round(uint32_t core_mask, unsigned work)
{
    struct core *self = host_core;

    lockdep_assert_none();
    for (uint32_t i = 0; i < core_count; i++) {
        struct core *core = &cores[i];

        if ((core_mask >> i & 1) == 0 || core == self || !core->online)
            continue;
        serve(core, work);
        if (host_cores[i].in_kernel)
            continue; /* it waits for us, or for someone who does */
        host_core = core;
        host_cores[i].in_kernel = true;
        (void)host_leave_kernel();
        host_cores[i].in_kernel = false;
        host_core = self;
    }
}

void arch_ipi_reschedule(struct core *target)
{
    host_cores[target->index].reschedules++;
    target->need_resched = true;
}
