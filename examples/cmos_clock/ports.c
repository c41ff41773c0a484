// SPDX-License-Identifier: MIT
/* ports - the registers of the clock chip by I/O ports, which main.c has opened. */
#include "lib/driver/ports.h"
#include "registers.h"
#include "rtc.h"

uint8_t rtc_register_read(uint8_t reg)
{
    port_write8(RTC_PORT_NUMBER, reg);
    return port_read8(RTC_PORT_DATA);
}

void rtc_register_write(uint8_t reg, uint8_t value)
{
    port_write8(RTC_PORT_NUMBER, reg);
    port_write8(RTC_PORT_DATA, value);
}
