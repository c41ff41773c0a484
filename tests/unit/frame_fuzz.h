// SPDX-License-Identifier: MIT
/* frame_fuzz.h - the driver of virtio network cards between a device and a stack that both write anything anywhere. */
#pragma once

#include <stddef.h>
#include <stdint.h>

void frame_fuzz(const uint8_t *data, size_t size);
