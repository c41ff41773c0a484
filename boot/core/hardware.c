// SPDX-License-Identifier: MIT
/* hardware - see hardware.h. */
#include "hardware.h"

#include <stdbool.h>
#include <string.h>

#include "cpu.h"

#define PIC_MASTER_MASK 0x21
#define PIC_SLAVE_MASK 0xa1

#define IOAPIC_VERSION 1
#define IOAPIC_TABLE 0x10
#define IOAPIC_MASKED 0x10000u

/* WB WT UC- UC, then WP WC; entries 6 and 7 (UC) are nobody's. */
#define PAT_VALUE UINT64_C(0x0000010500070406)

static uint32_t ioapic_read(uint32_t base, uint32_t index)
{
    volatile uint32_t *window = (volatile uint32_t *)(uintptr_t)base;

    window[0] = index;
    return window[4];
}

static void ioapic_write(uint32_t base, uint32_t index, uint32_t value)
{
    volatile uint32_t *window = (volatile uint32_t *)(uintptr_t)base;

    window[0] = index;
    window[4] = value;
}

/* Only fixed (0) and lowest-priority (1) entries: SMI, NMI and ExtINT belong to the firmware. */
static void mask_ioapic(uint32_t base)
{
    uint32_t last = ioapic_read(base, IOAPIC_VERSION) >> 16 & 0xff;

    for (uint32_t i = 0; i <= last; i++) {
        uint32_t low = ioapic_read(base, IOAPIC_TABLE + 2 * i);

        if ((low >> 8 & 7) <= 1 && (low & IOAPIC_MASKED) == 0)
            ioapic_write(base, IOAPIC_TABLE + 2 * i, low | IOAPIC_MASKED);
    }
}

void boot_mask_interrupts(const struct madt_info *madt)
{
    cpu_out8(PIC_MASTER_MASK, 0xff);
    cpu_out8(PIC_SLAVE_MASK, 0xff);
    for (unsigned i = 0; i < madt->ioapic_count; i++)
        mask_ioapic((uint32_t)madt->ioapics[i].address);
}

void boot_load_pat(void)
{
    if ((cpu_id(1).edx & 1u << 16) != 0)
        cpu_write_msr(BOOT_MSR_PAT, PAT_VALUE);
}

int64_t boot_unix_time(unsigned year, unsigned month, unsigned day, unsigned second_of_day)
{
    /* Years start in March here, so that the leap day is the last day of its year. */
    uint64_t y = month > 2 ? year : year - 1;
    uint64_t m = month > 2 ? month - 3 : month + 9;
    uint64_t days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;

    return ((int64_t)days - 719468) * 86400 + second_of_day; /* 719468: 1970-01-01 */
}

struct rtc {
    uint8_t second, minute, hour, day, month, year, century, format;
};

static uint8_t cmos_read(uint8_t index)
{
    cpu_out8(0x70, index);
    return cpu_in8(0x71);
}

static struct rtc rtc_read(void)
{
    return (struct rtc){
        .second = cmos_read(0),
        .minute = cmos_read(2),
        .hour = cmos_read(4),
        .day = cmos_read(7),
        .month = cmos_read(8),
        .year = cmos_read(9),
        .century = cmos_read(0x32),
        .format = cmos_read(0x0b),
    };
}

static unsigned decode(const struct rtc *rtc, uint8_t value)
{
    return (rtc->format & 4) != 0 ? value : (value & 15u) + 10u * (value >> 4);
}

int64_t boot_rtc_time(void)
{
    struct rtc now = rtc_read(), again;
    unsigned hour, century, second;

    /* The clock may change between two reads; two equal readings are one moment. */
    for (unsigned tries = 0;; tries++) {
        again = rtc_read();
        if (memcmp(&now, &again, sizeof now) == 0)
            break;
        if (tries == 1000)
            return 0;
        now = again;
    }
    if (now.month == 0xff || now.format == 0xff)
        return 0;
    hour = decode(&now, now.hour & 0x7f);
    if ((now.format & 2) == 0) /* 12-hour clock; bit 7 of the hour is PM */
        hour = hour % 12 + ((now.hour & 0x80) != 0 ? 12 : 0);
    century = decode(&now, now.century);
    if (century < 19 || century > 29)
        century = 20;
    second = hour * 3600 + decode(&now, now.minute) * 60 + decode(&now, now.second);
    return boot_unix_time(century * 100 + decode(&now, now.year), decode(&now, now.month),
                          decode(&now, now.day), second);
}
