/* SPDX-License-Identifier: MIT */
/* vectors.h - which interrupt vector means what. The table of docs/interrupts.md is this one. */
#pragma once

/* Intel SDM vol 3A, "Exception and Interrupt Reference". */
#define VECTOR_NMI 2
#define VECTOR_BREAKPOINT 3
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PAGE_FAULT 14
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_EXCEPTIONS 32 /* below: exceptions */

/* The two 8259s: masked, but a spurious interrupt of theirs cannot be. */
#define VECTOR_PIC 0x20

/* Each interrupt line has its vector: abi/interrupt.h. Messages are in lower priority classes (the
 * upper four bits) than everything else, so that they can be held back alone. */
#define VECTOR_MESSAGE_FIRST 0x30
#define VECTOR_LINE_FIRST 0x70
#define VECTOR_LINE_LAST 0xEF

#define VECTOR_RESCHEDULE 0xFB
#define VECTOR_IPI 0xFC
#define VECTOR_TIMER 0xFD
#define VECTOR_APIC_ERROR 0xFE
#define VECTOR_SPURIOUS 0xFF
