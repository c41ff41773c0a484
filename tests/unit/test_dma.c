// SPDX-License-Identifier: MIT
/* test_dma - memory that a device reaches, in blocks that need not follow each other. */
#include <stddef.h>

#include "lib/driver/dma.h"
#include "tests/unit/unit.h"

TEST(dma, an_address_is_the_block_s_and_never_crosses_to_one_elsewhere)
{
    static uint8_t place[4 * 4096];
    struct dma_memory memory = {.address = place,
                                .bytes = sizeof place,
                                .block_bytes = 4096,
                                .block_count = 4,
                                .table = {0x10000, 0x11000, 0x50000, 0x20000}};
    uint64_t bus;

    CHECK(dma_bus_range(&memory, 100, 50, &bus));
    CHECK_EQ(bus, 0x10064);
    CHECK(dma_bus_range(&memory, 4000, 200, &bus)); /* 0x10000 and 0x11000 follow each other */
    CHECK(!dma_bus_range(&memory, 8000, 200, &bus));
    CHECK(!dma_bus_range(&memory, 0, 0, &bus));
    CHECK(!dma_bus_range(&memory, sizeof place, 1, &bus));
    CHECK(!dma_bus_range(&memory, UINT64_MAX, 2, &bus));
    CHECK(!dma_bus_range(&memory, 16000, UINT64_MAX, &bus));
    CHECK_PTR_EQ(dma_take(&memory, 100, 64), place);
    CHECK_PTR_EQ(dma_take(&memory, 6000, 64), place + 128);
    CHECK_PTR_EQ(dma_take(&memory, 4000, 4096), place + 8192);
    CHECK_PTR_EQ(dma_take(&memory, 4096, 4096), place + 12288);
    CHECK_EQ(dma_bus(&memory, place + 12288 + 5), 0x20005);
    CHECK_PTR_EQ(dma_take(&memory, 1, 1), NULL);
    memory.taken = 4096 * 1 + 10;
    CHECK_PTR_EQ(dma_take(&memory, 4090, 1), place + 8192); /* not across the gap */
}
