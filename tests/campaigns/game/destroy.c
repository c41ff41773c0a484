// SPDX-License-Identifier: MIT
/* destroy.c - processes that end each other, from every side of the tree. */
#include "tests/campaigns/game/game.h"

/* Exit codes: who was it. The first who ends a process sets it. */
#define CODE_LEFT 0xA
#define CODE_RIGHT 0xB
#define CODE_SELF 0xC

/* How long a pair may be waited for; one whose parent has better things to do counts for nothing. */
/* How long each of them waits before it begins: less than it takes, and enough that either is first. */
#define PAIR_TURNS 400u
#define PAIR_YIELD 64u
#define PAIR_TRIES 400u
#define PAIR_PAUSE_NS 30000u

static void end_it(uint64_t)
{
    (void)!sys_proc_destroy(MNOS_SELF, CODE_SELF);
}

/* Now and then two of its threads at once. */
void destroy_self(void)
{
    if (self.seat == 0)
        return;
    if (draw_below(2) == 0)
        drop(worker_begin(STACK_WORKER, end_it, 0, 0));
    succeeded(OP_DESTROY_SELF);
    (void)!sys_proc_destroy(MNOS_SELF, CODE_SELF);
    game_broken(__FILE__, __LINE__);
}

void destroy_child(void)
{
    struct child_seat *child = any_child();
    bool alive;

    if (child == NULL)
        return;
    alive = is_alive(child->process);
    child_forget(child);
    if (alive)
        succeeded(OP_DESTROY_CHILD);
}

static void destroy_relative(enum relation relation, enum operation operation)
{
    mnos_cap_t process = take(relation);
    bool alive = is_alive(process);

    if (process == 0)
        return;
    if (alive && sys_proc_destroy(process, 0) == MNOS_OK)
        succeeded(operation);
    drop(process);
}

void destroy_grandchild(void)
{
    destroy_relative(GRANDCHILD, OP_DESTROY_GRANDCHILD);
}

void destroy_sibling(void)
{
    destroy_relative(SIBLING, OP_DESTROY_SIBLING);
}

void destroy_parent(void)
{
    if (seat()->parent_process == 0)
        return;
    MUST(sys_proc_destroy(seat()->parent_process, 0) == MNOS_ERR_STATE);
    succeeded(OP_DESTROY_PARENT);
}

/* ---- two siblings that destroy each other ---- */

enum { GO_WAIT, GO, GONE };

void pair_main(uint64_t number)
{
    struct seat *mine = &board()->seats[number];
    uint64_t code = mine->role == ROLE_LEFT ? CODE_LEFT : CODE_RIGHT;

    while (atomic_load(&mine->go) == GO_WAIT)
        give_way();
    for (uint64_t turns = atomic_load(&mine->known[PORT][0]); turns != 0; turns--)
        if (turns % PAIR_YIELD == 0)
            give_way();
    atomic_store(&mine->go, GONE);
    (void)!sys_proc_destroy(atomic_load(&mine->known[SIBLING][0]), code);
    for (;;)
        pause_ns(PAIR_PAUSE_NS);
}

static bool has_ended_by(const struct child_seat *child, uint64_t code)
{
    const struct mnos_process_info *info = (const struct mnos_process_info *)ipc_buffer()->data;
    uint64_t written;

    return sys_cap_inspect(child->process, MNOS_VIEW_PROCESS, 0, &written) == MNOS_OK &&
           info->state == MNOS_PROCESS_DEAD && info->exit_reason == MNOS_EXIT_DESTROYED &&
           info->exit_code == code;
}

static bool both_know_each_other(const struct child_seat *left, const struct child_seat *right)
{
    struct seat *a = &board()->seats[left->seat], *b = &board()->seats[right->seat];
    mnos_cap_t given_left, given_right;

    if (sys_cap_transfer(left->process, right->process, MNOS_RIGHTS_ALL, &given_left) != MNOS_OK ||
        sys_cap_transfer(right->process, left->process, MNOS_RIGHTS_ALL, &given_right) != MNOS_OK)
        return false;
    atomic_store(&a->known[SIBLING][0], given_left);
    atomic_store(&b->known[SIBLING][0], given_right);
    atomic_store(&a->known[PORT][0], draw_below(PAIR_TURNS));
    atomic_store(&b->known[PORT][0], draw_below(PAIR_TURNS));
    return true;
}

static void let_them(const struct child_seat *left, const struct child_seat *right)
{
    struct seat *a = &board()->seats[left->seat], *b = &board()->seats[right->seat];
    bool left_first = draw_below(2) == 0;
    bool left_ended = false, right_ended = false;

    atomic_store(left_first ? &a->go : &b->go, GO);
    atomic_store(left_first ? &b->go : &a->go, GO);
    for (unsigned i = 0; i < PAIR_TRIES && !left_ended && !right_ended; i++) {
        pause_ns(PAIR_PAUSE_NS);
        left_ended = has_ended_by(left, CODE_RIGHT);
        right_ended = has_ended_by(right, CODE_LEFT);
    }
    if (left_ended)
        succeeded(OP_PAIR_RIGHT);
    if (right_ended)
        succeeded(OP_PAIR_LEFT);
    if (atomic_load(&a->go) == GONE && atomic_load(&b->go) == GONE && (left_ended || right_ended))
        atomic_fetch_add(&board()->pair_both, 1);
}

void pair(void)
{
    struct child_seat left = {0}, right = {0};

    if (player_create(ROLE_LEFT, &left) && player_create(ROLE_RIGHT, &right) &&
        both_know_each_other(&left, &right))
        let_them(&left, &right);
    if (left.process != 0)
        child_forget(&left);
    if (right.process != 0)
        child_forget(&right);
}
