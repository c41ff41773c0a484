// SPDX-License-Identifier: MIT
/* registers.h - registers of the MC146818A and what succeeded it. Data sheet, "Address Map" and "Registers". */
#pragma once

#define RTC_PORTS 2
#define RTC_PORT_NUMBER 0x70 /* which register; bit 7 would hold back the machine's NMI */
#define RTC_PORT_DATA 0x71

#define RTC_SECONDS 0x00
#define RTC_MINUTES 0x02
#define RTC_HOURS 0x04
#define RTC_HOURS_PM 0x80 /* with hours from 1 to 12 */
#define RTC_DAY 0x07
#define RTC_MONTH 0x08
#define RTC_YEAR 0x09 /* two digits */

#define RTC_A 0x0A
#define RTC_A_UPDATING 0x80 /* the time changes within 244 microseconds, or does now */

#define RTC_B 0x0B
#define RTC_B_HOURS_24 0x02
#define RTC_B_BINARY 0x04 /* not two decimal digits in four bits each */
#define RTC_B_INTERRUPT_UPDATE 0x10
#define RTC_B_INTERRUPTS 0x70 /* these and two others */

#define RTC_C 0x0C /* why it has interrupted; reading takes that back */
