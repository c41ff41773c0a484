// SPDX-License-Identifier: MIT
/*
 * lapic.c - the local APIC. One register number serves both modes: xAPIC registers are 16 bytes apart
 * in memory, x2APIC ones are consecutive MSRs. Intel SDM vol 3A, "Advanced Programmable Interrupt
 * Controller (APIC)".
 */
#include "arch/x86_64/apic/lapic.h"

#include "arch/arch.h"
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/apic/vectors.h"
#include "boot/boot_code.h"
#include "lib/format/acpi.h"
#include "core.h"
#include "base/panic.h"
#include "mm/kmap.h"

enum lapic_register {
    LAPIC_ID = 0x02,
    LAPIC_VERSION = 0x03,
    LAPIC_PRIORITY = 0x08,
    LAPIC_SPURIOUS = 0x0F,
    LAPIC_ERROR = 0x28,
    LAPIC_LVT_CMCI = 0x2F,
    LAPIC_COMMAND = 0x30,      /* x2APIC: 64 bits */
    LAPIC_COMMAND_HIGH = 0x31, /* xAPIC only */
    LAPIC_LVT_TIMER = 0x32,
    LAPIC_LVT_THERMAL = 0x33,
    LAPIC_LVT_PERFORMANCE = 0x34,
    LAPIC_LVT_LINT0 = 0x35,
    LAPIC_LVT_ERROR = 0x37,
    LAPIC_TIMER_INITIAL = 0x38,
    LAPIC_TIMER_CURRENT = 0x39,
    LAPIC_TIMER_DIVIDE = 0x3E,
};

#define BASE_X2APIC (1ull << 10)
#define BASE_ENABLE (1ull << 11)
#define BASE_ADDRESS 0x000FFFFFFFFFF000ull

#define CPUID_APIC (1u << 9) /* leaf 1, EDX */

#define SPURIOUS_ENABLE (1u << 8)
#define LVT_MASKED (1u << 16)
#define LVT_NMI (4u << 8)
#define LVT_ACTIVE_LOW (1u << 13)
#define LVT_LEVEL (1u << 15)
#define LVT_TSC_DEADLINE (2u << 17)
#define DIVIDE_BY_1 0xBu

#define CLASS_VECTORS 16u

#define COMMAND_NMI (4u << 8)
#define COMMAND_PENDING (1u << 12)
#define COMMAND_ASSERT (1u << 14)

volatile uint32_t *lapic_registers;

static uint32_t lapic_read(enum lapic_register reg)
{
    return lapic_is_x2apic() ? (uint32_t)rdmsr(LAPIC_X2APIC_MSR + reg) : lapic_registers[reg * 4];
}

static void lapic_write(enum lapic_register reg, uint32_t value)
{
    if (lapic_is_x2apic())
        wrmsr(LAPIC_X2APIC_MSR + reg, value);
    else
        lapic_registers[reg * 4] = value;
}

uint32_t lapic_error(void)
{
    lapic_write(LAPIC_ERROR, 0); /* a write makes the register current */
    return lapic_read(LAPIC_ERROR);
}

void lapic_hold_below(unsigned vector)
{
    lapic_write(LAPIC_PRIORITY, vector == 0 ? 0 : vector - CLASS_VECTORS);
}

/* Firmware or loader may have switched x2APIC mode on already; only a reset leads back. Where the
 * registers are is the processor's to say: tables only repeat it. */
BOOT_CODE void lapic_init(void)
{
    uint64_t base;

    if ((cpuid(1, 0).edx & CPUID_APIC) == 0)
        panic("this processor has no local APIC");
    base = rdmsr(MSR_APIC_BASE);
    if (cpu_facts.x2apic || (base & BASE_X2APIC) != 0)
        return;
    lapic_registers = kmap_device(base & BASE_ADDRESS, PAGE_BYTES, KMAP_UNCACHED);
}

BOOT_CODE uint32_t lapic_own_id(void)
{
    uint32_t id = lapic_read(LAPIC_ID);

    return lapic_is_x2apic() ? id : id >> 24;
}

/* The pin that the firmware has wired to NMI, if any; the other is where 8259s would come in. */
BOOT_CODE static uint32_t local_pin(const struct madt_info *madt, unsigned pin)
{
    for (uint32_t i = 0; i < madt->nmi_count; i++) {
        const struct madt_nmi *nmi = &madt->nmis[i];

        if (nmi->pin == pin && (nmi->every_core || nmi->acpi_uid == this_core()->arch.acpi_uid))
            return LVT_NMI | (nmi->active_low ? LVT_ACTIVE_LOW : 0) | (nmi->level ? LVT_LEVEL : 0);
    }
    return LVT_MASKED;
}

BOOT_CODE void lapic_start_core(const struct madt_info *madt)
{
    unsigned lvt_last;

    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_ENABLE);
    if (lapic_is_x2apic())
        wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_X2APIC);
    lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    lapic_write(LAPIC_PRIORITY, 0);
    lvt_last = lapic_read(LAPIC_VERSION) >> 16 & 0xFF;
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
    if (lvt_last >= 4)
        lapic_write(LAPIC_LVT_PERFORMANCE, LVT_MASKED);
    if (lvt_last >= 5)
        lapic_write(LAPIC_LVT_THERMAL, LVT_MASKED);
    if (lvt_last >= 6)
        lapic_write(LAPIC_LVT_CMCI, LVT_MASKED);
    lapic_write(LAPIC_LVT_LINT0, local_pin(madt, 0));
    lapic_write(LAPIC_LVT_LINT0 + 1, local_pin(madt, 1));
    (void)lapic_error();
    lapic_write(LAPIC_LVT_ERROR, VECTOR_APIC_ERROR);
    lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
    lapic_eoi(); /* of something the loader left unfinished */
}

/* In x2APIC mode the command is one MSR write, which does not wait for earlier stores: the fences make
 * what the interrupt announces visible first. Intel SDM vol 3A, "MSR Access in x2APIC Mode". */
static void command_send(uint32_t apic_id, uint32_t command)
{
    if (lapic_is_x2apic()) {
        __asm__ volatile("mfence\n\tlfence" ::: "memory");
        wrmsr(LAPIC_X2APIC_MSR + LAPIC_COMMAND, (uint64_t)apic_id << 32 | command);
        return;
    }
    while (lapic_read(LAPIC_COMMAND) & COMMAND_PENDING)
        arch_relax();
    lapic_write(LAPIC_COMMAND_HIGH, apic_id << 24);
    lapic_write(LAPIC_COMMAND, command);
}

void lapic_send(uint32_t apic_id, unsigned vector)
{
    command_send(apic_id, COMMAND_ASSERT | vector);
}

void lapic_send_nmi(uint32_t apic_id)
{
    command_send(apic_id, COMMAND_ASSERT | COMMAND_NMI);
}

void lapic_timer_set_mode(enum lapic_timer_mode mode)
{
    uint32_t lvt = VECTOR_TIMER;

    if (mode == LAPIC_TIMER_MASKED)
        lvt |= LVT_MASKED;
    else if (mode == LAPIC_TIMER_TSC_DEADLINE)
        lvt |= LVT_TSC_DEADLINE;
    lapic_write(LAPIC_LVT_TIMER, lvt);
    /* A write to memory may pass the WRMSR that arms the deadline; without the fence it could arm
     * in the old mode. Intel SDM vol 3A, "TSC-Deadline Mode". */
    __asm__ volatile("mfence" ::: "memory");
}

void lapic_timer_start(uint32_t count)
{
    lapic_write(LAPIC_TIMER_INITIAL, count);
}

BOOT_CODE uint32_t lapic_timer_count(void)
{
    return lapic_read(LAPIC_TIMER_CURRENT);
}
