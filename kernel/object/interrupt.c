// SPDX-License-Identifier: MIT
/* interrupt.c - see interrupt.h. Masks and routing are the machine's: arch.h. */
#include "object/interrupt.h"

#include <stddef.h>

#include "arch/arch.h"
#include "cap/derive.h"
#include "core.h"
#include "info.h"
#include "lib/list.h"
#include "object/endpoint.h"

static struct interrupt_line
    *lines; /* in frames: kernel-held capabilities are named by reference */
static uint32_t line_count;
static struct kobject object;

struct kobject *interrupt_object(void)
{
    return &object;
}

uint32_t interrupt_line_count(void)
{
    return line_count;
}

void interrupt_init(void)
{
    line_count = arch_irq_line_count();
    if (line_count > MNOS_STATISTICS_LINES)
        line_count = MNOS_STATISTICS_LINES;
    lines = info_boot_alloc(line_count * sizeof(*lines));
    for (uint32_t i = 0; i < line_count; i++)
        spin_init(&lines[i].lock, LOCK_INTERRUPT);
    kobject_init(&object, MNOS_TYPE_INTERRUPT, NULL);
}

/* Takes the line away from whom it is bound to; the line is locked. The listener is dropped later,
 * without the lock: cap_delete_kernel() takes locks above it. */
static void unbind_locked(struct interrupt_line *line)
{
    if (line->bound_through == NULL)
        return;
    arch_irq_disable((uint32_t)(line - lines));
    line->bound_through->binding = NULL;
    line->bound_through = NULL;
    line->events = 0;
}

static mnos_status_t bind(uint32_t number, const struct cap_view *through,
                          const struct cap_view *listener, uint64_t events)
{
    struct interrupt_line *line = &lines[number];
    mnos_status_t status;

    spin_lock(&line->lock);
    unbind_locked(line);
    spin_unlock(&line->lock);
    cap_delete_kernel(&line->listener);
    status = cap_derive_kernel(&line->listener, listener);
    if (status != MNOS_OK)
        return status;

    spin_lock(&line->lock);
    if (!cap_alive(through)) {
        status = MNOS_ERR_HANDLE;
    } else {
        status = arch_irq_enable(number);
        if (status == MNOS_OK) {
            line->bound_through = through->slot;
            line->events = events;
            through->slot->binding = line;
            arch_irq_unmask(number);
        }
    }
    spin_unlock(&line->lock);
    if (status != MNOS_OK)
        cap_delete_kernel(&line->listener);
    return status;
}

mnos_status_t interrupt_bind(uint32_t number, const struct cap_view *through,
                             const struct cap_view *listener, uint64_t events)
{
    struct interrupt_line *line = &lines[number];
    mnos_status_t status;

    if (atomic_exchange(&line->being_bound, true))
        return MNOS_ERR_STATE;
    status = bind(number, through, listener, events);
    atomic_store(&line->being_bound, false);
    return status;
}

mnos_status_t interrupt_acknowledge(uint32_t number, const struct cap_view *through)
{
    struct interrupt_line *line = &lines[number];
    mnos_status_t status = MNOS_ERR_STATE;

    spin_lock(&line->lock);
    if (line->bound_through == through->slot && cap_alive(through)) {
        if (arch_irq_is_level(number))
            arch_irq_unmask(number);
        status = MNOS_OK;
    }
    spin_unlock(&line->lock);
    return status;
}

void interrupt_unbind_cap(struct capability *through)
{
    struct interrupt_line *line = through->binding;
    bool ours;

    if (line == NULL)
        return;
    spin_lock(&line->lock);
    ours = line->bound_through == through;
    if (ours)
        unbind_locked(line);
    spin_unlock(&line->lock);
    if (ours)
        cap_delete_kernel(&line->listener);
}

void interrupt_deliver(uint32_t number)
{
    struct interrupt_line *line;
    uint64_t events;

    this_core()->statistics->interrupts++;
    if (number >= line_count)
        return;
    line = &lines[number];
    spin_lock(&line->lock);
    events = line->events;
    spin_unlock(&line->lock);
    info_count_line(number, events != 0);
    if (events != 0)
        endpoint_notify_cap(&line->listener, events);
}
