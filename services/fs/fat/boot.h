// SPDX-License-Identifier: MIT
/* boot.h - what of a boot sector has to be known, and to be sound, before FatFs looks at the volume. Its bytes are
 * hostile. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BOOT_BYTES 512u

struct boot_facts {
    uint32_t sector_bytes; /* 512, 1024, 2048 or 4096 */
    uint64_t volume_bytes; /* as the volume says */
};

/* False: it is no boot sector of FAT or exFAT. */
bool boot_read(const uint8_t sector[BOOT_BYTES], struct boot_facts *facts);
