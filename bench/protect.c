// SPDX-License-Identifier: MIT
/* protect.c - other rights for pages that are mapped, and other pages. */
#include "bench/bench.h"

#define TARGET (ARENA + 0x200000)
#define RUN_PAGES 16

/* Takes Write away, which no core uses afterwards, and gives it back. */
static uint64_t take_and_give(void *)
{
    struct timed take = {.rax = MNOS_SYS_mem_map,
                         .rdi = MNOS_SELF,
                         .rdx = TARGET,
                         .r8 = RUN_PAGES,
                         .r9 = MNOS_MAP_READ};
    uint64_t taken;

    for (uint64_t i = 0; i < RUN_PAGES; i++)
        *(volatile uint64_t *)(TARGET + i * PAGE) = 1;
    taken = timed_syscall(&take);
    CHECK_EQ(take.rax, MNOS_OK);
    CHECK_OK(sys_mem_map(MNOS_SELF, 0, TARGET, 0, RUN_PAGES, MAP_RW));
    return taken;
}

BENCH(protect, "mem-protect-16")
{
    mnos_cap_t memory = memory_new(RUN_PAGES);

    if (CHECK_OK(sys_mem_map(MNOS_SELF, memory, TARGET, 0, RUN_PAGES, MAP_RW)))
        measure("mem-protect-16", take_and_give, NULL);
    cap_drop(memory);
}

/* ---- other pages ---- */

static uint64_t exchange_page(void *context)
{
    mnos_cap_t *memories = context, next = memories[0];
    struct timed exchange = {.rax = MNOS_SYS_mem_map,
                             .rdi = MNOS_SELF,
                             .rsi = next,
                             .rdx = TARGET,
                             .r8 = 1,
                             .r9 = MAP_RW | MNOS_MAP_REPLACE};
    uint64_t exchanged = timed_syscall(&exchange);

    CHECK_EQ(exchange.rax, MNOS_OK);
    memories[0] = memories[1];
    memories[1] = next;
    return exchanged;
}

BENCH(replace, "mem-replace")
{
    mnos_cap_t memories[] = {memory_new(1), memory_new(1)};

    if (CHECK_OK(sys_mem_map(MNOS_SELF, memories[1], TARGET, 0, 1, MAP_RW)))
        measure("mem-replace", exchange_page, memories);
    cap_drop(memories[0]);
    cap_drop(memories[1]);
}
