// SPDX-License-Identifier: MIT
/* mapping.h - mapping into the own process: for the tests of memory and of mappings. */
#pragma once

#include "tests/guest/child.h"

#define TWO_MIB_PAGES 512
#define RX (MNOS_MAP_READ | MNOS_MAP_EXECUTE)
#define USER_LAST (MNOS_USER_END - PAGE)
/* Where the firmware of QEMU's q35 machine puts PCI configuration space; the host bridge's is the first page. */
#define BRIDGE_PAGE 0xB0000
#define BRIDGE_ID 0x29C08086u

static inline mnos_status_t map(mnos_cap_t memory, uint64_t address, uint64_t first, uint64_t count)
{
    return sys_mem_map(MNOS_SELF, memory, address, first, count, MAP_RW);
}

static inline mnos_status_t unmap(uint64_t address, uint64_t count)
{
    return sys_mem_unmap(MNOS_SELF, address, count);
}

static inline volatile uint64_t *word_at(uint64_t address)
{
    return (volatile uint64_t *)address;
}
