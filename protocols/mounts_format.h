// SPDX-License-Identifier: MIT
/*
 * mounts_format.h - the compiled mount table, "mounts.bin" of the initial RAM disk: what tools/mkmounts.py makes of
 * the manifest's [mount.NAME] and [types], and the service vfs reads.
 *
 * Little-endian:
 *
 *   struct mounts_header
 *   struct mounts_entry [mount_count]
 *   struct mounts_type  [type_count]
 *
 * Names are NUL-terminated and NUL-padded. What the source may say: docs/manifest.md.
 */
#pragma once

#include <stdint.h>

#include "abi/types.h"
#include "protocols/vfs.h"

#define MOUNTS_MAGIC 0x53544E554F4D4E4Dull
#define MOUNTS_VERSION 1u
#define MOUNTS_TYPES_MAX 16u
#define MOUNTS_TYPE_BYTES 16u
#define MOUNTS_TYPES_OF_MOUNT 4u

struct mounts_header {
    uint64_t magic;
    uint32_t version;
    uint32_t size_bytes; /* of the whole file */
    uint32_t mount_count;
    uint32_t type_count;
};
_Static_assert(sizeof(struct mounts_header) == 24, "written by mkmounts.py");

enum mounts_want {
    MOUNTS_WANT_NOTHING = 0, /* the service has no volume */
    MOUNTS_WANT_FIRST = 1,   /* the first volume that holds one of the types */
    MOUNTS_WANT_VOLUME = 2,  /* the one of this identity */
};

struct mounts_entry {
    char at[VFS_PATH_BYTES];
    char service[MNOS_NAME_BYTES]; /* MOUNTS_WANT_NOTHING; else empty, and the type decides */
    uint32_t want;                 /* enum mounts_want */
    uint32_t flags;                /* enum mount_flags */
    uint8_t volume[MOUNT_VOLUME_BYTES];
    char types[MOUNTS_TYPES_OF_MOUNT][MOUNTS_TYPE_BYTES]; /* empty: none further */
};
_Static_assert(sizeof(struct mounts_entry) == 176, "written by mkmounts.py");

/* Which service mounts a type. */
struct mounts_type {
    char type[MOUNTS_TYPE_BYTES];
    char service[MNOS_NAME_BYTES];
};
_Static_assert(sizeof(struct mounts_type) == 40, "written by mkmounts.py");
