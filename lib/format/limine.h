// SPDX-License-Identifier: MIT
/*
 * limine.h - the part of the Limine boot protocol, base revision 3, as an executable sees it: requests
 * that lie in its image and responses that the loader fills in before it jumps there.
 *
 * Pointers are valid in the loader's page tables; addresses that are integers are physical.
 */
#pragma once

#include <stdint.h>

#include "limine_numbers.h"

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
    uint64_t base;
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
    uint64_t address;
};

struct limine_boot_time {
    uint64_t revision;
    int64_t unix_seconds;
};

struct limine_kernel_address {
    uint64_t revision;
    uint64_t physical;
    uint64_t virtual;
};

/* The four words that a request begins with, from its pair. */
#define LIMINE_REQUEST_ID(...)                                                                     \
    {                                                                                              \
        LIMINE_COMMON_0, LIMINE_COMMON_1, __VA_ARGS__                                              \
    }

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
