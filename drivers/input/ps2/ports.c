// SPDX-License-Identifier: MIT
/* ports - the registers by I/O port instructions; main.c has opened the ports. */
#include "drivers/input/ps2/registers.h"
#include "lib/driver/ports.h"

#define DATA_PORT 0x60
#define CONTROL_PORT 0x64

uint8_t ps2_data_read(void)
{
    return port_read8(DATA_PORT);
}

void ps2_data_write(uint8_t value)
{
    port_write8(DATA_PORT, value);
}

uint8_t ps2_status_read(void)
{
    return port_read8(CONTROL_PORT);
}

void ps2_control_write(uint8_t value)
{
    port_write8(CONTROL_PORT, value);
}
