// SPDX-License-Identifier: MIT
/*
 * test_edu.c - interrupts of a PCI device: by its pin, a level-triggered line, and by messages.
 */
#include "abi/interrupt.h"
#include "lib/mnos/bootstrap.h"
#include "tests/guest/edu.h"
#include "tests/guest/scene.h"

#define EVENT 0x100
#define MESSAGE_LINE (MNOS_MESSAGE_LINE_FIRST + 5)
#define MESSAGE_DESTINATIONS 0xFEE00000ull

struct scene {
    struct edu edu;
    mnos_cap_t irq;
    mnos_cap_t endpoint;
};

static mnos_cap_t line_new(uint64_t line, uint64_t count)
{
    return cap_range(bootstrap_cap("interrupts"), MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE, line,
                     count);
}

static bool begin(struct scene *s, bool by_message)
{
    *s = (struct scene){0};
    if (!edu_begin(&s->edu))
        return false;
    s->endpoint = endpoint_new();
    s->irq = line_new(by_message ? MESSAGE_LINE : s->edu.pin_line, 1);
    if (by_message)
        edu_use_messages(&s->edu, s->irq);
    return CHECK_OK(sys_irq_bind(s->irq, s->endpoint, EVENT));
}

static void finish(struct scene *s)
{
    edu_finish(&s->edu);
    cap_drop(s->irq);
    cap_drop(s->endpoint);
}

/* Whether the count comes to be that: another core takes the interrupts. */
static bool fired_becomes(uint64_t line, uint64_t count)
{
    uint64_t deadline = soon();

    while (line_fired(line) < count && kinfo_time_ns() < deadline)
        sleep_ns(MILLISECOND_NS / 5);
    return CHECK_EQ(line_fired(line), count);
}

/* ---- level-triggered ---- */

TEST(level, a_line_is_masked_until_it_is_acknowledged)
{
    struct scene s;

    if (begin(&s, false)) {
        uint64_t before = line_fired(s.edu.pin_line);

        for (unsigned i = 1; i <= 20 && !check_failed(); i++) {
            edu_raise(&s.edu, 1);
            event_comes(s.endpoint, EVENT);
            edu_raise(&s.edu, 2);
            CHECK(no_event_comes(s.endpoint));
            CHECK_EQ(line_fired(s.edu.pin_line), before + i);
            edu_clear(&s.edu);
            CHECK_OK(sys_irq_ack(s.irq));
        }
        CHECK(no_event_comes(s.endpoint));
    }
    finish(&s);
}

TEST(level, a_line_that_is_still_asserted_fires_again_when_acknowledged)
{
    struct scene s;

    if (begin(&s, false)) {
        edu_raise(&s.edu, 1);
        for (unsigned i = 0; i < 10; i++) {
            event_comes(s.endpoint, EVENT);
            CHECK(no_event_comes(s.endpoint));
            CHECK_OK(sys_irq_ack(s.irq));
        }
        event_comes(s.endpoint, EVENT);
        edu_clear(&s.edu);
        CHECK_OK(sys_irq_ack(s.irq));
        CHECK(no_event_comes(s.endpoint));
    }
    finish(&s);
}

TEST(level, a_line_that_is_not_bound_is_masked)
{
    struct scene s;

    if (begin(&s, false)) {
        uint64_t before = line_fired(s.edu.pin_line), spurious = line_fired(MNOS_INTERRUPT_LINES);

        cap_drop(s.irq);
        edu_raise(&s.edu, 1);
        CHECK(no_event_comes(s.endpoint));
        s.irq = line_new(s.edu.pin_line, 1);
        CHECK_EQ(line_fired(s.edu.pin_line), before);
        CHECK_EQ(line_fired(MNOS_INTERRUPT_LINES), spurious);
        CHECK_OK(sys_irq_bind(s.irq, s.endpoint, 2)); /* it still is asserted */
        event_comes(s.endpoint, 2);
    }
    finish(&s);
}

/* ---- messages ---- */

TEST(message_line, its_message_is_told_with_read)
{
    mnos_cap_t line = line_new(MESSAGE_LINE, 1), next = line_new(MESSAGE_LINE + 1, 1);
    mnos_cap_t all = line_new(MNOS_MESSAGE_LINE_FIRST, MNOS_MESSAGE_LINES), pin = line_new(4, 1);
    mnos_cap_t blind = cap_copy(line, MNOS_RIGHT_WRITE);

    CHECK_EQ(cap_info(line).physical_address & ~0xFFFFFull, MESSAGE_DESTINATIONS);
    CHECK_EQ(cap_info(next).physical_address, cap_info(line).physical_address);
    CHECK_EQ(cap_info(next).message_data, cap_info(line).message_data + 1);
    CHECK_EQ(cap_info(all).message_data, cap_info(line).message_data - 5);
    CHECK_EQ(cap_info(blind).physical_address, UINT64_MAX);
    CHECK_EQ(cap_info(blind).message_data, 0);
    CHECK_EQ(cap_info(pin).physical_address, UINT64_MAX);
    cap_drop(line);
    cap_drop(next);
    cap_drop(all);
    cap_drop(pin);
    cap_drop(blind);
}

TEST(message_line, every_message_arrives)
{
    struct scene s;

    if (begin(&s, true)) {
        uint64_t before = line_fired(MESSAGE_LINE);

        for (unsigned i = 1; i <= 500 && !check_failed(); i++) {
            edu_raise(&s.edu, 1);
            event_comes(s.endpoint, EVENT);
            CHECK_OK(sys_irq_ack(s.irq));
        }
        fired_becomes(MESSAGE_LINE, before + 500);
        CHECK(no_event_comes(s.endpoint));
    }
    finish(&s);
}

TEST(message_line, one_that_fires_before_it_is_acknowledged_is_told_again)
{
    struct scene s;

    if (begin(&s, true)) {
        uint64_t before = line_fired(MESSAGE_LINE);

        for (unsigned i = 1; i <= 5; i++) {
            edu_raise(&s.edu, 1);
            fired_becomes(MESSAGE_LINE, before + i);
        }
        event_comes(s.endpoint, EVENT);
        CHECK(no_event_comes(s.endpoint));
        CHECK_OK(sys_irq_ack(s.irq));
        event_comes(s.endpoint, EVENT);
        CHECK_OK(sys_irq_ack(s.irq));
        CHECK(no_event_comes(s.endpoint));
        edu_raise(&s.edu, 1);
        event_comes(s.endpoint, EVENT);
    }
    finish(&s);
}

TEST(message_line, nobody_else_acknowledges_it)
{
    mnos_cap_t copy;
    struct scene s;

    if (begin(&s, true)) {
        copy = cap_copy(s.irq, MNOS_RIGHT_WRITE);
        CHECK_STATUS(sys_irq_ack(copy), MNOS_ERR_STATE);
        CHECK_OK(sys_irq_ack(s.irq));
        cap_drop(copy);
    }
    finish(&s);
}

TEST(message_line, unbinding_and_revoking_stop_it)
{
    struct scene s;

    if (begin(&s, true)) {
        mnos_cap_t copy = cap_copy(s.irq, MNOS_RIGHT_WRITE);
        uint64_t before = line_fired(MESSAGE_LINE), spurious = line_fired(MNOS_INTERRUPT_LINES);

        CHECK_OK(sys_irq_bind(copy, s.endpoint, 2));
        edu_raise(&s.edu, 1);
        event_comes(s.endpoint, 2);
        cap_drop(copy);
        edu_raise(&s.edu, 1);
        fired_becomes(MNOS_INTERRUPT_LINES, spurious + 1);
        copy = cap_copy(s.irq, MNOS_RIGHT_WRITE);
        CHECK_OK(sys_irq_bind(copy, s.endpoint, 4));
        CHECK_OK(sys_cap_revoke(s.irq));
        edu_raise(&s.edu, 1);
        fired_becomes(MNOS_INTERRUPT_LINES, spurious + 2);
        CHECK(no_event_comes(s.endpoint));
        CHECK_EQ(line_fired(MESSAGE_LINE), before + 1);
    }
    finish(&s);
}
