// SPDX-License-Identifier: MIT
/*
 * limine.h - the part of the Limine boot protocol, base revision 3, that this kernel uses: requests
 * that lie in its image and responses that the loader fills in before it jumps to the kernel.
 *
 * What the responses mean is bootinfo.c's business. Pointers are valid in the loader's page tables,
 * fields of type paddr_t are physical.
 */
#pragma once

#include <stdint.h>

#include "mm/addr.h"

#define LIMINE_REQUEST_ID(a, b)                                                                    \
    {                                                                                              \
        0xc7b1dd30df4c8b88, 0x0a82e883a194f07b, a, b                                               \
    }

#define LIMINE_START_MARKER                                                                        \
    {                                                                                              \
        0xf6b8f4b39de7d1ae, 0xfab91a6940fcb9cf, 0x785c6ed015d3e316, 0x181e920a7852b9d9             \
    }
#define LIMINE_END_MARKER                                                                          \
    {                                                                                              \
        0xadc0e0531bb10d03, 0x9572709f31764c62                                                     \
    }
#define LIMINE_BASE_REVISION                                                                       \
    {                                                                                              \
        0xf9562b2d5c95a6c8, 0x6a7b384944536bdc, 3                                                  \
    }

#define LIMINE_ID_LOADER LIMINE_REQUEST_ID(0xf55038d8e2a1202f, 0x279426fcf5f59740)
#define LIMINE_ID_HHDM LIMINE_REQUEST_ID(0x48dcf1cb8ad2b852, 0x63984e959a98244b)
#define LIMINE_ID_FRAMEBUFFER LIMINE_REQUEST_ID(0x9d5827dcd881dd75, 0xa3148604f6fab11b)
#define LIMINE_ID_MP LIMINE_REQUEST_ID(0x95a67b819a1b857e, 0xa0b61b723b6a73e0)
#define LIMINE_ID_MEMORY_MAP LIMINE_REQUEST_ID(0x67cf3d9d378a806f, 0xe304acdfc50c3c62)
#define LIMINE_ID_FILE LIMINE_REQUEST_ID(0xad97e90e83f1ed67, 0x31eb5d1c5ff23b69)
#define LIMINE_ID_CMDLINE LIMINE_REQUEST_ID(0x4b161536e598651e, 0xb390ad4a2f1f303a)
#define LIMINE_ID_MODULE LIMINE_REQUEST_ID(0x3e7e279702be32af, 0xca1c4f3bd1280cee)
#define LIMINE_ID_RSDP LIMINE_REQUEST_ID(0xc5e77b6b397e7b43, 0x27637845accdcf3c)
#define LIMINE_ID_BOOT_TIME LIMINE_REQUEST_ID(0x502746e184c088aa, 0xfbc5ec83e6327893)
#define LIMINE_ID_KERNEL_ADDRESS LIMINE_REQUEST_ID(0x71ba76863cc55f63, 0xb2644a48c516a487)

struct limine_loader {
    uint64_t revision;
    const char *name;
    const char *version;
};

struct limine_hhdm {
    uint64_t revision;
    uint64_t offset;
};

struct limine_framebuffer {
    void *address;
    uint64_t width, height; /* pixels */
    uint64_t pitch;         /* bytes */
    uint16_t bpp;           /* bits */
    uint8_t model;          /* 1: RGB */
    uint8_t red_size, red_shift, green_size, green_shift, blue_size, blue_shift;
};

struct limine_framebuffers {
    uint64_t revision;
    uint64_t count;
    struct limine_framebuffer **list;
};

struct limine_cpu {
    uint32_t acpi_uid;
    uint32_t apic_id;
    uint64_t reserved;
    uint64_t goto_address; /* an atomic store releases the parked processor */
    uint64_t argument;     /* ours */
};

struct limine_mp {
    uint64_t revision;
    uint32_t flags; /* bit 0: x2APIC mode is on */
    uint32_t bsp_apic_id;
    uint64_t count;
    struct limine_cpu **list;
};

enum limine_memory_type {
    LIMINE_USABLE = 0,
    LIMINE_RESERVED = 1,
    LIMINE_ACPI_RECLAIMABLE = 2,
    LIMINE_ACPI_NVS = 3,
    LIMINE_BAD = 4,
    LIMINE_BOOTLOADER = 5, /* reclaimable when nothing of the loader's is used any more */
    LIMINE_KERNEL_AND_MODULES = 6,
    LIMINE_FRAMEBUFFER = 7,
};

struct limine_memory_entry {
    paddr_t base;
    uint64_t length;
    uint64_t type;
};

struct limine_memory_map {
    uint64_t revision;
    uint64_t count;
    struct limine_memory_entry **list;
};

struct limine_file {
    uint64_t revision;
    void *address;
    uint64_t size;
    const char *path;
    const char *cmdline;
};

struct limine_kernel_file {
    uint64_t revision;
    struct limine_file *file;
};

struct limine_cmdline {
    uint64_t revision;
    const char *text;
};

struct limine_modules {
    uint64_t revision;
    uint64_t count;
    struct limine_file **list;
};

struct limine_rsdp {
    uint64_t revision;
    paddr_t address;
};

struct limine_boot_time {
    uint64_t revision;
    int64_t unix_seconds;
};

struct limine_kernel_address {
    uint64_t revision;
    paddr_t physical;
    uint64_t virtual;
};

#define LIMINE_REQUEST(type)                                                                       \
    struct {                                                                                       \
        uint64_t id[4];                                                                            \
        uint64_t revision;                                                                         \
        const struct type *response; /* NULL: the loader has no answer */                          \
    }

/* In this order in memory: what counts lies between the markers. */
struct limine_requests {
    uint64_t start_marker[4];
    uint64_t base_revision[3]; /* the last word becomes 0 when the loader honours it */
    LIMINE_REQUEST(limine_loader) loader;
    LIMINE_REQUEST(limine_hhdm) hhdm;
    LIMINE_REQUEST(limine_framebuffers) framebuffer;
    struct {
        uint64_t id[4];
        uint64_t revision;
        const struct limine_mp *response;
        uint64_t flags; /* bit 0: x2APIC mode wanted */
    } mp;
    LIMINE_REQUEST(limine_memory_map) memory_map;
    LIMINE_REQUEST(limine_kernel_file) file;
    LIMINE_REQUEST(limine_cmdline) cmdline;
    LIMINE_REQUEST(limine_modules) modules;
    LIMINE_REQUEST(limine_rsdp) rsdp;
    LIMINE_REQUEST(limine_boot_time) boot_time;
    LIMINE_REQUEST(limine_kernel_address) kernel_address;
    uint64_t end_marker[2];
};
