// SPDX-License-Identifier: MIT
/*
 * statistics.h - counters that the kernel exports as a read-only Memory capability. Each counter only
 * grows and is written by one core; readers need no lock and see a recent value.
 */
#pragma once

#include "abi/interrupt.h"
#include "abi/types.h"

#define MNOS_STATISTICS_MAGIC 0x54415453534F4E4Dull

struct mnos_core_statistics {
    uint32_t online;
    uint32_t apic_id;
    uint64_t idle_ns;    /* up to the last time the core left idle */
    uint64_t idle_since; /* time_ns at which the present idle period began; 0: not idle */
    uint64_t switches;   /* times another thread was put on the core */
    uint64_t syscalls;
    uint64_t faults;     /* exceptions taken from user mode */
    uint64_t interrupts; /* device interrupts */
    uint64_t timer_interrupts;
    uint64_t ipis; /* interprocessor interrupts taken */
    uint64_t steals;
    /* Calls and replies that went straight to the other side: each is a system call and a switch that
     * the counters above do not count. */
    uint64_t messages;
    uint64_t reserved[5];
};
_Static_assert(sizeof(struct mnos_core_statistics) == 128, "two cache lines a core");

struct mnos_statistics {
    uint64_t magic;
    uint32_t core_count;
    uint32_t line_count; /* MNOS_INTERRUPT_LINES */
    /* Frames of 4 KiB. */
    uint64_t frames_total; /* RAM that the kernel manages or has taken */
    uint64_t frames_free;
    uint64_t frames_kernel; /* kernel image, bitmap, tables, heap: charged to no process */
    uint64_t reserved[10];
    struct mnos_core_statistics cores[MNOS_CORES_MAX];
    uint64_t line_interrupts[MNOS_INTERRUPT_LINES]; /* arrived while bound, by line */
    uint64_t line_spurious;                         /* arrived with nobody bound */
};
