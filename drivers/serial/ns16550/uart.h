// SPDX-License-Identifier: MIT
/*
 * uart.h - the device logic of a 16550: bytes in, bytes out, errors counted.
 *
 * Knows registers and two byte queues; leaves clients to server.c and capabilities to main.c.
 *
 * U1  the transmit-empty interrupt is enabled exactly when `sending` is true
 * U2  between calls, `sending` is true exactly when the transmit queue is not empty
 */
#pragma once

#include <stdbool.h>

#include "abi/types.h"
#include "drivers/serial/ns16550/bytes.h"
#include "protocols/serial.h"

struct uart {
    uint16_t base;
    bool sending;
    struct serial_statistics statistics;
    struct byte_queue received;
    struct byte_queue to_send;
};

/* 115200 baud, 8 data bits, no parity, 1 stop bit; FIFOs if there are any. MNOS_ERR_DEVICE: nothing
 * answers at `base`. */
mnos_status_t uart_init(struct uart *uart, uint16_t base);

/* Does all that the device has work for. Called for each interrupt, and harmless without one. */
void uart_service(struct uart *uart);

/* Takes at most `count` bytes for sending; returns how many. Received bytes may come in meanwhile. */
size_t uart_send(struct uart *uart, const uint8_t *bytes, size_t count);

/* Hands out at most `count` received bytes; returns how many. */
size_t uart_receive(struct uart *uart, uint8_t *bytes, size_t count);

/* Puts the last `count` bytes that uart_receive() handed out back, before anything else happens. */
void uart_give_back(struct uart *uart, size_t count);
