// SPDX-License-Identifier: MIT
/* lapic.h - the local APIC of the calling core, behind registers in memory (xAPIC) or MSRs (x2APIC). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/cpu/insn.h"

struct madt_info;

/* Chooses the mode and maps the registers; boot core, before any other function. */
void lapic_init(void);
/* The calling core's APIC id; once lapic_start_core() has enabled the mode. */
uint32_t lapic_own_id(void);
/* Enables the calling core's local APIC, everything in it masked but errors and its NMI pin. */
void lapic_start_core(const struct madt_info *madt);

/* In memory, 16 bytes apart; NULL: x2APIC mode, in which they are MSRs. */
extern volatile uint32_t *lapic_registers;

static inline bool lapic_is_x2apic(void)
{
    return lapic_registers == NULL;
}

#define LAPIC_X2APIC_MSR 0x800u
#define LAPIC_EOI 0x0Bu
static inline void lapic_eoi(void)
{
    if (lapic_is_x2apic())
        wrmsr(LAPIC_X2APIC_MSR + LAPIC_EOI, 0);
    else
        lapic_registers[LAPIC_EOI * 4] = 0;
}
/* Takes the error status. */
uint32_t lapic_error(void);
/* Vectors below `vector`, the first of a priority class, wait until this is lowered again. */
void lapic_hold_below(unsigned vector);

void lapic_send(uint32_t apic_id, unsigned vector);
void lapic_send_nmi(uint32_t apic_id);

enum lapic_timer_mode {
    LAPIC_TIMER_MASKED,
    LAPIC_TIMER_ONE_SHOT,
    LAPIC_TIMER_TSC_DEADLINE,
};
void lapic_timer_set_mode(enum lapic_timer_mode mode);
/* One-shot: counts down from `count`, 0 stops it. */
void lapic_timer_start(uint32_t count);
uint32_t lapic_timer_count(void);
