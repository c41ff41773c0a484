// SPDX-License-Identifier: MIT
/*
 * cpu.h - what this processor has and needs. Found once, on the boot core; the other cores must have
 * the same. Whatever is not listed here the kernel does not use.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct core;

struct cpu_facts {
    bool nx, pge, smep, smap, umip, fsgsbase, mce;
    bool pcid; /* with INVPCID; one without the other is not used */
    bool x2apic, tsc_deadline, invariant_tsc;
    bool pages_1g;
    bool xsave, xsaveopt;
    bool
        x87_pointers_stay; /* restoring x87 state leaves the pointers to its last instruction and data as they are */
    bool x87_pointers_stay_initial; /* so may restoring the initial state */
    uint64_t xcr0;                  /* state components enabled */
    uint32_t vector_bytes;

    /* Speculation. */
    bool meltdown;      /* user code can read what is mapped for the kernel only */
    bool enhanced_ibrs; /* set once, it keeps user code from steering the kernel's predictions */
    bool automatic_ibrs;
    bool ibpb;          /* barrier between processes: available and needed */
    bool stibp;         /* between hardware threads of one core: available and needed */
    bool rsb_stuff;     /* the return stack is overwritten between processes */
    bool plain_switch;  /* writing CR3 is all it takes to change address spaces */
    bool plain_vectors; /* XRSTOR is all it takes to load the initial vector state */
    bool
        fast_switch; /* FSGSBASE and XSAVEOPT, which the short paths in assembly take for granted */

    uint64_t tsc_hz; /* as the processor or hypervisor says; 0: it does not */
};

extern struct cpu_facts cpu_facts;

/* With page-table isolation, user mode has its own half of the identifiers. */
#define CR3_USER_PCID 0x800ull
/* Keeps the translations of the identifier that is loaded. */
#define CR3_NOFLUSH (1ull << 63)

/* Fills cpu_facts and decides on paging_isolation; boot core only. */
void cpu_detect(void);
/* Switches on what cpu_facts lists, and system calls, on the calling core. */
void cpu_enable(struct core *core);
