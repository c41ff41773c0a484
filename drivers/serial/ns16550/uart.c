// SPDX-License-Identifier: MIT
/* uart - see uart.h. Host tests compile this file with a model of the device. */
#include "drivers/serial/ns16550/uart.h"

#include "drivers/serial/ns16550/registers.h"
#include "lib/base/string.h"

#define DIVISOR_115200 1 /* of the PC's 1.8432 MHz clock divided by 16 */
#define FIFO_BYTES 16
/* U4 */
#define ITEMS_PER_BYTE 4
#define USED_GO_ON (BYTE_QUEUE_ITEMS / 4)
#define ERRORS_OF_BYTE (LSR_PARITY | LSR_FRAMING | LSR_BREAK)
/* A line that is stuck at "data ready" (an absent device reads 0xFF) must not keep the driver in
 * one interrupt for ever: at most this many bytes each time. */
#define DRAIN_LIMIT 1024
/* A register access takes about a microsecond, 16 bytes at 115200 baud 1.4 ms. */
#define IDLE_READS 5000

static uint8_t reg_read(const struct uart *uart, enum uart_register reg)
{
    return uart_register_read(uart->base, reg);
}

static void reg_write(const struct uart *uart, enum uart_register reg, uint8_t value)
{
    uart_register_write(uart->base, reg, value);
}

static void write_interrupt_enable(const struct uart *uart)
{
    reg_write(uart, UART_IER,
              IER_LINE_STATUS | (uart->stopped ? 0 : IER_RECEIVED) |
                  (uart->sending ? IER_TRANSMIT_EMPTY : 0));
}

static void write_modem_control(struct uart *uart, uint8_t value)
{
    if (uart->modem != value)
        reg_write(uart, UART_MCR, value);
    uart->modem = value;
}

/* Whether a device is there. The original 8250 has no scratch register, but its interrupt
 * identification has zeros in the upper half; an empty bus reads ones everywhere. */
static bool uart_present(const struct uart *uart)
{
    reg_write(uart, UART_SCRATCH, SCRATCH_EMPTY);
    return reg_read(uart, UART_SCRATCH) == SCRATCH_EMPTY || (reg_read(uart, UART_IIR) & 0x30) == 0;
}

/* Writing the divisor garbles a byte that is on the wire, so it stays when it is right already,
 * as it is when this is not the first run of the driver. */
static void set_line(const struct uart *uart)
{
    reg_write(uart, UART_LCR, LCR_DLAB | LCR_8_BITS);
    if (reg_read(uart, UART_DATA) != DIVISOR_115200 || reg_read(uart, UART_IER) != 0) {
        reg_write(uart, UART_DATA, DIVISOR_115200);
        reg_write(uart, UART_IER, 0); /* divisor, high byte */
    }
    reg_write(uart, UART_LCR, LCR_8_BITS);
}

static void set_holding(struct uart *uart, bool holding)
{
    if (uart->holding == holding)
        return;
    uart->holding = holding;
    reg_write(uart, UART_SCRATCH, holding ? SCRATCH_HOLDING : SCRATCH_EMPTY);
}

/* FIFOs that are enabled already keep what is in them: what was typed while no driver ran. The
 * 16450 has none, and those of the first 16550 are broken: only a device that reports both bits
 * has usable ones. PC16550D data sheet, "Interrupt Identification Register". */
static uint32_t enable_fifos(const struct uart *uart)
{
    reg_write(uart, UART_FCR, FCR_ENABLE | FCR_TRIGGER_8);
    if ((reg_read(uart, UART_IIR) & IIR_FIFO_MASK) == IIR_FIFO_16550A)
        return FIFO_BYTES;
    reg_write(uart, UART_FCR, 0);
    return 1;
}

/* What the kernel or an earlier driver wrote last may be in the FIFO, and enabling the FIFOs for
 * the first time or changing the line's parameters would spoil it. */
static void let_transmitter_finish(const struct uart *uart)
{
    for (unsigned i = 0; i < IDLE_READS; i++) {
        if (reg_read(uart, UART_LSR) & LSR_TRANSMITTER_IDLE)
            return;
    }
}

mnos_status_t uart_init(struct uart *uart, uint16_t base)
{
    bool lost;

    memset(uart, 0, sizeof *uart);
    uart->base = base;
    lost = reg_read(uart, UART_SCRATCH) == SCRATCH_HOLDING;
    if (!uart_present(uart))
        return MNOS_ERR_DEVICE;
    let_transmitter_finish(uart);
    reg_write(uart, UART_LCR, LCR_8_BITS); /* IER is not the divisor's high byte now */
    reg_write(uart, UART_IER, 0);
    set_line(uart);
    uart->statistics.fifo_bytes = enable_fifos(uart);
    uart->held = uart->stopped = true;
    write_modem_control(uart, MCR_DTR | MCR_OUT2);
    write_interrupt_enable(uart);
    if (lost) {
        set_holding(uart, true);
        byte_queue_mark(&uart->received);
    }
    return MNOS_OK;
}

static void count_errors(struct uart *uart, uint8_t line_status)
{
    uart->statistics.overruns += (line_status & LSR_OVERRUN) != 0;
    uart->statistics.parity_errors += (line_status & LSR_PARITY) != 0;
    uart->statistics.framing_errors += (line_status & LSR_FRAMING) != 0;
    uart->statistics.breaks += (line_status & LSR_BREAK) != 0;
}

/* A byte came when the FIFO was full, and is gone: it came after those in the FIFO, of which one
 * may have been read since. So it is missing before or after the last of as many as the FIFO
 * holds. (Without a FIFO it has replaced the one before it: the same place.) PC16550D data
 * sheet, "Line Status Register". */
static void note_overrun(struct uart *uart)
{
    unsigned depth = uart->statistics.fifo_bytes;

    if (uart->doubtful == 0)
        uart->sound = depth - 1;
    uart->doubtful = depth - uart->sound;
}

/* Reading the register clears the errors in it. */
static uint8_t look_at_line(struct uart *uart)
{
    uint8_t line_status = reg_read(uart, UART_LSR);

    count_errors(uart, line_status);
    uart->next_errors |= line_status & ERRORS_OF_BYTE;
    if (line_status & LSR_OVERRUN)
        note_overrun(uart);
    return line_status;
}

/* A break arrives as a zero byte that nobody sent; one with another error is not the one that
 * was sent. */
static void put_byte(struct uart *uart, uint8_t byte, uint8_t errors)
{
    if (errors & LSR_BREAK)
        return;
    uart->statistics.received_bytes++;
    if (errors != 0)
        byte_queue_mark(&uart->received);
    else
        byte_queue_put(&uart->received, byte);
}

static void take_byte(struct uart *uart)
{
    uint8_t byte, errors = uart->next_errors;

    set_holding(uart, true); /* first: a driver that dies in between has lost it */
    uart->next_errors = 0;
    byte = reg_read(uart, UART_DATA);
    if (uart->doubtful == 0 || uart->sound != 0) {
        put_byte(uart, byte, errors);
        uart->sound -= uart->sound != 0;
        return;
    }
    byte_queue_mark(&uart->received);
    put_byte(uart, byte, errors);
    if (--uart->doubtful == 0)
        byte_queue_mark(&uart->received);
}

/* The FIFO is empty: what is missing came after all that was read. */
static void settle_overrun(struct uart *uart)
{
    if (uart->doubtful == 0)
        return;
    uart->sound = uart->doubtful = 0;
    set_holding(uart, true);
    byte_queue_mark(&uart->received);
}

/* Whether bytes are taken in: U3, U4; and whether the sender may send. */
static void control_flow(struct uart *uart)
{
    size_t used = byte_queue_used(&uart->received);
    bool stop = uart->held || byte_queue_room(&uart->received) < ITEMS_PER_BYTE ||
                (uart->stopped && used > USED_GO_ON);
    bool asked_to_stop = (uart->modem & MCR_RTS) == 0;

    if (stop || used > USED_ASK_TO_STOP || (asked_to_stop && used > USED_GO_ON))
        write_modem_control(uart, uart->modem & ~MCR_RTS);
    else
        write_modem_control(uart, uart->modem | MCR_RTS);
    if (uart->stopped == stop)
        return;
    uart->stopped = stop;
    uart->statistics.stops += stop && !uart->held;
    write_interrupt_enable(uart);
}

/* Returns the line status that ended it. */
static uint8_t drain_receiver(struct uart *uart)
{
    uint8_t line_status = look_at_line(uart);

    for (unsigned i = 0; i < DRAIN_LIMIT; i++) {
        if ((line_status & LSR_DATA_READY) == 0) {
            settle_overrun(uart);
            break;
        }
        if (uart->stopped)
            break;
        take_byte(uart);
        control_flow(uart);
        line_status = look_at_line(uart);
    }
    return line_status;
}

/* The transmitter is empty: fills it, and returns with how many bytes. */
static size_t fill_transmitter(struct uart *uart, const uint8_t *bytes, size_t count)
{
    if (count > uart->statistics.fifo_bytes)
        count = uart->statistics.fifo_bytes;
    for (size_t i = 0; i < count; i++)
        reg_write(uart, UART_DATA, bytes[i]);
    uart->statistics.sent_bytes += count;
    return count;
}

/* U1: being told that the transmitter is empty is of use only when there is more to send. */
static void set_sending(struct uart *uart, bool sending)
{
    if (uart->sending == sending)
        return;
    uart->sending = sending;
    write_interrupt_enable(uart);
}

void uart_service(struct uart *uart)
{
    uart->statistics.interrupts++;
    set_sending(uart, false);
    /* The line is edge-triggered: it rises again only after every cause has been away at once. So
     * go on until the device says that nothing is pending. */
    for (unsigned i = 0; i < DRAIN_LIMIT; i++) {
        (void)drain_receiver(uart);
        if (reg_read(uart, UART_IIR) & IIR_NONE_PENDING)
            break;
        (void)reg_read(uart, UART_MSR); /* modem lines are not enabled, but an old cause may be */
    }
}

size_t uart_send(struct uart *uart, const uint8_t *bytes, size_t count)
{
    size_t sent = 0;

    if (uart->sending)
        return 0;
    /* The transmit-empty interrupt is off meanwhile: where bytes leave as fast as they are
     * written, as in a virtual machine, it would come for each of them. */
    for (unsigned i = 0; i < DRAIN_LIMIT && sent < count; i++) {
        if ((drain_receiver(uart) & LSR_TRANSMIT_EMPTY) == 0)
            break;
        sent += fill_transmitter(uart, bytes + sent, count - sent);
    }
    set_sending(uart, sent < count);
    return sent;
}

void uart_handed_out(struct uart *uart)
{
    if (byte_queue_used(&uart->received) == 0)
        set_holding(uart, false);
    control_flow(uart);
}

void uart_hold(struct uart *uart, bool hold)
{
    uart->held = hold;
    control_flow(uart);
}
