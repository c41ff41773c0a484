// SPDX-License-Identifier: MIT
/* test_store - the example's store of texts: shares of its clients, what a run finds, and a death after any store of memory. */
#include <stdlib.h>
#include <string.h>

#include "examples/store/table.c" /* NOLINT */
#include "tests/unit/step_by_step.h"
#include "tests/unit/unit.h"

#define BYTES 4096u
#define MOMENTS_MAX 512u
#define ONE 31ull
#define OTHER 32ull

static _Alignas(64) uint8_t memory[BYTES];
static struct store_table table;

static struct store_pair pair_of(const char *name, const char *text)
{
    struct store_pair pair = {0};

    string_copy(pair.name.bytes, name, sizeof pair.name.bytes);
    string_copy(pair.text.bytes, text, sizeof pair.text.bytes);
    return pair;
}

static mnos_status_t set(uint64_t client, const char *name, const char *text)
{
    struct store_pair pair = pair_of(name, text);

    return texts_set(&table, client, &pair);
}

static const char *get(uint64_t client, const char *name)
{
    struct store_pair wanted = pair_of(name, "");
    const struct store_pair *pair = texts_find(&table, client, &wanted.name);

    return pair != NULL ? pair->text.bytes : "";
}

static void begin(void)
{
    memset(memory, 0, sizeof memory);
    CHECK_EQ(texts_open(&table, memory, sizeof memory), MNOS_OK);
}

TEST(store, names_belong_to_their_client_and_none_has_more_than_its_share)
{
    struct store_pair gone = pair_of("b", "");

    begin();
    CHECK_EQ(set(ONE, "a", "1"), MNOS_OK);
    CHECK_EQ(set(ONE, "b", "2"), MNOS_OK);
    CHECK_EQ(set(OTHER, "a", "3"), MNOS_OK);
    CHECK(strcmp(get(ONE, "a"), "1") == 0 && strcmp(get(OTHER, "a"), "3") == 0);
    CHECK_EQ(set(ONE, "c", ""), MNOS_OK);
    CHECK_EQ(set(ONE, "d", ""), MNOS_OK);
    CHECK_EQ(set(ONE, "e", ""), MNOS_ERR_QUOTA);
    CHECK_EQ(set(ONE, "a", "4"), MNOS_OK);
    texts_remove(&table, OTHER, &gone.name);
    CHECK(strcmp(get(ONE, "b"), "2") == 0);
    texts_remove(&table, ONE, &gone.name);
    CHECK(get(ONE, "b")[0] == 0 && texts_at(&table, ONE, 2) != NULL);
    CHECK_PTR_EQ(texts_at(&table, ONE, 3), NULL);
    CHECK_EQ(set(ONE, "e", ""), MNOS_OK);
    for (uint64_t client = 100; client < 100 + (TABLE_ENTRIES - 5) / STORE_SHARE; client++)
        for (unsigned i = 0; i < STORE_SHARE; i++)
            CHECK_EQ(set(client, (const char[]){(char)('a' + i), 0}, ""), MNOS_OK);
}

TEST(store, a_run_finds_what_the_one_before_had_unless_three_have_died_of_it)
{
    struct state_header *header = (void *)memory;

    begin();
    CHECK_EQ(set(ONE, "a", "1"), MNOS_OK);
    for (header->deaths = 0; header->deaths < 3; header->deaths++) {
        CHECK_EQ(texts_open(&table, memory, sizeof memory), MNOS_OK);
        CHECK(strcmp(get(ONE, "a"), "1") == 0);
    }
    CHECK_EQ(texts_open(&table, memory, sizeof memory), MNOS_OK);
    CHECK(get(ONE, "a")[0] == 0);
    CHECK_EQ(texts_open(&table, memory, state_overhead(TABLE_LOG_BYTES)), MNOS_ERR_SIZE);
}

static void change_text(void *argument)
{
    (void)argument;
    CHECK_EQ(set(ONE, "a", "a longer text than before"), MNOS_OK);
}

static void take_name_away(void *argument)
{
    struct store_pair gone = pair_of("a", "");

    (void)argument;
    texts_remove(&table, ONE, &gone.name);
}

/* What is there after a death at any moment of `run` is what was there before it, or what is there after it. */
static void dies_anywhere(void (*run)(void *))
{
    static uint8_t before[TABLE_BYTES], after[TABLE_BYTES];
    uint8_t(*moments)[BYTES] = calloc(MOMENTS_MAX, BYTES);
    unsigned count, undone = 0;

    begin();
    CHECK_EQ(set(ONE, "a", "1"), MNOS_OK);
    memcpy(before, table.entries, TABLE_BYTES);
    count = step_by_step(moments, MOMENTS_MAX, memory, BYTES, run, NULL);
    memcpy(after, table.entries, TABLE_BYTES);
    CHECK(count > 3 && memcmp(before, after, TABLE_BYTES) != 0);
    for (unsigned i = 0; i < count; i++) {
        memcpy(memory, moments[i], BYTES);
        CHECK_EQ(texts_open(&table, memory, BYTES), MNOS_OK);
        undone += memcmp(table.entries, before, TABLE_BYTES) == 0;
        CHECK(memcmp(table.entries, before, TABLE_BYTES) == 0 ||
              memcmp(table.entries, after, TABLE_BYTES) == 0);
    }
    CHECK_EQ(undone, count - 1);
    free(moments);
}

TEST(store, a_death_at_any_store_leaves_a_request_done_or_not_at_all)
{
    dies_anywhere(change_text);
    dies_anywhere(take_name_away);
}
