// SPDX-License-Identifier: MIT
/*
 * requests - finds what a loaded kernel asks for: markers, base revision tag and requests.
 *
 * Responsible for: the rules about where they may be and that none comes twice.
 * Left to others: answering (responses).
 */
#pragma once

#include "image.h"
#include "limine.h"

enum boot_request {
    BOOT_REQUEST_BOOTLOADER_INFO,
    BOOT_REQUEST_FIRMWARE_TYPE,
    BOOT_REQUEST_STACK_SIZE,
    BOOT_REQUEST_HHDM,
    BOOT_REQUEST_FRAMEBUFFER,
    BOOT_REQUEST_PAGING_MODE,
    BOOT_REQUEST_MP,
    BOOT_REQUEST_MEMORY_MAP,
    BOOT_REQUEST_ENTRY_POINT,
    BOOT_REQUEST_EXECUTABLE_FILE,
    BOOT_REQUEST_MODULE,
    BOOT_REQUEST_RSDP,
    BOOT_REQUEST_SMBIOS,
    BOOT_REQUEST_EFI_SYSTEM_TABLE,
    BOOT_REQUEST_EFI_MEMORY_MAP,
    BOOT_REQUEST_DATE_AT_BOOT,
    BOOT_REQUEST_EXECUTABLE_ADDRESS,
    BOOT_REQUEST_EXECUTABLE_CMDLINE,
    BOOT_REQUEST_COUNT
};

struct boot_requests {
    struct limine_request *found[BOOT_REQUEST_COUNT]; /* in the image; NULL if not asked for */
};

/* Also answers the base revision tag. NULL, or the reason why this kernel cannot be started. */
const char *boot_requests_scan(struct boot_requests *requests, const struct boot_image *image);
