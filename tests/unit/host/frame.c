// SPDX-License-Identifier: MIT
/* frame.c - the kernel's, and what tests do with what it keeps to itself. */
#include "kernel/mm/frame.c"

#include "tests/unit/invariants.h"

void frame_trim(void)
{
    struct magazine *magazine = &magazines[this_core()->index];

    for (paddr_t frame = take_zeroed(magazine); frame != PADDR_NONE; frame = take_zeroed(magazine))
        frame_free(frame);
    drain(magazine, count_of(&magazine->count));
}

[[maybe_unused]] static bool is_zero(paddr_t frame)
{
    const uint64_t *words = (const uint64_t *)(uintptr_t)(frame + direct_offset);

    for (unsigned i = 0; i < PAGE_BYTES / sizeof(*words); i++)
        if (words[i] != 0)
            return false;
    return true;
}

void frame_check(void)
{
    spin_lock(&lock);
    for (unsigned i = 0; i < ZONE_COUNT; i++) {
        uint64_t free = 0;
        for (uint64_t at = zones[i].begin; at < zones[i].end; at += WORD_BITS)
            for (uint64_t bits = ~frame_bits_word(at); bits; bits &= bits - 1)
                free++;
        assert(free == zones[i].free); /* F1 */
        (void)free;
    }
    for (unsigned i = 0; i < MNOS_CORES_MAX; i++) {
        for (uint32_t k = 0; k < count_of(&magazines[i].count); k++)
            assert(frame_bits_used(magazines[i].frames[k] >> PAGE_SHIFT)); /* F2 */
        for (uint32_t k = 0; k < count_of(&magazines[i].zeroed_count); k++) {
            assert(frame_bits_used(magazines[i].zeroed[k] >> PAGE_SHIFT)); /* F2 */
            assert(is_zero(magazines[i].zeroed[k]));                       /* F3 */
        }
    }
    spin_unlock(&lock);
}
