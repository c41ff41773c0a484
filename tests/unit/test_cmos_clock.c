// SPDX-License-Identifier: MIT
/* test_cmos_clock - the example's driver of the clock chip against a model of the chip, in the place of its ports.c. */
#include <string.h>

#include "examples/cmos_clock/rtc.c" /* NOLINT */
#include "tests/unit/unit.h"

/* ---- The model ---- */

static struct model {
    uint8_t registers[16];
    unsigned updating; /* for so many looks at register A the time is about to change */
    unsigned
        change_after; /* reads of the time until it changes once, in their middle; 0: it does not */
    uint8_t next[16];
    unsigned reads;
} model;

uint8_t rtc_register_read(uint8_t reg)
{
    CHECK(reg < 16);
    if (reg == RTC_A)
        return model.updating != 0 && model.updating-- != 0 ? RTC_A_UPDATING : 0;
    if (reg < RTC_A && ++model.reads == model.change_after)
        memcpy(model.registers, model.next, RTC_A);
    if (reg == RTC_C) {
        uint8_t why = model.registers[RTC_C];

        model.registers[RTC_C] = 0;
        return why;
    }
    return model.registers[reg];
}

void rtc_register_write(uint8_t reg, uint8_t value)
{
    CHECK(reg == RTC_B);
    model.registers[reg] = value;
}

static void set(uint8_t mode, uint8_t year, uint8_t month, uint8_t day, uint8_t hour,
                uint8_t minute, uint8_t second)
{
    model = (struct model){0};
    model.registers[RTC_YEAR] = year;
    model.registers[RTC_MONTH] = month;
    model.registers[RTC_DAY] = day;
    model.registers[RTC_HOURS] = hour;
    model.registers[RTC_MINUTES] = minute;
    model.registers[RTC_SECONDS] = second;
    model.registers[RTC_B] = mode;
}

static bool shows(uint32_t year, uint32_t month, uint32_t day, uint32_t hour, uint32_t minute,
                  uint32_t second)
{
    struct rtc_time time;

    return rtc_read(&time) && time.year == year && time.month == month && time.day == day &&
           time.hour == hour && time.minute == minute && time.second == second;
}

/* ---- Tests ---- */

TEST(cmos_clock, the_time_is_read_in_each_form_that_the_chip_may_have)
{
    set(RTC_B_HOURS_24, 0x26, 0x11, 0x28, 0x23, 0x59, 0x58);
    CHECK(shows(2026, 11, 28, 23, 59, 58));
    set(RTC_B_HOURS_24 | RTC_B_BINARY, 26, 11, 28, 23, 59, 58);
    CHECK(shows(2026, 11, 28, 23, 59, 58));
    set(0, 0x26, 0x11, 0x28, 0x12, 0, 0); /* after midnight */
    CHECK(shows(2026, 11, 28, 0, 0, 0));
    set(0, 0x26, 0x11, 0x28, RTC_HOURS_PM | 0x12, 0, 0);
    CHECK(shows(2026, 11, 28, 12, 0, 0));
    set(RTC_B_BINARY, 26, 11, 28, RTC_HOURS_PM | 11, 0, 0);
    CHECK(shows(2026, 11, 28, 23, 0, 0));
}

TEST(cmos_clock, a_time_that_changes_while_it_is_read_is_read_again)
{
    for (unsigned at = 1; at <= 12; at++) {
        set(RTC_B_HOURS_24, 0x26, 0x12, 0x31, 0x23, 0x59, 0x59);
        memset(model.next, 0, sizeof model.next);
        model.next[RTC_YEAR] = 0x27;
        model.next[RTC_MONTH] = model.next[RTC_DAY] = 1;
        model.updating = at;
        model.change_after = at;
        CHECK(shows(2027, 1, 1, 0, 0, 0));
    }
}

TEST(cmos_clock, a_chip_that_is_absent_or_never_ready_or_shows_no_time_is_an_error)
{
    struct rtc_time time;

    set(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF);
    CHECK(!rtc_read(&time));
    set(RTC_B_HOURS_24, 0x26, 0x11, 0x28, 0, 0, 0);
    model.updating = UINT32_MAX;
    CHECK(!rtc_read(&time));
    set(RTC_B_HOURS_24, 0x26, 0x00, 0x28, 0, 0, 0);
    CHECK(!rtc_read(&time));
    set(RTC_B_HOURS_24, 0x26, 0x11, 0x28, 0x24, 0, 0);
    CHECK(!rtc_read(&time));
    set(RTC_B_HOURS_24, 0xAA, 0x11, 0x28, 0, 0, 0);
    CHECK(!rtc_read(&time));
}

TEST(cmos_clock, it_interrupts_for_each_second_and_for_nothing_else)
{
    set(RTC_B_HOURS_24 | RTC_B_INTERRUPTS, 0x26, 0x11, 0x28, 0, 0, 0);
    model.registers[RTC_C] = 0xF0;
    rtc_begin();
    CHECK_EQ(model.registers[RTC_B], RTC_B_HOURS_24 | RTC_B_INTERRUPT_UPDATE);
    CHECK_EQ(model.registers[RTC_C], 0);
}
