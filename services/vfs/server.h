// SPDX-License-Identifier: MIT
/*
 * server.h - the process: the requests of vfs.def, those of file.def for the root, and the file systems.
 *
 * The root has no state: it is one directory, whoever asks, with one handle, and nothing of it can be changed. So a
 * new run of this service answers what the one before would have answered, and its clients notice nothing. What is kept
 * beside the mount table are the badges of exported roots, so that no client has more of them than its share.
 */
#pragma once

#include "lib/mnos/ipc.h"
#include "protocols/manager.h"
#include "services/vfs/asker.h"

#define VFS_PARKED_MAX 64u
#define VFS_PARKED_SHARE 4u /* of one client: 1/4 */

/*
 * Badges that this service mints have VFS_BADGE_EXPORTED set. Each is used once, also over runs of the service: the end of
 * one that is replaced must not be taken for the end of its successor. As nothing is kept about an exported root, its
 * badge says what it may, and in the low 16 bits, as a badge of the service manager's, which service is charged for what
 * is made through it.
 */
#define VFS_BADGE_EXPORTED (1ull << 63)
#define VFS_BADGE_READ (1ull << 62) /* FILE_READ_RIGHT; else FILE_LOOKUP alone */
#define VFS_BADGE_ACCOUNT 0xFFFFull
#define VFS_BADGE_NUMBER_SHIFT 16
#define VFS_BADGE_NUMBER_BITS 46 /* microseconds since boot for two years */
#define VFS_ROOT_RIGHTS (FILE_LOOKUP | FILE_READ_RIGHT)
/* Exported roots at a time, as the manifest has `exports` of this service; and of one client 1/4. */
#define VFS_ROOTS_MAX 64u
#define VFS_ROOTS_SHARE 4u
/* At the endpoint; below them: of the entry of that number. */
#define VFS_EVENT_VOLUMES (1ull << VFS_MOUNTS_MAX)
#define VFS_EVENT_ANSWERED (1ull << (VFS_MOUNTS_MAX + 1)) /* to an asker */

/* Behind the table, in memory that outlives the process. */
struct vfs_roots {
    mnos_badge_t badges[VFS_ROOTS_MAX]; /* 0: free */
};

/* A request that waits for an entry. */
struct vfs_parked {
    uint64_t reply_id; /* 0: free */
    mnos_badge_t badge;
    uint64_t inode;
    uint32_t label; /* VFS_ROOT or VFS_UMOUNT */
    bool exporting; /* the asker of the entry is at it */
    bool lost;      /* a run of the file system did not know the session, once */
};

struct vfs {
    mnos_cap_t endpoint;
    struct vfs_table *table;
    struct vfs_roots *roots;
    struct vfs_world world;
    struct asker askers[VFS_MOUNTS_MAX]; /* by entry, as the next two */
    bool asked[VFS_MOUNTS_MAX];          /* it was asked to mount, and will tell */
    bool again[VFS_MOUNTS_MAX];          /* a step waits until the asker is idle */
    struct vfs_parked parked[VFS_PARKED_MAX];
    mnos_badge_t volumes_listen; /* of the capability by which the volumes tell; 0: there is none */
    bool volumes_stopped;
    _Atomic uint64_t next_number; /* of badges */
    int64_t date_ns;              /* of the root: when the machine was started */
    char request[MNOS_MESSAGE_MAX_BYTES];
    char reply[MNOS_MESSAGE_MAX_BYTES];
};

/* A badge that was never used, with what `bits` say of VFS_BADGE_READ and VFS_BADGE_ACCOUNT. */
static inline mnos_badge_t vfs_new_badge(struct vfs *vfs, uint64_t bits)
{
    uint64_t number = vfs->next_number++ & ((1ull << VFS_BADGE_NUMBER_BITS) - 1);

    return VFS_BADGE_EXPORTED | number << VFS_BADGE_NUMBER_SHIFT | bits;
}

/* What the holder of a capability for the root may do with it. */
static inline uint32_t vfs_rights_of(mnos_badge_t badge)
{
    return (badge & VFS_BADGE_EXPORTED) != 0 && (badge & VFS_BADGE_READ) == 0 ? FILE_LOOKUP
                                                                              : VFS_ROOT_RIGHTS;
}

/* Returned instead of a status: the reply was given, or will be. */
#define VFS_ASIDE ((mnos_status_t)0xFFFFFFFF)

/* ---- root.c ---- */

/* A request of file.def about the root; makes the message its reply. */
mnos_status_t root_handle(struct vfs *vfs, struct message *message);

/* ---- roots.c ---- */

/* A place for a badge that is minted next; it is the caller's to clear when it is not. NULL: the share of the client that the
 * badge names, or all, are taken. */
mnos_badge_t *roots_take(struct vfs *vfs, mnos_badge_t badge);
/* A client's badge has gone, or (0) some may have. */
void roots_gone(struct vfs *vfs, mnos_badge_t gone);

/* ---- requests.c ---- */

mnos_status_t requests_handle(struct vfs *vfs, struct message *message);
/* Answers what waited for an entry that is not on its way any more. */
void requests_go_on(struct vfs *vfs);
/* The root of what is mounted at an entry was exported, or could not be. */
void requests_exported(struct vfs *vfs, struct vfs_entry *entry, const struct asker_answer *answer);
void requests_forget(struct vfs *vfs, mnos_badge_t badge);

/* ---- world.c ---- */

void world_init(struct vfs *vfs);
/* An event of a file system or of the volumes, or the end of one that would have sent it. */
void world_told(struct vfs *vfs, uint64_t events);
void world_gone(struct vfs *vfs, mnos_badge_t badge);
/* All that can go on goes on. */
void world_go_on(struct vfs *vfs);
