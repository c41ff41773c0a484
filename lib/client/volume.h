// SPDX-License-Identifier: MIT
/* volume.h - requests to `volumes` (protocols/volume.def), through the capability that the caller names. Each is
 * repeated when `volumes` dies meanwhile. */
#pragma once

#include "lib/mnos/listener.h"
#include "protocols/volume.h"

/* The volume at an index; MNOS_ERR_END past the last. */
mnos_status_t volume_entry(mnos_cap_t volumes, uint64_t index, struct volume_entry *entry);
mnos_status_t volume_status(mnos_cap_t volumes, struct volume_status *status);
/* A session of the volume that is assigned to this program's service; waits for the disk's driver. */
mnos_status_t volume_mine(mnos_cap_t volumes, mnos_cap_t *session);
/* Assigns a volume to a service by its name; NULL: takes back what it has. */
mnos_status_t volume_assign(mnos_cap_t volumes, const uint8_t id[VOLUME_ID_BYTES],
                            const char *service);
/* To be told of changes: listen_to(volumes, VOLUME_LISTEN, ...). */
