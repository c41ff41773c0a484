/* SPDX-License-Identifier: MIT */
/*
 * memcpy.S - memcpy() of programs. Few bytes are moved without a loop, by moves that overlap in the middle; from 256
 * on it copies by the widest registers that the processor has and the kernel saves, which memcpy_init() finds out
 * once. Kernel and loader, whose code has no vector registers, have the one of lib/base/memcpy.c.
 *
 * To its callers this is a function like any other: the System V ABI preserves no vector register, and
 * none is used for anything else in code built like this library.
 *
 * Where it goes in steps it reads and writes upwards, each step read whole before it is written, and the last one,
 * which overlaps the one before, read first: so memmove() may use it where the target is below the source.
 */
#define VECTOR_MIN_BYTES 256 /* below that steps of 32 bytes are as fast */
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
    cmpq $VECTOR_MIN_BYTES, %rdx
    jae copy_long

/* RDX bytes, fewer than VECTOR_MIN_BYTES. */
copy_short:
    cmpl $16, %edx
    ja 4f
    cmpl $8, %edx
    jb 1f
    movq (%rsi), %rcx
    movq -8(%rsi, %rdx), %rsi
    movq %rcx, (%rdi)
    movq %rsi, -8(%rdi, %rdx)
    ret
1:
    cmpl $4, %edx
    jb 2f
    movl (%rsi), %ecx
    movl -4(%rsi, %rdx), %esi
    movl %ecx, (%rdi)
    movl %esi, -4(%rdi, %rdx)
    ret
2:  /* the first, the middle and the last of three are all of one and of two, too */
    testl %edx, %edx
    jz 3f
    movl %edx, %ecx
    shrl %ecx
    movzbl (%rsi), %r8d
    movzbl (%rsi, %rcx), %r9d
    movzbl -1(%rsi, %rdx), %esi
    movb %r8b, (%rdi)
    movb %r9b, (%rdi, %rcx)
    movb %sil, -1(%rdi, %rdx)
3:
    ret
4:
    cmpl $32, %edx
    ja 5f
    movups (%rsi), %xmm0
    movups -16(%rsi, %rdx), %xmm1
    movups %xmm0, (%rdi)
    movups %xmm1, -16(%rdi, %rdx)
    ret
5:
    movups -32(%rsi, %rdx), %xmm2
    movups -16(%rsi, %rdx), %xmm3
    leaq -32(%rdi, %rdx), %rdx
6:
    movups (%rsi), %xmm0
    movups 16(%rsi), %xmm1
    movups %xmm0, (%rdi)
    movups %xmm1, 16(%rdi)
    addq $32, %rsi
    addq $32, %rdi
    cmpq %rdx, %rdi
    jb 6b
    movups %xmm2, (%rdx)
    movups %xmm3, 16(%rdx)
    ret

copy_long:
    movq %rdx, %rcx
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
    movl %ecx, %edx
    testl %ecx, %ecx
    jnz copy_short
    ret

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
    movl %ecx, %edx
    testl %ecx, %ecx
    jnz copy_short
    ret
    .globl memcpy_end /* for lent.c */
memcpy_end:
    .size memcpy, . - memcpy

    .section .note.GNU-stack, "", @progbits
