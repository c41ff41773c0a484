// SPDX-License-Identifier: MIT
/* registers - see registers.h. */
#include "services/devices/registers.h"

#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"

bool registers_map(struct registers *registers, uint64_t address, uint64_t bytes)
{
    uint64_t first = address / MNOS_PAGE_BYTES;
    uint64_t end = (address + bytes + MNOS_PAGE_BYTES - 1) / MNOS_PAGE_BYTES;
    mnos_status_t status = memory_map(bootstrap_cap("device"), first, end - first,
                                      MNOS_MAP_READ | MNOS_MAP_WRITE, &registers->mapped);

    if (status != MNOS_OK) {
        log_error(status, "map registers of a device");
        return false;
    }
    registers->page_count = end - first;
    registers->window =
        (struct mmio){(uint8_t *)registers->mapped + address % MNOS_PAGE_BYTES, bytes};
    return true;
}

void registers_unmap(struct registers *registers)
{
    memory_unmap(registers->mapped, registers->page_count);
}
