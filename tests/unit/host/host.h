// SPDX-License-Identifier: MIT
/*
 * host.h - how a test drives the simulated machine: which core it is, what time it is, what happens
 * while a long operation looks for something more urgent, and what the kernel asked of the hardware.
 *
 * One core runs at a time. A test is the entry code of the core it selected: it calls the kernel as an
 * interrupt or system call would, and host_leave_kernel() to return to user mode.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/interrupt.h"
#include "arch/arch.h"

/* ---- cores ---- */

struct host_core_state {
    uint64_t timer_ns;     /* what arch_timer_arm() set; UINT64_MAX: off */
    uint32_t timer_arms;   /* times it was called */
    uint32_t reschedules;  /* reschedule interrupts sent to this core */
    uint32_t rounds;       /* requests of arch_ipi_round() that it served */
    uint32_t flushes;      /* of these, how many were to flush its TLB, and its own flushes */
    uint32_t aspace_loads; /* address spaces loaded */
    bool in_kernel;        /* the test is, or calls from, the kernel of this core */
};

extern struct host_core_state host_cores[MNOS_CORES_MAX];

/* From now on the test runs on this core, in its kernel; the core before it is in user mode or idle. */
void host_core_select(uint32_t index);
/* A further core comes up, up to its first idling or thread. */
void host_core_start(uint32_t index);
/* sched_leave_kernel() on this core, until a thread runs (true) or there is nothing to do (false). */
bool host_leave_kernel(void);

/* What entry code does between SYSCALL and leaving the kernel: the registers are in the frame of the
 * current thread, and results go there. */
void host_system_call(void);

/* ---- time and interrupts ---- */

/* Passes time; every core whose timer is due takes its interrupt and leaves the kernel. */
void host_time_pass(uint64_t ns);
/* Called at every preemption point; NULL: nothing happens there. */
extern void (*host_on_poll)(void);

struct host_line {
    bool enabled;
    bool masked;
    bool level;
    uint32_t unmasks; /* times it was unmasked */
};

#define HOST_LINES 24 /* pins; 0 is no line */
#define HOST_MESSAGE_ADDRESS 0xFEE00000ull
/* A page of device memory that is the kernel's business. */
#define HOST_OWN_DEVICE 0xFED00000ull

extern struct host_line host_lines[MNOS_INTERRUPT_LINES];
extern enum irq_hold host_hold;

/* True when the bitmap of the process opens this port. */
bool host_port_open(const struct arch_ports *ports, uint32_t port);

/* ---- panics ---- */

/* Ends the process; the test framework has it. */
[[gnu::noreturn]] void host_panic(const char *message);

/* ---- address spaces ---- */

/* Loads that of the thread, as running it does. */
void arch_thread_load(struct thread *thread);

/* True when `address` is mapped; *frame and *rights tell to what. */
bool arch_aspace_lookup(const struct arch_aspace *aspace, uaddr_t address, paddr_t *frame,
                        unsigned *rights);
