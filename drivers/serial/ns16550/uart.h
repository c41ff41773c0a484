// SPDX-License-Identifier: MIT
/*
 * uart.h - the device logic of a 16550: bytes in, bytes out, errors counted.
 *
 * Knows registers and the queue of received bytes; leaves clients to server.c and capabilities to
 * main.c. Bytes to send are not kept here: those that uart_send() has taken are in the device, which
 * sends them even if this driver dies.
 *
 * U1  the transmit-empty interrupt is enabled exactly when `sending` is true
 * U2  `sending` is true exactly when the last uart_send() could not give the device everything and
 *     uart_service() has not run since
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
};

/* 115200 baud, 8 data bits, no parity, 1 stop bit; FIFOs if there are any. What an earlier run of the
 * driver left in the FIFOs stays there. MNOS_ERR_DEVICE: nothing answers at `base`. */
mnos_status_t uart_init(struct uart *uart, uint16_t base);

/* Does all that the device has work for. Called for each interrupt, and harmless without one. */
void uart_service(struct uart *uart);

/* Gives the device as many of the bytes as it takes now; returns how many. When it does not take all
 * it will interrupt, and uart_service() has to come before the next attempt. Received bytes may come
 * in meanwhile. */
size_t uart_send(struct uart *uart, const uint8_t *bytes, size_t count);

/* Hands out at most `count` received bytes; returns how many. */
size_t uart_receive(struct uart *uart, uint8_t *bytes, size_t count);

/* Puts the last `count` bytes that uart_receive() handed out back, before anything else happens. */
void uart_give_back(struct uart *uart, size_t count);
