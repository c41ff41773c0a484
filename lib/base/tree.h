// SPDX-License-Identifier: MIT
/*
 * tree.h - a balanced search tree (red-black) whose nodes live in the members, keyed by a 64-bit number
 * and, among equal numbers, by the node's address. O(log n); depth is at most 2 log2(n + 1). No
 * allocation, no locking.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tree_colour { TREE_NONE, TREE_RED, TREE_BLACK }; /* none: in no tree */

struct tree_node {
    uint64_t key;
    struct tree_node *parent;
    union {
        struct {
            struct tree_node *left, *right;
        };
        struct tree_node *child[2];
    };
    uint32_t colour; /* enum tree_colour */
};

struct tree {
    struct tree_node *root;
};

void tree_insert(struct tree *tree, struct tree_node *node, uint64_t key);
/* `node` must be in the tree. */
void tree_remove(struct tree *tree, struct tree_node *node);
/* Smallest key; NULL when empty. */
static inline struct tree_node *tree_first(const struct tree *tree)
{
    struct tree_node *node = tree->root;

    while (node != NULL && node->left != NULL)
        node = node->left;
    return node;
}
/* Greatest key that is <= `key`, smallest key that is >= `key`; NULL: none. */
struct tree_node *tree_at_or_below(const struct tree *tree, uint64_t key);
struct tree_node *tree_at_or_above(const struct tree *tree, uint64_t key);
