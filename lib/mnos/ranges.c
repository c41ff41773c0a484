// SPDX-License-Identifier: MIT
/* ranges - see ranges.h. Host tests compile this file as it is. */
#include "lib/mnos/ranges.h"

void ranges_init(struct ranges *ranges, uint64_t first, uint64_t count)
{
    ranges->free[0] = (struct range){first, count};
    ranges->free_count = 1;
}

static void remove_at(struct ranges *ranges, uint32_t at)
{
    ranges->free_count--;
    for (uint32_t i = at; i < ranges->free_count; i++)
        ranges->free[i] = ranges->free[i + 1];
}

static bool insert_at(struct ranges *ranges, uint32_t at, uint64_t first, uint64_t count)
{
    if (ranges->free_count == RANGES_MAX)
        return false;
    for (uint32_t i = ranges->free_count; i > at; i--)
        ranges->free[i] = ranges->free[i - 1];
    ranges->free[at] = (struct range){first, count};
    ranges->free_count++;
    return true;
}

bool ranges_take(struct ranges *ranges, uint64_t count, uint64_t *first)
{
    for (uint32_t i = 0; i < ranges->free_count; i++) {
        struct range *range = &ranges->free[i];

        if (range->count < count)
            continue;
        *first = range->first;
        range->first += count;
        range->count -= count;
        if (range->count == 0)
            remove_at(ranges, i);
        return true;
    }
    return false;
}

void ranges_give(struct ranges *ranges, uint64_t first, uint64_t count)
{
    struct range *free = ranges->free;
    uint32_t at = 0;
    bool joins_before, joins_after;

    while (at < ranges->free_count && free[at].first < first)
        at++;
    joins_before = at > 0 && free[at - 1].first + free[at - 1].count == first;
    joins_after = at < ranges->free_count && first + count == free[at].first;
    if (joins_before) {
        free[at - 1].count += count;
        if (joins_after) {
            free[at - 1].count += free[at].count;
            remove_at(ranges, at);
        }
    } else if (joins_after) {
        free[at].first = first;
        free[at].count += count;
    } else {
        (void)insert_at(ranges, at, first, count);
    }
}
