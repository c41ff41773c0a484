// SPDX-License-Identifier: MIT
/* frame_bits.c - see frame_bits.h. */
#include "mm/frame_bits.h"

#include "assert.h"
#include "boot/boot_code.h"
#include "lib/base/string.h"

#define ALL UINT64_MAX
#define WORD_BITS FRAME_WORD_BITS

/* A bit of levels[1] is set when the word of levels[0] has a clear bit, of levels[2] when the word of levels[1] has a
 * set one. */
enum { BITMAP, WORDS, GROUPS, LEVELS };
static uint64_t *levels[LEVELS];
static uint64_t level_words[LEVELS];

static uint64_t words_for(uint64_t bits)
{
    return (bits + WORD_BITS - 1) / WORD_BITS;
}

BOOT_CODE static uint64_t count_words(uint64_t frame_end)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < LEVELS; i++) {
        level_words[i] = words_for(i == 0 ? frame_end : level_words[i - 1]);
        total += level_words[i];
    }
    return total;
}

BOOT_CODE uint64_t frame_bits_bytes(uint64_t frame_end)
{
    return count_words(frame_end) * sizeof(uint64_t);
}

BOOT_CODE void frame_bits_move(void *memory)
{
    for (unsigned i = 0; i < LEVELS; i++) {
        levels[i] = memory;
        memory = levels[i] + level_words[i];
    }
}

BOOT_CODE void frame_bits_init(void *memory, uint64_t frame_end)
{
    memset(memory, 0, count_words(frame_end) * sizeof(uint64_t));
    frame_bits_move(memory);
    memset(levels[BITMAP], 0xFF, level_words[BITMAP] * sizeof(uint64_t));
}

uint64_t frame_bits_word(uint64_t frame)
{
    return levels[BITMAP][frame / WORD_BITS];
}

bool frame_bits_used(uint64_t frame)
{
    return levels[BITMAP][frame / WORD_BITS] >> frame % WORD_BITS & 1;
}

static void set_word(uint64_t word, uint64_t bits)
{
    uint64_t *group = &levels[WORDS][word / WORD_BITS];
    uint64_t before = levels[BITMAP][word], bit = 1ull << word % WORD_BITS;

    levels[BITMAP][word] = bits;
    if ((before == ALL) == (bits == ALL))
        return;
    *group = bits == ALL ? *group & ~bit : *group | bit;
    bit = 1ull << word / WORD_BITS % WORD_BITS;
    group = &levels[GROUPS][word / WORD_BITS / WORD_BITS];
    *group = levels[WORDS][word / WORD_BITS] == 0 ? *group & ~bit : *group | bit;
}

void frame_bits_take(uint64_t frame, uint64_t bits)
{
    set_word(frame / WORD_BITS, frame_bits_word(frame) | bits);
}

void frame_bits_give(uint64_t frame)
{
    uint64_t word = frame_bits_word(frame), bit = 1ull << frame % WORD_BITS;

    assert((word & bit) != 0); /* double free */
    set_word(frame / WORD_BITS, word & ~bit);
}

/* Bits [from, to) of one word, to at most 64. */
static uint64_t word_mask(uint64_t from, uint64_t to)
{
    return ALL << from & ALL >> (WORD_BITS - to);
}

void frame_bits_mark(uint64_t first, uint64_t end, bool used)
{
    for (uint64_t at = first; at < end;) {
        uint64_t next = (at | (WORD_BITS - 1)) + 1;
        uint64_t mask = word_mask(at % WORD_BITS, next <= end ? WORD_BITS : end % WORD_BITS);
        uint64_t word = frame_bits_word(at);

        assert(used ? (word & mask) == 0 : (word & mask) == mask); /* double free */
        set_word(at / WORD_BITS, used ? word | mask : word & ~mask);
        at = next;
    }
}

/* The first set bit of a level at or behind `bit`, or how many there are. */
static uint64_t next_bit(unsigned level, uint64_t bit)
{
    for (uint64_t word = bit / WORD_BITS; word < level_words[level]; word++) {
        uint64_t bits = levels[level][word];

        if (word == bit / WORD_BITS)
            bits &= ALL << bit % WORD_BITS;
        if (bits != 0)
            return word * WORD_BITS + (uint64_t)__builtin_ctzll(bits);
    }
    return level_words[level] * WORD_BITS;
}

/* The first word of the bitmap at or behind `word` that has a clear bit, or how many words there are. */
static uint64_t next_word(uint64_t word)
{
    uint64_t group = word / WORD_BITS, bits;

    if (word >= level_words[BITMAP])
        return level_words[BITMAP];
    bits = levels[WORDS][group] & ALL << word % WORD_BITS;
    if (bits == 0) {
        group = next_bit(GROUPS, group + 1);
        if (group >= level_words[WORDS])
            return level_words[BITMAP];
        bits = levels[WORDS][group];
    }
    return group * WORD_BITS + (uint64_t)__builtin_ctzll(bits);
}

uint64_t frame_bits_find_free(uint64_t from, uint64_t end)
{
    uint64_t word = from / WORD_BITS, free;

    if (from >= end)
        return end;
    free = ~levels[BITMAP][word] & ALL << from % WORD_BITS;
    if (free == 0) {
        word = next_word(word + 1);
        if (word >= level_words[BITMAP])
            return end;
        free = ~levels[BITMAP][word];
    }
    from = word * WORD_BITS + (uint64_t)__builtin_ctzll(free);
    return from < end ? from : end;
}

uint64_t frame_bits_find_used(uint64_t from, uint64_t end)
{
    while (from < end) {
        uint64_t used = frame_bits_word(from) & ALL << from % WORD_BITS;

        if (used != 0) {
            from = (from & ~(uint64_t)(WORD_BITS - 1)) + (uint64_t)__builtin_ctzll(used);
            return from < end ? from : end;
        }
        from = (from | (WORD_BITS - 1)) + 1;
    }
    return end;
}

/* ---- runs ---- */

static uint64_t align_up(uint64_t frame, uint64_t align)
{
    return (frame + align - 1) & ~(align - 1);
}

/* Where in a word with these clear bits `count` of them begin, all in the word, at a multiple of `align`. */
static uint64_t runs_in(uint64_t free, uint64_t base, uint64_t count, uint64_t align)
{
    if (count > WORD_BITS)
        return 0;
    for (uint64_t have = 1; have < count;) {
        uint64_t more = have < count - have ? have : count - have;

        free &= free >> more;
        have += more;
    }
    if (align >= WORD_BITS)
        return base % align == 0 ? free & 1 : 0;
    return free & ALL / ((1ull << align) - 1);
}

uint64_t frame_bits_find_run(uint64_t *from, uint64_t end, uint64_t count, uint64_t align,
                             uint64_t *words)
{
    /* Clear bits reach from `open` to the word that is looked at. */
    uint64_t open = *from, word = open / WORD_BITS, free = ALL << open % WORD_BITS;

    for (; word * WORD_BITS<end && * words> 0; word++, --*words) {
        uint64_t base = word * WORD_BITS, low, starts;

        free &= ~levels[BITMAP][word];
        low = free == ALL ? WORD_BITS : (uint64_t)__builtin_ctzll(~free);
        if (base + low >= align_up(open, align) + count)
            break; /* beginning before this word, or with it */
        starts = runs_in(free, base, count, align);
        if (starts != 0) {
            open = base + (uint64_t)__builtin_ctzll(starts);
            break;
        }
        if (low != WORD_BITS)
            open = base + WORD_BITS - (uint64_t)__builtin_clzll(~free);
        if (free == 0 && word + 1 < level_words[BITMAP]) {
            word = next_word(word + 1) - 1;
            open = (word + 1) * WORD_BITS;
        }
        free = ALL;
    }
    open = align_up(open, align);
    if (word * WORD_BITS >= end || open >= end || count > end - open) {
        *from = end;
        return end;
    }
    *from = open;
    return *words > 0 ? open : end;
}
