// SPDX-License-Identifier: MIT
/* ports - see ports.h. */
#include "lib/driver/ports.h"

#include "abi/inspect.h"
#include "abi/memory.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/syscall.h"

mnos_status_t ports_open(mnos_cap_t ports, uint64_t *first, uint64_t *count)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    uint64_t size, begin, number;
    mnos_status_t status = sys_cap_inspect(ports, MNOS_VIEW_CAPABILITY, 0, &size);

    if (status != MNOS_OK)
        return status;
    begin = info->first;
    number = info->count;
    status = sys_mem_map(MNOS_SELF, ports, 0, 0, number, MNOS_MAP_READ | MNOS_MAP_WRITE);
    if (status != MNOS_OK && status != MNOS_ERR_OVERLAP)
        return status;
    *first = begin;
    *count = number;
    return MNOS_OK;
}
