// SPDX-License-Identifier: MIT
/* vfs.h - labels and records of the mount table; what they mean is in vfs.def. */
#pragma once

#include <stdint.h>

#include "abi/types.h"
#include "protocols/mount.h"

enum vfs_label {
#define REQUEST(label, name, class, request, reply, text) VFS_##name = (label),
#include "protocols/vfs.def"
#undef REQUEST
};

#define VFS_MOUNTS_MAX 16u
#define VFS_PATH_BYTES 64u /* of a mount point: '/', a name, and the end */

enum vfs_state {
    VFS_ABSENT = 0,   /* no volume is wanted, or it was unmounted */
    VFS_PROBING = 1,  /* its volume is looked for */
    VFS_STARTING = 2, /* the service is started, and mounts it */
    VFS_MOUNTED = 3,
    VFS_STOPPING = 4,
    VFS_FAILED = 5,
};

struct vfs_point {
    uint64_t inode; /* of the mount point, struct file_rest */
};

struct vfs_index {
    uint64_t index;
};

/*
 * An order names the state that it is given for by the number of orders that the mount point has followed so far, as
 * LIST told it: 0 where there is none of that name. So one that is made again after a long wait, or after the death of
 * the service, is known as the same, and one that another has overtaken is refused.
 */
struct vfs_umount_request {
    char at[VFS_PATH_BYTES];
    uint32_t orders;
    uint32_t reserved;
};

struct vfs_mount_request {
    char at[VFS_PATH_BYTES];
    uint8_t volume[MOUNT_VOLUME_BYTES]; /* all 0: what was mounted there */
    uint32_t flags;                     /* enum mount_flags */
    uint32_t orders;
};
_Static_assert(sizeof(struct vfs_mount_request) == 88, "shared between programs");

struct vfs_mount {
    char at[VFS_PATH_BYTES];
    uint64_t inode;
    uint32_t state;                     /* enum vfs_state */
    uint32_t status;                    /* why it is ABSENT or FAILED: an mnos_status_t */
    uint32_t flags;                     /* enum mount_flags */
    uint32_t orders;                    /* how many it has followed */
    uint8_t volume[MOUNT_VOLUME_BYTES]; /* all 0: none */
    char service[MNOS_NAME_BYTES];      /* that serves it */
    char type[16];
    char reason[64]; /* why, for people; empty: nothing is wrong */
};
_Static_assert(sizeof(struct vfs_mount) == 64 + 8 + 16 + 16 + MNOS_NAME_BYTES + 16 + 64,
               "shared between programs");
