// SPDX-License-Identifier: MIT
/*
 * kinfo.h - the kernel information page, mapped read-only in every process at MNOS_KINFO_ADDRESS.
 * It does not change after boot. Reading the time: see kinfo_time_ns() in libmnos.
 */
#pragma once

#include "abi/types.h"

#define MNOS_KINFO_MAGIC 0x4F464E494B534F4Dull

struct mnos_kinfo {
    uint64_t magic;
    uint32_t abi_version; /* 1 */
    uint32_t core_count;
    /* time_ns = ((tsc - tsc_base) * tsc_multiplier) >> 32, in 128-bit arithmetic, when tsc_usable is
     * 1. When it is 0, sys_thread_block(MNOS_SELF, 0) returns the time. */
    uint32_t tsc_usable;
    uint32_t reserved;
    uint64_t tsc_base;
    uint64_t tsc_multiplier;
    int64_t wall_clock_base_ns;   /* Unix time at boot, 0 when unknown */
    uint64_t page_sizes;          /* bit n set: pages of 2^n bytes can be mapped */
    uint64_t acpi_rsdp_address;   /* physical; 0: none */
    uint64_t framebuffer_address; /* physical; 0: none */
    uint32_t framebuffer_width;   /* pixels */
    uint32_t framebuffer_height;  /* pixels */
    uint32_t framebuffer_pitch;   /* bytes */
    uint16_t framebuffer_bpp;     /* bits */
    uint8_t framebuffer_red_shift, framebuffer_red_size;
    uint8_t framebuffer_green_shift, framebuffer_green_size;
    uint8_t framebuffer_blue_shift, framebuffer_blue_size;
    uint32_t reserved2;
    char kernel_version[64];
    char cpu_features[192]; /* what this kernel uses of the processor, words separated by blanks */
    char kernel_build[16];  /* the first digits of its build ID */
};
_Static_assert(sizeof(struct mnos_kinfo) <= MNOS_PAGE_BYTES, "one page");
