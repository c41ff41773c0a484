// SPDX-License-Identifier: MIT
/* power_ports - see power.h. */
#include "abi/inspect.h"
#include "drivers/power/acpi_reset/power.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"

bool open_ports(struct bootstrap_name name, uint64_t *first, uint64_t *count)
{
    mnos_cap_t cap = bootstrap_lookup(name);

    return cap != 0 && ports_open(cap, first, count) == MNOS_OK;
}

bool tables_open(struct tables *tables)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    mnos_cap_t acpi = bootstrap_find("acpi");
    uint64_t size, pages;
    void *region;

    *tables = (struct tables){0};
    if (acpi == 0 || sys_cap_inspect(acpi, MNOS_VIEW_CAPABILITY, 0, &size) != MNOS_OK)
        return false;
    pages = info->count;
    if (memory_map(acpi, 0, pages, MNOS_MAP_READ, &region) != MNOS_OK)
        return false;
    *tables = (struct tables){region, (size_t)pages * MNOS_PAGE_BYTES};
    return true;
}

void tables_close(struct tables *tables)
{
    if (tables->size != 0)
        memory_unmap((void *)tables->region, tables->size / MNOS_PAGE_BYTES);
    *tables = (struct tables){0};
}
