// SPDX-License-Identifier: MIT
/*
 * uart.c - the 16550 at COM1, output only and polled. Input and interrupts are the serial driver's,
 * in user space.
 *
 * Register names and bits: PC16550D data sheet, "Registers".
 */
#include "arch/x86_64/uart.h"

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/insn.h"

enum {
    COM1 = 0x3F8,
    REG_DATA = 0,       /* divisor low while DLAB is set */
    REG_INTERRUPTS = 1, /* divisor high while DLAB is set */
    REG_FIFO = 2,
    REG_LINE = 3,
    REG_MODEM = 4,
    REG_STATUS = 5,
    REG_SCRATCH = 7,

    LINE_8N1 = 0x03,
    LINE_DLAB = 0x80,
    FIFO_ENABLE_CLEAR = 0x07,
    MODEM_DTR_RTS_OUT2 = 0x0B,
    STATUS_TRANSMIT_EMPTY = 0x20,

    DIVISOR_115200 = 1,
    FIFO_BYTES = 16,
    /* A byte takes 87 us at 115200 baud and a port read about 1 us: a full FIFO drains long before
     * this many reads. A line that is stuck only costs the text. */
    STATUS_READS_MAX = 20000,
};

static bool present;
static unsigned fifo_room; /* bytes that can be sent before the status must be read again */

static uint8_t read_register(unsigned reg)
{
    return inb((uint16_t)(COM1 + reg));
}

static void write_register(unsigned reg, uint8_t value)
{
    outb((uint16_t)(COM1 + reg), value);
}

/* Where nothing answers, reads give 0xFF whatever was written. */
static bool detect(void)
{
    write_register(REG_SCRATCH, 0x5A);
    if (read_register(REG_SCRATCH) != 0x5A)
        return false;
    write_register(REG_SCRATCH, 0xA5);
    return read_register(REG_SCRATCH) == 0xA5;
}

void uart_init(void)
{
    present = detect();
    if (!present)
        return;
    write_register(REG_LINE, LINE_DLAB);
    write_register(REG_DATA, DIVISOR_115200);
    write_register(REG_INTERRUPTS, 0);
    write_register(REG_LINE, LINE_8N1);
    write_register(REG_INTERRUPTS, 0);
    write_register(REG_FIFO, FIFO_ENABLE_CLEAR);
    write_register(REG_MODEM, MODEM_DTR_RTS_OUT2);
    fifo_room = 0;
}

static void send(uint8_t byte)
{
    if (fifo_room == 0) {
        for (unsigned reads = 0; !(read_register(REG_STATUS) & STATUS_TRANSMIT_EMPTY); reads++)
            if (reads == STATUS_READS_MAX)
                return;
        fifo_room = FIFO_BYTES;
    }
    fifo_room--;
    write_register(REG_DATA, byte);
}

void uart_write(const char *text, size_t size_bytes)
{
    if (!present)
        return;
    for (size_t i = 0; i < size_bytes; i++) {
        if (text[i] == '\n')
            send('\r');
        send((uint8_t)text[i]);
    }
}
