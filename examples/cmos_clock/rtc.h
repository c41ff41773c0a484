// SPDX-License-Identifier: MIT
/* rtc.h - the clock chip of PCs. Motorola MC146818A data sheet; registers.h names what is used of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* ---- rtc.c: what the chip means ---- */

struct rtc_time {
    uint32_t year, month, day, hour, minute, second;
};

/* Lets the chip interrupt each time that it has counted a second. */
void rtc_begin(void);
/* Takes back an interrupt of the chip, which gives no other one before. */
void rtc_acknowledge(void);
/* False: the chip does not answer, or shows what is no time. */
bool rtc_read(struct rtc_time *time);

/* ---- ports.c: how its registers are reached. A host test has a model of the chip in its place. ---- */

uint8_t rtc_register_read(uint8_t reg);
void rtc_register_write(uint8_t reg, uint8_t value);
