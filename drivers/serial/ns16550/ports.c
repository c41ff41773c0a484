// SPDX-License-Identifier: MIT
/* ports - the registers by I/O port instructions; main.c has opened the ports. */
#include "drivers/serial/ns16550/registers.h"
#include "lib/driver/ports.h"

uint8_t uart_register_read(uint16_t base, enum uart_register reg)
{
    return port_read8((uint16_t)(base + reg));
}

void uart_register_write(uint16_t base, enum uart_register reg, uint8_t value)
{
    port_write8((uint16_t)(base + reg), value);
}
