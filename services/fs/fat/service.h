// SPDX-License-Identifier: MIT
/*
 * service.h - FAT and exFAT as lib/server/file_server.h asks for them: what the files of the service share. The
 * formats are FatFs' (third_party/oofatfs/port.h); here are the pages of the volume, what is open, and what is
 * written when. All but main.c runs on the host as well.
 *
 * One thread. An operation that needs the disk waits in its middle (server_loop_meanwhile()); other requests run
 * when it has ended.
 */
#pragma once

#include "lib/server/file_server.h"
#include "services/fs/fat/volume_cache.h"
#include "services/fs/fat/time.h"
#include "third_party/oofatfs/port.h"

#define FAT_ROOT 1u
#define NODES_MAX 2048u
#define NODE_BUCKETS 1024u
/* What was changed is written so long after the first change, when nobody asks before. */
#define FAT_COMMIT_NS 5000000000ull
/* Zeros that one request writes at once behind the end of a file; then others have their turn. */
#define FAT_ZEROS_AT_ONCE (1u << 20)
#define FAT_SIZE_MAX UINT32_MAX /* of a file of FAT12, FAT16 and FAT32 */

/* What a parked request waits for. */
enum fat_key { KEY_NEXT_ROUND = 1 };

enum fat_state { FAT_NONE, FAT_MOUNTING, FAT_MOUNTED, FAT_UNMOUNTING, FAT_FAILED };

/*
 * A file or directory that is open, has something open below it, or was looked at lately; or, `gone`, clusters that
 * are nobody's any more and are freed by the next commit.
 *
 * N1  A node that is not gone is found by its directory and entry; no two have the same.
 * N2  `children` is the number of nodes whose directory it is, and `holds` that of handles and sessions.
 */
struct fat_node {
    struct fatfs_object object;
    uint32_t directory; /* node; 0: the root, or a node that is gone */
    uint32_t next;      /* in the bucket, or of the free ones */
    uint32_t holds, children;
    uint64_t generation;
    uint32_t request; /* that looked at it last */
    bool used, gone;
    bool dirty; /* its entry does not say what it says */
};

/*
 * What outlives the process beside the sessions (takeover.c): what is mounted, who has changed something since the last
 * commit, where the entries of nodes are, and locks. All but these is stored as it comes, without the undo log.
 *
 * K1  The place of a node that is `known` is where its entry is on the medium, as the last commit has left it, and nothing
 *     of the file or directory has changed since.
 * K2  A session that has had something changed since the last commit is `changed`, before that is answered.
 */
struct fat_kept {
    bool mounted, asked_read_only;
    bool in_request; /* one that needs the volume */
    /* Where a rename has put an entry, from before the old one goes until the request is answered: it commits itself, and
     * who asks again behind a death finds the old name gone. */
    struct {
        bool is_one;
        uint32_t directory_cluster, entry;
    } renamed;
    uint64_t disk_bytes;
    uint64_t next_generation; /* of nodes: none that a client knows is used again */
    struct mount_status mount;
    struct file_locks locks; /* by the undo log */
    bool changed[FILE_SERVER_SESSIONS + 1];
    struct fat_kept_node {
        bool known;
        uint32_t directory;   /* node */
        uint32_t entry, from; /* the last of its entries, and the first */
        uint64_t generation;
    } nodes[NODES_MAX + 1];
};

struct fat_service {
    struct file_server *files;
    struct fat_kept *kept;
    bool request_changed; /* the request that runs has changed something, */
    bool request_renamed; /* or what kept->renamed says */
    const struct fat_disk *disk;
    struct volume_cache cache;
    struct fatfs_disk port;
    uint8_t *memory; /* pages that the disk reaches */
    uint32_t pages;
    void *table; /* volume_cache_table_bytes(pages) */
    uint64_t disk_bytes;
    uint32_t disk_sector_bytes;

    uint64_t tick_ns; /* since boot, of this pass */
    /* As protocols/file.h says; asked when something is dated. */
    uint64_t (*date_ns)(uint64_t tick_ns);
    enum fat_state state;
    mnos_status_t failure;
    char reason[64]; /* of FAILED, or of being read-only */
    bool asked_read_only, read_only;
    bool found_marked;  /* it was not let go of in an orderly way: the mark stays */
    bool marked;        /* by this run */
    uint64_t commit_ns; /* when the next commit is due; 0: nothing has changed */
    void (*state_changed)(struct fat_service *service);
    void (*say)(const char *text);

    struct fat_node nodes[NODES_MAX + 1];
    uint32_t buckets[NODE_BUCKETS];
    uint32_t free_node, hand;
    uint32_t gone_count; /* nodes that wait to be freed */
    uint64_t next_generation;
    uint32_t request; /* serial */
};

extern const struct file_methods fat_methods;

/* ---- volume.c: the whole ---- */

/* `files` is the server that has `fat_methods` with this service. `kept` is of an earlier run, or zeros. */
void fat_service_init(struct fat_service *service, struct file_server *files,
                      const struct fat_disk *disk, struct fat_kept *kept);
/* Begins; `state_changed` is called when it is done, from fat_service_round(). */
void fat_service_mount(struct fat_service *service, uint32_t sector_bytes, uint64_t disk_bytes,
                       bool read_only);
void fat_service_unmount(struct fat_service *service);
/* The same volume again, in a run behind one that died: mounts, in this call. False: it cannot be. */
bool fat_service_mount_again(struct fat_service *service, uint32_t sector_bytes,
                             uint64_t disk_bytes);
/* After each message, event or deadline: mounts, unmounts, or commits, as is due. Waits for the disk. */
void fat_service_round(struct fat_service *service);
uint64_t fat_service_deadline_ns(const struct fat_service *service);
/* NULL, or which invariant does not hold. */
const char *fat_service_check(struct fat_service *service);

/* ---- What the files of the service share ---- */

/* Something was changed: it will be committed. */
void volume_changed(struct fat_service *service);
/* All that was changed is on the medium when it returns, in the order that docs/fat.md gives. */
mnos_status_t volume_commit(struct fat_service *service);
/* Whether changes are allowed. */
mnos_status_t volume_writable(const struct fat_service *service);
mnos_status_t fat_status(enum fatfs_result result);

/* node.c */
void node_init(struct fat_service *service);
struct fat_node *node_of(struct fat_service *service, uint32_t number);
uint32_t node_number(const struct fat_service *service, const struct fat_node *node);
/* The node of an entry; made, if there is none. MNOS_ERR_QUOTA: all are in use. */
mnos_status_t node_get(struct fat_service *service, uint32_t directory,
                       const struct fatfs_object *object, struct fat_node **node);
/* It has another place. */
void node_move(struct fat_service *service, struct fat_node *node, uint32_t directory,
               const struct fatfs_object *place);
/* It has no entry any more: it goes when nobody has it open, and then its clusters. */
void node_gone(struct fat_service *service, struct fat_node *node);
/* In a run that goes on: a node of that number; one that has no entry any more; and the others are free. */
void node_restore(struct fat_service *service, uint32_t number, uint32_t directory,
                  const struct fatfs_object *object, uint64_t generation);
void node_restore_gone(struct fat_service *service, uint32_t number);
void node_restored(struct fat_service *service);
/* Clusters that were a file's. */
mnos_status_t node_for_clusters(struct fat_service *service, const struct fatfs_object *object);
/* Frees the clusters of nodes that are gone and not open. */
mnos_status_t node_free_gone(struct fat_service *service);
/* Entries of all nodes say what the nodes say. MNOS_ERR_FORMAT: all but such whose directory is damaged. */
mnos_status_t node_update_all(struct fat_service *service);
void node_hold(void *context, uint32_t number);
void node_drop(void *context, uint32_t number);
const char *node_check(struct fat_service *service);

/* takeover.c */
/* The node's entry is where it says, on the medium. */
void kept_know(struct fat_service *service, const struct fat_node *node);
/* Something of it is not as the medium says. */
void kept_forget(struct fat_service *service, const struct fat_node *node);
/* All that was changed is on the medium. */
void kept_commit(struct fat_service *service);
/* A rename has put its entry there, and the old one goes now. */
void kept_note_renamed(struct fat_service *service, const struct fatfs_object *place);
/* Whether it is what the last run has done and not answered. */
bool kept_was_renamed(const struct fat_service *service, const struct file_place *from,
                      const struct file_place *to);
/* The request that ran has changed what request_changed says. */
void kept_ran(void *context, const struct server_request *request);
/* In a run that finds the sessions of one that died, behind mounting and file_server_recover(): those that had changed
 * nothing since the last commit go on, with what they have open where it was; the others have lost it. With `all`, when
 * nothing is mounted or nothing is to be trusted, that is all of them. Returns how many have lost something. */
unsigned kept_take_over(struct fat_service *service, bool all);

/* bytes.c */
mnos_status_t fat_read(void *context, uint32_t inode, uint64_t offset, void *to, uint64_t length,
                       uint64_t *count);
mnos_status_t fat_write(void *context, uint32_t inode, uint64_t offset, const void *from,
                        uint64_t length, uint64_t *count);
mnos_status_t fat_truncate(void *context, uint32_t inode, uint64_t size);
mnos_status_t fat_set_time(void *context, uint32_t inode, bool now, int64_t modified_ns);

/* names.c */
mnos_status_t fat_look(void *context, struct file_place *place);
mnos_status_t fat_create(void *context, const struct file_place *place, enum file_type type,
                         uint32_t account, uint32_t *inode);
mnos_status_t fat_unlink(void *context, const struct file_place *place);
mnos_status_t fat_rmdir(void *context, const struct file_place *place);
mnos_status_t fat_rename(void *context, const struct file_place *from, const struct file_place *to,
                         uint32_t account);
