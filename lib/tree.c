// SPDX-License-Identifier: MIT
/*
 * tree.c - AA tree: a node's level is one more than its left child's; a right child may share its
 * level, a right grandchild may not. Recursion is bounded by the depth, 2 log2(n + 1).
 */
#include "lib/tree.h"

#include <stddef.h>

#include "assert.h"

static bool before(const struct tree_node *a, uint64_t key, const struct tree_node *b)
{
    return a->key < key || (a->key == key && (uintptr_t)a < (uintptr_t)b);
}

static uint32_t level_of(const struct tree_node *node)
{
    return node == NULL ? 0 : node->level;
}

/* Removes a left child of the same level by rotating right. */
static struct tree_node *skew(struct tree_node *node)
{
    struct tree_node *left = node->left;

    if (left == NULL || left->level != node->level)
        return node;
    node->left = left->right;
    left->right = node;
    return left;
}

/* Removes a right grandchild of the same level by rotating left. */
static struct tree_node *split(struct tree_node *node)
{
    struct tree_node *right = node->right;

    if (right == NULL || level_of(right->right) != node->level)
        return node;
    node->right = right->left;
    right->left = node;
    right->level++;
    return right;
}

static struct tree_node *insert(struct tree_node *root, struct tree_node *node)
{
    if (root == NULL)
        return node;
    if (before(node, root->key, root))
        root->left = insert(root->left, node);
    else
        root->right = insert(root->right, node);
    return split(skew(root));
}

void tree_insert(struct tree *tree, struct tree_node *node, uint64_t key)
{
    node->key = key;
    node->left = NULL;
    node->right = NULL;
    node->level = 1;
    tree->root = insert(tree->root, node);
}

static struct tree_node *rebalance(struct tree_node *root)
{
    uint32_t left = level_of(root->left);
    uint32_t right = level_of(root->right);
    uint32_t wanted = (left < right ? left : right) + 1;

    if (wanted < root->level) {
        root->level = wanted;
        if (right > wanted)
            root->right->level = wanted;
    }
    root = skew(root);
    if (root->right != NULL) {
        root->right = skew(root->right);
        if (root->right->right != NULL)
            root->right->right = skew(root->right->right);
    }
    root = split(root);
    if (root->right != NULL)
        root->right = split(root->right);
    return root;
}

/* Takes the smallest node out of `root`. */
static struct tree_node *remove_first(struct tree_node *root, struct tree_node **first)
{
    if (root->left == NULL) {
        *first = root;
        return root->right;
    }
    root->left = remove_first(root->left, first);
    return rebalance(root);
}

static struct tree_node *remove(struct tree_node *root, struct tree_node *node)
{
    struct tree_node *successor;

    assert(root != NULL);
    if (root != node) {
        if (before(node, root->key, root))
            root->left = remove(root->left, node);
        else
            root->right = remove(root->right, node);
        return rebalance(root);
    }
    if (root->right == NULL)
        return root->left;
    root->right = remove_first(root->right, &successor);
    successor->left = root->left;
    successor->right = root->right;
    successor->level = root->level;
    return rebalance(successor);
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
    if (tree->root == node && node->left == NULL && node->right == NULL)
        tree->root = NULL; /* the only one */
    else
        tree->root = remove(tree->root, node);
    node->level = 0;
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

static void check(const struct tree_node *node)
{
    if (node == NULL)
        return;
    assert(level_of(node->left) == node->level - 1);
    assert(level_of(node->right) == node->level || level_of(node->right) == node->level - 1);
    assert(node->right == NULL || level_of(node->right->right) < node->level);
    assert(node->left == NULL || before(node->left, node->key, node));
    assert(node->right == NULL || before(node, node->right->key, node->right));
    check(node->left);
    check(node->right);
}

void tree_check(const struct tree *tree)
{
    check(tree->root);
}
