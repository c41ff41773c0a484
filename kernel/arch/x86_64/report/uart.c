// SPDX-License-Identifier: MIT
/*
 * uart.c - the 16550 at COM1, output only and polled. Input and interrupts are the serial driver's,
 * in user space.
 *
 * Register names and bits: PC16550D data sheet, "Registers".
 */
#include "arch/x86_64/report/uart.h"

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/cpu/insn.h"

enum {
    REG_DATA = 0,       /* divisor low while DLAB is set */
    REG_INTERRUPTS = 1, /* divisor high while DLAB is set */
    REG_FIFO = 2,       /* read: interrupt identification */
    REG_LINE = 3,
    REG_MODEM = 4,
    REG_STATUS = 5,
    REG_SCRATCH = 7,

    LINE_8N1 = 0x03,
    LINE_DLAB = 0x80,
    FIFO_ENABLE = 0x01,
    IDENTIFICATION_FIFO = 0xC0, /* both bits: FIFOs that work; those of the first 16550 do not */
    MODEM_DTR_RTS_OUT2 = 0x0B,
    MODEM_LOOP = 0x10,
    STATUS_TRANSMIT_EMPTY = 0x20, /* the FIFO */
    STATUS_IDLE = 0x40,           /* and the last byte is out */

    DIVISOR_115200 = 1,
    FIFO_BYTES = 16,
};

/* Firmware may have left a full FIFO at 9,600 baud: 17 ms. A device that is not idle after this many cycles, 20 ms
 * and more, never says so, or its line does not move; it is set up all the same. */
#define IDLE_CYCLES_MAX (1ull << 27)

static bool present;
static bool ready;           /* set up */
static uint64_t reset_at;    /* cycles; when it was not ready for the first time */
static unsigned fifo_bytes;  /* 1: there is no FIFO */
static unsigned fifo_room;   /* bytes that can be sent before the status must be read again */
static bool newline_begun;   /* its CR is sent */
static bool newline_is_owed; /* what a program sent may not have ended its line */

static uint8_t read_register(unsigned reg)
{
    return inb((uint16_t)(UART_PORT + reg));
}

static void write_register(unsigned reg, uint8_t value)
{
    outb((uint16_t)(UART_PORT + reg), value);
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

bool uart_init(void)
{
    present = detect();
    reset_at = rdtsc();
    return present;
}

void uart_reset(void)
{
    ready = false;
    reset_at = rdtsc();
    fifo_room = 0;
    newline_begun = false;
    newline_is_owed = true;
}

/* Writing the divisor garbles a byte that is on the wire, and clearing the FIFOs loses what was typed while no driver
 * ran: neither is done without need. False: not yet, the device is busy. */
static bool set_up(void)
{
    if ((read_register(REG_STATUS) & STATUS_IDLE) == 0 && rdtsc() - reset_at < IDLE_CYCLES_MAX)
        return false;
    write_register(REG_LINE, LINE_DLAB | LINE_8N1);
    if (read_register(REG_DATA) != DIVISOR_115200 || read_register(REG_INTERRUPTS) != 0) {
        write_register(REG_DATA, DIVISOR_115200);
        write_register(REG_INTERRUPTS, 0);
    }
    write_register(REG_LINE, LINE_8N1);
    write_register(REG_INTERRUPTS, 0);
    write_register(REG_FIFO, FIFO_ENABLE);
    fifo_bytes =
        (read_register(REG_FIFO) & IDENTIFICATION_FIFO) == IDENTIFICATION_FIFO ? FIFO_BYTES : 1;
    /* Whether the other side may send is the driver's business, also of the next one. */
    write_register(REG_MODEM, newline_is_owed ? read_register(REG_MODEM) & (uint8_t)~MODEM_LOOP
                                              : MODEM_DTR_RTS_OUT2);
    ready = true;
    return true;
}

/* Whether a byte can be sent. */
static bool has_room(void)
{
    if (!ready && !set_up())
        return false;
    if (fifo_room == 0 && (read_register(REG_STATUS) & STATUS_TRANSMIT_EMPTY) != 0)
        fifo_room = fifo_bytes;
    return fifo_room > 0;
}

static void send(uint8_t byte)
{
    fifo_room--;
    write_register(REG_DATA, byte);
}

/* Sends a byte of the text, or a CR that comes before it; true: it is done with. */
static bool send_of(char c)
{
    if (c == '\n' && !newline_begun) {
        newline_begun = true;
        send('\r');
        return false;
    }
    newline_begun = false;
    send((uint8_t)c);
    return true;
}

bool uart_show(const char *text, size_t size_bytes, size_t *taken)
{
    *taken = 0;
    if (!has_room())
        return false;
    while (fifo_room > 0 && newline_is_owed)
        newline_is_owed = !send_of('\n');
    while (fifo_room > 0 && *taken < size_bytes)
        *taken += send_of(text[*taken]);
    return true;
}

void uart_finish(uint64_t cycles_max)
{
    uint64_t begin = rdtsc();

    while (present && (read_register(REG_STATUS) & STATUS_IDLE) == 0 &&
           rdtsc() - begin < cycles_max)
        ;
}

void uart_cry(const char *text, uint64_t cycles_max)
{
    uint64_t begin = rdtsc();
    size_t taken;

    while (present && *text != '\0' && rdtsc() - begin < cycles_max) {
        (void)uart_show(text, 1, &taken);
        text += taken;
    }
}
