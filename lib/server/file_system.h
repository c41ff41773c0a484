// SPDX-License-Identifier: MIT
/*
 * file_system.h - what a file system does for the server of protocols/file.def: names, inodes and bytes. What
 * sessions may and what a path can name is decided before it is asked (file_server.h, file_resolve.c).
 *
 * A method that meets something that is not in memory sees to it that it comes, says in *waits_for what it waits
 * for, and returns SERVER_PARKED: the request is then put aside, and run again from its beginning when
 * park_wake() names that. So a method may return SERVER_PARKED only as long as it has changed nothing, or
 * when doing it again ends in the same state: truncating, and writing, whose progress the server keeps.
 *
 * Inodes are numbers; 0 is none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/word.h"
#include "lib/server/park.h"
#include "protocols/file.h"

/* Where a name is, or could be. */
struct file_place {
    uint32_t directory; /* 0: the path names the directory itself, as "." or "" do */
    uint32_t inode;     /* that it names; 0: nothing */
    uint64_t entry;     /* the file system's own: where it found the name; 0: nothing has it */
    uint32_t bytes;
    enum file_type type;    /* of the inode, or FILE_TYPE_NONE: not known */
    bool must_be_directory; /* a slash followed */
    const char *text;
    uint64_t word; /* text_word() of the text, or of its first eight bytes */
};

struct file_walk {
    uint32_t root;             /* of the session: nothing above it is named */
    uint32_t start;            /* where the path begins */
    enum file_type start_type; /* its type, or FILE_TYPE_NONE: not known */
    bool no_follow;            /* a link in the last place is what the path names */
    struct file_place place;
    /* With MNOS_ERR_REST: */
    uint32_t reason, links;
    const char *rest;
    uint32_t rest_bytes;
    /* What is left of the path, once a link was followed: it grows towards the front. */
    char text[FILE_PATH_BYTES_MAX];
};

/* A name of a directory, for READDIR. */
struct file_entry {
    uint32_t inode;
    uint16_t bytes;
    uint16_t type; /* enum file_type; FILE_TYPE_NONE: the directory does not say it */
    const char *text;
};

/* Takes a name; false: there is no room, and it is to come first the next time. */
typedef bool file_emit(void *context, const struct file_entry *entry);

/* Pages of a file that follow each other in memory, too. */
struct file_pages {
    mnos_cap_t memory;   /* the file system's own capability, */
    uint64_t first_page; /* in it */
    uint64_t index;      /* of the first one in the file */
    uint32_t count;      /* 0: there is nothing to lend */
};

struct file_methods {
    /* Something has the inode open; or has not any more, and then it may go. Neither fails. */
    void (*hold)(void *fs, uint32_t inode);
    void (*drop)(void *fs, uint32_t inode);

    mnos_status_t (*type)(void *fs, uint32_t inode, enum file_type *type);
    mnos_status_t (*attr)(void *fs, uint32_t inode, struct file_attr *attr);
    /* The size that `attr` says. */
    mnos_status_t (*size)(void *fs, uint32_t inode, uint64_t *size);
    /* Fills in `entry` and `inode` of a place whose directory, text and word say what is looked for; 0: nothing. And `type`:
     * FILE_TYPE_NONE if the file system does not know it by now; then it is asked. */
    mnos_status_t (*look)(void *fs, struct file_place *place);
    /* The directory that a directory is in; 0: it is the root, or was removed. */
    mnos_status_t (*parent)(void *fs, uint32_t directory, uint32_t *parent);
    /* The text of a symbolic link, at most `room` bytes: MNOS_ERR_SIZE. */
    mnos_status_t (*link_text)(void *fs, uint32_t inode, char *to, uint32_t room, uint32_t *bytes);
    /* Gives the names from `cookie` on (0: the first) to `emit`, at most as many as may be looked at at once; *next is
     * where to go on, *end: there is nothing behind it. With SERVER_PARKED what was given does not count. */
    mnos_status_t (*names)(void *fs, uint32_t directory, uint64_t cookie, file_emit *emit,
                           void *context, uint64_t *next, bool *end);

    /* What changes names is charged to an account: the number of the client's service. */
    mnos_status_t (*create)(void *fs, const struct file_place *place, enum file_type type,
                            uint32_t account, uint32_t *inode);
    mnos_status_t (*symlink)(void *fs, const struct file_place *place, const char *text,
                             uint32_t bytes, uint32_t account);
    mnos_status_t (*link)(void *fs, uint32_t inode, const struct file_place *place,
                          uint32_t account);
    mnos_status_t (*unlink)(void *fs, const struct file_place *place);
    mnos_status_t (*rmdir)(void *fs, const struct file_place *place);
    mnos_status_t (*rename)(void *fs, const struct file_place *from, const struct file_place *to,
                            uint32_t account);

    /* As many bytes as are there without waiting, at least one; none: the end of the file. */
    mnos_status_t (*read)(void *fs, uint32_t inode, uint64_t offset, void *to, uint64_t length,
                          uint64_t *count);
    /* As many as there is room for without waiting; an error: none was written. */
    mnos_status_t (*write)(void *fs, uint32_t inode, uint64_t offset, const void *from,
                           uint64_t length, uint64_t *count);
    mnos_status_t (*truncate)(void *fs, uint32_t inode, uint64_t size);

    /* Sets when it was modified last, to what is given or to now; it has changed now. NULL: it takes no times. */
    mnos_status_t (*set_time)(void *fs, uint32_t inode, bool now, int64_t modified_ns);

    /* Sets `found` to the first byte from `offset`, which is in the file, on that is data (or, `hole`, not), or to one
     * behind the end. NULL: all is data. */
    mnos_status_t (*seek)(void *fs, uint32_t inode, uint64_t offset, bool hole, uint64_t *found);
    /* As ALLOCATE says (enum file_allocate_flags), of a range that does not wrap; *done: how many bytes of it, at least
     * one. An error: nothing was done. NULL: it cannot. */
    mnos_status_t (*allocate)(void *fs, uint32_t inode, uint64_t offset, uint64_t length,
                              uint32_t flags, uint64_t *done);

    /* Pages that hold the file's bytes now, the one at `index` among them, at most `most`. They are lent to be read until
     * the server has taken them back, which it does before `truncate` makes the file smaller, before `allocate` punches,
     * and before the last `drop`; nothing else may put other bytes there, or bytes of another file. NULL: none are lent. */
    mnos_status_t (*pages)(void *fs, uint32_t inode, uint64_t index, uint32_t most,
                           struct file_pages *pages);

    mnos_status_t (*space)(void *fs, uint32_t account, struct file_space *space);
    /* What was written of an inode, 0: of all, is as safe as it can become. *ticket is 0 at first, and kept
     * while the request is parked. */
    mnos_status_t (*sync)(void *fs, uint32_t inode, uint64_t *ticket);
    /* How often bytes of an inode that is open could not be written, modulo 2^16: each open file is told of it by its next
     * FSYNC. NULL: never, or `sync` says so. */
    uint16_t (*failures)(void *fs, uint32_t inode);
    /* Whether requests are served now: MNOS_OK; NULL: always. */
    mnos_status_t (*ready)(void *fs);

    /* Both begin and return at once; file_server_mounted() tells how it ended, perhaps before. An error: nothing has
     * begun. NULL: there is no volume, and it is mounted from the start to the end. */
    mnos_status_t (*mount)(void *fs, const uint8_t volume[16], uint32_t flags);
    mnos_status_t (*unmount)(void *fs);
};

struct file_system {
    const struct file_methods *methods;
    void *fs;
    uint32_t root;
    /* With SERVER_PARKED: what is waited for, as park_wake() will name it. */
    uint64_t waits_for;
};

/* Looks a path up. The text has to stay as long as the place is used. */
mnos_status_t file_resolve(struct file_system *system, struct file_walk *walk, const char *path,
                           uint32_t bytes);
/* Whether walking up from a directory meets `root` within 256 steps. */
mnos_status_t file_is_below(struct file_system *system, uint32_t root, uint32_t directory,
                            bool *below);
