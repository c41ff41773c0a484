// SPDX-License-Identifier: MIT
/*
 * frame_bits.c - the bitmap of frames: whatever it holds, each operation does what frame_bits.h says, and the summaries
 * stay true.
 *
 * Shapes: a bitmap of 66 words, whose first summary has two words, and one of 3 words for what goes from
 * one word to the next. Its bits, and the arguments, are free.
 */
#include "kernel/mm/frame_bits.c"

#include "tests/proofs/kernel/proof.h"

enum {
    LARGE_WORDS = 66,
    SMALL_WORDS = 3,
    LARGE_MEMORY = LARGE_WORDS + 2 + 1,
    SMALL_MEMORY = SMALL_WORDS + 1 + 1
};

static uint64_t memory[LARGE_MEMORY], small_memory[SMALL_MEMORY];
static uint64_t frame_end;

static bool summary_is_true(uint64_t word)
{
    bool has_clear = levels[BITMAP][word] != ALL;
    uint64_t group = word / WORD_BITS;

    return (levels[WORDS][group] >> word % WORD_BITS & 1) == has_clear &&
           (levels[GROUPS][0] >> group & 1) == (levels[WORDS][group] != 0);
}

/* The summaries say what is below them, and nothing of what is not there. */
static bool is_sound_at(uint64_t word)
{
    return summary_is_true(word) &&
           levels[WORDS][level_words[WORDS] - 1] >> level_words[BITMAP] % WORD_BITS == 0 &&
           levels[GROUPS][0] >> level_words[WORDS] == 0;
}

static uint64_t any_below(uint64_t end)
{
    uint64_t number = nondet_uint64();

    assume(number < end);
    return number;
}

/* At any word. */
static void assert_sound(void)
{
    assert(is_sound_at(any_below(level_words[BITMAP])));
}

static void assume_sound(void)
{
    for (uint64_t word = 0; word < level_words[BITMAP]; word++)
        assume(is_sound_at(word));
}

/* Any bitmap of 66 words. */
static void any_large(void)
{
    frame_end = LARGE_WORDS * WORD_BITS;
    assert(frame_bits_bytes(frame_end) == sizeof(memory));
    frame_bits_move(memory);
    for (unsigned i = 0; i < LARGE_MEMORY; i++)
        memory[i] = nondet_uint64();
    assume_sound();
}

/* Any bitmap of 3 words. */
static void any_small(void)
{
    frame_end = SMALL_WORDS * WORD_BITS;
    assert(frame_bits_bytes(frame_end) == sizeof(small_memory));
    frame_bits_move(small_memory);
    for (unsigned i = 0; i < SMALL_MEMORY; i++)
        small_memory[i] = nondet_uint64();
    assume_sound();
}

/* Unwind: 70. */
void prove_init(void)
{
    uint64_t frame = any_below(LARGE_WORDS * WORD_BITS);

    frame_end = LARGE_WORDS * WORD_BITS;
    assert(frame_bits_bytes(frame_end) == sizeof(memory));
    frame_bits_init(memory, frame_end);
    assert_sound();
    assert(frame_bits_used(frame));
}

/* Unwind: 70. */
void prove_give(void)
{
    uint64_t frame, other;
    bool before;

    any_large();
    frame = any_below(frame_end);
    other = any_below(frame_end);
    before = frame_bits_used(other);
    assume(frame_bits_used(frame));
    frame_bits_give(frame);
    assert_sound();
    assert(frame_bits_used(other) == (before && other != frame));
}

/* Unwind: 70. */
void prove_take(void)
{
    uint64_t word, bits, other;
    bool before;

    any_large();
    word = any_below(LARGE_WORDS);
    bits = nondet_uint64();
    other = any_below(frame_end);
    before = frame_bits_used(other);
    assume((frame_bits_word(word * WORD_BITS) & bits) == 0);
    frame_bits_take(word * WORD_BITS, bits);
    assert_sound();
    assert(frame_bits_used(other) ==
           (before || (other / WORD_BITS == word && (bits >> other % WORD_BITS & 1) != 0)));
}

/* Whether all bits of [first, end) are so; at most 5 words. */
static bool all_are(uint64_t first, uint64_t end, bool used)
{
    for (uint64_t word = first / WORD_BITS; word * WORD_BITS < end; word++) {
        uint64_t from = word * WORD_BITS < first ? first % WORD_BITS : 0;
        uint64_t to = (word + 1) * WORD_BITS > end ? end % WORD_BITS : WORD_BITS;
        uint64_t mask = (to == WORD_BITS ? ALL : (1ull << to) - 1) & ~((1ull << from) - 1);

        if (((used ? ~levels[BITMAP][word] : levels[BITMAP][word]) & mask) != 0)
            return false;
    }
    return true;
}

/* Unwind: 6. */
void prove_mark(void)
{
    uint64_t first, end, other;
    bool used = nondet_bool(), before;

    any_small();
    end = any_below(frame_end + 1);
    first = any_below(end + 1);
    other = any_below(frame_end);
    before = frame_bits_used(other);
    assume(all_are(first, end, !used));
    frame_bits_mark(first, end, used);
    assert_sound();
    assert(frame_bits_used(other) == (other >= first && other < end ? used : before));
}

/* Unwind: 70. */
void prove_find_free(void)
{
    uint64_t from, end, found, other;

    any_large();
    end = any_below(frame_end + 1);
    from = any_below(frame_end + 1);
    found = frame_bits_find_free(from, end);
    assert(found == end || (from <= found && found < end && !frame_bits_used(found)));
    other = any_below(frame_end);
    assert(!(from <= other && other < found) || frame_bits_used(other));
}

/* Unwind: 8. */
void prove_find_used(void)
{
    uint64_t from, end, found, other;

    any_small();
    end = any_below(frame_end + 1);
    from = any_below(frame_end + 1);
    found = frame_bits_find_used(from, end);
    assert(found == end || (from <= found && found < end && frame_bits_used(found)));
    other = any_below(frame_end);
    assert(!(from <= other && other < found) || !frame_bits_used(other));
}
