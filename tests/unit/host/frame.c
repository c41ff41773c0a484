// SPDX-License-Identifier: MIT
/* frame.c - the kernel's, and what tests do with what it keeps to itself. */
#include "kernel/mm/frame.c"

#include "tests/unit/invariants.h"

void frame_trim(void)
{
    struct magazine *magazine = &magazines[this_core()->index];

    drain(magazine, count_of(magazine));
}

void frame_check(void)
{
    spin_lock(&lock);
    for (unsigned i = 0; i < ZONE_COUNT; i++) {
        uint64_t free = 0;
        for (uint64_t at = zones[i].begin; at < zones[i].end; at += WORD_BITS)
            for (uint64_t bits = ~bitmap[at / WORD_BITS]; bits; bits &= bits - 1)
                free++;
        assert(free == zones[i].free); /* F1 */
        (void)free;
    }
    for (unsigned i = 0; i < MNOS_CORES_MAX; i++)
        for (uint32_t k = 0; k < count_of(&magazines[i]); k++)
            assert(is_used(magazines[i].frames[k] >> PAGE_SHIFT)); /* F2 */
    spin_unlock(&lock);
}
