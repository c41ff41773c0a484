// SPDX-License-Identifier: MIT
/* mount.h - labels and records of the mount protocol; what they mean is in mount.def. */
#pragma once

#include <stdint.h>

enum mount_label {
#define REQUEST(label, name, class, request, reply, text) MOUNT_##name = (label),
#include "protocols/mount.def"
#undef REQUEST
};

#define MOUNT_VOLUME_BYTES 16

enum mount_state {
    MOUNT_STATE_NONE = 0,
    MOUNT_STATE_MOUNTING = 1,
    MOUNT_STATE_MOUNTED = 2,
    MOUNT_STATE_UNMOUNTING = 3,
    MOUNT_STATE_FAILED = 4,
};

enum mount_flags {
    MOUNT_READ_ONLY = 1, /* nothing is changed on the volume */
};

struct mount_request {
    uint8_t volume[MOUNT_VOLUME_BYTES]; /* struct volume_entry, `id` */
    uint32_t flags;                     /* enum mount_flags */
    uint32_t reserved;
};
_Static_assert(sizeof(struct mount_request) == 24, "it fits the registers");

struct mount_status {
    uint32_t state;  /* enum mount_state */
    uint32_t status; /* why it FAILED: an mnos_status_t */
    uint32_t flags;  /* enum mount_flags, as it is mounted */
    uint32_t reserved;
    uint8_t volume[MOUNT_VOLUME_BYTES];
    char type[16];   /* "ext4", "tmpfs" */
    char label[32];  /* the volume's own name, or empty */
    char reason[64]; /* of FAILED, or of being read-only, for people */
};
_Static_assert(sizeof(struct mount_status) == 144, "shared between programs");
