// SPDX-License-Identifier: MIT
/* model - random operations, done by the core and by the model, with the same result: see model.h. */
#define _GNU_SOURCE /* asprintf() */
#include <stdlib.h>
#include <string.h>

#include "tests/ext4/model.h"

uint32_t model_pick(struct model *m, uint32_t below)
{
    return host_random(m->host, below);
}

void model_expect(struct model *m, const char *what, mnos_status_t got, mnos_status_t wanted)
{
    if (got != wanted)
        host_fail("operation %u, %s: %d in place of %d; %s", m->operation, what, (int)got,
                  (int)wanted, ext4_reason(m->host->fs));
}

/* ---- The model ---- */

uint32_t model_node_new(struct model *m, enum model_type type, uint32_t parent, uint32_t inode)
{
    for (uint32_t i = 1; i < MODEL_NODES; i++) {
        if (m->nodes[i].type != MODEL_FREE)
            continue;
        m->nodes[i] = (struct model_node){
            .type = type, .parent = parent, .inode = inode, .written = m->operation};
        return i;
    }
    host_fail("the model has no room");
}

void model_node_drop(struct model *m, uint32_t number)
{
    struct model_node *node = &m->nodes[number];

    if (node->links != 0 || node->open != 0)
        return;
    free(node->bytes);
    free(node->target);
    free(node->names);
    *node = (struct model_node){0};
}

struct model_name *model_name_find(struct model *m, uint32_t directory, const char *text)
{
    struct model_node *node = &m->nodes[directory];

    for (uint32_t i = 0; i < node->name_count; i++)
        if (strcmp(node->names[i].text, text) == 0)
            return &node->names[i];
    return NULL;
}

void model_name_add(struct model *m, uint32_t directory, const char *text, uint32_t child)
{
    struct model_node *node = &m->nodes[directory];

    if (node->name_count == node->name_room) {
        node->name_room = node->name_room * 2 + 16;
        node->names = realloc(node->names, node->name_room * sizeof *node->names);
    }
    node->names[node->name_count++] = (struct model_name){strdup(text), child};
    m->nodes[child].links++;
    if (m->nodes[child].type == MODEL_DIRECTORY)
        m->nodes[child].parent = directory;
}

void model_name_remove(struct model *m, uint32_t directory, struct model_name *name)
{
    struct model_node *node = &m->nodes[directory];

    m->nodes[name->node].links--;
    free(name->text);
    *name = node->names[--node->name_count];
}

/* ---- The whole ---- */

static void list_into(const struct model *m, uint32_t directory, const char *path,
                      struct host_tree *tree)
{
    const struct model_node *node = &m->nodes[directory];

    for (uint32_t i = 0; i < node->name_count; i++) {
        const struct model_node *child = &m->nodes[node->names[i].node];
        char *below = NULL;

        if (asprintf(&below, "%s%s%s", path, *path == '\0' ? "" : "/", node->names[i].text) < 0)
            host_fail("no memory");
        if (child->type == MODEL_FILE)
            host_tree_add(tree, child->inode, "%s file %u %08x %u", below, child->size,
                          host_crc(0, child->bytes, child->size), child->links);
        else if (child->type == MODEL_LINK)
            host_tree_add(tree, child->inode, "%s link %s", below, child->target);
        else
            host_tree_add(tree, child->inode, "%s dir", below);
        if (child->type == MODEL_DIRECTORY)
            list_into(m, node->names[i].node, below, tree);
        free(below);
    }
}

void model_list(const struct model *m, struct host_tree *tree)
{
    list_into(m, m->root, "", tree);
    host_tree_sort(tree);
}

void model_check(struct model *m)
{
    struct host_tree got = {0}, wanted = {0};

    model_expect(m, "list", host_list(m->host, &got), MNOS_OK);
    model_list(m, &wanted);
    for (uint32_t i = 0; i < got.count || i < wanted.count; i++)
        if (i >= got.count || i >= wanted.count ||
            strcmp(got.lines[i].text, wanted.lines[i].text) != 0)
            host_fail("operation %u: '%s' in place of '%s'", m->operation,
                      i < got.count ? got.lines[i].text : "nothing",
                      i < wanted.count ? wanted.lines[i].text : "nothing");
    host_tree_free(&got);
    host_tree_free(&wanted);
}

void model_mark(struct model *m)
{
    struct model_mark *made;

    if (!m->marks_wanted)
        return;
    m->marks = realloc(m->marks, (m->mark_count + 1) * sizeof *m->marks);
    made = &m->marks[m->mark_count++];
    *made = (struct model_mark){.events = m->host->event_count, .operation = m->operation};
    model_list(m, &made->tree);
}

void model_begin(struct model *m, struct host *h)
{
    uint32_t found, node;

    *m = (struct model){.host = h};
    m->root = model_node_new(m, MODEL_DIRECTORY, 0, EXT4_ROOT);
    m->nodes[m->root].links = 1;
    m->nodes[m->root].parent = m->root;
    if (host_walk(h, "lost+found", &found) == MNOS_OK) {
        node = model_node_new(m, MODEL_DIRECTORY, m->root, found);
        model_name_add(m, m->root, "lost+found", node);
    }
}

void model_end(struct model *m)
{
    for (uint32_t i = 0; i < MODEL_NODES; i++) {
        struct model_node *node = &m->nodes[i];

        for (uint32_t j = 0; j < node->name_count; j++)
            free(node->names[j].text);
        node->links = node->open = 0;
        model_node_drop(m, i);
    }
    for (uint32_t i = 0; i < m->mark_count; i++)
        host_tree_free(&m->marks[i].tree);
    free(m->marks);
}

void model_random(struct host *h, uint64_t seed, uint32_t operations)
{
    static struct model m;

    h->random += seed * 0xD1342543DE82EF95ull + 1;
    model_begin(&m, h);
    for (uint32_t i = 0; i < operations; i++) {
        if (i == operations / 2)
            host_grow(h);
        model_step(&m);
        if (i % 500 == 499)
            model_check(&m);
    }
    model_close_all(&m);
    model_check(&m);
    printf("files %u, directories %u, links %u, removed %u, renamed %u, written %u, truncated %u, "
           "released %u\n",
           m.done[MODEL_FILE], m.done[MODEL_DIRECTORY], m.done[MODEL_LINK], m.done[4], m.done[5],
           m.done[6], m.done[7], m.done[8]);
    model_end(&m);
}
