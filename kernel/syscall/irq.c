// SPDX-License-Identifier: MIT
/* irq.c - system calls on Interrupt capabilities. */
#include <stddef.h>

#include "syscall/calls.h"
#include "object/endpoint.h"
#include "object/interrupt.h"

/* Needs Write on an Interrupt capability for a single line, and Write on an endpoint capability whose
 * event mask covers `events`: delivering an event is a send. An interrupt has one listener; binding it
 * again moves it. */
result_t sys_irq_bind(struct thread *current, mnos_cap_t interrupt_cap, mnos_cap_t endpoint_cap,
                      uint64_t events)
{
    struct cap_view irq, ep;
    result_t status;

    status = argument_cap(current, 1, interrupt_cap, MNOS_TYPE_INTERRUPT, MNOS_RIGHT_WRITE, &irq);
    if (status != RESULT_OK)
        return status;
    if (irq.count != 1)
        return error_at(1, MNOS_ERR_STATE); /* derive the one line first */
    status = argument_cap(current, 2, endpoint_cap, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_WRITE, &ep);
    if (status != RESULT_OK)
        return status;
    if (events == 0 || (events & ~ep.event_mask) != 0)
        return error_at(3, MNOS_ERR_ARGUMENT); /* one that reports nothing would be lost */
    return result_of(interrupt_bind((uint32_t)irq.first, &irq, &ep, events));
}

/* Needs Write on the Interrupt capability that the line was bound through. */
result_t sys_irq_ack(struct thread *current, mnos_cap_t interrupt_cap)
{
    struct cap_view irq;
    result_t status =
        argument_cap(current, 1, interrupt_cap, MNOS_TYPE_INTERRUPT, MNOS_RIGHT_WRITE, &irq);

    if (status != RESULT_OK)
        return status;
    if (irq.count != 1)
        return error_at(1, MNOS_ERR_STATE);
    return result_of(interrupt_acknowledge((uint32_t)irq.first, &irq));
}
