// SPDX-License-Identifier: MIT
/* nvme_fuzz.h - a pair of NVMe queues with a device that writes what the input says where the input
 * says. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Checks what must hold whatever the device does. */
void nvme_fuzz(const uint8_t *data, size_t size);
