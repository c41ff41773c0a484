// SPDX-License-Identifier: MIT
/*
 * platform - what a front end (uefi, direct) gives the core. The core knows no firmware.
 *
 * While the core runs, all memory it is given is mapped at its physical address.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limine.h"
#include "memmap.h"

struct boot_file {
    const uint8_t *data;
    uint64_t size;
};

struct boot_framebuffer {
    uint64_t physical, width, height, pitch; /* pitch in bytes */
    uint16_t bpp;
    uint8_t masks[6]; /* size and shift of red, green, blue */
};

#define BOOT_SCREEN_BYTES_MAX (UINT64_C(1) << 30) /* 16,384 x 16,384 pixels of 32 bits */

/* Whether a screen can be what it is said to be, and ends below `end`. Sizes are bounded before they are
 * multiplied. */
static inline bool boot_framebuffer_valid(const struct boot_framebuffer *fb, uint64_t end)
{
    return fb->width > 0 && fb->width <= UINT16_MAX && fb->height > 0 && fb->height <= UINT16_MAX &&
           fb->pitch >= fb->width * fb->bpp / 8 && fb->pitch <= UINT32_MAX &&
           fb->pitch * fb->height <= BOOT_SCREEN_BYTES_MAX && fb->physical != 0 &&
           fb->physical < end && fb->pitch * fb->height <= end - fb->physical;
}

/* Where the boot volume is: these fields go into every file response. */
struct boot_media {
    uint32_t type, partition_index, mbr_disk_id;
    struct limine_uuid gpt_partition;
};

struct boot_platform {
    uint64_t firmware_type; /* 0 BIOS (and none), 2 64-bit UEFI */
    const char *cmdline; /* given to the loader itself; replaces the configured one if not empty */
    struct boot_media media;

    /* Physical addresses; 0 if there is none. */
    uint64_t rsdp, smbios32, smbios64, efi_system_table;
    uint64_t reach; /* memory is mapped below this address */

    /* Set by leave_firmware. */
    uint64_t efi_map, efi_map_size, efi_descriptor_size, efi_descriptor_version;

    /*
     * Reads a file from the boot volume. `keep`: the kernel will use it, so it must start on a page
     * and share its pages with no other file. NULL or the reason.
     */
    const char *(*read_file)(const char *path, bool keep, struct boot_file *file);

    /* Page-aligned memory that ends at or below `below`; 0: there is none. Before leaving only. */
    uint64_t (*allocate)(uint64_t page_count, uint64_t below);

    /* Ends the firmware's rule and reports all memory. Returns NULL or the reason. */
    const char *(*leave_firmware)(struct boot_memmap *map);

    /* The screen, if there is one that can be drawn to. Called after leave_firmware. */
    bool (*framebuffer)(struct boot_framebuffer *fb);

    /* Ticks of the time stamp counter in a microsecond; called only to start processors. */
    uint64_t (*tsc_per_us)(void);

    int64_t (*boot_time)(void); /* seconds since 1970 */
};

/* Ends the boot if this is not enough memory to try. */
void boot_check_memory(const struct boot_memmap *map);

/* Loads and starts the kernel; ends in it or in boot_fatal(). */
_Noreturn void boot_main(struct boot_platform *platform);
