// SPDX-License-Identifier: MIT
/*
 * start.S - the first instructions after QEMU (PVH) or GRUB (Multiboot2) has loaded this file.
 *
 * Both enter in 32-bit protected mode without paging. Responsible for: the headers by which they
 * know us, and the switch to 64-bit mode with the first 4 GiB mapped at their physical addresses.
 * The tables are part of the file: building them would cost more than loading them.
 */

#define MULTIBOOT2_MAGIC 0xe85250d6
#define MULTIBOOT2_I386 0
#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define CR0_PAGING 0x80000000
#define CR0_WRITE_PROTECT 0x00010000
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100

#define ENTRY_TABLE 3 /* present, writable */
#define ENTRY_LARGE 0x83

.section .note.GNU-stack, "", @progbits

/* Multiboot2 specification, "OS image format". Modules come page aligned; a screen is welcome. */
.section .multiboot, "a", @progbits
.balign 8
header:
    .long MULTIBOOT2_MAGIC, MULTIBOOT2_I386, header_end - header
    .long -(MULTIBOOT2_MAGIC + MULTIBOOT2_I386 + (header_end - header))
    .balign 8
    .word 6, 0                  /* module alignment */
    .long 8
    .balign 8
    .word 5, 1                  /* framebuffer, optional */
    .long 20, 1024, 768, 32
    .balign 8
    .word 0, 0
    .long 8
header_end:

/* Xen's PVH entry: the note that `qemu -kernel` looks for. */
.section .note.pvh, "a", @note
.balign 4
    .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long start

.section .text.start, "ax", @progbits
.code32
.globl start
start:
    cli
    cld
    movl $stack_top, %esp
    movl %eax, %edi             /* Multiboot2 magic, or nothing in particular */
    movl %ebx, %esi             /* PVH start info or Multiboot2 information */

    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb no_long_mode
    movl $0x80000001, %eax
    cpuid
    testl $(1 << 29), %edx
    jz no_long_mode

    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $identity_root, %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    movl $EFER_LME, %eax
    xorl %edx, %edx
    wrmsr
    movl %cr0, %eax
    orl $(CR0_PAGING | CR0_WRITE_PROTECT), %eax
    movl %eax, %cr0
    lgdt gdtr
    ljmp $8, $long_mode

/* One line on COM1 (already at a usable speed or not there) and on a text screen, then stop. */
no_long_mode:
    movl $message, %esi
    movl $0xb8000, %edi
1:
    lodsb
    testb %al, %al
    jz 3f
    movb $0x07, %ah
    stosw
    movb %al, %bl
    movw $0x3fd, %dx
    movl $100000, %ecx
2:
    inb %dx, %al
    testb $0x20, %al
    loopz 2b
    movb %bl, %al
    movw $0x3f8, %dx
    outb %al, %dx
    jmp 1b
3:
    cli
    hlt
    jmp 3b

.code64
long_mode:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %edi, %edi
    movl %esi, %esi
    call direct_main
    ud2

.section .rodata
message:
    .asciz "minimalos loader: processor: has no 64-bit mode\r\n"
.balign 8
gdt:
    .quad 0, 0x00209b0000000000, 0x0000930000000000
gdtr:
    .word gdtr - gdt - 1
    .long gdt

.section .data.tables, "aw", @progbits
.balign 4096
identity_root:
    .quad identity_1g + ENTRY_TABLE
    .zero 4096 - 8
identity_1g:
    .quad identity_2m + ENTRY_TABLE, identity_2m + 4096 + ENTRY_TABLE
    .quad identity_2m + 8192 + ENTRY_TABLE, identity_2m + 12288 + ENTRY_TABLE
    .zero 4096 - 32
identity_2m:
    .set address, 0
    .rept 2048
    .quad address + ENTRY_LARGE
    .set address, address + 0x200000
    .endr

.section .bss
.balign 16
    .zero 16384
stack_top:
