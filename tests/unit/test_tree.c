// SPDX-License-Identifier: MIT
/* test_tree.c - the balanced tree against a model, and lists. */
#include "lib/base/tree.h"

#include <stdlib.h>

#include "lib/base/list.h"
#include "tests/unit/invariants.h"
#include "tests/unit/unit.h"

enum { NODES = 500, STEPS = 20000 };

static struct tree_node nodes[NODES];
static bool in_tree[NODES];

static unsigned depth(const struct tree_node *node)
{
    unsigned left, right;

    if (node == NULL)
        return 0;
    left = depth(node->left);
    right = depth(node->right);
    return 1 + (left > right ? left : right);
}

/* The answers of the tree are those of a search through all nodes. */
static void check_against_model(const struct tree *tree, uint64_t key)
{
    uint64_t below = 0, above = UINT64_MAX;
    const struct tree_node *node;

    for (unsigned i = 0; i < NODES; i++) {
        if (!in_tree[i])
            continue;
        if (nodes[i].key <= key && nodes[i].key > below)
            below = nodes[i].key;
        if (nodes[i].key >= key && nodes[i].key < above)
            above = nodes[i].key;
    }
    node = tree_at_or_below(tree, key);
    CHECK_EQ(node == NULL ? 0 : node->key, below);
    node = tree_at_or_above(tree, key);
    CHECK_EQ(node == NULL ? UINT64_MAX : node->key, above);
}

TEST(tree, agrees_with_a_model_whatever_is_inserted_and_removed)
{
    struct tree tree = {0};

    srand(1);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)rand() % NODES;

        if (in_tree[i])
            tree_remove(&tree, &nodes[i]);
        else
            tree_insert(&tree, &nodes[i], 1 + (uint64_t)rand() % 300); /* many equal keys */
        in_tree[i] = !in_tree[i];
        if (step % 20 == 0) {
            tree_check(&tree);
            check_against_model(&tree, (uint64_t)rand() % 302);
        }
    }
    for (unsigned i = 0; i < NODES; i++)
        if (in_tree[i])
            tree_remove(&tree, &nodes[i]);
    CHECK_PTR_EQ(tree.root, NULL);
    CHECK_PTR_EQ(tree_first(&tree), NULL);
}

TEST(tree, stays_shallow_when_filled_in_order)
{
    static struct tree_node many[4096];
    struct tree tree = {0};

    for (unsigned i = 0; i < 4096; i++)
        tree_insert(&tree, &many[i], i);
    tree_check(&tree);
    CHECK(depth(tree.root) <= 24); /* 2 log2(n + 1) */
    CHECK_PTR_EQ(tree_first(&tree), &many[0]);
    for (unsigned i = 0; i < 4000; i++)
        tree_remove(&tree, &many[i]);
    tree_check(&tree);
    CHECK(depth(tree.root) <= 13);
    CHECK_PTR_EQ(tree_first(&tree), &many[4000]);
}

TEST(tree, removing_what_is_not_in_it_is_a_panic)
{
    struct tree_node inside, outside = {.key = 7};
    struct tree tree = {0};

    tree_insert(&tree, &inside, 5);
    EXPECT_PANIC(tree_remove(&tree, &outside));
}

TEST(list, keeps_the_order_of_insertion)
{
    struct list head, a, b, c;

    list_init(&head);
    CHECK(list_empty(&head));
    list_append(&head, &b);
    list_append(&head, &c);
    list_prepend(&head, &a);
    CHECK(head.next == &a && a.next == &b && b.next == &c && c.next == &head);
    CHECK(head.prev == &c && c.prev == &b && b.prev == &a && a.prev == &head);
    list_remove(&b);
    CHECK(a.next == &c && c.prev == &a);
    list_remove(&b); /* harmless */
    list_insert_before(&c, &b);
    CHECK(a.next == &b && b.next == &c);
    list_remove(&a);
    list_remove(&b);
    list_remove(&c);
    CHECK(list_empty(&head));
}
