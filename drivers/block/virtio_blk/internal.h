// SPDX-License-Identifier: MIT
/* internal.h - what disk.c and setup.c share. */
#pragma once

#include <stddef.h>

#include "drivers/block/virtio_blk/disk.h"

#define DISK_NO_REQUEST UINT32_MAX
/* Before the device has written one. */
#define DISK_NO_STATUS 0xFFu

extern const struct block_device_operations disk_operations;

/* No request is in the queue. */
void disk_free_all(struct disk *disk);
/* Begins anew with the device, and gives it everything again. */
void disk_reset(struct disk *disk);
