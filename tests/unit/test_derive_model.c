// SPDX-License-Identifier: MIT
/*
 * test_derive_model.c - every sequence of a few operations on the capabilities to one endpoint, compared
 * with a model that knows neither tree nor ghosts: a capability remembers what it was made from, for ever,
 * and what it was made from may be dead.
 */
#include "abi/inspect.h"
#include <string.h>

#include "cap/derive.h"
#include "tests/unit/kernel_world.h"

enum { LENGTH_MAX = 6, NODES = LENGTH_MAX + 1 };

enum operation { COPY, MINT, DELETE, REVOKE, ALONE_COUNT, GIVE = ALONE_COUNT, KILL, COUNT };

struct node {
    bool alive;
    bool other; /* in the table of the other process */
    int from;   /* -1: the first one */
    int minted; /* node with which its badge was minted; -1: no badge */
    mnos_cap_t handle;
};

static struct thread *actors[2]; /* of the first process, and of the other one */
static mnos_cap_t other;
static bool other_lives;
static struct node nodes[NODES];
static int node_count;
static bool gone[NODES]; /* badge minted with this node: to be reported */

static bool is_below(int node, int ancestor)
{
    for (node = nodes[node].from; node >= 0; node = nodes[node].from)
        if (node == ancestor)
            return true;
    return false;
}

static bool carries(int node, int minted)
{
    return nodes[node].alive && nodes[node].minted == minted;
}

static bool anything_alive(void)
{
    for (int i = 0; i < node_count; i++)
        if (nodes[i].alive)
            return true;
    return false;
}

/* Badges that had a bearer before the operation and have none now. */
static void report_gone(const bool had[NODES])
{
    for (int i = 0; i < node_count; i++) {
        bool has = false;

        for (int j = 0; j < node_count; j++)
            has = has || carries(j, i);
        if (had[i] && !has && anything_alive())
            gone[i] = true;
    }
}

static void model_remove(enum operation operation, int target)
{
    bool had[NODES] = {0};

    for (int i = 0; i < node_count; i++)
        for (int j = 0; j < node_count; j++)
            had[i] = had[i] || carries(j, i);
    for (int i = 0; i < node_count; i++)
        if (operation == DELETE && i == target)
            nodes[i].alive = false;
        else if (operation == REVOKE && is_below(i, target))
            nodes[i].alive = false;
        else if (operation == KILL &&
                 (nodes[i].other || (nodes[i].minted >= 0 && nodes[nodes[i].minted].other)))
            nodes[i].alive = false;
    report_gone(had);
}

static void model_add(int from, int minted, bool to_other, mnos_cap_t handle)
{
    nodes[node_count++] = (struct node){true, to_other, from, minted, handle};
}

/* ---- doing it ---- */

static struct process *owner_of(int node)
{
    return actors[nodes[node].other]->process;
}

static void create(enum operation operation, int target)
{
    const struct node *from = &nodes[target];
    bool is_mint = operation == MINT;
    uint64_t rax =
        CALL(actors[from->other], cap_create, is_mint ? MNOS_CREATE_MINT : MNOS_CREATE_COPY,
             from->handle, MNOS_RIGHTS_ALL, is_mint ? 100 + (uint64_t)node_count : 0, 0);

    if (is_mint && from->minted >= 0) {
        CHECK_EQ(STATUS_OF(rax), MNOS_ERR_STATE);
        return;
    }
    CHECK_EQ(rax, 0);
    model_add(target, is_mint ? node_count : from->minted, from->other, world_value);
}

static void perform(enum operation operation, int target)
{
    struct thread *actor = actors[nodes[target].other];
    mnos_cap_t handle = nodes[target].handle;

    switch (operation) {
    case COPY:
    case MINT: create(operation, target); return;
    case DELETE: CHECK_EQ(CALL(actor, cap_delete, handle), 0); break;
    case REVOKE: CHECK_EQ(CALL(actor, cap_revoke, handle), 0); break;
    case GIVE:
        CHECK_EQ(CALL(actor, cap_transfer, other, handle, MNOS_RIGHTS_ALL), 0);
        model_add(target, nodes[target].minted, true, world_value);
        return;
    default:
        CHECK_EQ(CALL(actor, proc_destroy, other), 0);
        other_lives = false;
        break;
    }
    model_remove(operation, target);
}

static bool makes_sense(enum operation operation, int target)
{
    if (!nodes[target].alive)
        return false;
    if (operation == GIVE || operation == KILL)
        return other_lives && !nodes[target].other && (operation == GIVE || target == 0);
    return true;
}

/* ---- comparing ---- */

static void check_node(int node)
{
    const struct capability *parent;
    struct cap_view view;
    int expected = nodes[node].from;

    if (!nodes[node].alive) {
        if (other_lives || !nodes[node].other)
            CHECK_PTR_EQ(world_object(owner_of(node), nodes[node].handle), NULL);
        return;
    }
    while (expected >= 0 && !nodes[expected].alive)
        expected = nodes[expected].from;
    view = world_view(owner_of(node), nodes[node].handle);
    for (parent = cap_at(view.slot->parent); parent != NULL && parent->type == MNOS_TYPE_NONE;)
        parent = cap_at(parent->parent);
    CHECK_EQ(parent == NULL ? 0 : parent->key, expected < 0 ? 0 : nodes[expected].handle);
    CHECK_EQ(view.badge, nodes[node].minted < 0 ? 0 : 100 + (uint64_t)nodes[node].minted);
}

static void check_notices(void)
{
    int reader = -1;

    for (int i = 0; i < node_count; i++)
        if (nodes[i].alive)
            reader = i;
    while (reader >= 0 && world_receive(actors[nodes[reader].other], nodes[reader].handle, 0,
                                        MNOS_DEADLINE_POLL) == 0) {
        uint64_t badge = actors[nodes[reader].other]->frame.rdi;

        CHECK(badge >= 100 && badge < 100 + NODES && gone[badge - 100]);
        gone[badge - 100] = false;
    }
    for (int i = 0; reader >= 0 && i < node_count; i++)
        CHECK(!gone[i]);
}

/* Runs one sequence from the beginning and takes everything back. */
static void replay(const int sequence[][2], int length, bool with_other)
{
    uint32_t used = world_root->captable.used;

    node_count = 0;
    memset(gone, 0, sizeof(gone));
    if (with_other) {
        actors[1] = world_thread(world_process(world_root, 50, 50000, &other), WORLD_PRIORITY);
        other_lives = true;
    }
    model_add(-1, -1, false, CALL_VALUE(actors[0], cap_create, MNOS_CREATE_ENDPOINT));
    for (int i = 0; i < length; i++)
        perform((enum operation)sequence[i][0], sequence[i][1]);
    for (int i = 0; i < node_count; i++)
        check_node(i);
    check_notices();
    for (int i = 0; i < node_count; i++)
        if (nodes[i].alive && !nodes[i].other)
            CHECK_EQ(CALL(actors[0], cap_delete, nodes[i].handle), 0);
    if (with_other) {
        CHECK_EQ(CALL(actors[0], proc_destroy, other), 0);
        CHECK_EQ(CALL(actors[0], cap_delete, other), 0);
    }
    (void)world_free_frames();
    CHECK_EQ(world_root->captable.used, used);
}

static unsigned sequences;

/* All sequences that begin with `sequence`, whose effect the model has. */
static void explore(int sequence[][2], int length, int length_max, bool with_other)
{
    struct node saved[NODES];
    bool saved_lives;
    int saved_count;

    replay(sequence, length, with_other);
    sequences++;
    if (length == length_max)
        return;
    memcpy(saved, nodes, sizeof(saved));
    saved_count = node_count;
    saved_lives = other_lives;
    for (int operation = 0; operation < (with_other ? COUNT : ALONE_COUNT); operation++)
        for (int target = 0; target < saved_count; target++) {
            memcpy(nodes, saved, sizeof(saved));
            node_count = saved_count;
            other_lives = saved_lives;
            if (!makes_sense((enum operation)operation, target))
                continue;
            sequence[length][0] = operation;
            sequence[length][1] = target;
            explore(sequence, length + 1, length_max, with_other);
        }
}

static void explore_all(int length_max, bool with_other)
{
    int sequence[LENGTH_MAX][2];

    world_init();
    actors[0] = world_thread(world_root, WORLD_PRIORITY);
    other_lives = false;
    sequences = 0;
    explore(sequence, 0, length_max, with_other);
    world_check();
}

TEST(derive_model, six_operations_in_one_process)
{
    explore_all(6, false);
    CHECK(sequences > 250000);
}

TEST(derive_model, five_operations_in_two_processes_one_of_which_may_die)
{
    explore_all(5, true);
    CHECK(sequences > 80000);
}
