// SPDX-License-Identifier: MIT
/* vfs.h - the mount table, for programs: protocols/vfs.def. Paths over mounts are lib/client/file.h's. */
#pragma once

#include "abi/types.h"
#include "protocols/vfs.h"

/* The mount at an index; MNOS_ERR_END: past the last. MNOS_ERR_LABEL: the service is no mount table. */
mnos_status_t vfs_mount_at(mnos_cap_t table, uint64_t index, struct vfs_mount *mount);
/* Begins to mount; vfs_mount_at() tells what becomes of it. request->orders need not be set. */
mnos_status_t vfs_mount(mnos_cap_t table, struct vfs_mount_request *request);
/* Returns when it is done. `at` has at most VFS_PATH_BYTES - 1 bytes: MNOS_ERR_SIZE. */
mnos_status_t vfs_umount(mnos_cap_t table, const char *at);
