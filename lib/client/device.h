// SPDX-License-Identifier: MIT
/*
 * device.h - requests to `devices` (protocols/device.def), through the capability that the caller
 * names. Every request is repeated when `devices` dies meanwhile: what it had granted stays good.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "protocols/device.h"

/* Waits until there is a device for this service. */
mnos_status_t device_claim(mnos_cap_t devices, struct device_info *info);

/* Part `part` of window `bar`; *memory is a new capability. MNOS_ERR_END: no such part. */
mnos_status_t device_bar(mnos_cap_t devices, uint32_t bar, uint32_t part,
                         struct device_bar_part *out, mnos_cap_t *memory);

/* *line is a new capability to bind. */
mnos_status_t device_vector(mnos_cap_t devices, uint32_t index, mnos_cap_t *line);

/* At most `size` bytes of the capability number `index` with identifier `id`; *length is how many
 * there are. */
mnos_status_t device_capability(mnos_cap_t devices, uint32_t id, uint32_t index, void *bytes,
                                size_t size, size_t *length);

/* The bus addresses of the blocks of a piece of a `dma` region; MNOS_ERR_SIZE: more than `max`. */
mnos_status_t device_dma_use(mnos_cap_t devices, mnos_cap_t memory, struct device_dma *dma,
                             uint64_t *table, uint32_t max);

mnos_status_t device_master(mnos_cap_t devices, bool on);

/* The function at an index; MNOS_ERR_END past the last. */
mnos_status_t device_entry(mnos_cap_t devices, uint64_t index, struct device_entry *entry);
