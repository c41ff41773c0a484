// SPDX-License-Identifier: MIT
/* test_lxhost_denials - what processes of a container say that they were refused: all of it is a program's word. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static unsigned long long now;

#define kinfo_time_ns lxhost_time_ns
#include "personality/linux/lxhost/denials.c"

uint64_t kinfo_time_ns(void)
{
    return ++now;
}

static const struct process asker = {.pid = 7};

static struct lxhost_denied say(const char *text)
{
    struct lxhost_denied denied = {.kind = LXHOST_DENIED_PATH, .call = "open"};

    (void)snprintf(denied.text, sizeof denied.text, "%s", text);
    return denied;
}

static const struct container_denial *last(void)
{
    uint64_t lost_now;

    return denials_at(denials_count(&lost_now) - 1);
}

TEST(lxhost_denials, texts_are_ended_and_printable)
{
    struct lxhost_denied denied = say("/a\033[2J\n\x80\xff\x7f");

    memset(denied.call, 1, sizeof denied.call);
    CHECK_EQ(denials_add(&asker, &denied), MNOS_OK);
    CHECK_STR_EQ(last()->denied.text, "/a?[2J????");
    CHECK_STR_EQ(last()->denied.call, "???????????????");
    memset(denied.text, '/', sizeof denied.text);
    denied.cut = 0xFFFFFFFF;
    CHECK_EQ(denials_add(&asker, &denied), MNOS_OK);
    CHECK_EQ(strlen(last()->denied.text), sizeof denied.text - 1);
    CHECK_EQ(last()->denied.cut, 1);
    CHECK_EQ(last()->pid, 7);
}

TEST(lxhost_denials, of_what_is_no_kind_nothing_is_kept)
{
    struct lxhost_denied denied = say("/x");
    uint64_t lost_before, lost_after;
    uint32_t before = denials_count(&lost_before);

    denied.kind = 0;
    CHECK_EQ(denials_add(&asker, &denied), MNOS_ERR_ARGUMENT);
    denied.kind = LXHOST_DENIED_SOCKET + 1;
    CHECK_EQ(denials_add(&asker, &denied), MNOS_ERR_ARGUMENT);
    CHECK_EQ(denials_count(&lost_after), before);
    CHECK_EQ(lost_after, lost_before);
}

TEST(lxhost_denials, a_flood_has_its_bound_and_is_counted)
{
    struct lxhost_denied denied = say("/same");
    uint64_t lost_before, lost_after;
    char text[32];

    for (unsigned i = 0; i < 1000; i++)
        CHECK_EQ(denials_add(&asker, &denied), MNOS_OK);
    CHECK_EQ(last()->count, 1000);
    /* What follows the end of a text, and what was the error, make no other one. */
    denied.text[10] = 'x';
    denied.error = -1;
    CHECK_EQ(denials_add(&asker, &denied), MNOS_OK);
    CHECK_EQ(last()->count, 1001);
    CHECK_EQ(last()->denied.error, -1);

    (void)denials_count(&lost_before);
    for (unsigned i = 0; i < 10 * CONTAINER_DENIALS; i++) {
        (void)snprintf(text, sizeof text, "/flood/%u", i);
        denied = say(text);
        CHECK_EQ(denials_add(&asker, &denied), MNOS_OK);
    }
    CHECK_EQ(denials_count(&lost_after), CONTAINER_DENIALS);
    CHECK(lost_after - lost_before >= 9 * CONTAINER_DENIALS);
    CHECK_STR_EQ(last()->denied.text, text);
    CHECK_STR_EQ(denials_at(0)->denied.text, "/flood/576");
    CHECK(denials_at(CONTAINER_DENIALS) == NULL);
    CHECK(denials_at(UINT64_MAX) == NULL);
}
