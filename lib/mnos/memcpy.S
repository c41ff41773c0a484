/* SPDX-License-Identifier: MIT */
/*
 * memcpy.S - memcpy() of programs. From 256 bytes on it copies by vector registers: the widest that the
 * processor has and the kernel saves, which memcpy_init() finds out once. Kernel and loader, whose code has
 * no vector registers, have the one of lib/base/memcpy.c.
 *
 * To its callers this is a function like any other: the System V ABI preserves no vector register, and
 * none is used for anything else in code built like this library.
 *
 * It reads and writes strictly upwards, each block read whole before it is written: so memmove() may use
 * it where the target is below the source.
 */
#define VECTOR_MIN_BYTES 256 /* below that the string instruction is as fast */
#define BLOCK_BYTES 512      /* all sixteen registers of 32 bytes */

    .bss
has_avx:
    .byte 0

    .text
/* void memcpy_init(void): before the first long copy may use AVX; before, it is done by SSE2. Intel SDM
 * vol 1, "Detection of Intel AVX Instructions". */
    .globl memcpy_init
    .type memcpy_init, @function
memcpy_init:
    pushq %rbx
    movl $1, %eax
    xorl %ecx, %ecx
    cpuid
    popq %rbx
    andl $0x18000000, %ecx /* OSXSAVE and AVX */
    cmpl $0x18000000, %ecx
    jne 1f
    xorl %ecx, %ecx
    xgetbv
    andl $6, %eax /* the kernel saves XMM and YMM registers */
    cmpl $6, %eax
    jne 1f
    movb $1, has_avx(%rip)
1:
    ret
    .size memcpy_init, . - memcpy_init

/* void *memcpy(void *to, const void *from, size_t size) */
    .globl memcpy
    .type memcpy, @function
memcpy:
    movq %rdi, %rax
    movq %rdx, %rcx
    cmpq $VECTOR_MIN_BYTES, %rdx
    jae copy_long

/* RCX bytes; RDX has the same three low bits. */
copy_short:
    shrq $3, %rcx
    rep movsq
    testb $4, %dl
    jz 1f
    movsl
1:
    testb $2, %dl
    jz 1f
    movsw
1:
    testb $1, %dl
    jz 1f
    movsb
1:
    ret

copy_long:
    cmpb $0, has_avx(%rip)
    je copy_sse
    subq $BLOCK_BYTES, %rcx
    jb 2f
1:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovdqu 32 * \n(%rsi), %ymm\n
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovdqu %ymm\n, 32 * \n(%rdi)
    .endr
    addq $BLOCK_BYTES, %rsi
    addq $BLOCK_BYTES, %rdi
    subq $BLOCK_BYTES, %rcx
    jae 1b
2:
    addq $BLOCK_BYTES, %rcx
    testl $BLOCK_BYTES / 2, %ecx
    jz 3f
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    vmovdqu 32 * \n(%rsi), %ymm\n
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    vmovdqu %ymm\n, 32 * \n(%rdi)
    .endr
    addq $BLOCK_BYTES / 2, %rsi
    addq $BLOCK_BYTES / 2, %rdi
    subq $BLOCK_BYTES / 2, %rcx
3:
    vzeroupper /* else each SSE instruction to come would wait for the upper halves */
    jmp copy_short

copy_sse:
    subq $BLOCK_BYTES / 2, %rcx
1:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups 16 * \n(%rsi), %xmm\n
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups %xmm\n, 16 * \n(%rdi)
    .endr
    addq $BLOCK_BYTES / 2, %rsi
    addq $BLOCK_BYTES / 2, %rdi
    subq $BLOCK_BYTES / 2, %rcx
    jae 1b
    addq $BLOCK_BYTES / 2, %rcx
    jmp copy_short
    .size memcpy, . - memcpy

    .section .note.GNU-stack, "", @progbits
