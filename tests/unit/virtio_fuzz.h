// SPDX-License-Identifier: MIT
/* virtio_fuzz.h - a virtqueue with a device that writes what the input says where the input
 * says. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Checks what must hold whatever the device does. */
void virtio_fuzz(const uint8_t *data, size_t size);
