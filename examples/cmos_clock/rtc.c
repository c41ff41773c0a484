// SPDX-License-Identifier: MIT
/* rtc - see rtc.h. */
#include "rtc.h"

#include "lib/base/string.h"
#include "registers.h"

/* Of some ten accesses, about a microsecond each: longer than the chip ever takes to change the time. */
#define READ_TRIES 1000u
#define CENTURY 2000u /* the chip keeps two digits of the year */

static uint32_t binary(uint8_t value)
{
    return (value >> 4) * 10u + (value & 0x0F);
}

void rtc_begin(void)
{
    uint8_t b = rtc_register_read(RTC_B) & (uint8_t)~RTC_B_INTERRUPTS;

    rtc_register_write(RTC_B, b | RTC_B_INTERRUPT_UPDATE);
    rtc_acknowledge();
}

void rtc_acknowledge(void)
{
    (void)rtc_register_read(RTC_C);
}

/* What is in the registers, as it is there. False: the chip is about to change it. */
static bool read_registers(uint8_t raw[6])
{
    static const uint8_t numbers[6] = {RTC_YEAR,  RTC_MONTH,   RTC_DAY,
                                       RTC_HOURS, RTC_MINUTES, RTC_SECONDS};

    if ((rtc_register_read(RTC_A) & RTC_A_UPDATING) != 0)
        return false;
    for (unsigned i = 0; i < 6; i++)
        raw[i] = rtc_register_read(numbers[i]);
    return true;
}

/* Takes the registers apart; false: that is no time. */
static bool decode(const uint8_t raw[6], uint8_t mode, struct rtc_time *time)
{
    bool afternoon = (mode & RTC_B_HOURS_24) == 0 && (raw[3] & RTC_HOURS_PM) != 0;
    uint32_t value[6];

    for (unsigned i = 0; i < 6; i++) {
        uint8_t digits = i == 3 && afternoon ? raw[i] & (uint8_t)~RTC_HOURS_PM : raw[i];

        value[i] = (mode & RTC_B_BINARY) != 0 ? digits : binary(digits);
    }
    if ((mode & RTC_B_HOURS_24) == 0) /* 12, 1, 2 to 11, and again */
        value[3] = value[3] % 12 + (afternoon ? 12 : 0);
    *time = (struct rtc_time){CENTURY + value[0], value[1], value[2], value[3], value[4], value[5]};
    return value[0] <= 99 && value[1] >= 1 && value[1] <= 12 && value[2] >= 1 && value[2] <= 31 &&
           value[3] <= 23 && value[4] <= 59 && value[5] <= 59;
}

bool rtc_read(struct rtc_time *time)
{
    uint8_t before[6], after[6];

    for (unsigned i = 0; i < READ_TRIES; i++)
        if (read_registers(before) && read_registers(after) &&
            memcmp(before, after, sizeof before) == 0)
            return decode(before, rtc_register_read(RTC_B), time);
    return false;
}
