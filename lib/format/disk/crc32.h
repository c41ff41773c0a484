// SPDX-License-Identifier: MIT
/* crc32.h - the checksum of GPT: the reflected polynomial 0xEDB88320, as in Ethernet (UEFI specification,
 * "GUID Partition Table (GPT) Disk Layout"). */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t crc32(const void *bytes, size_t count);
/* Of several pieces: begin with UINT32_MAX, end with ~. */
uint32_t crc32_add(uint32_t crc, const void *bytes, size_t count);
