// SPDX-License-Identifier: MIT
/*
 * table.h - the mount table: plain data without pointers, in memory that outlives the process.
 *
 *   ABSENT --volumes have changed, MOUNT--> PROBING --found--> STARTING --> MOUNTED --UMOUNT--> STOPPING --> ABSENT
 *             ^------------not found--------'            '--> FAILED <--'
 *
 * V1  An entry's state is stored before the step that it names is taken, and each step may be repeated: who finds the
 *     table goes on from the states.
 * V2  Mount points and their inodes are different from each other; an inode is never used twice.
 * V3  A service serves one entry that is not ABSENT or FAILED.
 * V4  `orders` counts the orders that an entry has followed; each is followed once, however often it is given.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "protocols/mounts_format.h"

#define VFS_TABLE_MAGIC 0x3145544154534656ull /* "VFSTABL1" */
#define VFS_TABLE_LAYOUT 3u
#define VFS_LOG_BYTES 1024u /* of the undo log: an entry, which is what one order changes */
#define VFS_ROOT_INODE 1u

struct vfs_entry {
    char at[VFS_PATH_BYTES]; /* "/NAME"; empty: this entry is free */
    uint64_t inode;
    uint32_t state;     /* enum vfs_state */
    uint32_t status;    /* why it is ABSENT or FAILED */
    uint32_t want;      /* enum mounts_want */
    uint32_t flags;     /* enum mount_flags, as wanted */
    uint32_t by_order;  /* 1: a command made it, 0: the manifest */
    uint32_t unmounted; /* 1: by order: no volume that comes is mounted here */
    uint32_t orders;
    uint32_t last_order;                /* enum vfs_label: MOUNT or UMOUNT */
    uint64_t order_badge;               /* who gave it */
    uint64_t since_ns;                  /* when it began to be PROBING */
    uint8_t volume[MOUNT_VOLUME_BYTES]; /* that was found or named */
    char service[MNOS_NAME_BYTES];
    char types[MOUNTS_TYPES_OF_MOUNT][MOUNTS_TYPE_BYTES];
    char type[MOUNTS_TYPE_BYTES];
    char reason[64];
};

struct vfs_table {
    uint64_t magic;
    uint32_t layout;
    uint32_t type_count;
    uint64_t next_inode;
    struct vfs_entry entries[VFS_MOUNTS_MAX];
    struct mounts_type types[MOUNTS_TYPES_MAX];
};

/* Makes the table of a compiled one. NULL, or what is wrong with that. */
const char *vfs_table_format(struct vfs_table *table, const void *mounts, size_t bytes);
/* NULL, or which of V2 and V3 does not hold. */
const char *vfs_table_check(const struct vfs_table *table);

/* NULL: there is none. */
struct vfs_entry *vfs_find(struct vfs_table *table, const char *name, size_t bytes);
struct vfs_entry *vfs_find_inode(struct vfs_table *table, uint64_t inode);
/* The name in the root. */
const char *vfs_name(const struct vfs_entry *entry);
/* Whether it is `/` and a name that a directory can have, ended within VFS_PATH_BYTES. */
bool vfs_path_is_good(const char at[VFS_PATH_BYTES]);
/* A new entry, or an unused one of an earlier command; NULL: there is no room. */
struct vfs_entry *vfs_add(struct vfs_table *table, const char *at);
/* What a MOUNT or UMOUNT that names `orders` is to an entry, or to none (NULL). */
enum vfs_order { VFS_ORDER_NEW, VFS_ORDER_AGAIN, VFS_ORDER_LATE };
enum vfs_order vfs_order_of(const struct vfs_entry *entry, uint32_t label, uint32_t orders,
                            uint64_t badge);
/* It is followed, with all that the caller changes in the entry until state_step(), or not at all. */
void vfs_follow(struct vfs_entry *entry, uint32_t label, uint64_t badge);
/* The service that mounts a type; NULL: none does. */
const char *vfs_service_of(const struct vfs_table *table, const char *type);
/* Whether no other entry than `but` has a service, or a volume, for its own now. */
bool vfs_service_is_free(const struct vfs_table *table, const char *service,
                         const struct vfs_entry *but);
bool vfs_volume_is_free(const struct vfs_table *table, const uint8_t volume[MOUNT_VOLUME_BYTES],
                        const struct vfs_entry *but);

/* What happens to an entry, by who can do it: real services, or a model of them in the tests. */
struct vfs_volume {
    uint8_t id[MOUNT_VOLUME_BYTES];
    char type[MOUNTS_TYPE_BYTES];
    char service[MNOS_NAME_BYTES]; /* that is to mount it, and is free for it */
};

/* Returned by begin, look and end, and no status: the answer comes later, by vfs_answered(). */
#define VFS_LATER ((mnos_status_t)0xFFFFFFFE)

struct vfs_world {
    void *context;
    uint64_t (*now_ns)(void *context);
    /* The volume that an entry wants: MNOS_ERR_NOT_FOUND, and *settled when no disk is still being looked at. */
    mnos_status_t (*find)(void *context, const struct vfs_entry *entry, struct vfs_volume *volume,
                          bool *settled);
    /* Starts the service, gives it the volume, and has it begin to mount. Repeatable. */
    mnos_status_t (*begin)(void *context, const struct vfs_entry *entry,
                           struct mount_status *status);
    mnos_status_t (*look)(void *context, const struct vfs_entry *entry,
                          struct mount_status *status);
    mnos_status_t (*end)(void *context, const struct vfs_entry *entry, struct mount_status *status);
};

/* How long a volume is waited for: until all disks were looked at and this long, at most VFS_PROBE_MAX_NS. */
#define VFS_PROBE_NS 10000000000ull
#define VFS_PROBE_MAX_NS 60000000000ull

/* What the file system of an entry has answered to the question of its present state. */
void vfs_answered(const struct vfs_world *world, struct vfs_entry *entry, mnos_status_t status,
                  const struct mount_status *said);
/* Takes the steps that an entry can take now. */
void vfs_go_on(const struct vfs_world *world, struct vfs_entry *entry);
/* The volumes are others than before: an entry that has found none looks again. */
void vfs_volumes_changed(struct vfs_entry *entry);
/* A service may have been started: whether it may be the one that this entry failed for, as it was stopped, and which it is now
 * to be asked of once more. */
bool vfs_peer_started(struct vfs_entry *entry);
/* Whether requests to it wait. */
bool vfs_is_on_its_way(const struct vfs_entry *entry);
