// SPDX-License-Identifier: MIT
/*
 * image - the kernel as it lies in memory: loading, relocating, and reading what it points to.
 *
 * Responsible for: copying segments, zeroing the rest, relative relocations, and translating
 * addresses that the kernel names into memory, with bounds. A kernel is hostile input, too.
 * Left to others: validating the file (elf), memory, mappings.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/format/elf.h"

/* Where a kernel may be linked: the top 2 GiB, without the last page (its end would be 0). */
#define BOOT_KERNEL_LOWEST UINT64_C(0xffffffff80000000)
#define BOOT_KERNEL_HIGHEST UINT64_C(0xffffffffffffefff)

struct boot_image {
    struct elf_image elf;
    uint8_t *memory;   /* elf.span bytes, page aligned, that hold the image */
    uint64_t physical; /* their physical address */
};

/* Fills image->memory, which the caller has set, from image->elf. NULL or a reason. */
const char *boot_image_load(struct boot_image *image);

/* The virtual address at which the image's first page will be mapped. */
uint64_t boot_image_base(const struct boot_image *image);

/* `size` bytes at an address of the running kernel, inside one segment; NULL if they are not. */
void *boot_image_at(const struct boot_image *image, uint64_t vaddr, uint64_t size);

/* A terminated string there, shorter than `limit`; NULL if there is none. */
const char *boot_image_string(const struct boot_image *image, uint64_t vaddr, uint64_t limit);

bool boot_image_is_code(const struct boot_image *image, uint64_t vaddr);
