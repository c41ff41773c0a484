// SPDX-License-Identifier: MIT
/* main - a service for tests: keeps a counter in a region, and hands on pages of two others. */
#include "lib/client/region.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"
#include "lib/server/state.h"
#include "tests/services/keeper/keeper.h"

#define MAGIC 0x5245504545544554ull
#define LAYOUT 1u
#define LOG_BYTES 1024u
#define PIECES_MAX 4u

struct content {
    uint64_t counter, twice; /* always twice the counter */
    uint64_t hangs;
};

static struct region_piece memory_pieces[PIECES_MAX], shared_piece, kept_piece;
static struct region memory, shared, kept;
static struct state state;
static struct content *content;

static uint64_t *mark_of(uint32_t piece)
{
    return (uint64_t *)(memory.address + (uint64_t)(memory.pieces[piece].first_page +
                                                    memory.pieces[piece].page_count) *
                                             MNOS_PAGE_BYTES) -
           1;
}

static bool marks_are_there(void)
{
    for (uint32_t i = 0; i < memory.piece_count; i++) {
        if (*mark_of(i) != MAGIC + i)
            return false;
    }
    return true;
}

static void begin_anew(void)
{
    mnos_status_t status;

    do {
        status = region_grow(&memory);
    } while (status == MNOS_OK);
    log_line("grown to %u pieces, then: %u", memory.piece_count, status);
    for (uint32_t i = 0; i < memory.piece_count; i++) {
        if (*mark_of(i) != 0)
            log_line("piece %u is not zeroed", i);
        *mark_of(i) = MAGIC + i;
    }
    *content = (struct content){0};
    state_extend(&state, 0, memory.bytes);
    state_ready(&state);
}

static uint64_t count(bool die)
{
    state_put(&state, content, sizeof *content);
    content->counter++;
    if (die)
        __builtin_trap();
    content->twice = 2 * content->counter;
    state_done(&state);
    return content->counter;
}

static mnos_status_t open_all(void)
{
    mnos_status_t status =
        region_open(&memory, BOOTSTRAP_REQUIRED("memory"), memory_pieces, PIECES_MAX);

    if (status == MNOS_OK)
        status = region_open(&shared, BOOTSTRAP_REQUIRED("shared"), &shared_piece, 1);
    return status != MNOS_OK ? status
                             : region_open(&kept, BOOTSTRAP_REQUIRED("kept"), &kept_piece, 1);
}

/* Longer than a client is patient and the grace of the test's manifest together. */
static void be_slow(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        alive_show();
        sleep_until(deadline_after_ns(10000000));
    }
}

/* A page to read, and to hand on no further. */
static void answer_page(struct message *msg, mnos_cap_t cap)
{
    message_put(msg, MNOS_OK, NULL, 0);
    message_add_cap(msg, cap, MNOS_RIGHT_READ);
}

/* The rules of PART and RELEASE, on pages of which nobody has a part but the first. One bit for each that is broken. */
static uint64_t look_at_parts(void)
{
    mnos_cap_t part;
    uint64_t broken = 0;
    unsigned rule = 0;
#define RULE(call, expected) broken |= (uint64_t)((call) != (expected)) << rule++

    RULE(region_new_part(&kept, 0, 1, 1, &part), MNOS_ERR_EXISTS); /* a client has it */
    RULE(region_part(&kept, 0, 1, 2, &part), MNOS_ERR_EXISTS);
    RULE(region_new_part(&kept, 0, 2, 2, &part), MNOS_OK);
    RULE(region_new_part(&kept, 0, 2, 2, &part), MNOS_ERR_EXISTS);
    RULE(region_part(&kept, 0, 2, 2, &part), MNOS_OK);
    RULE(region_new_part(&kept, 0, 4, 1, &part), MNOS_OK);
    /* Not even the part that is whole, or the next would not be there. */
    RULE(region_release(&kept, 0, 3, 3), MNOS_ERR_ARGUMENT);
    RULE(region_release(&kept, 0, 4, 5), MNOS_ERR_ARGUMENT); /* no such pages */
    RULE(region_new_part(&kept, 0, 4, 1, &part), MNOS_ERR_EXISTS);
    RULE(region_release(&kept, 0, 2, 6), MNOS_OK);
    RULE(region_release(&kept, 0, 2, 6), MNOS_OK);
    RULE(region_new_part(&kept, 0, 3, 4, &part), MNOS_OK); /* another size */
    RULE(region_new_part(&kept, 0, 2, 1, &part), MNOS_OK);
#undef RULE
    return broken;
}

static void answer_number(struct message *msg, uint64_t number)
{
    message_put(msg, MNOS_OK, &number, sizeof number);
}

static void handle(struct message *msg)
{
    mnos_status_t status = MNOS_OK;
    mnos_cap_t part = 0;

    switch (msg->label) {
    case KEEPER_SHARED: answer_page(msg, shared.pieces[0].memory); return;
    case KEEPER_KEPT: answer_page(msg, kept.pieces[0].memory); return;
    case KEEPER_PART:
        status = region_part(&kept, 0, 1, 1, &part);
        if (status == MNOS_OK) {
            answer_page(msg, part);
            return;
        }
        break;
    case KEEPER_RELEASE: status = region_release(&kept, 0, 1, 1); break;
    case KEEPER_BREAK: (void)count(true); break;
    case KEEPER_HANG:
        for (bool hang = content->hangs++ == 0; hang;)
            __builtin_ia32_pause();
        break;
    case KEEPER_SLOW: be_slow(); break;
    case KEEPER_COUNT: answer_number(msg, count(false)); return;
    case KEEPER_PARTS: answer_number(msg, look_at_parts()); return;
    case KEEPER_ALL: status = region_release(&kept, 0, 0, 8); break;
    default: status = MNOS_ERR_LABEL; break;
    }
    message_put(msg, status, NULL, 0);
}

int main(void)
{
    struct message msg = {0};
    enum state_found found;
    mnos_status_t status = open_all();

    if (status != MNOS_OK) {
        log_error(status, "open the regions");
        return 1;
    }
    found = state_open(&state, memory.address, memory.bytes, MAGIC, LAYOUT, LOG_BYTES, NULL);
    content = state_content(&state);
    if (found != STATE_WHOLE)
        begin_anew();
    log_line("run %llu after %u deaths, found %u, counter %llu %s, marks %s, one run of frames: %s",
             (unsigned long long)state.header->epoch, state.header->deaths, found,
             (unsigned long long)content->counter,
             content->twice == 2 * content->counter ? "whole" : "torn",
             marks_are_there() ? "there" : "gone",
             shared.pieces[0].physical != UINT64_MAX ? "yes" : "no");
    for (;;) {
        status = ipc_reply_receive(bootstrap_cap("requests"), &msg, MNOS_DEADLINE_NEVER);
        if (status != MNOS_OK)
            return 2;
        if (msg.kind != MNOS_KIND_MESSAGE) {
            alive_answer(&msg);
            if (msg.kind == MNOS_KIND_EVENTS)
                log_line("events 0x%llx", (unsigned long long)msg.words[0]);
            msg = (struct message){0};
            continue;
        }
        handle(&msg);
        if (msg.cap_count != 0) {
            (void)!ipc_reply(&msg);
            msg = (struct message){0};
        }
    }
}
