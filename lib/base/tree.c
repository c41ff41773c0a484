// SPDX-License-Identifier: MIT
/*
 * tree.c - red-black tree: no red node has a red child, and every way from the root down passes the
 * same number of black nodes. The depth is at most 2 log2(n + 1). A leaf that was inserted and is
 * removed again mostly needs no repair, which is what mapping and unmapping does.
 */
#include "lib/base/tree.h"

#include <stddef.h>

#include "assert.h"

enum side { LEFT, RIGHT };

static bool before(const struct tree_node *a, uint64_t key, const struct tree_node *b)
{
    return a->key < key || (a->key == key && (uintptr_t)a < (uintptr_t)b);
}

static bool is_red(const struct tree_node *node)
{
    return node != NULL && node->colour == TREE_RED;
}

static enum side side_of(const struct tree_node *node, const struct tree_node *parent)
{
    return parent->child[RIGHT] == node ? RIGHT : LEFT;
}

/* Puts `by`, or nothing, where `node` hangs. */
static void replace(struct tree *tree, struct tree_node *node, struct tree_node *by)
{
    struct tree_node *parent = node->parent;

    if (parent == NULL)
        tree->root = by;
    else
        parent->child[side_of(node, parent)] = by;
    if (by != NULL)
        by->parent = parent;
}

/* `node` goes down to this side, its child on the other one takes its place. */
static void rotate(struct tree *tree, struct tree_node *node, enum side side)
{
    struct tree_node *up = node->child[!side];

    node->child[!side] = up->child[side];
    if (up->child[side] != NULL)
        up->child[side]->parent = node;
    replace(tree, node, up);
    up->child[side] = node;
    node->parent = up;
}

/* `node` and its parent are both red. */
static void mend_insertion(struct tree *tree, struct tree_node *node)
{
    while (is_red(node->parent)) {
        struct tree_node *parent = node->parent, *grand = parent->parent;
        enum side side = side_of(parent, grand);
        struct tree_node *uncle = grand->child[!side];

        grand->colour = TREE_RED;
        if (is_red(uncle)) {
            parent->colour = uncle->colour = TREE_BLACK;
            node = grand;
            continue;
        }
        if (node == parent->child[!side]) {
            rotate(tree, parent, side);
            parent = node;
        }
        parent->colour = TREE_BLACK;
        rotate(tree, grand, !side);
        break;
    }
    tree->root->colour = TREE_BLACK;
}

void tree_insert(struct tree *tree, struct tree_node *node, uint64_t key)
{
    struct tree_node **link = &tree->root;
    struct tree_node *parent = NULL;

    node->key = key;
    while (*link != NULL) {
        parent = *link;
        link = &parent->child[before(parent, key, node) ? RIGHT : LEFT];
    }
    node->parent = parent;
    node->left = NULL;
    node->right = NULL;
    node->colour = parent == NULL ? TREE_BLACK : TREE_RED;
    *link = node;
    if (is_red(parent))
        mend_insertion(tree, node);
}

/* Ways through `node`, a child of `parent` or NULL, pass one black node too few. */
static void mend_removal(struct tree *tree, struct tree_node *node, struct tree_node *parent)
{
    for (; parent != NULL && !is_red(node); node = parent, parent = node->parent) {
        enum side side = side_of(node, parent);
        struct tree_node *sibling = parent->child[!side];

        if (is_red(sibling)) {
            sibling->colour = TREE_BLACK;
            parent->colour = TREE_RED;
            rotate(tree, parent, side);
            sibling = parent->child[!side];
        }
        if (!is_red(sibling->left) && !is_red(sibling->right)) {
            sibling->colour = TREE_RED;
            continue;
        }
        if (!is_red(sibling->child[!side])) {
            sibling->child[side]->colour = TREE_BLACK;
            sibling->colour = TREE_RED;
            rotate(tree, sibling, !side);
            sibling = parent->child[!side];
        }
        sibling->colour = parent->colour;
        parent->colour = sibling->child[!side]->colour = TREE_BLACK;
        rotate(tree, parent, side);
        return;
    }
    if (node != NULL)
        node->colour = TREE_BLACK;
}

/* Exchanges `node`, which has two children, with the next one, which has no left child. */
static void exchange_with_next(struct tree *tree, struct tree_node *node)
{
    struct tree_node *next = node->right, *right;
    uint32_t colour = node->colour;

    while (next->left != NULL)
        next = next->left;
    right = next->right;
    node->colour = next->colour;
    next->colour = colour;
    if (next == node->right) {
        replace(tree, node, next);
        next->right = node;
        node->parent = next;
    } else {
        struct tree_node *parent = next->parent;

        replace(tree, node, next);
        next->right = node->right;
        next->right->parent = next;
        parent->left = node;
        node->parent = parent;
    }
    next->left = node->left;
    next->left->parent = next;
    node->left = NULL;
    node->right = right;
    if (right != NULL)
        right->parent = node;
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
    struct tree_node *child;

    assert(node->colour != TREE_NONE);
    if (node->left != NULL && node->right != NULL)
        exchange_with_next(tree, node);
    child = node->left != NULL ? node->left : node->right;
    replace(tree, node, child);
    if (node->colour == TREE_BLACK)
        mend_removal(tree, child, node->parent);
    node->colour = TREE_NONE;
}

struct tree_node *tree_at_or_below(const struct tree *tree, uint64_t key)
{
    struct tree_node *node = tree->root;
    struct tree_node *best = NULL;

    while (node != NULL) {
        if (node->key <= key) {
            best = node;
            node = node->right;
        } else {
            node = node->left;
        }
    }
    return best;
}

struct tree_node *tree_at_or_above(const struct tree *tree, uint64_t key)
{
    struct tree_node *node = tree->root;
    struct tree_node *best = NULL;

    while (node != NULL) {
        if (node->key >= key) {
            best = node;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return best;
}
