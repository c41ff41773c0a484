/* SPDX-License-Identifier: MIT */
/*
 * start.S - where the boot loader enters the kernel: its stack is left at once, because it is mapped
 * where the loader chose and in memory that will be reused.
 */
    .text
    .global kernel_entry
    .type kernel_entry, @function
kernel_entry:
    cld
    rdtsc
    shl $32, %rdx
    or %rdx, %rax
    mov %rax, %rdi              /* kmain(entry_tsc) */
    mov $__boot_stack_end, %rsp
    call kmain
1:  hlt
    jmp 1b
    .size kernel_entry, . - kernel_entry

    .section .note.GNU-stack, "", @progbits
