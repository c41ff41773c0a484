// SPDX-License-Identifier: MIT
/*
 * requests.c - the boot protocol requests as they lie in the kernel image; the loader finds them by
 * their numbers and writes the responses before the kernel runs. The kernel itself never writes them:
 * the linker script puts them among the read-only data.
 */
#include "boot/requests.h"

/* Volatile: the compiler must not conclude that the responses are NULL. */
volatile struct limine_requests limine_requests
    __attribute__((section(".limine_requests"), used)) = {
        .start_marker = LIMINE_START_MARKER,
        .base_revision = {LIMINE_BASE_MAGIC_0, LIMINE_BASE_MAGIC_1, LIMINE_BASE_REVISION},
        .loader = {.id = LIMINE_REQUEST_ID(LIMINE_ID_LOADER)},
        .hhdm = {.id = LIMINE_REQUEST_ID(LIMINE_ID_HHDM)},
        .framebuffer = {.id = LIMINE_REQUEST_ID(LIMINE_ID_FRAMEBUFFER)},
        .mp = {.id = LIMINE_REQUEST_ID(LIMINE_ID_MP), .flags = 1},
        .memory_map = {.id = LIMINE_REQUEST_ID(LIMINE_ID_MEMORY_MAP)},
        .file = {.id = LIMINE_REQUEST_ID(LIMINE_ID_FILE)},
        .cmdline = {.id = LIMINE_REQUEST_ID(LIMINE_ID_CMDLINE)},
        .modules = {.id = LIMINE_REQUEST_ID(LIMINE_ID_MODULE)},
        .rsdp = {.id = LIMINE_REQUEST_ID(LIMINE_ID_RSDP)},
        .boot_time = {.id = LIMINE_REQUEST_ID(LIMINE_ID_BOOT_TIME)},
        .kernel_address = {.id = LIMINE_REQUEST_ID(LIMINE_ID_KERNEL_ADDRESS)},
        .end_marker = LIMINE_END_MARKER,
};
