// SPDX-License-Identifier: MIT
/*
 * create.c - a new player: a process with this program's code and constants, fresh variables, stacks for
 * its threads, and the board. Whoever creates it tells its relatives.
 */
#include "tests/campaigns/game/game.h"

#include "lib/mnos/layout.h"
#include "lib/base/string.h"

#define EVENT_ENDED 1ull

/* By depth: a player's quota holds those of its children. */
static const struct {
    uint64_t frames, bytes;
} quotas[DEPTH_MAX + 1] = {
    {0, 0}, {2600, 2048 * 1024}, {800, 640 * 1024}, {230, 192 * 1024}, {44, 48 * 1024}};

static mnos_cap_t process_begin(uint32_t depth, mnos_cap_t fault_endpoint)
{
    struct mnos_process_params params = {.name = "player",
                                         .frames_quota = quotas[depth].frames,
                                         .bytes_quota = quotas[depth].bytes,
                                         .priority_ceiling = PRIORITY_CEILING,
                                         .exit_endpoint = self.port,
                                         .exit_events = EVENT_ENDED,
                                         .fault_endpoint = fault_endpoint};
    mnos_cap_t process;

    memcpy(ipc_buffer()->data, &params, sizeof params);
    return sys_proc_create(sizeof params, &process) == MNOS_OK ? process : 0;
}

static bool map_segments(mnos_cap_t process, mnos_cap_t body)
{
    uint64_t page = 0;

    for (uint64_t i = 0; i < board()->segment_count; i++) {
        const struct segment *s = &board()->segments[i];
        bool fresh = (s->flags & MNOS_MAP_WRITE) != 0;

        if (sys_mem_map(process, fresh ? body : seat()->image, s->address,
                        fresh ? page : s->first_page, s->page_count, s->flags) != MNOS_OK)
            return false;
        page += fresh ? s->page_count : 0;
    }
    return sys_mem_map(process, body, STACKS_ADDRESS, page, STACKS * STACK_PAGES, MAP_RW) ==
           MNOS_OK;
}

/* The memory goes to the child altogether: its creator's capability is deleted, and with that what the
 * child has of it, when the child has ended. */
static bool map_all(mnos_cap_t process, mnos_cap_t body)
{
    if (!map_segments(process, body) ||
        sys_mem_map(process, seat()->board, BOARD_ADDRESS, 0, BOARD_PAGES, MAP_RW) != MNOS_OK)
        return false;
    succeeded(OP_MAP);
    return true;
}

static bool endow(mnos_cap_t process, struct seat *theirs)
{
    const mnos_rights_t all = MNOS_RIGHTS_ALL;
    const mnos_rights_t program = MNOS_RIGHT_READ | MNOS_RIGHT_EXECUTE | MNOS_RIGHT_GRANT;
    const uint64_t seat_number = (uint64_t)(theirs - board()->seats);
    /* The badges of every other one outlive us. */
    const uint64_t kind = MNOS_CREATE_MINT | (seat_number % 2 == 0 ? 0 : MNOS_MINT_LASTING);
    mnos_cap_t minted = 0;

    if (sys_cap_transfer(process, seat()->image, program, &theirs->image) != MNOS_OK ||
        sys_cap_transfer(process, seat()->board, all, &theirs->board) != MNOS_OK ||
        sys_cap_transfer(process, process, all, &theirs->own_process) != MNOS_OK)
        return false;
    if (seat()->own_process != 0 &&
        sys_cap_transfer(process, seat()->own_process, all, &theirs->parent_process) != MNOS_OK)
        return false;
    if (sys_cap_create(kind, self.port, all, 1 + seat_number, MNOS_EVENTS_ALL, &minted) ==
        MNOS_OK) {
        (void)!sys_cap_transfer(process, minted, all, &theirs->parent_port);
        drop(minted); /* what was given goes on, below the port */
    }
    return true;
}

static void player_entry(uint64_t number, struct mnos_ipc_buffer *buffer)
{
    thread_block_init(buffer, NULL);
    if (board()->seats[number].role == ROLE_PLAYER)
        player_main(number);
    else
        pair_main(number);
    for (;;)
        (void)!sys_proc_destroy(MNOS_SELF, 0);
}

static bool start(mnos_cap_t process, uint32_t number)
{
    struct mnos_thread_params params = {.name = "player",
                                        .ipc_buffer = LAYOUT_IPC_BUFFER,
                                        .priority = PRIORITY_PLAYER,
                                        .affinity = MNOS_AFFINITY_ANY};
    mnos_cap_t thread;

    params.registers.rip = (uint64_t)player_entry;
    params.registers.rsp = STACKS_ADDRESS + (STACK_PLAYER + 1) * STACK_PAGES * PAGE - 8;
    params.registers.fs_base = LAYOUT_IPC_BUFFER;
    params.registers.rdi = number;
    params.registers.rsi = LAYOUT_IPC_BUFFER;
    memcpy(ipc_buffer()->data, &params, sizeof params);
    if (sys_thread_create(process, sizeof params, &thread) != MNOS_OK)
        return false;
    if (!give(process, number, THREAD, thread) || draw_below(4) == 0)
        (void)!give(seat()->parent_process, seat()->parent, THREAD, thread);
    drop(thread);
    return true;
}

static bool seat_take(enum role role, uint32_t *number)
{
    struct seat *theirs;

    *number = atomic_fetch_add(&board()->seats_taken, 1);
    if (*number >= SEATS)
        return false;
    theirs = &board()->seats[*number];
    theirs->parent = self.seat;
    theirs->depth = self.depth + 1;
    theirs->role = role;
    return true;
}

bool player_create(enum role role, struct child_seat *child)
{
    uint64_t body_pages = board()->fresh_pages + STACKS * STACK_PAGES;
    mnos_cap_t body = 0;
    bool ok;

    if (self.depth >= DEPTH_MAX || !seat_take(role, &child->seat))
        return false;
    child->process = process_begin(self.depth + 1, draw_below(16) != 0 ? self.port : 0);
    if (child->process == 0)
        return false;
    ok = sys_mem_alloc(body_pages, 0, &body) == MNOS_OK && map_all(child->process, body) &&
         endow(child->process, &board()->seats[child->seat]) && start(child->process, child->seat);
    board()->seats[child->seat].go = 0;
    child->body = body;
    if (!ok)
        child_forget(child);
    return ok;
}

/* ---- family ---- */

static void introduce(const struct child_seat *child)
{
    (void)!give(seat()->parent_process, seat()->parent, GRANDCHILD, child->process);
    for (unsigned i = 0; i < CHILDREN; i++) {
        const struct child_seat *other = &self.children[i];

        if (other->process == 0 || other == child)
            continue;
        (void)!give(other->process, other->seat, SIBLING, child->process);
        (void)!give(child->process, child->seat, SIBLING, other->process);
    }
    (void)!give(child->process, child->seat, PORT, self.port);
}

void create(void)
{
    struct child_seat *place = NULL;

    for (unsigned i = 0; i < CHILDREN; i++) {
        struct child_seat *child = &self.children[i];

        if (child->process != 0 && !is_alive(child->process))
            child_forget(child);
        if (child->process == 0)
            place = child;
    }
    if (place == NULL || !player_create(ROLE_PLAYER, place))
        return;
    succeeded(OP_CREATE);
    introduce(place);
}

struct child_seat *any_child(void)
{
    struct child_seat *child = &self.children[draw_below(CHILDREN)];

    return child->process != 0 ? child : NULL;
}

void child_forget(struct child_seat *child)
{
    MUST(sys_proc_destroy(child->process, 0) == MNOS_OK);
    drop(child->process);
    drop(child->body);
    *child = (struct child_seat){0};
}
