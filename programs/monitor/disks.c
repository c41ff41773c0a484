// SPDX-License-Identifier: MIT
/* disks - the command disks: what `volumes` has found on the disks. */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/volume.h"
#include "lib/mnos/bootstrap.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"

/* With one digit behind the point below 10, as 4.0 GiB and 512 MiB. */
static void size_text(char out[16], uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    uint64_t tenths = bytes * 10;
    unsigned unit = 0;

    if (bytes > UINT64_MAX / 10) {
        tenths = bytes / 1024 * 10;
        unit = 1;
    }
    while (tenths >= 10240) {
        tenths /= 1024;
        unit++;
    }
    if (unit != 0 && tenths < 100)
        mnos_snprintf(out, 16, "%llu.%llu %s", (unsigned long long)tenths / 10,
                      (unsigned long long)tenths % 10, units[unit]);
    else
        mnos_snprintf(out, 16, "%llu %s", (unsigned long long)tenths / 10, units[unit]);
}

static void print_entry(const struct volume_entry *entry)
{
    char size[16], part[12] = "whole";

    size_text(size, entry->sectors * entry->sector_bytes);
    if (entry->partition != 0)
        mnos_snprintf(part, sizeof part, "%u", entry->partition);
    console_print("%-14.23s %-5s %10s  %-8.15s %s%s%s%s%.39s\n", entry->disk, part, size,
                  entry->content[0] != 0 ? entry->content : "-",
                  entry->flags & VOLUME_READ_ONLY ? "read-only " : "",
                  entry->flags & VOLUME_BOOT_MEDIUM ? "boot " : "",
                  entry->flags & VOLUME_ASSIGNED ? "in-use " : "",
                  entry->flags & VOLUME_BACKUP_TABLE ? "backup-table " : "",
                  entry->partition != 0 ? entry->name : entry->disk_name);
}

void command_disks(const struct words *)
{
    mnos_cap_t volumes = bootstrap_find("volumes");
    struct volume_status found;
    struct volume_entry entry;
    mnos_status_t status;

    if (volumes == 0) {
        console_print("disks: this monitor has no capability \"volumes\"; the manifest must grant "
                      "uses = { volumes = \"volumes\" }\n");
        return;
    }
    status = volume_status(volumes, &found);
    if (status == MNOS_OK) {
        console_print("%-14s %-5s %10s  %-8s %s\n", "DRIVER", "PART", "SIZE", "CONTENT", "NAME");
        for (uint64_t i = 0; (status = volume_entry(volumes, i, &entry)) == MNOS_OK; i++)
            print_entry(&entry);
        console_print("%u disks%s\n", found.disks,
                      found.scanned ? "" : ", not all of them read yet");
    }
    if (status != MNOS_OK && status != MNOS_ERR_END)
        console_error(status, "disks");
}
