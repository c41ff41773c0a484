// SPDX-License-Identifier: MIT
/* game.c - chance, counting, and what players give each other: see game.h. */
#include "tests/campaigns/game/game.h"

struct self self;

uint64_t draw(void)
{
    self.random ^= self.random << 13;
    self.random ^= self.random >> 7;
    self.random ^= self.random << 17;
    return self.random >> 8;
}

uint32_t draw_below(uint32_t limit)
{
    return (uint32_t)(draw() % limit);
}

void succeeded(enum operation operation)
{
    atomic_fetch_add(&board()->count[operation], 1);
}

void game_broken(const char *file, uint32_t line)
{
    uint32_t none = 0;

    if (atomic_compare_exchange_strong(&board()->broken, &none, line))
        atomic_store(&board()->broken_file, file); /* all players have the same constants */
}

mnos_cap_t take(enum relation relation)
{
    return atomic_exchange(&seat()->known[relation][draw_below(KNOWN)], 0);
}

void put_back(enum relation relation, mnos_cap_t cap)
{
    uint64_t none = 0;

    if (!atomic_compare_exchange_strong(&seat()->known[relation][draw_below(KNOWN)], &none, cap))
        drop(cap);
}

bool give(mnos_cap_t process, uint32_t to, enum relation relation, mnos_cap_t cap)
{
    _Atomic uint64_t *place = &board()->seats[to].known[relation][draw_below(KNOWN)];
    mnos_cap_t given;

    if (process == 0 || cap == 0 || atomic_load(place) != 0)
        return false;
    if (sys_cap_transfer(process, cap, MNOS_RIGHTS_ALL, &given) != MNOS_OK)
        return false;
    succeeded(OP_TRANSFER);
    atomic_store(place, given); /* what another gave at the same moment stays in its table unused */
    return true;
}

void drop(mnos_cap_t cap)
{
    if (cap != 0)
        (void)!sys_cap_delete(cap);
}

void pause_ns(uint64_t duration_ns)
{
    uint64_t now;

    (void)!sys_thread_block(MNOS_SELF, kinfo_time_ns() + duration_ns, &now);
}

void give_way(void)
{
    __asm__ volatile("pause");
    (void)!sys_thread_yield();
}

bool is_alive(mnos_cap_t process)
{
    const struct mnos_process_info *info = (const struct mnos_process_info *)ipc_buffer()->data;
    uint64_t written;

    return process != 0 && sys_cap_inspect(process, MNOS_VIEW_PROCESS, 0, &written) == MNOS_OK &&
           info->state < MNOS_PROCESS_DYING;
}
