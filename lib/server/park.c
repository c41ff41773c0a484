// SPDX-License-Identifier: MIT
/* park - see park.h. */
#include "lib/server/park.h"

#include "lib/base/string.h"

bool park_has_room(const struct park *park, uint32_t account)
{
    uint32_t own = 0;

    for (uint32_t i = 0; i < park->end; i++)
        own += park->entries[i].used && park->entries[i].account == account;
    return park->count != PARK_ENTRIES && own < PARK_ENTRIES / PARK_SHARE;
}

struct parked *park_put(struct park *park, uint32_t account)
{
    struct parked *chosen = park->entries;

    if (!park_has_room(park, account))
        return NULL;
    while (chosen->used)
        chosen++;
    chosen->used = true;
    chosen->ready = chosen->running = false;
    chosen->holds = chosen->runs = 0;
    chosen->progress[0] = chosen->progress[1] = 0;
    chosen->account = account;
    park->count++;
    if (park->end <= (uint32_t)(chosen - park->entries))
        park->end = (uint32_t)(chosen - park->entries) + 1;
    return chosen;
}

void park_drop(struct park *park, struct parked *parked)
{
    uint32_t held = parked->holds;

    park->ready_count -= parked->ready;
    park->count--;
    parked->used = parked->ready = parked->running = false;
    parked->holds = 0;
    while (park->end != 0 && !park->entries[park->end - 1].used)
        park->end--;
    if (park->ended != NULL)
        park->ended(park->context, (uint32_t)(parked - park->entries));
    if (held != 0)
        park_wake(park, PARK_OBJECT | held);
}

void park_wait(struct park *park, struct parked *parked, uint64_t waits_for)
{
    parked->waits_for = waits_for;
    parked->running = false;
    parked->runs++;
    if (park->waits != NULL)
        park->waits(park->context, (uint32_t)(parked - park->entries));
}

static void make_ready(struct park *park, struct parked *parked)
{
    park->ready_count += !parked->ready;
    parked->ready = true;
}

void park_wake(struct park *park, uint64_t waits_for)
{
    for (uint32_t i = 0; park->count != park->ready_count && i < park->end; i++) {
        struct parked *at = &park->entries[i];

        if (at->used && (at->waits_for == waits_for || at->waits_for == PARK_ANYTHING))
            make_ready(park, at);
    }
}

void park_wake_all(struct park *park)
{
    for (uint32_t i = 0; i < park->end; i++) {
        if (park->entries[i].used)
            make_ready(park, &park->entries[i]);
    }
}

struct parked *park_next(struct park *park)
{
    uint32_t next = park->next;

    for (uint32_t i = 0; park->ready_count != 0 && i < park->end; i++, next++) {
        struct parked *at;

        if (next >= park->end)
            next = 0;
        at = &park->entries[next];
        if (!at->ready)
            continue;
        at->ready = false;
        at->running = true;
        park->ready_count--;
        park->next = next + 1;
        return at;
    }
    return NULL;
}

bool park_held(const struct park *park, uint32_t object, const struct parked *but)
{
    for (uint32_t i = 0; i < park->end; i++) {
        const struct parked *at = &park->entries[i];

        if (at->used && at->holds == object && at != but)
            return true;
    }
    return false;
}

const char *park_check(const struct park *park)
{
    uint32_t used = 0, ready = 0;

    for (uint32_t i = 0; i < PARK_ENTRIES; i++) {
        const struct parked *at = &park->entries[i];

        used += at->used;
        ready += at->ready;
        if (at->ready && !at->used)
            return "P1: an entry that is free is ready";
        if (at->used ? i >= park->end : i + 1 == park->end)
            return "P3: the end is not behind the last entry";
        if (at->used && at->holds != 0 && park_held(park, at->holds, at))
            return "P2: an object is held twice";
    }
    return used != park->count || ready != park->ready_count ? "P1: the entries do not add up"
                                                             : NULL;
}
