// SPDX-License-Identifier: MIT
/*
 * main.c - the root of the game: rounds until so much time has passed and every operation has succeeded
 * often enough; after each round its account must be what it was. On the command line:
 *
 *   seed=N       of the game; round R of it is played again with first=R
 *   seconds=N    at least so long
 *   least=N      each operation at least so often (share of it: operations.def)
 *   without=A,B  leaves operations out
 */
#include "tests/campaigns/game/game.h"

#include "abi/statistics.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/memory.h"
#include "lib/base/string.h"
#include "tests/guest/output.h"

#define SECOND_NS 1000000000ull
#define REPORT_NS (2 * SECOND_NS)
/* Of a round: enough that a tree grows and is cut down several times. */
#define ROUND_OPERATIONS 400u
#define ROUND_OPERATIONS_CORE 150u
#define SETTLE_NS (100 * MILLISECOND_NS)
#define ACCOUNT_TRIES 3000u
#define ACCOUNT_PAUSE_NS (10 * MILLISECOND_NS)
#define ROOT_PAUSE_NS 400000u
/* Capabilities that the root's table has had room for from the beginning. */
#define CAPS_ROOM 256u
#define CAPS_OWN 64u
/* Frames that caches of kernel objects may keep: tests/guest/test_stress.c. */
#define CACHED_FRAMES_CORE 40u
#define CACHED_FRAMES 60u

static const struct {
    const char *word;
    uint32_t share;
} operations[OPERATIONS] = {
#define OPERATION(name, word, share, weight) {word, share},
#include "tests/campaigns/game/operations.def"
#undef OPERATION
};

static struct {
    uint64_t seed, first, seconds, least;
    uint64_t began_ns, reported_ns, reported;
    mnos_cap_t own[CAPS_OWN]; /* what the root holds between rounds */
    uint32_t own_count;
} game;

/* ---- the command line ---- */

/* What follows `key=`; NULL: it is not there. */
static const char *value_of(const char *key)
{
    size_t length = strlen(key);

    for (const char *c = bootstrap_arguments(); *c != '\0'; c++)
        if ((c == bootstrap_arguments() || c[-1] == ' ') && strncmp(c, key, length) == 0 &&
            c[length] == '=')
            return c + length + 1;
    return NULL;
}

static uint64_t number_of(const char *key, uint64_t otherwise)
{
    const char *c = value_of(key);
    uint64_t number = 0;

    if (c == NULL)
        return otherwise;
    for (; *c >= '0' && *c <= '9'; c++)
        number = number * 10 + (uint64_t)(*c - '0');
    return number;
}

static bool is_listed(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *c = list; c != NULL && *c != '\0' && *c != ' '; c++)
        if ((c == list || c[-1] == ',') && strncmp(c, word, length) == 0 &&
            (c[length] == ',' || c[length] == ' ' || c[length] == '\0'))
            return true;
    return false;
}

static void command_line_read(void)
{
    game.seed = number_of("seed", 1);
    game.first = number_of("first", 0);
    game.seconds = number_of("seconds", 10);
    game.least = number_of("least", 0);
    for (unsigned i = 0; i < OPERATIONS; i++)
        if (is_listed(value_of("without"), operations[i].word))
            board()->without |= 1ull << i;
}

/* ---- between rounds ---- */

static uint64_t played(void)
{
    return atomic_load(&board()->played);
}

/* Now and then, when operations have been played since the last time: the host takes silence for a hang. */
static void report(uint64_t round)
{
    if (kinfo_time_ns() < game.reported_ns + REPORT_NS || played() == game.reported)
        return;
    game.reported_ns = kinfo_time_ns();
    game.reported = played();
    print("game: round %llu, %llu s, %llu operations", (unsigned long long)round,
          (unsigned long long)((game.reported_ns - game.began_ns) / SECOND_NS),
          (unsigned long long)played());
}

static mnos_cap_t cap_from(uint32_t *index)
{
    const struct mnos_cap_info *info = (const struct mnos_cap_info *)ipc_buffer()->data;
    uint64_t written;

    if (sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_CAP, *index, &written) != MNOS_OK)
        return 0;
    *index = MNOS_HANDLE_INDEX(info->handle) + 1;
    return info->handle;
}

static void own_caps_note(void)
{
    uint32_t index = 0;
    mnos_cap_t cap;

    while ((cap = cap_from(&index)) != 0 && game.own_count < CAPS_OWN)
        game.own[game.own_count++] = cap;
}

static bool is_own(mnos_cap_t cap)
{
    for (uint32_t i = 0; i < game.own_count; i++)
        if (game.own[i] == cap)
            return true;
    return false;
}

/* What others gave, and operations have left: a worker that was ended in time leaves a process that lives on
 * without any capability to it. */
static void other_caps_drop(void)
{
    uint32_t index = 0;
    mnos_cap_t cap;

    while ((cap = cap_from(&index)) != 0) {
        if (is_own(cap))
            continue;
        if (is_alive(cap))
            (void)!sys_proc_destroy(cap, 0);
        drop(cap);
    }
}

static bool accounts_equal(const struct mnos_process_info *a, const struct mnos_process_info *b)
{
    return a->frames_used == b->frames_used && a->bytes_used == b->bytes_used &&
           a->cap_count == b->cap_count && a->thread_count == b->thread_count;
}

static bool account_returns(const struct mnos_process_info *before, uint64_t round)
{
    struct mnos_process_info after = process_info(MNOS_SELF);

    /* Other cores may have memory still to release, and a busy host may let them wait. */
    for (unsigned tries = 0; !accounts_equal(before, &after) && tries < ACCOUNT_TRIES; tries++) {
        sleep_ns(ACCOUNT_PAUSE_NS);
        after = process_info(MNOS_SELF);
    }
    if (accounts_equal(before, &after))
        return true;
    return check_fail("round", (int)round,
                      "frames %lld, bytes %lld, capabilities %lld, threads %lld",
                      (long long)(after.frames_used - before->frames_used),
                      (long long)(after.bytes_used - before->bytes_used),
                      (long long)(after.cap_count - before->cap_count),
                      (long long)(after.thread_count - before->thread_count));
}

/* Page tables and pages of the capability table stay: all that a round may need are taken before. */
static void make_room(void)
{
    mnos_cap_t caps[CAPS_ROOM], memory = memory_new(1);

    for (unsigned i = 0; i < CAPS_ROOM; i++)
        caps[i] = cap_copy(memory, 0);
    for (unsigned i = 0; i < CAPS_ROOM; i++)
        cap_drop(caps[i]);
    CHECK_OK(sys_mem_map(MNOS_SELF, memory, WINDOW_ADDRESS, 0, 1, MAP_RW));
    cap_drop(memory);
}

/* ---- rounds ---- */

static void seats_clear(uint64_t round)
{
    const struct seat root = {.image = bootstrap_cap("initrd"), .board = seat()->board};

    board()->seed = (game.seed * 0x9E3779B97F4A7C15ull) ^ (round * 0xD1B54A32D192ED03ull);
    memset(board()->seats, 0, sizeof board()->seats);
    board()->seats[0] = root;
    atomic_store(&board()->seats_taken, 1);
}

static void round_play(uint64_t round)
{
    uint64_t end = played() + ROUND_OPERATIONS + ROUND_OPERATIONS_CORE * core_count();

    seats_clear(round);
    player_begin(0);
    for (unsigned i = 0; i < CHILDREN; i++)
        create();
    while (played() < end && atomic_load(&board()->broken) == 0) {
        play();
        sleep_ns(draw_below(ROOT_PAUSE_NS));
        report(round);
    }
    for (unsigned i = 0; i < CHILDREN; i++)
        if (self.children[i].process != 0)
            child_forget(&self.children[i]);
    (void)worker_end(self.server);
    other_caps_drop();
}

static uint64_t least_of(unsigned operation)
{
    bool left_out = (board()->without >> operation & 1) != 0;

    return left_out ? 0 : game.least * operations[operation].share / 1000;
}

static bool is_enough(void)
{
    if (kinfo_time_ns() < game.began_ns + game.seconds * SECOND_NS)
        return false;
    for (unsigned i = 0; i < OPERATIONS; i++)
        if (atomic_load(&board()->count[i]) < least_of(i))
            return false;
    return true;
}

/* Free frames of the machine, when the cores have had time to release theirs. */
static uint64_t frames_free(void)
{
    const struct mnos_statistics *statistics;
    uint64_t free = 0;
    void *address;

    sleep_ns(SETTLE_NS);
    if (CHECK_OK(memory_map(bootstrap_cap("statistics"), 0, 1, MNOS_MAP_READ, &address))) {
        statistics = address;
        free = statistics->frames_free;
        memory_unmap(address, 1);
    }
    return free;
}

static bool frames_return(uint64_t before)
{
    uint64_t slack = CACHED_FRAMES + CACHED_FRAMES_CORE * core_count(), limit = soon();

    while (frames_free() + slack < before)
        if (kinfo_time_ns() > limit)
            return check_fail("frames", 0, "%llu of %llu are left",
                              (unsigned long long)frames_free(), (unsigned long long)before);
    return true;
}

/* The first round only makes everything ready: what it leaves is what later ones must find again.
 * Returns how many rounds were played. */
static uint64_t rounds_play(void)
{
    struct mnos_process_info before = {0};
    uint64_t frames = 0, round = game.first;

    for (;; round++) {
        round_play(round);
        if (atomic_load(&board()->broken) != 0)
            check_fail(atomic_load(&board()->broken_file), (int)atomic_load(&board()->broken),
                       "this must not happen, in round %llu", (unsigned long long)round);
        if (round == game.first) {
            frames = frames_free();
            before = process_info(MNOS_SELF);
        }
        if (check_failed() || !account_returns(&before, round))
            break;
        report(round);
        if (round != game.first && is_enough()) {
            (void)frames_return(frames);
            break;
        }
    }
    return round - game.first + 1;
}

/* ---- the report ---- */

static unsigned result(bool ok, const char *what)
{
    if (ok)
        print("ok %s", what);
    else
        print("FAIL %s: %s", what, check_failed() ? check_reason() : "too seldom");
    return ok;
}

static void game_report(uint64_t rounds)
{
    unsigned passed = result(!check_failed(), "every account is what it was after each round");

    for (unsigned i = 0; i < OPERATIONS; i++) {
        uint64_t count = atomic_load(&board()->count[i]);

        print("figure: %s %llu", operations[i].word, (unsigned long long)count);
        passed += result(count >= least_of(i), operations[i].word);
    }
    print("figure: pair-both %llu", (unsigned long long)atomic_load(&board()->pair_both));
    print("figure: rounds %llu", (unsigned long long)rounds);
    print("%u passed, %u failed", passed, OPERATIONS + 1 - passed);
    machine_leave(passed == OPERATIONS + 1);
}

int main(void)
{
    mnos_cap_t memory = memory_new(BOARD_PAGES);
    mnos_cap_t stacks = memory_new(STACKS * STACK_PAGES);

    CHECK_OK(sys_mem_map(MNOS_SELF, memory, BOARD_ADDRESS, 0, BOARD_PAGES, MAP_RW));
    CHECK_OK(sys_mem_map(MNOS_SELF, stacks, STACKS_ADDRESS, 0, STACKS * STACK_PAGES, MAP_RW));
    board()->seats[0].board = memory;
    command_line_read();
    print("game: seed %llu on %u cores", (unsigned long long)game.seed, core_count());
    if (!program_read()) {
        print("FAIL the program can be read: %s", check_reason());
        machine_leave(false);
        return 1;
    }
    make_room();
    own_caps_note();
    game.began_ns = game.reported_ns = kinfo_time_ns();
    game_report(rounds_play());
    return 1;
}
