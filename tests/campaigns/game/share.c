// SPDX-License-Identifier: MIT
/* share.c - what players give each other and take back: memory, ports, processes, messages. */
#include "tests/campaigns/game/game.h"

#include "lib/base/string.h"

#define PATIENCE_NS 400000u
/* Less than any player has charged. */
#define FRAMES_MOVED 4
#define BYTES_MOVED 4096

/* A child or the parent, to give something to: its process and its seat. */
static mnos_cap_t anybody(uint32_t *to)
{
    struct child_seat *child = any_child();

    if (child != NULL && draw_below(2) == 0) {
        *to = child->seat;
        return child->process;
    }
    *to = seat()->parent;
    return seat()->parent_process;
}

static uint64_t somewhere(uint64_t page_count)
{
    return WINDOW_ADDRESS + draw_below((uint32_t)(0x40 - page_count)) * PAGE;
}

/* What is mapped there already stays, or is exchanged. */
static bool map_into(mnos_cap_t process, mnos_cap_t memory, uint64_t page_count)
{
    uint64_t address = somewhere(page_count);

    if (sys_mem_map(process, memory, address, 0, page_count,
                    MNOS_MAP_READ | (draw_below(2) == 0 ? MNOS_MAP_REPLACE : 0)) != MNOS_OK)
        return false;
    succeeded(OP_MAP);
    return true;
}

/* Only this thread maps in this part of its window: what it has mapped is there. */
static void map_here_and_touch(mnos_cap_t memory, uint64_t page_count)
{
    uint64_t address = WINDOW_ADDRESS + 0x60 * PAGE;

    if (sys_mem_map(MNOS_SELF, memory, address, 0, page_count, MAP_RW) != MNOS_OK)
        return;
    succeeded(OP_MAP);
    for (uint64_t page = 0; page < page_count; page++)
        *(volatile uint64_t *)(address + page * PAGE) = page;
    (void)!sys_mem_map(MNOS_SELF, 0, address + PAGE * draw_below(2), 0, page_count, MNOS_MAP_READ);
    (void)!sys_mem_map(MNOS_SELF, 0, address, 0, page_count, MAP_RW);
    (void)!sys_mem_unmap(MNOS_SELF, address, page_count);
}

/* Moves limits to a child or from it, or one kind each way, as far as there is something left. */
void quota(void)
{
    const int64_t frames = (int64_t)draw_below(2 * FRAMES_MOVED) - FRAMES_MOVED;
    const int64_t bytes = (int64_t)draw_below(2 * BYTES_MOVED) - BYTES_MOVED;
    struct child_seat *child = any_child();
    mnos_status_t status;

    if (child == NULL)
        return;
    status = sys_proc_quota(child->process, frames, bytes);
    MUST(status == MNOS_OK || status == MNOS_ERR_QUOTA || status == MNOS_ERR_STATE);
    if (status == MNOS_OK)
        succeeded(OP_QUOTA);
}

void map(void)
{
    uint64_t page_count = 1 + draw_below(12);
    struct child_seat *child = any_child();
    mnos_cap_t memory = take(MEMORY);

    if (memory != 0) {
        (void)map_into(MNOS_SELF, memory, 1);
        put_back(MEMORY, memory);
        return;
    }
    if (sys_mem_alloc(page_count, 0, &memory) != MNOS_OK)
        return;
    map_here_and_touch(memory, page_count);
    if (child != NULL) {
        (void)map_into(child->process, memory, page_count);
        (void)give(child->process, child->seat, MEMORY, memory);
    }
    if (draw_below(2) == 0)
        drop(memory);
    else
        put_back(MEMORY, memory);
}

static void spread(mnos_cap_t memory, uint64_t page_count)
{
    for (unsigned i = draw_below(4); i-- > 0;) {
        uint32_t to;
        mnos_cap_t process = anybody(&to), copy;

        (void)give(process, to, MEMORY, memory);
        if (sys_cap_create(MNOS_CREATE_COPY, memory, MNOS_RIGHTS_ALL, 0, 0, &copy) == MNOS_OK)
            (void)map_into(draw_below(2) == 0 || process == 0 ? MNOS_SELF : process, copy,
                           page_count);
    }
}

void revoke(void)
{
    uint64_t page_count = 1 + draw_below(8);
    mnos_cap_t memory = draw_below(4) == 0 ? take(MEMORY) : 0;

    if (memory == 0 && sys_mem_alloc(page_count, 0, &memory) != MNOS_OK)
        return;
    spread(memory, page_count);
    if (sys_cap_revoke(memory) == MNOS_OK)
        succeeded(OP_REVOKE);
    drop(memory);
}

/* One that was given goes on to another; a process may come to know itself so. */
static void pass_on(enum relation relation)
{
    mnos_cap_t cap = take(relation), process;
    uint32_t to;

    if (cap == 0)
        return;
    process = anybody(&to);
    (void)give(process, to, relation, cap);
    put_back(relation, cap);
}

void transfer(void)
{
    mnos_cap_t process;
    uint32_t to;

    switch (draw_below(4)) {
    case 0: pass_on(PORT); break;
    case 1: pass_on(MEMORY); break;
    case 2: pass_on(THREAD); break;
    default:
        process = anybody(&to);
        (void)give(process, to, PORT, draw_below(2) == 0 ? self.port : self.still);
        break;
    }
}

/* ---- messages ---- */

static void exchange(mnos_cap_t port)
{
    struct message msg = {.accept = 2};
    uint64_t deadline = kinfo_time_ns() + draw_below(PATIENCE_NS);

    message_put(&msg, draw_below(16), NULL, 0);
    msg.length = draw_below(400);
    if (draw_below(4) == 0)
        message_add_cap(&msg, self.still, MNOS_RIGHTS_ALL);
    switch (draw_below(4)) {
    case 0:
        if (ipc_send(port, &msg, deadline) == MNOS_OK)
            succeeded(OP_MESSAGE);
        return;
    case 1:
        if (sys_ipc_notify(port, draw() | 1) == MNOS_OK)
            succeeded(OP_MESSAGE);
        return;
    default: break;
    }
    if (ipc_call(port, &msg, deadline) != MNOS_OK)
        return;
    succeeded(OP_MESSAGE);
    for (unsigned i = 0; i < msg.cap_count; i++)
        drop(message_cap(&msg, i));
}

void message(void)
{
    mnos_cap_t port = take(PORT);

    exchange(port != 0 ? port : seat()->parent_port);
    if (port != 0)
        put_back(PORT, port);
}
