// SPDX-License-Identifier: MIT
/* memory.c - mapping a page, and handing memory to another process. */
#include "bench/bench.h"
#include "lib/base/string.h"

/* Beside a page that stays mapped, which keeps the page tables in place. */
#define NEIGHBOUR (ARENA + 0x200000)
#define TARGET (NEIGHBOUR + PAGE)
#define RUN_PAGES 16

struct mapping {
    mnos_cap_t memory;
    uint64_t pages;
    bool measure_unmap;
};

static uint64_t map_and_unmap(void *context)
{
    const struct mapping *mapping = context;
    struct timed map = {.rax = MNOS_SYS_mem_map,
                        .rdi = MNOS_SELF,
                        .rsi = mapping->memory,
                        .rdx = TARGET,
                        .r10 = 1,
                        .r8 = mapping->pages,
                        .r9 = MAP_RW};
    struct timed unmap = {
        .rax = MNOS_SYS_mem_unmap, .rdi = MNOS_SELF, .rsi = TARGET, .rdx = mapping->pages};
    uint64_t mapped = timed_syscall(&map), unmapped;

    CHECK_EQ(map.rax, MNOS_OK);
    for (uint64_t i = 0; i < mapping->pages; i++)
        *(volatile uint64_t *)(TARGET + i * PAGE) = 1;
    unmapped = timed_syscall(&unmap);
    CHECK_EQ(unmap.rax, MNOS_OK);
    return mapping->measure_unmap ? unmapped : mapped;
}

static void measure_both(const char *map_name, const char *unmap_name, uint64_t pages)
{
    struct mapping mapping = {memory_new(1 + pages), pages, false};

    if (CHECK_OK(sys_mem_map(MNOS_SELF, mapping.memory, NEIGHBOUR, 0, 1, MAP_RW))) {
        measure(map_name, map_and_unmap, &mapping);
        mapping.measure_unmap = true;
        measure(unmap_name, map_and_unmap, &mapping);
    }
    cap_drop(mapping.memory);
}

BENCH(map, "mem-map mem-unmap")
{
    measure_both("mem-map", "mem-unmap", 1);
}

BENCH(map_run, "mem-map-16 mem-unmap-16")
{
    measure_both("mem-map-16", "mem-unmap-16", RUN_PAGES);
}

/* ---- copying ---- */

static uint8_t copied_from[PAGE], copied_to[PAGE];

static uint64_t copy_page(void *)
{
    uint64_t begin = reading_begin(), end;

    memcpy(copied_to, copied_from, sizeof copied_to);
    end = reading_end();
    return readings_between(begin, end);
}

BENCH(copy, "memcpy-4k")
{
    for (unsigned i = 0; i < sizeof copied_from; i++)
        copied_from[i] = (uint8_t)(i * 7);
    measure("memcpy-4k", copy_page, NULL);
    CHECK(memcmp(copied_to, copied_from, sizeof copied_to) == 0);
}

/* ---- granting ---- */

/* What the receiver does with each message: it maps the memory, writes to every page, and gives all of
 * it back. */
static bool use_memory(mnos_cap_t memory, uint64_t pages)
{
    if (sys_mem_map(MNOS_SELF, memory, TARGET, 0, pages, MAP_RW) != MNOS_OK)
        return false;
    for (uint64_t i = 0; i < pages; i++)
        *(volatile uint64_t *)(TARGET + i * PAGE) = 1;
    return sys_mem_unmap(MNOS_SELF, TARGET, pages) == MNOS_OK && sys_cap_delete(memory) == MNOS_OK;
}

static uint64_t receiver(uint64_t endpoint, uint64_t pages, uint64_t, uint64_t)
{
    struct message msg = {.accept = 1};

    for (;;) {
        if (ipc_reply_receive(endpoint, &msg, MNOS_DEADLINE_NEVER) != MNOS_OK ||
            !use_memory(message_cap(&msg, 0), pages))
            return 1;
        msg.length = msg.cap_count = 0;
    }
}

struct granting {
    struct peer peer;
    uint64_t pages;
};

static uint64_t grant(void *context)
{
    const struct granting *granting = context;
    struct message msg = {0};
    uint64_t begin = reading_begin(), end;
    mnos_cap_t memory = 0;

    if (!CHECK_OK(sys_mem_alloc(granting->pages, 0, &memory)))
        return 0;
    message_add_cap(&msg, memory, MNOS_RIGHTS_ALL);
    CHECK_OK(ipc_call(granting->peer.endpoint, &msg, MNOS_DEADLINE_NEVER));
    CHECK_OK(sys_cap_delete(memory));
    end = reading_end();
    return readings_between(begin, end);
}

static void measure_grant(const char *name, uint64_t pages)
{
    struct granting granting = {.pages = pages};

    if (peer_create(&granting.peer) &&
        CHECK_OK(sys_mem_map(granting.peer.child.process, granting.peer.child.memory, NEIGHBOUR, 0,
                             1, MAP_RW)) &&
        peer_start(&granting.peer, receiver, pages, PRIORITY_CLIENT) && peer_waits(&granting.peer))
        measure_rounds(name, pages == 1 ? ROUNDS : ROUNDS_FEW, grant, &granting);
    peer_drop(&granting.peer);
}

BENCH(grant, "mem-grant-4k mem-grant-1m")
{
    measure_grant("mem-grant-4k", 1);
    measure_grant("mem-grant-1m", 256);
}
