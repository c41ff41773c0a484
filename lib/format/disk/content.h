// SPDX-License-Identifier: MIT
/* content - what kind of file system a volume holds, by its first bytes. A guess for people, and for who chooses a
 * service to mount it: that one checks. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Bytes that all kinds are told by. */
#define CONTENT_BYTES 36864u

/* "ext4", "ext3", "ext2", "fat12", "fat16", "fat32", "exfat", "iso9660", or "". */
const char *content_of(const uint8_t *bytes, size_t count);
