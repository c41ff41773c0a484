// SPDX-License-Identifier: MIT
/*
 * disk.h - a disk that is memory: requests are done as soon as they are submitted, by copying.
 */
#pragma once

#include "lib/server/block.h"

#define DISK_SECTOR_BYTES 512u

struct disk {
    struct block_device device;
    struct block_server *server;
    uint8_t *bytes;
};

void disk_open(struct disk *disk, struct block_server *server, void *memory, uint64_t bytes);
