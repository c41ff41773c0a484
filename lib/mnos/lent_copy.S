/* SPDX-License-Identifier: MIT */
/*
 * lent_copy.S - the two ways to read that lent.c recognises by where they fault. memcpy() keeps nothing on the stack, so
 * that what is on top of it in there is where it returns to.
 */
    .text
/* void *lent_copy(void *to, const void *from, size_t bytes) */
    .globl lent_copy
    .type lent_copy, @function
lent_copy:
    call memcpy
    .globl lent_copy_returns
lent_copy_returns:
    ret
    .size lent_copy, . - lent_copy

/* uint64_t lent_word(const uint64_t *from) */
    .globl lent_word
    .type lent_word, @function
lent_word:
    movq (%rdi), %rax
    .globl lent_word_returns
lent_word_returns:
    ret
    .size lent_word, . - lent_word

    .section .note.GNU-stack, "", @progbits
