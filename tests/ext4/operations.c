// SPDX-License-Identifier: MIT
/* operations - one at random, done by the core and by the model: see model.h. */
#define _GNU_SOURCE /* strdup() */
#include <stdlib.h>
#include <string.h>

#include "tests/ext4/model.h"

enum { NAMES = 60, OPEN_MAX = 8 };

/* What the model says of the last name that is gone, and what follows from it. */
static void gone(struct model *m, uint32_t node, uint32_t inode)
{
    bool last = m->nodes[node].links == 0;

    if (inode != (last ? m->nodes[node].inode : 0))
        host_fail("operation %u: gone is %u", m->operation, inode);
    if (last && m->nodes[node].open == 0)
        model_expect(m, "release", host_release(m->host, inode), MNOS_OK);
    model_node_drop(m, node);
}

static uint32_t any_node(struct model *m, enum model_type type)
{
    uint32_t first = model_pick(m, MODEL_NODES);

    for (uint32_t i = 0; i < MODEL_NODES; i++) {
        uint32_t at = (first + i) % MODEL_NODES;

        if (m->nodes[at].type == type && m->nodes[at].links != 0)
            return at;
    }
    return 0;
}

static void any_name(struct model *m, char *text)
{
    uint32_t number = model_pick(m, NAMES);

    snprintf(text, 300, "n%u", number);
    if (number % 4 == 0)
        snprintf(text, 300, "name-%u-%.*s", number, (int)(number * 4 % 200),
                 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhi"
                 "iiiiiiiii"
                 "jjjjjjjjjjkkkkkkkkkkllllllllllmmmmmmmmmmnnnnnnnnnnoooooooooopppppppppp");
}

/* ---- Operations ---- */

static void make(struct model *m, enum model_type type)
{
    uint32_t directory = any_node(m, MODEL_DIRECTORY), inode = 0, bytes, node;
    struct host *h = m->host;
    char text[300], target[1000];
    bool there;

    any_name(m, text);
    bytes = (uint32_t)strlen(text);
    there = model_name_find(m, directory, text) != NULL;
    memset(target, 't', sizeof target);
    target[model_pick(m, 2) == 0 ? 1 + model_pick(m, 80) : 1 + model_pick(m, 900)] = '\0';
    if (type == MODEL_FILE)
        HOST_RUN(h, ext4_create(&h->op, m->nodes[directory].inode, text, bytes, 0644, &inode));
    else if (type == MODEL_DIRECTORY)
        HOST_RUN(h, ext4_mkdir(&h->op, m->nodes[directory].inode, text, bytes, 0755, &inode));
    else
        HOST_RUN(h, ext4_symlink(&h->op, m->nodes[directory].inode, text, bytes, target,
                                 (uint32_t)strlen(target), &inode));
    if (h->status == MNOS_ERR_FULL && !there)
        return;
    model_expect(m, "make", h->status, there ? MNOS_ERR_EXISTS : MNOS_OK);
    if (there)
        return;
    node = model_node_new(m, type, directory, inode);
    if (type == MODEL_LINK)
        m->nodes[node].target = strdup(target);
    model_name_add(m, directory, text, node);
    m->done[type]++;
}

static void link_file(struct model *m)
{
    uint32_t directory = any_node(m, MODEL_DIRECTORY), file = any_node(m, MODEL_FILE);
    struct host *h = m->host;
    char text[300];
    bool there;

    if (file == 0)
        return;
    any_name(m, text);
    there = model_name_find(m, directory, text) != NULL;
    HOST_RUN(h, ext4_link(&h->op, m->nodes[file].inode, m->nodes[directory].inode, text,
                          (uint32_t)strlen(text)));
    if (h->status == MNOS_ERR_FULL && !there)
        return;
    model_expect(m, "link", h->status, there ? MNOS_ERR_EXISTS : MNOS_OK);
    if (!there)
        model_name_add(m, directory, text, file);
}

/* A name of a directory, if it has any. */
static struct model_name *any_child(struct model *m, uint32_t directory)
{
    struct model_node *node = &m->nodes[directory];

    return node->name_count == 0 ? NULL : &node->names[model_pick(m, node->name_count)];
}

static void remove_name(struct model *m)
{
    uint32_t directory = any_node(m, MODEL_DIRECTORY), inode = 0, node;
    struct model_name *name = any_child(m, directory);
    struct host *h = m->host;
    mnos_status_t wanted = MNOS_OK;

    if (name == NULL)
        return;
    node = name->node;
    if (m->nodes[node].type == MODEL_DIRECTORY) {
        if (m->nodes[node].name_count != 0)
            wanted = MNOS_ERR_NOT_EMPTY;
        HOST_RUN(h, ext4_rmdir(&h->op, m->nodes[directory].inode, name->text,
                               (uint32_t)strlen(name->text), &inode));
    } else {
        HOST_RUN(h, ext4_unlink(&h->op, m->nodes[directory].inode, name->text,
                                (uint32_t)strlen(name->text), &inode));
    }
    model_expect(m, "remove", h->status, wanted);
    if (wanted != MNOS_OK)
        return;
    model_name_remove(m, directory, name);
    gone(m, node, inode);
    m->done[4]++;
}

static bool is_below(const struct model *m, uint32_t node, uint32_t above)
{
    while (node != above && node != m->root)
        node = m->nodes[node].parent;
    return node == above;
}

static mnos_status_t rename_wanted(const struct model *m, uint32_t moved, uint32_t to,
                                   const struct model_name *there)
{
    bool directory = m->nodes[moved].type == MODEL_DIRECTORY;

    if (directory && is_below(m, to, moved))
        return MNOS_ERR_ARGUMENT;
    if (there == NULL || there->node == moved)
        return MNOS_OK;
    if (directory != (m->nodes[there->node].type == MODEL_DIRECTORY))
        return directory ? MNOS_ERR_NOT_DIRECTORY : MNOS_ERR_DIRECTORY;
    return directory && m->nodes[there->node].name_count != 0 ? MNOS_ERR_NOT_EMPTY : MNOS_OK;
}

static void rename_name(struct model *m)
{
    uint32_t from = any_node(m, MODEL_DIRECTORY), to = any_node(m, MODEL_DIRECTORY), inode = 0;
    struct model_name *name = any_child(m, from), *there;
    struct host *h = m->host;
    struct ext4_place old, new;
    uint32_t moved, replaced = 0;
    char text[300], old_text[300];
    mnos_status_t wanted;

    if (name == NULL)
        return;
    any_name(m, text);
    snprintf(old_text, sizeof old_text, "%s", name->text);
    moved = name->node;
    there = model_name_find(m, to, text);
    wanted = rename_wanted(m, moved, to, there);
    old = (struct ext4_place){m->nodes[from].inode, old_text, (uint32_t)strlen(old_text)};
    new = (struct ext4_place){m->nodes[to].inode, text, (uint32_t)strlen(text)};
    HOST_RUN(h, ext4_rename(&h->op, &old, &new, &inode));
    if (h->status == MNOS_ERR_FULL && wanted == MNOS_OK)
        return;
    model_expect(m, "rename", h->status, wanted);
    if (wanted != MNOS_OK || (there != NULL && there->node == moved))
        return;
    if (there != NULL) {
        replaced = there->node;
        model_name_remove(m, to, there);
    }
    model_name_add(m, to, text, moved);
    model_name_remove(m, from, model_name_find(m, from, old_text));
    if (replaced != 0)
        gone(m, replaced, inode);
    m->done[5]++;
}

static void grow(struct model_node *node, uint32_t size)
{
    if (size <= node->size)
        return;
    node->bytes = realloc(node->bytes, size);
    memset(node->bytes + node->size, 0, size - node->size);
    node->size = size;
}

static uint32_t any_file(struct model *m)
{
    if (m->open_count != 0 && model_pick(m, 4) == 0)
        return m->open[model_pick(m, m->open_count)];
    return any_node(m, MODEL_FILE);
}

static void write_file(struct model *m)
{
    uint32_t file = any_file(m),
             count = 1 + (model_pick(m, 4) == 0 ? model_pick(m, 60000) : model_pick(m, 3000));
    uint32_t offset = model_pick(m, 3) == 0 ? model_pick(m, MODEL_BYTES_MAX - 60000) : 0;
    struct model_node *node = &m->nodes[file];
    static uint8_t bytes[60001];
    mnos_status_t status;

    if (file == 0)
        return;
    if (model_pick(m, 2) == 0 && node->size + count < MODEL_BYTES_MAX)
        offset = node->size;
    for (uint32_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(m->operation + i * 7);
    node->written = m->operation;
    status = host_write(m->host, node->inode, offset, bytes, count);
    if (status == MNOS_ERR_FULL) {
        struct ext4_attr attr;

        /* A part of it: the model takes what is there. */
        HOST_RUN(m->host, ext4_stat(&m->host->op, node->inode, &attr));
        grow(node, (uint32_t)attr.size);
        model_expect(m, "read", host_read(m->host, node->inode, 0, node->bytes, node->size),
                     MNOS_OK);
        return;
    }
    model_expect(m, "write", status, MNOS_OK);
    grow(node, offset + count);
    memcpy(node->bytes + offset, bytes, count);
    m->done[6]++;
}

static void truncate_file(struct model *m)
{
    uint32_t file = any_file(m), size;
    struct model_node *node = &m->nodes[file];

    if (file == 0)
        return;
    size = model_pick(m, 2) == 0 ? model_pick(m, node->size + 1) : model_pick(m, MODEL_BYTES_MAX);
    node->written = m->operation;
    model_expect(m, "truncate", host_truncate(m->host, node->inode, size), MNOS_OK);
    grow(node, size);
    node->size = size;
    m->done[7]++;
}

static void open_file(struct model *m)
{
    uint32_t file = any_node(m, MODEL_FILE);

    if (file == 0 || m->open_count == OPEN_MAX)
        return;
    m->nodes[file].open++;
    m->open[m->open_count++] = file;
}

static void close_file(struct model *m)
{
    uint32_t at, file;

    if (m->open_count == 0)
        return;
    at = model_pick(m, m->open_count);
    file = m->open[at];
    m->open[at] = m->open[--m->open_count];
    if (--m->nodes[file].open == 0 && m->nodes[file].links == 0) {
        model_expect(m, "release", host_release(m->host, m->nodes[file].inode), MNOS_OK);
        model_node_drop(m, file);
        m->done[8]++;
    }
}

void model_step(struct model *m)
{
    uint32_t kind = model_pick(m, 100);

    m->operation++;
    if (kind < 22)
        make(m, MODEL_FILE);
    else if (kind < 30)
        make(m, MODEL_DIRECTORY);
    else if (kind < 35)
        make(m, MODEL_LINK);
    else if (kind < 40)
        link_file(m);
    else if (kind < 56)
        remove_name(m);
    else if (kind < 70)
        rename_name(m);
    else if (kind < 86)
        write_file(m);
    else if (kind < 91)
        truncate_file(m);
    else if (kind < 94)
        open_file(m);
    else if (kind < 97)
        close_file(m);
    else {
        model_expect(m, "sync", host_sync(m->host), MNOS_OK);
        model_mark(m);
    }
}

void model_close_all(struct model *m)
{
    while (m->open_count != 0)
        close_file(m);
}
