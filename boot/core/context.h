// SPDX-License-Identifier: MIT
/*
 * context - everything the core knows about the boot in progress. There is one; boot.c owns it
 * and hands it to the steps (modules, responses, mp, boot itself).
 */
#pragma once

#include "config.h"
#include "image.h"
#include "lib/format/madt.h"
#include "memmap.h"
#include "paging.h"
#include "platform.h"
#include "requests.h"

#define BOOT_HHDM UINT64_C(0xffff800000000000)
#define BOOT_CONFIG_PATH "boot/limine.conf"
#define BOOT_MAX_MODULES (2 * BOOT_CONFIG_MODULES)
#define BOOT_MINIMUM_STACK UINT64_C(0x10000)

struct boot_module {
    const char *path, *cmdline;
    unsigned line; /* of the configuration; 0 for a module that the kernel itself names */
    struct boot_file file;
};

struct boot_context {
    struct boot_platform *platform;
    struct boot_config config;
    struct boot_file kernel_file;
    struct boot_image image;
    struct boot_requests requests;
    struct boot_module modules[BOOT_MAX_MODULES];
    unsigned module_count;

    struct boot_memmap map;
    struct madt_info madt; /* from ACPI or the MP table; empty without either */
    struct boot_framebuffer framebuffer;
    bool has_framebuffer;
    struct boot_tables tables;
    uint64_t *bridge_root; /* the same mappings, and memory at its physical address as well */
    uint64_t *gdt;
    uint64_t stack_size;
    uint64_t efer;
    uint64_t trampoline; /* page below 1 MiB for starting processors; 0: none */
};

/* The kernel's address of memory in the direct map. */
static inline uint64_t boot_hhdm(const volatile void *memory)
{
    return BOOT_HHDM + (uint64_t)(uintptr_t)memory;
}

/* The request, or NULL if the kernel has not made it. */
static inline struct limine_request *boot_asked(const struct boot_context *c,
                                                enum boot_request kind)
{
    return c->requests.found[kind];
}

/* modules.c: reads all modules; ends the boot if one is missing. */
void boot_modules_load(struct boot_context *c);

/* responses.c: everything but MP; the memory map is filled in last, by the second function. */
void boot_responses_fill(struct boot_context *c);
void boot_responses_finish(struct boot_context *c);
struct limine_response *boot_respond(struct boot_context *c, enum boot_request kind,
                                     uint64_t revision, uint64_t size);

/* firmware.c: what the firmware's tables say about processors and interrupt controllers. */
void boot_firmware_read(struct boot_context *c);

/* mp.c: starts the other processors and answers the MP request. Page tables must be complete. */
void boot_mp_start(struct boot_context *c);
