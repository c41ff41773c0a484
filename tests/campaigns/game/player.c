// SPDX-License-Identifier: MIT
/* player.c - the life of a player: draws operations until something ends it. */
#include "tests/campaigns/game/game.h"

/* Of 64 operations so many are followed by a pause, so that others of the same core play. */
#define PAUSES 24u
#define PAUSE_NS 60000u

typedef void operation_function(void);

static const struct {
    operation_function *play;
    uint32_t weight;
} operations[OPERATIONS] = {
#define OPERATION(name, word, share, weight) [OP_##name] = {play_##name, weight},
#define play_CREATE create
#define play_DESTROY_SELF destroy_self
#define play_DESTROY_CHILD destroy_child
#define play_DESTROY_GRANDCHILD destroy_grandchild
#define play_DESTROY_SIBLING destroy_sibling
#define play_DESTROY_PARENT destroy_parent
#define play_THREAD_OWN thread_own
#define play_THREAD_OTHER thread_other
#define play_THREAD_MUTUAL thread_mutual
#define play_FAULT fault
#define play_FAULT_KILL NULL
#define play_REVOKE revoke
#define play_CANCEL cancel
#define play_SUSPEND suspend
#define play_TRANSFER transfer
#define play_QUOTA quota
#define play_MAP map
#define play_UPCALL upcall
#define play_CHANGE change
#define play_MESSAGE message
#define play_PAIR_LEFT pair
#define play_PAIR_RIGHT NULL
#include "tests/campaigns/game/operations.def"
#undef OPERATION
};

static uint32_t weight_of(enum operation operation)
{
    bool left_out = (board()->without >> operation & 1) != 0;

    return left_out ? 0 : operations[operation].weight;
}

void play(void)
{
    uint32_t sum = 0, drawn, operation = 0;

    for (uint32_t i = 0; i < OPERATIONS; i++)
        sum += weight_of(i);
    if (sum == 0)
        return;
    for (drawn = draw_below(sum); drawn >= weight_of(operation); operation++)
        drawn -= weight_of(operation);
    operations[operation].play();
    atomic_fetch_add(&board()->played, 1);
}

void player_begin(uint32_t number)
{
    self.seat = number;
    self.depth = seat()->depth;
    self.random = (board()->seed ^ (number + 1) * 0x9E3779B97F4A7C15ull) | 1;
    for (unsigned i = 0; i < 4; i++)
        (void)draw();
    (void)!sys_cap_create(MNOS_CREATE_ENDPOINT, 0, 0, PORT_LASTING, 0, &self.port);
    (void)!sys_cap_create(MNOS_CREATE_ENDPOINT, 0, 0, 0, 0, &self.still);
    self.server = worker_begin_at(PRIORITY_PLAYER - 2 + draw_below(6), STACK_SERVER, serve, 0, 0);
}

void player_main(uint64_t number)
{
    player_begin((uint32_t)number);
    for (;;) {
        play();
        if (draw_below(64) < PAUSES)
            pause_ns(draw_below(PAUSE_NS));
    }
}
