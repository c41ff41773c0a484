// SPDX-License-Identifier: MIT
/* ram.h - what a client's Memory capability is worth, to whoever maps it or has a device reach it. */
#pragma once

#include "abi/inspect.h"
#include "abi/memory.h"
#include "abi/message.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/syscall.h"

/* Pages of RAM behind a capability; 0: it is something else, or its holder may not both read and write
 * it, as the device will, to whose driver it is handed. */
static inline uint64_t ram_pages(mnos_cap_t memory)
{
    const mnos_rights_t rights = MNOS_RIGHT_READ | MNOS_RIGHT_WRITE;
    const struct mnos_cap_info *info;
    uint64_t size;

    if (memory == 0 || sys_cap_inspect(memory, MNOS_VIEW_CAPABILITY, 0, &size) != MNOS_OK)
        return 0;
    info = (const struct mnos_cap_info *)ipc_buffer()->data;
    if (info->type != MNOS_TYPE_MEMORY || info->flavour != MNOS_MEMORY_RAM ||
        (info->rights & rights) != rights)
        return 0;
    return info->count;
}
