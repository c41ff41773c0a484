// SPDX-License-Identifier: MIT
/* model.h - a file system in memory that does what the core should do. */
#pragma once

#include "tests/ext4/host.h"

enum { MODEL_NODES = 4096, MODEL_BYTES_MAX = 400000 };

enum model_type { MODEL_FREE, MODEL_FILE, MODEL_DIRECTORY, MODEL_LINK };

struct model_name {
    char *text;
    uint32_t node;
};

struct model_node {
    enum model_type type;
    uint32_t inode; /* of the file system under test */
    uint32_t parent, links, open;
    uint32_t size, written; /* bytes; the operation that wrote last */
    uint8_t *bytes;
    char *target;
    struct model_name *names;
    uint32_t name_count, name_room;
};

/* What the tree was when something became durable. */
struct model_mark {
    uint32_t events;    /* of the disk's log before which it was not yet so */
    uint32_t operation; /* the last one in it */
    struct host_tree tree;
};

struct model {
    struct host *host;
    struct model_node nodes[MODEL_NODES];
    uint32_t root, operation;
    uint32_t open[8], open_count; /* files that are held open, with or without names */
    bool marks_wanted;
    struct model_mark *marks;
    uint32_t mark_count;
    uint32_t done[16]; /* how often each kind of operation succeeded */
};

uint32_t model_pick(struct model *m, uint32_t below);
void model_expect(struct model *m, const char *what, mnos_status_t got, mnos_status_t wanted);
uint32_t model_node_new(struct model *m, enum model_type type, uint32_t parent, uint32_t inode);
/* When it has neither names nor openings any more. */
void model_node_drop(struct model *m, uint32_t number);
struct model_name *model_name_find(struct model *m, uint32_t directory, const char *text);
void model_name_add(struct model *m, uint32_t directory, const char *text, uint32_t child);
void model_name_remove(struct model *m, uint32_t directory, struct model_name *name);
/* All that has happened is durable now. */
void model_mark(struct model *m);

void model_begin(struct model *m, struct host *h);
void model_step(struct model *m);
/* Compares the whole of both. */
void model_check(struct model *m);
void model_close_all(struct model *m);
void model_list(const struct model *m, struct host_tree *tree);
void model_end(struct model *m);
