// SPDX-License-Identifier: MIT
/*
 * game.h - a random game of processes that create, destroy, suspend and fault, and take from each other
 * what they gave.
 *
 * Each process of the game, a player, has a seat on the board, memory that all of them share: there stand
 * its place in the tree and the handles that others have given it. A player draws operations at random
 * until it dies. Every error is expected, since whatever an operation works on may be gone by then; what
 * must not happen at all is reported with game_broken(). The root of the tree, main.c, ends each round by
 * destroying what lives, and looks whether its account is what it was.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/guest/scene.h"

enum operation {
#define OPERATION(name, word, share, weight) OP_##name,
#include "tests/campaigns/game/operations.def"
#undef OPERATION
    OPERATIONS
};

/* Where things are in a player's address space; seats and stacks are few, so one page table has them. */
#define BOARD_ADDRESS ARENA
#define STACKS_ADDRESS (ARENA + 0x80 * PAGE)
#define BUFFERS_ADDRESS (ARENA + 0xC0 * PAGE)
#define WINDOW_ADDRESS (ARENA + 0x100 * PAGE) /* what operations map, and nothing else */
#define WINDOW_PAGES 0x80u

#define STACK_PAGES 2u
/* Threads of a player: the one that plays, the one that serves, and what operations start. */
enum { STACK_PLAYER, STACK_SERVER, STACK_WORKER, WORKERS = 3, STACKS = STACK_WORKER + WORKERS };

#define SEATS 512u
#define KNOWN 3u    /* handles of one relation that a player remembers */
#define CHILDREN 3u /* of a player */
#define DEPTH_MAX 4u
#define PRIORITY_CEILING 45u
#define PRIORITY_PLAYER 20u
#define PORT_LASTING 16u /* lasting mints that a player sets aside for its port */

/* What others give a player; its own children it knows itself. */
enum relation { SIBLING, GRANDCHILD, THREAD, MEMORY, PORT, RELATIONS };

enum role { ROLE_PLAYER, ROLE_LEFT, ROLE_RIGHT };

struct seat {
    /* Written before the process starts. */
    uint32_t parent; /* its seat */
    uint32_t depth;  /* 0: the root */
    enum role role;
    /* Handles that it holds: the program, the board, its parent, itself, its parent's port. */
    mnos_cap_t image, board, parent_process, own_process, parent_port;
    _Atomic uint64_t known[RELATIONS][KNOWN];
    _Atomic uint32_t go; /* for one of a pair: destroy the other */
};

/* A segment of the program: pages of the image, or fresh ones when it is written to. */
struct segment {
    uint64_t address, first_page, page_count, flags;
};

struct board {
    uint64_t seed;                      /* of the round */
    _Atomic uint64_t count[OPERATIONS]; /* that succeeded, since the game began */
    _Atomic uint64_t played;            /* operations drawn, likewise */
    _Atomic uint64_t pair_both;         /* pairs of which each had begun to destroy the other */
    _Atomic uint32_t seats_taken;       /* in this round */
    _Atomic uint32_t broken;            /* a line of broken_file; 0: nothing is */
    const char *_Atomic broken_file;
    uint64_t without; /* bit N: operation N is left out */
    struct segment segments[4];
    uint64_t segment_count, fresh_pages;
    struct seat seats[SEATS];
};
#define BOARD_PAGES ((sizeof(struct board) + PAGE - 1) / PAGE)
_Static_assert(BOARD_PAGES <= 0x80, "the board ends where the stacks begin");

struct child_seat {
    mnos_cap_t process;
    mnos_cap_t body; /* its variables and stacks: memory of its parent */
    uint32_t seat;
};

/* What a player knows of itself; each process has its own. */
struct self {
    uint32_t seat, depth;
    mnos_cap_t port;   /* faults and ends of its children, calls of everybody */
    mnos_cap_t server; /* the thread that receives there */
    mnos_cap_t still;  /* an endpoint that nobody serves: who waits there waits for ever */
    uint64_t random;
    struct child_seat children[CHILDREN];
};
extern struct self self;

static inline struct board *board(void)
{
    return (struct board *)BOARD_ADDRESS;
}

static inline struct seat *seat(void)
{
    return &board()->seats[self.seat];
}

/* ---- game.c: chance, counting, what others gave ---- */

uint64_t draw(void);
uint32_t draw_below(uint32_t limit);
void succeeded(enum operation operation);
/* Something happened that must not; the first such place is told. */
void game_broken(const char *file, uint32_t line);
#define MUST(condition) ((condition) ? (void)0 : game_broken(__FILE__, __LINE__))
/* A handle of this relation, which nobody else takes meanwhile; 0: there is none. */
mnos_cap_t take(enum relation relation);
/* Puts it back, or deletes it when there is no room. */
void put_back(enum relation relation, mnos_cap_t cap);
/* Gives a capability to another player; whether it was given. */
bool give(mnos_cap_t process, uint32_t to, enum relation relation, mnos_cap_t cap);
void drop(mnos_cap_t cap);
void pause_ns(uint64_t duration_ns);
/* To threads of this core, and to other cores when an emulator has one thread for all: it changes at PAUSE. */
void give_way(void);
/* Whether the process has not ended; an error means that it has. */
bool is_alive(mnos_cap_t process);

/* ---- player.c ---- */

void player_begin(uint32_t seat);
/* Draws and plays one operation. */
void play(void);
void player_main(uint64_t seat);

/* ---- program.c, create.c ---- */

/* The program's segments, from the initial RAM disk, onto the board; for the root. */
bool program_read(void);
bool player_create(enum role role, struct child_seat *child);
void create(void);
/* A child that may be dead by now; NULL: none. */
struct child_seat *any_child(void);
void child_forget(struct child_seat *child);

/* ---- destroy.c ---- */

void destroy_self(void);
void destroy_child(void);
void destroy_grandchild(void);
void destroy_sibling(void);
void destroy_parent(void);
void pair(void);
void pair_main(uint64_t seat);

/* ---- threads.c ---- */

typedef void worker_function(uint64_t argument);

/* A thread of this player on one of its stacks, which is free when its last thread is dead. Its priority is
 * below the player's: what it does may have no end. */
mnos_cap_t worker_begin(unsigned slot, worker_function *function, uint64_t argument,
                        uint32_t flags);
mnos_cap_t worker_begin_at(uint32_t priority, unsigned slot, worker_function *function,
                           uint64_t argument, uint32_t flags);
bool worker_end(mnos_cap_t thread);
void thread_own(void);
void thread_other(void);
void thread_mutual(void);
void cancel(void);
void suspend(void);
void change(void);

/* ---- faults.c ---- */

void fault(void);
void upcall(void);
void serve(uint64_t);

/* ---- share.c ---- */

void revoke(void);
void transfer(void);
void quota(void);
void map(void);
void message(void);
