/* SPDX-License-Identifier: MIT */
/*
 * smp_entry.S - where a parked core leaves the loader: on the loader's page tables and stack, with RDI
 * = its processor record of the boot protocol, whose last field is the struct core given to
 * boot_cpu_start(). Only the kernel image is mapped in both tables, so nothing is pushed before the
 * change.
 */
#include "arch/x86_64/cpu/selectors.h"
#include "struct_offsets.h"

#define MP_INFO_ARGUMENT 24

.text
.globl smp_entry
smp_entry:
    cli
    cld
    movq MP_INFO_ARGUMENT(%rdi), %rdi
    movq CORE_KERNEL_STACK_TOP(%rdi), %rsp
    movq smp_kernel_root(%rip), %rax
    movq %rax, %cr3
    call smp_core_main
    call sched_core_start

.section .note.GNU-stack, "", @progbits
