// SPDX-License-Identifier: MIT
/* idt.c - the interrupt table, one for all cores. The code it points to is in stubs.S and interrupt.S. */
#include "arch/x86_64/entry/cpu_entry.h"

#include "arch/x86_64/cpu/selectors.h"
#include "arch/x86_64/mmu/paging.h"
#include "arch/x86_64/apic/vectors.h"

/* Intel SDM vol 3A, "64-Bit Mode IDT". */
struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};
_Static_assert(sizeof(struct gate) == 16, "the architecture's layout");

#define GATE_INTERRUPT 0x8E /* present, clears IF */
#define GATE_USER 0x60      /* may be reached by an INT instruction */

ENTRY_DATA static struct gate idt[256];

/* stubs.S: 256 of ENTRY_STUB_BYTES each; interrupt.S: the entries with a stack of their own. */
extern const char entry_stubs_plain[], entry_stubs_isolating[];
extern const char entry_nmi_plain[], entry_nmi_isolating[];
extern const char entry_double_fault_plain[], entry_double_fault_isolating[];
extern const char entry_machine_check_plain[], entry_machine_check_isolating[];

static void gate_set(unsigned vector, const char *code, uint8_t ist, uint8_t type)
{
    uint64_t offset = (uint64_t)(uintptr_t)code;

    idt[vector] = (struct gate){
        .offset_low = (uint16_t)offset,
        .selector = SELECTOR_KERNEL_CODE,
        .ist = ist,
        .type = type,
        .offset_middle = (uint16_t)(offset >> 16),
        .offset_high = (uint32_t)(offset >> 32),
    };
}

void idt_fill(void)
{
    const char *stubs = paging_isolation ? entry_stubs_isolating : entry_stubs_plain;

    for (unsigned vector = 0; vector < 256; vector++)
        gate_set(vector, stubs + vector * ENTRY_STUB_BYTES, 0, GATE_INTERRUPT);
    gate_set(VECTOR_BREAKPOINT, stubs + VECTOR_BREAKPOINT * ENTRY_STUB_BYTES, 0,
             GATE_INTERRUPT | GATE_USER);
    gate_set(VECTOR_NMI, paging_isolation ? entry_nmi_isolating : entry_nmi_plain, IST_NMI,
             GATE_INTERRUPT);
    gate_set(VECTOR_DOUBLE_FAULT,
             paging_isolation ? entry_double_fault_isolating : entry_double_fault_plain,
             IST_DOUBLE_FAULT, GATE_INTERRUPT);
    gate_set(VECTOR_MACHINE_CHECK,
             paging_isolation ? entry_machine_check_isolating : entry_machine_check_plain,
             IST_MACHINE_CHECK, GATE_INTERRUPT);
}

void idt_load(void)
{
    struct [[gnu::packed]] {
        uint16_t limit;
        uint64_t base;
    } pointer = {sizeof(idt) - 1, (uint64_t)(uintptr_t)idt};

    __asm__ volatile("lidt %0" ::"m"(pointer) : "memory");
}
