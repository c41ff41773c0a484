// SPDX-License-Identifier: MIT
/*
 * test_libmnos - the parts of libmnos that need no kernel: strings, error texts,
 * ranges of addresses and shared rings.
 *
 * Also provides these functions to the other tests of user programs.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The library's own versions under other names, beside those of the host that the sanitizers know. */
#define memcpy mnos_memcpy
#define memmove mnos_memmove
#define memset mnos_memset
#define memcmp mnos_memcmp
#define strlen mnos_strlen
#define strnlen mnos_strnlen
#define strcmp mnos_strcmp
#define strncmp mnos_strncmp
#define strchr mnos_strchr
#include "lib/base/memcpy.c"
#include "lib/base/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr

#include "lib/mnos/ranges.c"
#include "lib/mnos/ring.c"
#include "lib/mnos/status.c"

/* ---- Strings ---- */

TEST(libmnos_string, memmove_copies_overlapping_ranges_in_both_directions)
{
    char up[] = "0123456789", down[] = "0123456789";

    mnos_memmove(up + 2, up, 8);
    CHECK_STR_EQ(up, "0101234567");
    mnos_memmove(down, down + 2, 8);
    CHECK_STR_EQ(down, "2345678989");
}

TEST(libmnos_string, memcpy_and_memset_handle_every_length_and_nothing_beyond)
{
    char from[40], to[40];

    for (size_t length = 0; length < 32; length++) {
        for (size_t i = 0; i < sizeof from; i++)
            from[i] = (char)('a' + i % 26);
        memset(to, '.', sizeof to);
        mnos_memcpy(to, from, length);
        CHECK(memcmp(to, from, length) == 0);
        CHECK_EQ(to[length], '.');
        mnos_memset(to, 'x', length);
        for (size_t i = 0; i < length; i++)
            CHECK_EQ(to[i], 'x');
        CHECK_EQ(to[length], '.');
    }
}

/* lib/mnos/memcpy.S, assembled with these names. */
void program_memcpy_init(void);
void *program_memcpy(void *restrict to, const void *restrict from, size_t size);

static void copies_every_length(void)
{
    static char from[2100], to[2100], wanted[2100];

    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (char)(i * 7 + i / 251);
    for (size_t length = 0; length < 2048; length += length < 64 ? 1 : 31) {
        size_t shift = length % 9, offset = length % 5;

        memset(to, '.', sizeof to);
        memset(wanted, '.', sizeof wanted);
        memcpy(wanted + offset, from + shift, length);
        CHECK(program_memcpy(to + offset, from + shift, length) == to + offset);
        CHECK(memcmp(to, wanted, sizeof to) == 0);
    }
}

TEST(libmnos_string, memcpy_of_programs_handles_every_length_with_either_kind_of_registers)
{
    copies_every_length();
    program_memcpy_init();
    copies_every_length();
}

TEST(libmnos_string, memcpy_of_programs_goes_upwards_as_memmove_needs)
{
    static char bytes[4096], wanted[4096];

    for (size_t shift = 1; shift < 600; shift += 37) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = wanted[i] = (char)(i * 13 + i / 256);
        memmove(wanted, wanted + shift, sizeof wanted - shift);
        program_memcpy(bytes, bytes + shift, sizeof bytes - shift);
        CHECK(memcmp(bytes, wanted, sizeof bytes) == 0);
    }
}

TEST(libmnos_string, comparison_is_by_unsigned_bytes_and_stops_at_the_end)
{
    CHECK(mnos_strcmp("a", "b") < 0);
    CHECK(mnos_strcmp("\x80", "a") > 0);
    CHECK_EQ(mnos_strcmp("abc", "abc"), 0);
    CHECK_EQ(mnos_strncmp("abX", "abY", 2), 0);
    CHECK(mnos_memcmp("\x01\xFF", "\x01\x02", 2) > 0);
}

TEST(libmnos_string, string_copy_cuts_and_terminates)
{
    char out[4];

    CHECK_EQ(string_copy(out, "abcdef", sizeof out), 6);
    CHECK_STR_EQ(out, "abc");
    CHECK_EQ(string_copy(out, "", sizeof out), 0);
    CHECK_STR_EQ(out, "");
}

TEST(libmnos_string, words_are_found_whole)
{
    CHECK(string_has_word("quiet bench", "bench"));
    CHECK(string_has_word("bench", "bench"));
    CHECK(!string_has_word("benchmark", "bench"));
    CHECK(!string_has_word("workbench", "bench"));
    CHECK(!string_has_word("", "bench"));
}

/* ---- Error texts ---- */

TEST(libmnos_status, an_error_names_call_argument_and_missing_rights)
{
    char out[200];
    uint64_t rax =
        MNOS_ERR_RIGHTS | 2ull << 32 | (uint64_t)(MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT) << 40;

    error_describe(out, sizeof out, "open the ports", 0x4D4E0000, rax);
    CHECK_STR_EQ(out, "open the ports: the capability lacks a right that this call needs (mem_map, "
                      "argument memory: missing WRITE, GRANT)");
}

TEST(libmnos_status, an_error_names_the_type_that_was_found)
{
    char out[200];

    error_describe(out, sizeof out, "x", 0x4D4E0008,
                   MNOS_ERR_TYPE | 1ull << 32 | (uint64_t)MNOS_TYPE_PROCESS << 40);
    CHECK_STR_EQ(out, "x: the capability is of another type than this call needs (ipc_notify, "
                      "argument endpoint: found type process)");
}

TEST(libmnos_status, an_error_of_a_service_has_no_call)
{
    char out[200];

    error_describe(out, sizeof out, "read", 0, MNOS_ERR_LABEL);
    CHECK_STR_EQ(out, "read: the service does not know this request");
    error_describe(out, 8, "a long sentence", 0, MNOS_ERR_LABEL);
    CHECK_STR_EQ(out, "a long ");
}

TEST(libmnos_status, rights_are_letters_in_a_fixed_order)
{
    char out[6];

    CHECK_STR_EQ(rights_text(MNOS_RIGHTS_ALL, out), "rwxgv");
    CHECK_STR_EQ(rights_text(MNOS_RIGHT_READ | MNOS_RIGHT_GRANT, out), "r--g-");
}

/* ---- Ranges ---- */

/* R1 of ranges.h. */
static void ranges_check(const struct ranges *ranges)
{
    for (uint32_t i = 1; i < ranges->free_count; i++)
        CHECK(ranges->free[i - 1].first + ranges->free[i - 1].count < ranges->free[i].first);
}

TEST(libmnos_ranges, what_is_given_back_joins_its_neighbours)
{
    struct ranges ranges;
    uint64_t a, b, c;

    ranges_init(&ranges, 100, 30);
    CHECK(ranges_take(&ranges, 10, &a));
    CHECK(ranges_take(&ranges, 10, &b));
    CHECK(ranges_take(&ranges, 10, &c));
    CHECK_EQ(a, 100);
    CHECK_EQ(c, 120);
    CHECK_EQ(ranges.free_count, 0);
    ranges_give(&ranges, a, 10);
    ranges_give(&ranges, c, 10);
    CHECK_EQ(ranges.free_count, 2);
    CHECK(!ranges_take(&ranges, 11, &a));
    ranges_give(&ranges, b, 10);
    CHECK_EQ(ranges.free_count, 1);
    CHECK_EQ(ranges.free[0].first, 100);
    CHECK_EQ(ranges.free[0].count, 30);
}

TEST(libmnos_ranges, random_use_never_hands_a_page_out_twice)
{
    static uint8_t owner[512];
    static struct {
        uint64_t first, count;
    } taken[64];
    struct ranges ranges;
    unsigned seed = 1;

    ranges_init(&ranges, 0, sizeof owner);
    for (unsigned step = 0; step < 20000; step++) {
        unsigned slot = (seed = seed * 1103515245 + 12345) >> 16 & 63;

        if (taken[slot].count == 0) {
            taken[slot].count = 1 + (seed >> 8 & 15);
            if (!ranges_take(&ranges, taken[slot].count, &taken[slot].first))
                taken[slot].count = 0;
            for (uint64_t i = 0; i < taken[slot].count; i++)
                CHECK_EQ(owner[taken[slot].first + i]++, 0);
        } else {
            for (uint64_t i = 0; i < taken[slot].count; i++)
                owner[taken[slot].first + i]--;
            ranges_give(&ranges, taken[slot].first, taken[slot].count);
            taken[slot].count = 0;
        }
        ranges_check(&ranges);
    }
}

TEST(libmnos_ranges, a_full_table_loses_a_range_and_nothing_else)
{
    struct ranges ranges;
    uint64_t first;

    ranges_init(&ranges, 0, 4 * RANGES_MAX);
    CHECK(ranges_take(&ranges, 4 * RANGES_MAX, &first));
    for (uint64_t i = 0; i < 2 * RANGES_MAX; i++)
        ranges_give(&ranges, 2 * i, 1); /* none touches another */
    CHECK_EQ(ranges.free_count, RANGES_MAX);
    ranges_check(&ranges);
}

/* ---- Rings ---- */

enum { RING_BYTES = 64 };

struct ring_scene {
    _Alignas(64) uint8_t memory[sizeof(struct ring_shared) + RING_BYTES];
    struct ring producer, consumer;
};

static struct ring_scene *ring_scene(void)
{
    struct ring_scene *scene = aligned_alloc(64, (sizeof *scene + 63) & ~(size_t)63);

    memset(scene, 0, sizeof *scene);
    CHECK_EQ(ring_capacity(sizeof scene->memory), RING_BYTES);
    ring_init(&scene->producer, scene->memory, RING_BYTES);
    ring_init(&scene->consumer, scene->memory, RING_BYTES);
    return scene;
}

TEST(libmnos_ring, what_is_put_behind_is_seen_when_it_is_published)
{
    static _Alignas(64) uint8_t memory[sizeof(struct ring_shared) + 16];
    struct ring producer, consumer;
    char bytes[16];
    size_t count, room;

    memset(memory, 0, sizeof memory);
    ring_init(&producer, memory, 16);
    ring_init(&consumer, memory, 16);
    ring_publish(&producer, 12);
    ring_drop(&consumer, 12); /* what follows goes round the end */
    ring_put_behind(&producer, 0, "head", 4);
    ring_put_behind(&producer, 4, "tail", 4);
    CHECK_EQ(ring_take(&consumer, bytes, sizeof bytes, &count), MNOS_OK);
    CHECK_EQ(count, 0);
    CHECK_EQ(ring_room(&producer, &room), MNOS_OK);
    CHECK_EQ(room, 16);
    ring_publish(&producer, 8);
    CHECK_EQ(ring_room(&producer, &room), MNOS_OK);
    CHECK_EQ(room, 8);
    CHECK_EQ(ring_take(&consumer, bytes, sizeof bytes, &count), MNOS_OK);
    CHECK(count == 8 && memcmp(bytes, "headtail", 8) == 0);
    atomic_store(&producer.shared->taken, 99); /* a consumer that cannot be */
    CHECK_EQ(ring_room(&producer, &room), MNOS_ERR_FORMAT);
}

TEST(libmnos_ring, bytes_arrive_in_order_across_the_end_of_the_buffer)
{
    struct ring_scene *scene = ring_scene();
    uint8_t next_in = 0, next_out = 0, bytes[RING_BYTES];
    size_t count;

    for (unsigned round = 0; round < 100; round++) {
        size_t want = round % 50 + 1;

        for (size_t i = 0; i < want; i++)
            bytes[i] = next_in + (uint8_t)i;
        CHECK_EQ(ring_put(&scene->producer, bytes, want, &count), MNOS_OK);
        next_in += (uint8_t)count;
        CHECK_EQ(ring_take(&scene->consumer, bytes, 37, &count), MNOS_OK);
        for (size_t i = 0; i < count; i++)
            CHECK_EQ(bytes[i], next_out++);
    }
    CHECK_EQ(ring_take(&scene->consumer, bytes, sizeof bytes, &count), MNOS_OK);
    while (count-- > 0)
        next_out++;
    CHECK_EQ(next_out, next_in);
}

TEST(libmnos_ring, a_full_ring_takes_no_more)
{
    struct ring_scene *scene = ring_scene();
    uint8_t bytes[RING_BYTES + 10] = {0};
    size_t count;

    CHECK_EQ(ring_put(&scene->producer, bytes, sizeof bytes, &count), MNOS_OK);
    CHECK_EQ(count, RING_BYTES);
    CHECK_EQ(ring_put(&scene->producer, bytes, 1, &count), MNOS_OK);
    CHECK_EQ(count, 0);
}

TEST(libmnos_ring, a_hostile_index_is_refused_on_either_side)
{
    struct ring_scene *scene = ring_scene();
    uint8_t bytes[8] = {0};
    size_t count;

    scene->consumer.shared->written = RING_BYTES + 1;
    CHECK_EQ(ring_take(&scene->consumer, bytes, sizeof bytes, &count), MNOS_ERR_FORMAT);
    scene->consumer.shared->written = UINT64_MAX;
    CHECK_EQ(ring_take(&scene->consumer, bytes, sizeof bytes, &count), MNOS_ERR_FORMAT);
    scene->producer.shared->taken = 1; /* more than was ever written */
    CHECK_EQ(ring_put(&scene->producer, bytes, sizeof bytes, &count), MNOS_ERR_FORMAT);
}

TEST(libmnos_ring, what_is_looked_at_stays_until_it_is_dropped)
{
    struct ring_scene *scene = ring_scene();
    uint8_t bytes[RING_BYTES];
    size_t count;

    CHECK_EQ(ring_put(&scene->producer, "abcdef", 6, &count), MNOS_OK);
    CHECK_EQ(ring_peek(&scene->consumer, bytes, 4, &count), MNOS_OK);
    CHECK_EQ(count, 4);
    ring_drop(&scene->consumer, 3);
    CHECK_EQ(ring_take(&scene->consumer, bytes, sizeof bytes, &count), MNOS_OK);
    CHECK(count == 3 && memcmp(bytes, "def", 3) == 0);
}

TEST(libmnos_ring, a_side_goes_on_where_its_predecessor_was)
{
    struct ring_scene *scene = ring_scene();
    uint8_t bytes[RING_BYTES];
    size_t count;

    CHECK_EQ(ring_put(&scene->producer, "abcdef", 6, &count), MNOS_OK);
    CHECK_EQ(ring_take(&scene->consumer, bytes, 2, &count), MNOS_OK);
    ring_resume_producer(&scene->producer, scene->memory, RING_BYTES);
    ring_resume_consumer(&scene->consumer, scene->memory, RING_BYTES);
    CHECK_EQ(ring_put(&scene->producer, "gh", 2, &count), MNOS_OK);
    CHECK_EQ(ring_take(&scene->consumer, bytes, sizeof bytes, &count), MNOS_OK);
    CHECK(count == 6 && memcmp(bytes, "cdefgh", 6) == 0);
}

enum { STREAM_BYTES = 200000 };

static void *produce(void *argument)
{
    struct ring *ring = argument;
    size_t put;

    for (uint32_t sent = 0; sent < STREAM_BYTES; sent += (uint32_t)put) {
        uint8_t byte = (uint8_t)(sent * 7 + (sent >> 8));

        if (ring_put(ring, &byte, 1, &put) != MNOS_OK)
            abort();
    }
    return NULL;
}

TEST(libmnos_ring, two_threads_pass_a_long_stream)
{
    struct ring_scene *scene = ring_scene();
    pthread_t producer;
    uint8_t bytes[RING_BYTES];
    size_t taken;

    pthread_create(&producer, NULL, produce, &scene->producer);
    for (uint32_t got = 0; got < STREAM_BYTES; got += (uint32_t)taken) {
        CHECK_EQ(ring_take(&scene->consumer, bytes, sizeof bytes, &taken), MNOS_OK);
        for (size_t i = 0; i < taken; i++) {
            uint32_t at = got + (uint32_t)i;

            CHECK_EQ(bytes[i], (uint8_t)(at * 7 + (at >> 8)));
        }
    }
    pthread_join(producer, NULL);
}
