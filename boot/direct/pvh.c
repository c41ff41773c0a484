// SPDX-License-Identifier: MIT
/*
 * pvh - reads the start information of Xen's PVH boot ABI, which QEMU and microVM monitors use.
 * Layout: Xen, public header "start_info", HVM section.
 */
#include "direct.h"

#define PVH_MAGIC 0x336ec578u

struct pvh_start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, cmdline, rsdp;
    uint64_t memory_map; /* from version 1 on */
    uint32_t memory_map_count, reserved;
};

struct pvh_module {
    uint64_t address, size, cmdline, reserved;
};

struct pvh_range {
    uint64_t base, length;
    uint32_t type, reserved;
};

static struct boot_range read_range(const void *entry)
{
    const struct pvh_range *range = entry;

    return (struct boot_range){range->base, range->length, direct_memory_type(range->type)};
}

/* A list that does not end below 4 GiB is not one. */
static void read_memory_map(struct direct_machine *machine, const struct pvh_start_info *start)
{
    if (start->version < 1 || start->memory_map >= BOOT_BELOW_4G ||
        start->memory_map_count > (BOOT_BELOW_4G - start->memory_map) / sizeof(struct pvh_range))
        return;
    machine->memory = (struct boot_raw_map){
        .entries = (void *)(uintptr_t)start->memory_map,
        .count = start->memory_map_count,
        .entry_bytes = sizeof(struct pvh_range),
        .base_at = offsetof(struct pvh_range, base),
        .read = read_range,
    };
}

bool pvh_read(struct direct_machine *machine, uint64_t info)
{
    const struct pvh_start_info *start = (const void *)(uintptr_t)info;
    const struct pvh_module *modules;

    if (start->magic != PVH_MAGIC)
        return false;
    modules = (const void *)(uintptr_t)start->modules;
    for (uint32_t i = 0; i < start->module_count && i < DIRECT_MAX_MODULES; i++)
        machine->modules[machine->module_count++] = (struct direct_module){
            .start = modules[i].address, .end = modules[i].address + modules[i].size, .name = ""};
    read_memory_map(machine, start);
    if (start->cmdline != 0)
        direct_set_cmdline(machine, (const char *)(uintptr_t)start->cmdline);
    machine->rsdp = start->rsdp;
    machine->may_set_mode = true;
    return true;
}
