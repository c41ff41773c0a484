// SPDX-License-Identifier: MIT
/* devices - the command devices: what `devices` has found, and who drives it. */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/device.h"
#include "lib/mnos/bootstrap.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"

static const char *state_text(const struct device_entry *entry)
{
    switch (entry->state) {
    case DEVICE_FREE: return entry->flags & DEVICE_BRIDGE ? "bridge" : "free";
    case DEVICE_CLAIMED: return "claimed";
    case DEVICE_QUIESCING: return "quiescing";
    case DEVICE_FAILED: return "failed";
    default: return "absent";
    }
}

static void print_entry(const struct device_entry *entry)
{
    device_address_t address = entry->ids.address;
    char vectors[16] = "-";

    if (entry->vectors != 0)
        mnos_snprintf(vectors, sizeof vectors, "%u/%u", entry->vectors_set, entry->vectors);
    console_print("%04x:%02x:%02x.%x  %04x:%04x  %06x  %-9s %-12.23s %-7s %.79s%s%.79s%s\n",
                  address >> 16, address >> 8 & 0xFF, address >> 3 & 0x1F, address & 7,
                  entry->ids.vendor, entry->ids.device, entry->ids.class_code, state_text(entry),
                  entry->service[0] != 0 ? entry->service : "-", vectors,
                  entry->name[0] != 0 ? entry->name : "-", entry->reason[0] != 0 ? " (" : "",
                  entry->reason, entry->reason[0] != 0 ? ")" : "");
}

void command_devices(const struct words *)
{
    mnos_cap_t devices = bootstrap_find("devices");
    struct device_entry entry;
    mnos_status_t status;

    if (devices == 0) {
        console_print(
            "devices: this monitor has no capability \"devices\"; the manifest must grant "
            "uses = { devices = \"devices\" }\n");
        return;
    }
    console_print("%-12s  %-9s  %-6s  %-9s %-12s %-7s %s\n", "ADDRESS", "ID", "CLASS", "STATE",
                  "DRIVER", "VECTORS", "NAME");
    for (uint64_t i = 0; (status = device_entry(devices, i, &entry)) == MNOS_OK; i++)
        print_entry(&entry);
    if (status != MNOS_ERR_END)
        console_error(status, "devices");
}
