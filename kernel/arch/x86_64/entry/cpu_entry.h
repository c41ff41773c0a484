// SPDX-License-Identifier: MIT
/*
 * cpu_entry.h - what the processor itself reads on the way into the kernel, one per core: descriptor
 * table, TSS, the stacks of exceptions that must not use the current one. With page-table isolation
 * these, the interrupt table and the entry code are the only kernel pages a user program's tables map.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core.h"

/* Pages that stay mapped in user mode; kernel.ld gathers the sections. */
#define ENTRY_DATA [[gnu::section(".bss.entry"), gnu::aligned(4096)]]

#define GDT_ENTRIES 8
#define PORT_BITMAP_BITS 65536
#define PORT_BITMAP_WORDS (PORT_BITMAP_BITS / 64)

enum {
    IST_NMI = 1,
    IST_DOUBLE_FAULT = 2,
    IST_MACHINE_CHECK = 3,
};

/* Intel SDM vol 3A, "TSS Descriptor in 64-bit Mode". */
struct [[gnu::packed]] tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap_base; /* offset of the port bitmap */
};
_Static_assert(sizeof(struct tss) == 104, "the architecture's layout");

/* An interrupt stack. Whoever lands on it knows its core from the word above, since GS may hold
 * whatever a user program put there. */
#define IST_STACK(bytes)                                                                           \
    struct {                                                                                       \
        uint8_t space[bytes];                                                                      \
        uint64_t gs_base, unused;                                                                  \
    }

struct [[gnu::aligned(4096)]] cpu_entry
{
    struct core *core;
    uint64_t scratch;
    /* Page-table isolation: kernel CR3 = (CR3 & and) | or; user CR3 = kernel CR3 | user_or. */
    uint64_t cr3_kernel_and;
    uint64_t cr3_kernel_or;
    uint64_t cr3_user_or;
    uint64_t stack_top;
    uint64_t kernel_root; /* tables without a process */
    uint64_t gdt[GDT_ENTRIES];
    struct tss tss;
    /* Belongs to the TSS; bit set: port closed. The processor reads one byte beyond, all ones. */
    uint64_t port_bitmap[PORT_BITMAP_WORDS];
    uint8_t port_bitmap_end;
    [[gnu::aligned(16)]] uint64_t stack[32]; /* where isolating entries land, for a few pushes */
    [[gnu::aligned(16)]] IST_STACK(1024) nmi;
    [[gnu::aligned(16)]] IST_STACK(256) double_fault;
    [[gnu::aligned(16)]] IST_STACK(256) machine_check;
};

_Static_assert(offsetof(struct cpu_entry, port_bitmap) ==
                   offsetof(struct cpu_entry, tss) + sizeof(struct tss),
               "the bitmap follows the TSS");

#define TSS_BYTES (sizeof(struct tss) + PORT_BITMAP_BITS / 8 + 1)
#define TSS_IOMAP_OPEN sizeof(struct tss)
#define TSS_IOMAP_NONE TSS_BYTES /* beyond the limit: every port is closed */

/* Builds and loads the tables of the calling core, sets its GS base. */
void cpu_entry_start(struct core *core);
/* Sets the GS base that this core has in the kernel; anew when paging_isolation has been decided. */
void cpu_entry_set_gs(struct core *core);

/* Fills the interrupt table, shared by all cores: the plain entries or the isolating ones. */
void idt_fill(void);
void idt_load(void);
