// SPDX-License-Identifier: MIT
/* ports - the registers by I/O port instructions; main.c has opened the ports. */
#include "drivers/serial/ns16550/registers.h"

uint8_t uart_register_read(uint16_t base, enum uart_register reg)
{
    uint8_t value;

    __asm__ volatile("inb %w1, %b0" : "=a"(value) : "Nd"((uint16_t)(base + reg)));
    return value;
}

void uart_register_write(uint16_t base, enum uart_register reg, uint8_t value)
{
    __asm__ volatile("outb %b0, %w1" : : "a"(value), "Nd"((uint16_t)(base + reg)));
}
