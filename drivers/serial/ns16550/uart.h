// SPDX-License-Identifier: MIT
/*
 * uart.h - the device logic of a 16550: bytes in, bytes out, errors counted.
 *
 * Knows registers and the queue of received bytes; leaves clients to lib/server/stream_server.h and capabilities to
 * main.c. Bytes to send are not kept here: those that uart_send() has taken are in the device,
 * which sends them even if this driver dies. Those received are, so the device's scratch register
 * says whether there are any: the next driver reports them as lost.
 *
 * U1  the transmit-empty interrupt is enabled exactly when `sending` is true
 * U2  `sending` is true exactly when the last uart_send() could not give the device everything and
 *     uart_service() has not run since
 * U3  the receive interrupt is enabled exactly when `stopped` is false; while it is true no byte is
 *     taken from the device
 * U4  when `stopped` is false there is room for what one byte can bring: a mark, itself, two marks
 * U5  the scratch register is SCRATCH_HOLDING whenever the queue holds anything
 */
#pragma once

#include <stdbool.h>

#include "abi/types.h"
#include "lib/server/stream_bytes.h"
#include "protocols/serial.h"

/* The scratch register: no bytes are held, and some are. Neither is what the kernel leaves there
 * when it looks for the device at boot. */
#define SCRATCH_EMPTY 0x5A
#define SCRATCH_HOLDING 0x3C
/* The sender is asked to stop well before the queue is full, since it may react late; both go on
 * when readers have caught up, not for each byte they take. */
#define USED_ASK_TO_STOP (BYTE_QUEUE_ITEMS / 4 * 3)

struct uart {
    uint16_t base;
    bool sending;
    bool stopped;
    bool held;           /* a client wants bytes to stay in the device */
    bool holding;        /* what the scratch register says */
    uint8_t modem;       /* what the modem control register has */
    uint8_t next_errors; /* seen in the line status, of the byte that is read next */
    unsigned sound;    /* after an overrun: bytes that come before the first that may be missing, */
    unsigned doubtful; /* and bytes after these, before, between or after which some are missing */
    struct serial_statistics statistics;
    struct byte_queue received;
};

/* 115200 baud, 8 data bits, no parity, 1 stop bit; FIFOs if there are any; on hold. What an
 * earlier run of the driver left in the FIFOs stays there. MNOS_ERR_DEVICE: nothing answers at
 * `base`. */
mnos_status_t uart_init(struct uart *uart, uint16_t base);

/* Does all that the device has work for. Called for each interrupt, and harmless without one. */
void uart_service(struct uart *uart);

/* Gives the device as many of the bytes as it takes now; returns how many. When it does not take
 * all it will interrupt, and uart_service() has to come before the next attempt. Received bytes
 * may come in meanwhile. */
size_t uart_send(struct uart *uart, const uint8_t *bytes, size_t count);

/* There is less in the queue than before. The device may interrupt when there is room again. */
void uart_handed_out(struct uart *uart);

/* Whether what arrives stays in the device. */
void uart_hold(struct uart *uart, bool hold);
