/* SPDX-License-Identifier: MIT */
/*
 * stubs.S - where the processor lands for each vector. A stub completes the frame to error code and
 * vector, and goes on in interrupt.S.
 */
#include "arch/x86_64/cpu/selectors.h"
#include "arch/x86_64/apic/vectors.h"

/* For each vector an error code, where the processor pushes none (Intel SDM vol 3A, "Protected-Mode
 * Exceptions and Interrupts"), and the vector as a byte, which arrives sign-extended: trap.c. */
.macro STUBS variant
.section .entry.\variant, "ax", @progbits
.globl entry_stubs_\variant
entry_stubs_\variant:
    vector = 0
    .rept 256
    .org entry_stubs_\variant + vector * ENTRY_STUB_BYTES
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || \
          vector == 29 || vector == 30)
    pushq $0
    .endif
    pushq $(vector - (vector & 128) * 2)
    .if vector == VECTOR_PAGE_FAULT
    jmp page_fault_\variant
    .elseif vector < VECTOR_EXCEPTIONS
    jmp exception_\variant
    .else
    jmp interrupt_\variant
    .endif
    vector = vector + 1
    .endr
.endm

STUBS plain
STUBS isolating

.section .note.GNU-stack, "", @progbits
