// SPDX-License-Identifier: MIT
/* interrupt.c - see interrupt.h. Masks and routing are the machine's: arch.h. */
#include "object/interrupt.h"

#include <stddef.h>

#include "abi/inspect.h"
#include "arch/arch.h"
#include "boot/boot_code.h"
#include "cap/derive.h"
#include "core.h"
#include "sched/info.h"
#include "lib/base/list.h"
#include "object/endpoint.h"
#include "base/trace.h"

/* A line is masked that has fired this often without being acknowledged: by then its driver does not
 * keep up, or does not run. */
#define FIRED_MAX 16

/* Interrupts of devices may take half of a core's time, and get ahead of that by so much: half of each
 * millisecond. Then they are held for what they are ahead, but no longer than a millisecond: more than that no
 * handling takes, and the machine has stood still. */
#define AHEAD_NS 500000ull
#define HOLD_MAX_NS 1000000ull
/* What lies outside of the two readings of the clock, the processor's way in and out and ours, is not measured: up to
 * three times as much as what lies between, as far as so much has passed since the interrupt before. */
#define MEASURED_PARTS 4

/* In frames: kernel-held capabilities are named by reference. */
static struct interrupt_line *interrupt_lines;
static struct kobject object;

BOOT_CODE struct kobject *interrupt_object(void)
{
    return &object;
}

BOOT_CODE void interrupt_init(void)
{
    interrupt_lines = info_boot_alloc(MNOS_INTERRUPT_LINES * sizeof(*interrupt_lines));
    for (uint32_t i = 0; i < MNOS_INTERRUPT_LINES; i++)
        spin_init(&interrupt_lines[i].lock, LOCK_INTERRUPT);
    kobject_init(&object, MNOS_TYPE_INTERRUPT, NULL);
}

static uint32_t number_of(const struct interrupt_line *line)
{
    return (uint32_t)(line - interrupt_lines);
}

/* The line may fire again; what it has not told yet, it tells now. */
static void reopen_locked(struct interrupt_line *line)
{
    bool again = line->fired > 1;

    if (line->fired == FIRED_MAX || line->is_level)
        arch_irq_unmask(number_of(line));
    line->fired = again;
    if (again)
        endpoint_notify_cap(line->listener, line->events);
}

/* Makes `line` the business of `through` and of the listener in `slot`; both locks are held. */
static mnos_status_t commit_locked(struct interrupt_line *line, const struct cap_view *through,
                                   struct capability *slot, uint64_t events)
{
    mnos_status_t status = MNOS_OK;

    if (!cap_alive(through))
        return MNOS_ERR_HANDLE;
    if (line->bound_through == NULL)
        status = arch_irq_enable(number_of(line));
    else
        line->bound_through->binding = NULL;
    if (status != MNOS_OK)
        return status;
    line->listener = slot;
    line->is_level = arch_irq_is_level(number_of(line));
    line->events = events;
    line->bound_through = through->slot;
    through->slot->binding = line;
    arch_irq_unmask(number_of(line));
    reopen_locked(line);
    return MNOS_OK;
}

static mnos_status_t bind(struct interrupt_line *line, const struct cap_view *through,
                          const struct cap_view *listener, uint64_t events)
{
    struct capability *first = &line->listeners[0], *second = &line->listeners[1];
    struct capability *spare = line->listener == first ? second : first;
    mnos_status_t status;

    status = cap_derive_kernel(spare, listener);
    if (status != MNOS_OK)
        return status;
    /* The derivation lock keeps `through` from being removed before its `binding` can be found. */
    spin_lock(&object.derive);
    spin_lock(&line->lock);
    status = commit_locked(line, through, spare, events);
    spin_unlock(&line->lock);
    spin_unlock(&object.derive);
    cap_delete_kernel((status == MNOS_OK) == (spare == first) ? second : first);
    return status;
}

/* The kernel holds none for a line that is not bound. Hold no lock. */
static void drop_listeners(struct interrupt_line *line)
{
    /* Who has the flag calls this afterwards. */
    while (__atomic_load_n(&line->bound_through, __ATOMIC_ACQUIRE) == NULL &&
           (line->listeners[0].object != NULL || line->listeners[1].object != NULL) &&
           !atomic_exchange(&line->being_bound, true)) {
        cap_delete_kernel(&line->listeners[0]);
        cap_delete_kernel(&line->listeners[1]);
        atomic_store(&line->being_bound, false);
    }
}

mnos_status_t interrupt_bind(uint32_t number, const struct cap_view *through,
                             const struct cap_view *listener, uint64_t events)
{
    struct interrupt_line *line = &interrupt_lines[number];
    mnos_status_t status;

    if (atomic_exchange(&line->being_bound, true))
        return MNOS_ERR_STATE;
    status = bind(line, through, listener, events);
    atomic_store(&line->being_bound, false);
    drop_listeners(line); /* it may have been unbound meanwhile */
    return status;
}

mnos_status_t interrupt_acknowledge(uint32_t number, const struct cap_view *through)
{
    struct interrupt_line *line = &interrupt_lines[number];
    mnos_status_t status = MNOS_ERR_STATE;

    spin_lock(&line->lock);
    if (line->bound_through == through->slot && cap_alive(through)) {
        reopen_locked(line);
        status = MNOS_OK;
    }
    spin_unlock(&line->lock);
    return status;
}

bool interrupt_drain_locked(struct kobject *lines, struct capability *cap, struct tlb_batch *batch,
                            void **rest)
{
    struct interrupt_line *line = cap->binding;

    (void)lines, (void)batch;
    if (line == NULL)
        return false;
    spin_lock(&line->lock);
    arch_irq_disable(number_of(line));
    cap->binding = NULL;
    line->bound_through = NULL;
    line->events = 0;
    line->fired = 0;
    spin_unlock(&line->lock);
    *rest = line;
    return false;
}

void interrupt_after_drain(void *rest)
{
    drop_listeners(rest);
}

/* The message of the first of several message lines; the others' data follow. */
void interrupt_describe(const struct cap_view *view, bool is_holder, struct mnos_cap_info *info)
{
    if (!is_holder || (view->rights & MNOS_RIGHT_READ) == 0 ||
        !arch_irq_message((uint32_t)view->first, &info->physical_address, &info->message_data)) {
        info->physical_address = UINT64_MAX;
        info->message_data = 0;
    }
}

/* ---- storms ---- */

/* The time has come to take what was held back on this core. */
static void end_hold(struct core *core)
{
    core->hold_end_ns = UINT64_MAX;
    arch_irq_hold(IRQ_HOLD_NONE);
}

static void hold(struct core *core, bool is_message)
{
    if (core->interrupts_ahead_ns > HOLD_MAX_NS)
        core->interrupts_ahead_ns = HOLD_MAX_NS;
    arch_irq_hold(is_message ? IRQ_HOLD_MESSAGES : IRQ_HOLD_LINES);
    core->hold_over = end_hold;
    core->hold_end_ns = arch_time_ns() + core->interrupts_ahead_ns;
    core->need_resched = true; /* the long way out arms the timer, or a preemption point before */
}

/* An interrupt has taken `cost` of the cycles that have passed since the one before. What it takes, everything else
 * has to get as well. */
[[gnu::noinline]] static void get_ahead(struct core *core, uint64_t cost, uint64_t passed,
                                        bool is_message)
{
    uint64_t ahead_ns = core->interrupts_ahead_ns + 2 * arch_cycles_to_ns(cost);
    uint64_t passed_ns = arch_cycles_to_ns(passed);

    core->interrupts_ahead_ns = ahead_ns > passed_ns ? ahead_ns - passed_ns : 0;
    if (core->interrupts_ahead_ns > AHEAD_NS)
        hold(core, is_message);
}

/* What cannot be masked, or is acknowledged by a driver on another core as fast as it fires, is bounded here, whatever
 * kind of line it is: a level that stays up fires again as soon as it is acknowledged. Not their number counts but
 * the time from `began` on, by the clock by which the hold ends, so that how fast the machine is decides nothing. */
static inline void count_time(struct core *core, uint64_t began, bool is_message)
{
    uint64_t now = arch_cycles(), passed = now - core->interrupt_end_cycles;
    uint64_t cost = MEASURED_PARTS * (now - began);

    core->interrupt_end_cycles = now;
    if (core->interrupts_ahead_ns != 0 || 2 * cost > passed)
        get_ahead(core, cost < passed ? cost : passed, passed, is_message);
}

void interrupt_deliver(uint32_t number, uint64_t began)
{
    struct interrupt_line *line = &interrupt_lines[number];
    struct core *core = this_core();
    uint64_t events;

    core->statistics->interrupts++;
    spin_lock(&line->lock);
    events = line->events;
    if (events != 0 && line->fired < FIRED_MAX) {
        if (line->fired++ == 0)
            endpoint_notify_cap(line->listener, events);
        else if (line->fired == FIRED_MAX)
            arch_irq_mask(number);
    }
    spin_unlock(&line->lock);
    info_count_line(number, events != 0);
    trace(MNOS_TRACE_INTERRUPT, number, events);
    count_time(core, began, number >= MNOS_MESSAGE_LINE_FIRST);
}
