// SPDX-License-Identifier: MIT
/* regions - the command regions: memory of init that outlives the services that use it. */
#include "lib/base/printf.h"
#include "lib/client/manager.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/services.h"
#include "protocols/manifest_format.h"

#define KIB_PER_PAGE (MNOS_PAGE_BYTES / 1024)

static void print_region(const struct region_list_entry *region)
{
    char user[48];

    mnos_snprintf(user, sizeof user, region->users > 1 ? "%.23s and %u more" : "%.23s",
                  region->user, region->users - 1);
    console_print("%-18.23s %-5s %9llu %9llu %6u  %s", region->name,
                  region->kind == MANIFEST_REGION_DMA ? "dma" : "state",
                  (unsigned long long)region->pages * KIB_PER_PAGE,
                  (unsigned long long)region->page_limit * KIB_PER_PAGE, region->pieces, user);
    if (region->kind == MANIFEST_REGION_STATE && region->pieces != 0)
        console_print(", run %llu", (unsigned long long)region->epoch);
    if ((region->flags & MANIFEST_REGION_KEEP) != 0)
        console_print(", kept, %llu parts", (unsigned long long)region->parts);
    console_print("\n");
}

void command_regions(const struct words *)
{
    struct region_list_entry region;
    mnos_status_t status;
    uint64_t count = 0;

    if (!manager_available("regions"))
        return;
    for (;; count++) {
        status = manager_region_entry(count, &region);
        if (status != MNOS_OK)
            break;
        if (count == 0)
            console_print("%-18s %-5s %9s %9s %6s  %s\n", "REGION", "KIND", "KiB", "AT MOST",
                          "PIECES", "USED BY");
        print_region(&region);
    }
    if (status != MNOS_ERR_END)
        console_error(status, "regions");
    else if (count == 0)
        console_print("The manifest has no regions.\n");
}
