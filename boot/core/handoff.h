// SPDX-License-Identifier: MIT
/*
 * handoff - the assembly that leaves the loader: handoff.S. The structures here are read there by
 * offset; the assertions keep both in step.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cpu.h"

/* lgdt operand, placed so that its base is aligned. */
struct boot_gdtr {
    uint16_t padding[3];
    uint16_t limit;
    uint64_t base;
};

/* How the boot processor enters the kernel. Addresses are virtual where not said otherwise. */
struct boot_handoff {
    uint64_t bridge_tables; /* physical: as the kernel's, and memory also at its physical address */
    uint64_t kernel_tables; /* physical */
    uint64_t hhdm;
    uint64_t efer;
    uint64_t stack_top;
    uint64_t entry;
    struct boot_gdtr gdtr;
};

/* One processor that waits for its goto address. */
struct boot_ap {
    uint32_t lapic_id;
    uint32_t ready; /* set by the processor once it needs nothing of the loader any more */
    uint64_t stack_top;
    uint64_t cpu; /* its struct limine_cpu */
};

struct boot_msr {
    uint64_t number, value;
};

/* What all of them share. */
struct boot_ap_common {
    uint64_t kernel_tables;
    uint64_t aps; /* struct boot_ap [ap_count] */
    uint64_t ap_count;
    uint64_t msrs; /* struct boot_msr [msr_count]: PAT and MTRRs, as on the boot processor */
    uint64_t msr_count;
    uint64_t x2apic; /* not 0: switch the local APIC to x2APIC mode */
    struct boot_gdtr gdtr;
};

/* Lies at BOOT_TRAMPOLINE_DATA in the page that starting processors execute first. */
struct boot_trampoline {
    uint32_t bridge_tables;
    uint32_t efer;
    uint16_t padding;
    uint16_t gdt_limit;
    uint32_t gdt_base; /* physical */
    uint32_t long_mode_offset;
    uint16_t long_mode_selector;
    uint16_t padding_2;
    uint64_t entry;  /* boot_ap_entry */
    uint64_t common; /* struct boot_ap_common */
};

#define BOOT_TRAMPOLINE_DATA 0xf00

_Static_assert(offsetof(struct boot_handoff, gdtr.limit) == 54, "handoff.S");
_Static_assert(sizeof(struct boot_ap) == 24, "handoff.S");
_Static_assert(offsetof(struct boot_ap_common, gdtr.limit) == 54, "handoff.S");
_Static_assert(offsetof(struct boot_trampoline, gdt_limit) == 10, "handoff.S");
_Static_assert(offsetof(struct boot_trampoline, long_mode_offset) == 16, "handoff.S");
_Static_assert(offsetof(struct boot_trampoline, entry) == 24, "handoff.S");

/* The System V calling convention everywhere, also where C code uses another one. */
#define BOOT_ASM __attribute__((sysv_abi))

_Noreturn BOOT_ASM void boot_handoff(const struct boot_handoff *handoff);

/* Code: position independent; the trampoline is copied, the entry runs in the direct map. */
extern const uint8_t boot_trampoline_start[], boot_trampoline_long[], boot_trampoline_end[];
extern const uint8_t boot_ap_entry[];
