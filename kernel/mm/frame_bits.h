// SPDX-License-Identifier: MIT
/*
 * frame_bits.h - one bit for each frame: set when it is in use, reserved or no RAM. Two summaries above it, a bit
 * for 64 below, say where a bit is clear, so that a free frame is found at once however few there are.
 * For frame.c, whose lock guards all of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FRAME_WORD_BITS 64u

/* Bytes for the frames [0, frame_end), a multiple of FRAME_WORD_BITS; takes memory of that size for them: all are in
 * use. The same memory can be moved to another address. */
uint64_t frame_bits_bytes(uint64_t frame_end);
void frame_bits_init(void *memory, uint64_t frame_end);
void frame_bits_move(void *memory);

/* 64 of them, from a multiple of 64 on. */
uint64_t frame_bits_word(uint64_t frame);
bool frame_bits_used(uint64_t frame);
/* Sets or clears the bits of [first, end), all of which must be the other way round. */
void frame_bits_mark(uint64_t first, uint64_t end, bool used);
/* Sets these bits, which are clear, of the word that begins with this frame. */
void frame_bits_take(uint64_t frame, uint64_t bits);
/* Clears the bit of this frame, which is set. */
void frame_bits_give(uint64_t frame);
/* The first clear bit in [from, end), or `end`. Looks at few words, whatever their contents. */
uint64_t frame_bits_find_free(uint64_t from, uint64_t end);
/* The first set bit in [from, end), or `end`. Looks at every word up to there. */
uint64_t frame_bits_find_used(uint64_t from, uint64_t end);
/* The first frame of `count` clear bits in [*from, end), aligned to `align`, a power of two; or `end`. Looks at at most
 * *words words that are not all set, and takes those that it has looked at from *words; *from goes on to where to
 * look next, `end` when there is nothing more. `count` must be well below the bits in *words for it to get on. */
uint64_t frame_bits_find_run(uint64_t *from, uint64_t end, uint64_t count, uint64_t align,
                             uint64_t *words);
