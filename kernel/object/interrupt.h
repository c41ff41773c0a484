// SPDX-License-Identifier: MIT
/*
 * interrupt.h - interrupt lines and who is told when they fire.
 *
 * There is one Interrupt object, all lines; capabilities name ranges of it, and one that names a
 * single line can bind it. A line has one listener: an endpoint capability that the kernel holds, and
 * the events to set.
 *
 * I1  a line is routed and may be unmasked only while it is bound
 * I2  bound_through is the Interrupt capability it was bound through; that one's `binding` is the line
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/statistics.h"
#include "cap/capability.h"
#include "object/kobject.h"

struct interrupt_line {
    struct capability listener; /* kernel-held endpoint capability */
    _Atomic bool being_bound;   /* one core at a time changes `listener` */
    struct spinlock lock;       /* rank LOCK_INTERRUPT, guards all below */
    uint64_t events;
    struct capability *bound_through; /* NULL: not bound */
};

/* The object all Interrupt capabilities name; created at boot. */
struct kobject *interrupt_object(void);
uint32_t interrupt_line_count(void);
void interrupt_init(void);

/* Binds `line`, which the capability `through` names alone, to the endpoint of `listener`; moves it
 * when it is bound already. Hold no lock. MNOS_ERR_STATE: the line cannot be routed, or another core is binding it at this moment;
 * errors of cap_derive(). */
mnos_status_t interrupt_bind(uint32_t line, const struct cap_view *through,
                             const struct cap_view *listener, uint64_t events);
/* Lets a level-triggered line fire again. MNOS_ERR_STATE: not bound through this capability. */
mnos_status_t interrupt_acknowledge(uint32_t line, const struct cap_view *through);
/* The capability goes: unbinds what was bound through it. */
void interrupt_unbind_cap(struct capability *through);

/* A line has fired; from the entry code. */
void interrupt_deliver(uint32_t line);
