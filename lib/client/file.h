// SPDX-License-Identifier: MIT
/*
 * file.h - files, for programs: protocols/file.def through a capability of a session. Safe to use
 * from several threads.
 *
 *   struct file_session files;
 *   struct file file;
 *
 *   status = file_session_open(&files, bootstrap_cap("files"), 0);
 *   status = file_open(&files, NULL, "notes/today", FILE_CREATE, FILE_WRITE_RIGHT, &file);
 *   status = file_write(&file, 0, text, length, &count);
 *   status = file_close(&file);
 *
 * The session's root is "/" and the beginning of every path; what a link or `..` would reach
 * outside begins there again, as the root is all that this program was given. With FILE_BENEATH it
 * is MNOS_ERR_REST instead. A program that was given the mount table uses struct file_mounts, below.
 *
 * When the service dies, a request waits for its next run and is repeated: once if it has an
 * effect, by the lanes of the protocol. Should the new run know nothing of the session, its files
 * are gone: the request returns MNOS_ERR_LOST, the session begins anew with the next one, and every
 * `struct file` from before is of no use.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "lib/mnos/lock.h"
#include "protocols/file.h"
#include "protocols/label.h"

struct file_mounts;

struct file_session {
    mnos_cap_t service;
    struct file_mounts *mounts; /* over which paths go on; NULL: this session is all there is */
    struct mutex lock;          /* guards the window's first part, and beginning anew */
    uint32_t runs;              /* how often the session has begun */
    bool lost;                  /* the service knows nothing of it, and will not */
    mnos_cap_t window_cap;
    uint8_t *window;
    uint64_t window_wanted, window_bytes, buffers_used;
    uint32_t rights, root_type;
    struct mutex lane_locks[LABEL_LANES];
    uint32_t sequences[LABEL_LANES]; /* each guarded by its lane's lock, as is what follows */
    /* Of the lane's last request that was answered while the service was stopped, which may not have seen it. */
    struct {
        uint32_t sequence, run; /* 0, 0: there was none */
    } stopped[LABEL_LANES];
};

struct file {
    struct file_session *session;
    uint64_t handle;
    uint64_t size; /* when it was opened */
    uint32_t type, rights;
    uint32_t run; /* of the session */
};

/*
 * Several file systems as one tree: `root` is a session of the mount table (protocols/vfs.def), and goes where a
 * session goes. A path that leads to a mount point goes on in what is mounted there, whose root the table hands out
 * once; it is a session of that file system's, and the table is not asked again, for that name neither. What leaves a mounted file system, by
 * `..` or `/`, goes on at the root of all.
 */
#define FILE_MOUNTS_MAX 16u
#define FILE_MOUNT_NAME_BYTES 64u
struct file_mounts {
    struct file_session root;
    struct mutex lock; /* of what follows */
    struct {
        uint64_t inode;                   /* of the mount point; 0: free */
        char name[FILE_MOUNT_NAME_BYTES]; /* in the root; empty: not known yet */
        struct file_session session;
    } mounted[FILE_MOUNTS_MAX];
};

mnos_status_t file_mounts_open(struct file_mounts *mounts, mnos_cap_t table, uint64_t window_bytes);
/* The session of what is mounted at the mount point with that inode. Waits while it is on its way; what the mount table
 * answers when there is none. */
mnos_status_t file_mounts_session(struct file_mounts *mounts, uint64_t inode,
                                  struct file_session **session);

/* `window_bytes` of memory to share with the service; 0: as little as it gives. */
mnos_status_t file_session_open(struct file_session *session, mnos_cap_t service,
                                uint64_t window_bytes);
/* Gives the window back; the capability, and with it the session, is the program's. */
void file_session_close(struct file_session *session);
/* What the session of a capability is; 0: this one. */
mnos_status_t file_session_info(struct file_session *session, mnos_cap_t which,
                                struct file_session_info *info);
/* Memory that needs no further copy when it is read into or written from; it lasts as long as the
 * session does not begin anew. NULL: the window has no more. */
void *file_buffer(struct file_session *session, uint64_t bytes);

/* `directory` is where the path begins; NULL: the root. */
mnos_status_t file_open(struct file_session *session, const struct file *directory,
                        const char *path, uint32_t flags, uint32_t rights, struct file *file);
mnos_status_t file_close(struct file *file);
mnos_status_t file_stat(struct file_session *session, const char *path, uint32_t flags,
                        struct file_attr *attr);
mnos_status_t file_attributes(const struct file *file, struct file_attr *attr);

/* All of `length`, unless the file ends or has no room. */
mnos_status_t file_read(const struct file *file, uint64_t offset, void *bytes, uint64_t length,
                        uint64_t *count);
mnos_status_t file_write(const struct file *file, uint64_t offset, const void *bytes,
                         uint64_t length, uint64_t *count);
/* At most FILE_INLINE_BYTES_MAX, in one piece; *offset: where they begin. */
mnos_status_t file_append(const struct file *file, const void *bytes, uint64_t length,
                          uint64_t *offset);
mnos_status_t file_truncate(const struct file *file, uint64_t size);
mnos_status_t file_sync(const struct file *file);
/* When it was modified last: since 1970 as in struct file_attr, or with FILE_TIME_NOW now. A directory is opened with
 * FILE_WRITE_RIGHT for it. MNOS_ERR_LABEL: this file system takes no times. */
mnos_status_t file_set_time(const struct file *file, uint32_t flags, int64_t modified_ns);

/* Room for bytes of the file, or with FILE_ALLOCATE_PUNCH none: enum file_allocate_flags. MNOS_ERR_FULL, MNOS_ERR_QUOTA:
 * what was set aside up to there stays so. */
mnos_status_t file_allocate(const struct file *file, uint64_t offset, uint64_t bytes,
                            uint32_t flags);
/* *found: the first byte from `offset` on that is data, or in a hole. MNOS_ERR_END: there is no such data. */
mnos_status_t file_seek(const struct file *file, uint64_t offset, enum file_seek_what what,
                        uint64_t *found);
/* Sets `events` at `endpoint`, through a capability with `badge`, when the file or directory has changed, and once at
 * once. When the service ends MNOS_KIND_CLIENT_GONE arrives there with that badge: watch again, and look what is there. */
mnos_status_t file_watch(const struct file *file, mnos_cap_t endpoint, mnos_badge_t badge,
                         uint64_t events);
/* The same, when another session opens what has a name in the directory. */
mnos_status_t file_watch_opens(const struct file *directory, mnos_cap_t endpoint,
                               mnos_badge_t badge, uint64_t events);
/* The lock of an owner on bytes of the file, as LOCK of protocols/file.def says; `handle` is filled in. With FILE_LOCK_WAIT
 * it returns when the lock is set: what other owners do ends the wait. MNOS_ERR_AGAIN: another owner has one that
 * excludes it. */
mnos_status_t file_lock(const struct file *file, const struct file_lock *lock);

mnos_status_t file_make_directory(struct file_session *session, const char *path);
mnos_status_t file_remove_directory(struct file_session *session, const char *path);
mnos_status_t file_unlink(struct file_session *session, const char *path);
mnos_status_t file_link(struct file_session *session, const char *path, const char *new_path);
mnos_status_t file_rename(struct file_session *session, const char *path, const char *new_path);
mnos_status_t file_symlink(struct file_session *session, const char *text, const char *path);
/* *bytes: how long the text is; `size` of it at most are copied. */
mnos_status_t file_read_link(struct file_session *session, const char *path, char *text,
                             uint64_t size, uint64_t *bytes);
mnos_status_t file_space(struct file_session *session, struct file_space *space);
/* What was written before to this file system is safe. */
mnos_status_t file_sync_all(struct file_session *session);

/* The names of an open directory. Zero `cookie` and `count` begin; each call gives one. */
struct file_listing {
    uint64_t cookie;
    uint32_t count, at; /* names left, and where the next is */
    bool end;
    char name[FILE_NAME_BYTES_MAX + 1];
    uint32_t type;
    uint64_t inode;
    uint8_t bytes[4000];
};
/* MNOS_ERR_END: there is none any more. */
mnos_status_t file_next_name(const struct file *directory, struct file_listing *listing);

/* A capability of a new session: what the file or directory is, and nothing above it. */
mnos_status_t file_export(const struct file *file, uint32_t rights, mnos_cap_t *session);
/* The same, charged to another service by its number. Needs FILE_REVOKE; 0: charged to the asker. */
mnos_status_t file_export_for(const struct file *file, uint32_t rights, uint32_t account,
                              mnos_cap_t *session);
/* Closes the session of that capability and all that came from it. */
mnos_status_t file_close_tree(struct file_session *session, mnos_cap_t which);
