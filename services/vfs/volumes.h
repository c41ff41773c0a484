// SPDX-License-Identifier: MIT
/* volumes.h - what the mount table asks the service of volumes (protocols/volume.def), by the capability "volumes". */
#pragma once

#include "services/vfs/server.h"

/* Has it send an event when the volumes are others; nothing, when there is no such service or it does so already. */
void volumes_listen(struct vfs *vfs);
/* As find() of struct vfs_world. */
mnos_status_t volumes_find(struct vfs *vfs, const struct vfs_entry *entry,
                           struct vfs_volume *volume, bool *settled);
/* From now on the entry's service, and no other, may have its volume. */
mnos_status_t volumes_assign(const struct vfs_entry *entry);
/* It may not any more. */
void volumes_take_back(const struct vfs_entry *entry);
