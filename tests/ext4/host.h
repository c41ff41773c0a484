// SPDX-License-Identifier: MIT
/*
 * host.h - the ext4 core on this machine: a disk that is an image in memory, and files on it as the service has them.
 *
 * The disk answers at once, or, with a seed, late and in any order. It logs each write and each flush, so that a power
 * cut can be tried behind each of them.
 */
#pragma once

#include <stdio.h>

#include "services/fs/ext4/ext4.h"

enum { HOST_SLOTS = 512, HOST_PENDING_MAX = 4096, HOST_QUEUE_MAX = 4096, HOST_VISITORS = 8 };

enum host_event_kind { HOST_WRITE, HOST_DURABLE, HOST_FLUSH };

/* The steps of a commit (docs/ext4.md): data of files; descriptors, copies and revokes; the flush; the commit block; and
 * what comes behind it, the answer and checkpoints. */
enum { HOST_STEP_DATA = 1, HOST_STEP_COPIES, HOST_STEP_FLUSH, HOST_STEP_BLOCK, HOST_STEP_AFTER };

struct host_event {
    enum host_event_kind kind;
    unsigned step; /* that it belongs to */
    uint64_t offset;
    uint32_t bytes;
    uint8_t *data;
};

struct host_request {
    bool write, flush, durable;
    uint32_t slot;
    uint64_t block;
};

/* Data of a file that waits to be written, as a dirty page does. */
struct host_page {
    uint64_t block;
    uint8_t *data;
};

#define HOST_CLOCK_NS 1700000000000000000ull /* some day in November 2023 */

/* An operation of somebody else, which may be waiting. */
struct host_visitor {
    struct ext4_op op;
    uint32_t kind;
    bool waits;
};

struct host {
    uint8_t *image;
    uint64_t image_bytes;
    bool mapped; /* the image is a private mapping of its file */
    bool late;
    uint64_t random;
    struct host_request queue[HOST_QUEUE_MAX];
    uint32_t queued;
    bool logs;
    struct host_event *events;
    uint32_t event_count, event_room;
    struct host_page pages[HOST_PENDING_MAX];
    uint32_t page_count;
    uint64_t now_ns;
    uint8_t *region; /* with the undo log and the core's memory */
    size_t region_bytes;
    struct state log;
    struct ext4_memory memory;
    struct ext4_fs *fs;
    void (*moment)(struct host *h); /* a death may come here; NULL: nobody looks */
    struct ext4_op op;
    struct host_visitor visitors[HOST_VISITORS];
    bool has_visitors;
    bool going, quiet;
    bool hostile; /* the image is damaged: only that nothing breaks is looked at */
    mnos_status_t status;
    uint64_t again;      /* how often an operation had to be run again */
    uint32_t fail_after; /* writes that succeed before one fails; 0: all */
};

/* Runs an operation until it has an end, which is in h->status. */
#define HOST_RUN(h, call) for (host_begin(h); (h)->going; host_end(h, call))

_Noreturn void host_fail(const char *format, ...);
uint32_t host_random(struct host *h, uint32_t below);

/* ---- The disk ---- */

void host_load(struct host *h, const char *path, uint32_t slots);
void host_save(const struct host *h, const char *path);
void host_open(struct host *h, uint8_t *image, uint64_t bytes, uint32_t slots);
void host_close(struct host *h);
/* Another run finds the memory of one that died: at other addresses, with some of what the disk was doing done. */
void host_take_over(struct host *h, const struct host *dead, uint64_t seed);
mnos_status_t host_mount(struct host *h, bool read_only);
mnos_status_t host_unmount(struct host *h);
/* Everything is durable afterwards. */
mnos_status_t host_sync(struct host *h);
void host_write_pages(struct host *h);

void host_begin(struct host *h);
void host_end(struct host *h, mnos_status_t status);
/* The core gets slots more, once. */
void host_grow(struct host *h);
/* One thing that was waited for happens. */
void host_step(struct host *h, uint32_t waits_for);

/* ---- visitors.c ---- */

void host_visit(struct host *h);
void host_visitors_leave(struct host *h);

/* ---- Files ---- */

mnos_status_t host_read(struct host *h, uint32_t inode, uint64_t offset, uint8_t *bytes,
                        uint64_t count);
mnos_status_t host_write(struct host *h, uint32_t inode, uint64_t offset, const uint8_t *bytes,
                         uint64_t count);
mnos_status_t host_truncate(struct host *h, uint32_t inode, uint64_t size);
mnos_status_t host_release(struct host *h, uint32_t inode);
mnos_status_t host_walk(struct host *h, const char *path, uint32_t *inode);
uint32_t host_crc(uint32_t crc, const uint8_t *bytes, size_t count);

/* Each name below the root, in order of the text: "PATH TYPE SIZE CRC", the target of links in place of the sum. */
struct host_line {
    char *text;
    uint32_t inode;
};
struct host_tree {
    struct host_line *lines;
    uint32_t count, room;
};

mnos_status_t host_list(struct host *h, struct host_tree *tree);
void host_tree_add(struct host_tree *tree, uint32_t inode, const char *format, ...);
void host_tree_sort(struct host_tree *tree);
void host_tree_free(struct host_tree *tree);

/* ---- scenes.c ---- */

/* So many files in one directory; the half of them goes, or all of them and the directory. */
void scene_many(struct host *h, uint32_t count, bool keep);
/* Whatever image it is: whether it is mounted is said, and then it is read and written to. */
void scene_foreign(struct host *h);
/* Images with changed bytes: mounted, read and written to. */
void scene_damage(const struct host *h, uint64_t seed, uint32_t count);
/* Writing fails from some write on: it becomes read-only, and the image is as after a power cut. */
void scene_fail(struct host *h, uint32_t writes);
/* A file is deleted while it is being cut, with another one before it on the list of orphans. */
void scene_cut(struct host *h);
/* Symbolic links whose texts begin as the journal's own blocks do; nothing is unmounted. */
void scene_magic(struct host *h, uint32_t count);
/* One of them: what differs from the image is `changes`, records of four bytes of place and one of value. */
void scene_damaged(const uint8_t *image, uint64_t bytes, const uint8_t *changes, size_t count);

/* ---- model.c ---- */

/* Random operations on the file system and on a model in memory, compared. */
void model_random(struct host *h, uint64_t seed, uint32_t operations);
/* The same, then the power is cut behind writes of the log; what is left is mounted and compared. Images of `keep` of
 * them are put into a folder, for e2fsck. */
void model_cut(struct host *h, uint64_t seed, uint32_t operations, uint32_t cuts, uint32_t keep,
               const char *folder);

/* ---- moments.c ---- */

/* The same, and at each `every`th moment of an operation or of a commit another run takes over and goes on. */
void model_die(struct host *h, uint64_t seed, uint32_t operations, uint32_t every, uint32_t keep,
               const char *folder);
