// SPDX-License-Identifier: MIT
/* test_waits - how the monitor names what a thread waits for. */
#include "tests/unit/unit.h"

#include <string.h>

#include "programs/monitor/waits.c"

static struct wait_names names;

static const char *text(enum mnos_thread_state state, uint64_t waits_for)
{
    static char out[96];
    struct mnos_thread_info info = {.state = state, .waits_for = waits_for};

    waits_text(&names, &info, out, sizeof out);
    return out;
}

TEST(waits, a_peer_has_the_name_of_its_process)
{
    waits_add(&names, 3, "init", "main");
    waits_add(&names, 17, "init", "");
    waits_add(&names, 20, "serial", "main");
    waits_add(&names, 17, "serial", "");
    CHECK_STR_EQ(text(MNOS_STATE_SENDING, 17), "for serial to receive");
    CHECK_STR_EQ(text(MNOS_STATE_CALLING, 20), "for the reply of serial, thread main");
    CHECK_STR_EQ(text(MNOS_STATE_RECEIVING, 17), "for a message at endpoint 17");
    CHECK_STR_EQ(text(MNOS_STATE_FAULTED, 3), "for its fault handler, init, thread main");
    CHECK_STR_EQ(text(MNOS_STATE_CALLING, 99), "for the reply of object 99");
}

TEST(waits, who_does_not_wait_has_no_text)
{
    CHECK_STR_EQ(text(MNOS_STATE_PARKED, 0), "");
    CHECK_STR_EQ(text(MNOS_STATE_RUNNING, 17), ""); /* it has been woken meanwhile */
}

TEST(waits, an_id_has_the_name_of_a_thread_with_its_process)
{
    char out[64];

    waits_add(&names, 17, "serial", "");
    waits_add(&names, 20, "serial", "main");
    waits_name(&names, 20, out, sizeof out);
    CHECK_STR_EQ(out, "serial/main");
    waits_name(&names, 17, out, sizeof out);
    CHECK_STR_EQ(out, "serial");
    waits_name(&names, 99, out, sizeof out);
    CHECK_STR_EQ(out, "");
}

TEST(waits, more_names_than_there_is_room_for_are_numbers)
{
    for (unsigned i = 1; i < 2 * WAIT_NAMES_MAX; i++)
        waits_add(&names, i, "process", "thread");
    CHECK_EQ(names.count, WAIT_NAMES_MAX);
    CHECK_STR_EQ(text(MNOS_STATE_CALLING, WAIT_NAMES_MAX),
                 "for the reply of process, thread thread");
    CHECK_STR_EQ(text(MNOS_STATE_CALLING, WAIT_NAMES_MAX + 1), "for the reply of object 513");
}
