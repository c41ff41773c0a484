// SPDX-License-Identifier: MIT
/*
 * registers.h - the registers of a 16550, and how the driver reaches them.
 *
 * Names and bits: National Semiconductor PC16550D data sheet, "Registers". The two access functions
 * are I/O port instructions in ports.c; host tests link a model of the device instead.
 */
#pragma once

#include <stdint.h>

enum uart_register {
    UART_DATA = 0, /* receive buffer, transmit holding; divisor low with DLAB */
    UART_IER = 1,  /* interrupt enable; divisor high with DLAB */
    UART_IIR = 2,  /* read: interrupt identification */
    UART_FCR = 2,  /* write: FIFO control */
    UART_LCR = 3,  /* line control */
    UART_MCR = 4,  /* modem control */
    UART_LSR = 5,  /* line status */
    UART_MSR = 6,  /* modem status */
    UART_SCRATCH = 7,
    UART_REGISTER_COUNT = 8,
};

enum {
    IER_RECEIVED = 1 << 0,
    IER_TRANSMIT_EMPTY = 1 << 1,
    IER_LINE_STATUS = 1 << 2,

    IIR_NONE_PENDING = 1 << 0,
    IIR_FIFO_MASK = 3 << 6,
    IIR_FIFO_16550A = 3 << 6,

    FCR_ENABLE = 1 << 0, /* changing it empties both FIFOs */
    FCR_TRIGGER_8 = 2 << 6,

    LCR_8_BITS = 3,
    LCR_DLAB = 1 << 7,

    MCR_DTR = 1 << 0,
    MCR_RTS = 1 << 1,
    MCR_OUT2 = 1 << 3, /* on a PC it connects the interrupt line */

    LSR_DATA_READY = 1 << 0,
    LSR_OVERRUN = 1 << 1,
    LSR_PARITY = 1 << 2,
    LSR_FRAMING = 1 << 3,
    LSR_BREAK = 1 << 4,
    LSR_TRANSMIT_EMPTY = 1 << 5,   /* the holding register, or the whole FIFO */
    LSR_TRANSMITTER_IDLE = 1 << 6, /* and the shift register too: all has left */
};

uint8_t uart_register_read(uint16_t base, enum uart_register reg);
void uart_register_write(uint16_t base, enum uart_register reg, uint8_t value);
