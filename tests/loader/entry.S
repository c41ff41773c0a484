// SPDX-License-Identifier: MIT
/*
 * entry.S - where the loader enters the probe kernel. Saves every register first, so that C code
 * can check them: struct saved in probe.h, lowest address last pushed.
 */
.section .note.GNU-stack, "", @progbits
.text

.macro save_and_call function
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushfq
    movq %rsp, %rdi
    cld
    subq $8, %rsp
    call \function
1:
    cli
    hlt
    jmp 1b
.endm

/* The ELF entry point; the entry point request names another one. */
.globl elf_entry
elf_entry:
    save_and_call probe_wrong_entry

.globl probe_entry
probe_entry:
    save_and_call probe_main

.globl ap_entry
ap_entry:
    save_and_call probe_ap
