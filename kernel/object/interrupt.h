// SPDX-License-Identifier: MIT
/*
 * interrupt.h - interrupt lines and who is told when they fire.
 *
 * There is one Interrupt object, all lines; capabilities name ranges of it, and one that names a
 * single line can bind it. A line has one listener: an endpoint capability that the kernel holds, and
 * the events to set.
 *
 * A line that fires again before its driver has acknowledged it is noted, and delivered again when it
 * is. docs/interrupts.md says how a storm is kept from starving the rest.
 *
 * I1  a line is routed and may be unmasked only while it is bound
 * I2  bound_through is the Interrupt capability it was bound through; that one's `binding` is the line
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/interrupt.h"
#include "cap/capability.h"
#include "object/kobject.h"

struct interrupt_line {
    /* Endpoint capabilities that the kernel holds: the listener and, while it is being changed, its
     * successor. `being_bound` lets one core at a time change them. */
    struct capability listeners[2];
    _Atomic bool being_bound;

    struct spinlock lock; /* rank LOCK_INTERRUPT, guards all below */
    uint8_t fired;        /* times since it was acknowledged, at most FIRED_MAX */
    bool is_level;
    uint64_t events;                  /* 0: not bound */
    struct capability *listener;      /* which of them */
    struct capability *bound_through; /* NULL: not bound */
};

/* The object all Interrupt capabilities name; created at boot. */
struct kobject *interrupt_object(void);
void interrupt_init(void);

/* Binds `line`, which the capability `through` names alone, to the endpoint of `listener`; moves it when
 * it is bound already, and leaves it as it was on an error. Hold no lock. MNOS_ERR_STATE: the line cannot
 * be routed, or another core is binding it at this moment; errors of cap_derive(). */
mnos_status_t interrupt_bind(uint32_t line, const struct cap_view *through,
                             const struct cap_view *listener, uint64_t events);
/* Lets a masked line fire again, and delivers it again when it has fired meanwhile. MNOS_ERR_STATE: not bound through this capability. */
mnos_status_t interrupt_acknowledge(uint32_t line, const struct cap_view *through);
/* Its row in types.c. What hangs on a capability is the one line bound through it: draining unbinds that, and leaves
 * it to be parted from its listeners, which are capabilities themselves. */
bool interrupt_drain_locked(struct kobject *object, struct capability *cap, struct tlb_batch *batch,
                            void **rest);
void interrupt_after_drain(void *rest);
void interrupt_describe(const struct cap_view *view, bool is_holder, struct mnos_cap_info *info);

/* A line has fired, and was masked if it is level-triggered; from the entry code, which came to it when
 * arch_cycles() was `began`. */
void interrupt_deliver(uint32_t line, uint64_t began);
