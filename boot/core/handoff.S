// SPDX-License-Identifier: MIT
/*
 * handoff.S - the way from the loader's mappings into the kernel's, for the boot processor and for
 * the others. Structures are those of handoff.h.
 *
 * The kernel's tables map no memory at its physical address, so nobody can load them while running
 * there. The bridge tables map both views: load them, jump to the same code in the direct map
 * (it is position independent), then load the kernel's.
 */

/* Also assembled into a PE file, whose format has no marks for stacks and symbol types. */
#ifdef __ELF__
.section .note.GNU-stack, "", @progbits
#endif

#define CR0_VALUE 0x80010011 /* PG WP ET PE */
#define CR0_CACHE_DISABLE 0x40000000
#define CR4_VALUE 0x20 /* PAE */
#define MSR_EFER 0xc0000080
#define MSR_APIC_BASE 0x1b
#define CODE_64 0x28
#define DATA_64 0x30
#define DATA_AREA 0xf00 /* BOOT_TRAMPOLINE_DATA */

.text
.code64

/* Selectors of the new GDT. Clobbers rax. */
.macro reload_segments
    pushq $CODE_64
    leaq 1f(%rip), %rax
    pushq %rax
    lretq
1:
    movl $DATA_64, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %eax, %ss
.endm

/* boot_handoff(rdi: struct boot_handoff *, at its physical address) */
.globl boot_handoff
boot_handoff:
    cli
    cld
    movl $MSR_EFER, %ecx
    movq 24(%rdi), %rax
    xorl %edx, %edx
    wrmsr                       /* NXE before tables that use NX */
    movl $CR4_VALUE, %eax
    movq %rax, %cr4             /* PGE off: no old global translation survives */
    movq 0(%rdi), %rax
    movq %rax, %cr3
    movq 16(%rdi), %rbx
    leaq 2f(%rip), %rax
    addq %rbx, %rax
    jmp *%rax
2:
    addq %rbx, %rdi
    movl $CR0_VALUE, %eax
    movq %rax, %cr0
    movq 32(%rdi), %rsp
    lgdt 54(%rdi)
    reload_segments
    leaq null_idt(%rip), %rax
    lidt (%rax)
    movq 40(%rdi), %rax
    movq 8(%rdi), %rcx
    movq %rcx, %cr3
    xorl %edi, %edi
    /* falls through */

/* rax: where to, rdi: argument, rsp: top of the stack. All other registers become 0. */
enter_kernel:
    pushq $0                    /* the return address of the entry function */
    pushq %rax
    pushq $2
    popfq
    xorl %eax, %eax
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    xorl %edx, %edx
    xorl %esi, %esi
    xorl %ebp, %ebp
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    xorl %r11d, %r11d
    xorl %r12d, %r12d
    xorl %r13d, %r13d
    xorl %r14d, %r14d
    xorl %r15d, %r15d
    ret

/* rdi: struct boot_ap_common in the direct map, where this code runs, too. No stack yet. */
.globl boot_ap_entry
boot_ap_entry:
    movq 0(%rdi), %rax
    movq %rax, %cr3

    /* Who am I? The x2APIC identifier, if there is one, has all 32 bits. */
    xorl %eax, %eax
    cpuid
    cmpl $0xb, %eax
    jb 1f
    movl $0xb, %eax
    xorl %ecx, %ecx
    cpuid
    testl %ebx, %ebx
    jnz 2f
1:
    movl $1, %eax
    cpuid
    shrl $24, %ebx
    movl %ebx, %edx
2:
    movq 8(%rdi), %rbx
    movq 16(%rdi), %rcx
3:
    testq %rcx, %rcx
    jz unknown_processor
    cmpl %edx, 0(%rbx)
    je 4f
    addq $24, %rbx
    decq %rcx
    jmp 3b
4:
    movq 8(%rbx), %rsp
    lgdt 54(%rdi)
    reload_segments
    leaq null_idt(%rip), %rax
    lidt (%rax)

    /* Memory types change with caches off: Intel SDM vol 3A, "MTRR Considerations in MP Systems". */
    movq %cr0, %rax
    orl $CR0_CACHE_DISABLE, %eax
    movq %rax, %cr0
    wbinvd
    movq 24(%rdi), %rsi
    movq 32(%rdi), %r8
5:
    testq %r8, %r8
    jz 6f
    movl 0(%rsi), %ecx
    movl 8(%rsi), %eax
    movl 12(%rsi), %edx
    wrmsr
    addq $16, %rsi
    decq %r8
    jmp 5b
6:
    wbinvd
    movl $CR0_VALUE, %eax
    movq %rax, %cr0
    movq %cr3, %rax
    movq %rax, %cr3

    cmpq $0, 40(%rdi)
    je 7f
    movl $MSR_APIC_BASE, %ecx
    rdmsr
    orl $0xc00, %eax            /* enabled, x2APIC */
    wrmsr
7:
    movq 16(%rbx), %rdi
    movl $1, 4(%rbx)
park:
    pause
    movq 16(%rdi), %rax         /* goto_address; stores on x86 become visible in order */
    testq %rax, %rax
    jz park
    jmp enter_kernel

unknown_processor:
    cli
    hlt
    jmp unknown_processor

/* Copied to a page below 1 MiB, where a startup interrupt makes processors begin in real mode. */
.globl boot_trampoline_start, boot_trampoline_long, boot_trampoline_end
boot_trampoline_start:
.code16
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    movl $CR4_VALUE, %eax
    movl %eax, %cr4
    movl DATA_AREA, %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    movl DATA_AREA + 4, %eax
    xorl %edx, %edx
    wrmsr
    lgdtl DATA_AREA + 10
    movl $CR0_VALUE, %eax       /* real mode to long mode in one step */
    movl %eax, %cr0
    ljmpl *(DATA_AREA + 16)
.code64
boot_trampoline_long:
    leaq boot_trampoline_start(%rip), %rbx
    movq DATA_AREA + 32(%rbx), %rdi
    jmp *DATA_AREA + 24(%rbx)
boot_trampoline_end:

.balign 8
null_idt:
    .word 0
    .quad 0
