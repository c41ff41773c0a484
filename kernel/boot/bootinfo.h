// SPDX-License-Identifier: MIT
/*
 * bootinfo.h - what the loader told, checked and copied out of memory that will be reclaimed. The
 * only place that knows the boot protocol besides it is requests.c.
 *
 * Constant after phase 2.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "lib/base/string.h"
#include "mm/addr.h"

enum {
    BOOT_RANGES_MAX = 512, /* after merging */
    BOOT_CMDLINE_BYTES = 512,
    BOOT_PATH_BYTES = 64,
};

enum boot_range_type {
    BOOT_RANGE_USABLE,
    BOOT_RANGE_RECLAIMABLE, /* the loader's: page tables, stacks, responses */
    BOOT_RANGE_KERNEL,      /* kernel image and modules */
    BOOT_RANGE_OTHER,       /* not to be used, and not listed */
};

/* Sorted by base, whole frames, no overlaps, and neighbours of one type are one range. */
struct boot_range {
    paddr_t base;
    paddr_t end;
    enum boot_range_type type;
};

struct boot_framebuffer {
    paddr_t address;        /* 0: there is none, or none that can be drawn on */
    void *mapping;          /* in the loader's page tables, write-combining */
    uint32_t width, height; /* pixels */
    uint32_t pitch;         /* bytes */
    uint16_t bpp;           /* bits: 16, 24 or 32 */
    uint8_t red_size, red_shift, green_size, green_shift, blue_size, blue_shift;
};

struct boot_cpu {
    uint32_t apic_id;
    uint32_t acpi_uid;
    paddr_t handoff; /* the loader's record, in reclaimable memory: boot_cpu_start() */
};

struct boot_info {
    uint64_t hhdm_offset; /* of the loader's page tables, in force until the kernel has its own */
    paddr_t kernel_physical;
    uint64_t kernel_virtual;
    paddr_t rsdp;      /* 0: the loader knows none */
    int64_t boot_time; /* Unix seconds, 0: unknown */

    paddr_t initrd;
    uint64_t initrd_bytes;
    char initrd_path[BOOT_PATH_BYTES];

    struct boot_framebuffer framebuffer;

    bool x2apic;      /* the loader left the local APICs in x2APIC mode */
    bool cpus_listed; /* false: the loader knows only of this processor, and not its numbers */
    uint32_t cpu_count;
    struct boot_cpu cpus[MNOS_CORES_MAX]; /* the first is the one that boots */

    uint32_t range_count;
    struct boot_range ranges[BOOT_RANGES_MAX + 2]; /* the last two only while the map is read */

    char cmdline[BOOT_CMDLINE_BYTES];
    char loader_name[BOOT_PATH_BYTES];
};

extern struct boot_info boot_info;

/* Copies the command line alone: first of all, so that its words count in phase 1 already. */
void boot_cmdline_init(void);
/* Fills boot_info; panics when something that the kernel cannot do without is missing. */
void boot_info_init(void);

/* True when the command line has `word` between blanks. */
static inline bool boot_cmdline_has(const char *word)
{
    return string_has_word(boot_info.cmdline, word);
}

/* A physical address in the loader's page tables. Not to be used once the kernel has its own. */
static inline void *boot_phys_to_virt(paddr_t address)
{
    return (void *)(uintptr_t)(address + boot_info.hhdm_offset);
}

/* The physical address of something in the kernel image. */
static inline paddr_t boot_image_to_phys(const void *pointer)
{
    return (paddr_t)(uintptr_t)pointer - boot_info.kernel_virtual + boot_info.kernel_physical;
}

/* Releases parked processor `cpu` to `entry`, in the loader's page tables and on its stack, with RDI
 * = `argument`'s holder: a struct limine_cpu in the loader's direct map. Own page tables needed. */
void boot_cpu_start(const struct boot_cpu *cpu, uint64_t entry, uint64_t argument);
