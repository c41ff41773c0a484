// SPDX-License-Identifier: MIT
/* memory - pages from the firmware, and the end of boot services with its memory map. */
#include "boot/core/cpu.h"
#include "uefi.h"

uint64_t uefi_allocate(uint64_t page_count, uint64_t below)
{
    uint64_t address = below - 1;

    if (uefi_system->boot->allocate_pages(EFI_ALLOCATE_BELOW, EFI_LOADER_DATA, page_count,
                                          &address) != EFI_SUCCESS)
        return 0;
    return address;
}

/* Boot services memory holds our stack, and may hold what the last calls have left. */
static uint64_t type_of(uint32_t efi_type)
{
    switch (efi_type) {
    case EFI_CONVENTIONAL: return BOOT_MEMORY_USABLE;
    case EFI_LOADER_CODE:
    case EFI_LOADER_DATA:
    case EFI_BOOT_SERVICES_CODE:
    case EFI_BOOT_SERVICES_DATA: return BOOT_MEMORY_LOADER;
    case EFI_ACPI_RECLAIM: return BOOT_MEMORY_ACPI_RECLAIMABLE;
    case EFI_ACPI_NVS: return BOOT_MEMORY_ACPI_NVS;
    case EFI_UNUSABLE: return BOOT_MEMORY_BAD;
    default: return BOOT_MEMORY_RESERVED;
    }
}

/* A map that changes between the two calls makes the second fail; then only these may follow. */
static const char *exit_boot_services(struct boot_platform *platform, uint64_t room)
{
    struct efi_boot_services *boot = uefi_system->boot;
    uint32_t version;
    uint64_t key;

    for (unsigned tries = 0; tries < 8; tries++) {
        platform->efi_map_size = room;
        if (boot->get_memory_map(&platform->efi_map_size, (void *)(uintptr_t)platform->efi_map,
                                 &key, &platform->efi_descriptor_size, &version) != EFI_SUCCESS)
            return "gives no memory map";
        platform->efi_descriptor_version = version;
        if (boot->exit_boot_services(uefi_image, key) == EFI_SUCCESS)
            return NULL;
    }
    return "does not end its boot services";
}

/* A length that overflows is one without an end, which the map cuts. */
static struct boot_range read_range(const void *entry)
{
    const struct efi_memory_descriptor *from = entry;
    uint64_t length = from->page_count > UINT64_MAX / BOOT_PAGE_SIZE
                          ? UINT64_MAX
                          : from->page_count * BOOT_PAGE_SIZE;

    return (struct boot_range){from->physical, length, type_of(from->type)};
}

static const char *convert_map(const struct boot_platform *platform, struct boot_memmap *map)
{
    struct boot_raw_map raw = {
        .entries = (void *)(uintptr_t)platform->efi_map,
        .entry_bytes = platform->efi_descriptor_size,
        .base_at = offsetof(struct efi_memory_descriptor, physical),
        .read = read_range,
    };

    if (raw.entry_bytes < sizeof(struct efi_memory_descriptor))
        return "gives no memory map";
    raw.count = platform->efi_map_size / raw.entry_bytes;
    boot_memmap_build(map, &raw, cpu_physical_end());
    return NULL;
}

const char *uefi_leave(struct boot_platform *platform, struct boot_memmap *map)
{
    uint64_t size = 0, key, descriptor_size = sizeof(struct efi_memory_descriptor), pages;
    uint32_t version;
    const char *reason;

    uefi_system->boot->get_memory_map(&size, NULL, &key, &descriptor_size, &version);
    pages = (size + 32 * descriptor_size) / BOOT_PAGE_SIZE + 1;
    platform->efi_map = uefi_allocate(pages, BOOT_BELOW_4G);
    if (platform->efi_map == 0)
        return "has no memory for its memory map";
    reason = exit_boot_services(platform, pages * BOOT_PAGE_SIZE);
    return reason != NULL ? reason : convert_map(platform, map);
}
