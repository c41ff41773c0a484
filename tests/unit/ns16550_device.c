// SPDX-License-Identifier: MIT
/* ns16550_device.c - the device of tests/models/ns16550.h. */
#include "tests/models/ns16550.h"

struct model_device device;

unsigned fifo_depth(void)
{
    return device.has_fifo && (device.fcr & FCR_ENABLE) ? 16 : 1;
}

static void update_line(void)
{
    bool level =
        (device.mcr & MCR_OUT2) && (((device.ier & IER_RECEIVED) && device.rx_count != 0) ||
                                    ((device.ier & IER_LINE_STATUS) && device.lsr_errors != 0) ||
                                    ((device.ier & IER_TRANSMIT_EMPTY) && device.tx_cause));

    if (level && !device.line)
        device.edges++;
    device.line = level;
}

static uint8_t read_line_status(void)
{
    uint8_t value = device.lsr_errors | (device.rx_count != 0 ? LSR_DATA_READY : 0) |
                    (device.tx_count == 0 ? LSR_TRANSMIT_EMPTY | LSR_TRANSMITTER_IDLE : 0);

    if (device.rx_count != 0)
        value |= device.rx_errors[0];
    device.lsr_errors = 0;
    if (device.rx_count != 0)
        device.rx_errors[0] = 0;
    return value;
}

static uint8_t read_cause(void)
{
    uint8_t fifo = fifo_depth() == 16 ? IIR_FIFO_16550A : 0;

    if ((device.ier & IER_LINE_STATUS) && device.lsr_errors != 0)
        return fifo | 6;
    if ((device.ier & IER_RECEIVED) && device.rx_count != 0)
        return fifo | 4;
    if ((device.ier & IER_TRANSMIT_EMPTY) && device.tx_cause) {
        device.tx_cause = false; /* reading it as the cause clears it */
        return fifo | 2;
    }
    return fifo | IIR_NONE_PENDING;
}

static uint8_t take_received(void)
{
    uint8_t byte = device.rx[0];

    if (device.rx_count == 0)
        return 0;
    device.rx_count--;
    memmove(device.rx, device.rx + 1, device.rx_count);
    memmove(device.rx_errors, device.rx_errors + 1, device.rx_count);
    return byte;
}

uint8_t uart_register_read(uint16_t base, enum uart_register reg)
{
    uint8_t value = 0;

    CHECK_EQ(base, 0x3F8);
    if (device.absent)
        return 0xFF;
    switch (reg) {
    case UART_DATA:
        value = device.lcr & LCR_DLAB ? (uint8_t)device.divisor : take_received();
        break;
    case UART_IER:
        value = device.lcr & LCR_DLAB ? (uint8_t)(device.divisor >> 8) : device.ier;
        break;
    case UART_IIR: value = read_cause(); break;
    case UART_LCR: value = device.lcr; break;
    case UART_MCR: value = device.mcr; break;
    case UART_LSR: value = read_line_status(); break;
    case UART_SCRATCH: value = device.scratch; break;
    default: break;
    }
    update_line();
    return value;
}

void wire_send(void)
{
    for (unsigned i = 0; i < device.tx_count; i++)
        device.sent[device.sent_count++] = (char)device.tx[i];
    if (device.tx_count != 0)
        device.tx_cause = true;
    device.tx_count = 0;
    update_line();
}

static void write_data(uint8_t value)
{
    if (device.lcr & LCR_DLAB) {
        device.divisor_writes++;
        device.divisor = (uint16_t)((device.divisor & 0xFF00) | value);
        return;
    }
    CHECK(device.tx_count < fifo_depth()); /* one more would be lost */
    device.tx[device.tx_count++] = value;
    device.tx_cause = false;
    update_line();
    if (device.instant)
        wire_send();
}

static void write_interrupt_enable_register(uint8_t value)
{
    if (device.lcr & LCR_DLAB) {
        device.divisor = (uint16_t)((device.divisor & 0xFF) | value << 8);
        return;
    }
    if ((value & ~device.ier & IER_TRANSMIT_EMPTY) && device.tx_count == 0)
        device.tx_cause = true;
    device.ier = value;
}

/* Turning the FIFOs on or off empties them. */
static void write_fifo_control(uint8_t value)
{
    if ((value ^ device.fcr) & FCR_ENABLE)
        device.rx_count = device.tx_count = 0;
    device.fcr = value;
}

void uart_register_write(uint16_t base, enum uart_register reg, uint8_t value)
{
    CHECK_EQ(base, 0x3F8);
    switch (reg) {
    case UART_DATA: write_data(value); break;
    case UART_IER: write_interrupt_enable_register(value); break;
    case UART_FCR: write_fifo_control(value); break;
    case UART_LCR: device.lcr = value; break;
    case UART_MCR: device.mcr = value; break;
    case UART_SCRATCH: device.scratch = device.absent ? 0 : value; break;
    default: break;
    }
    update_line();
}

void wire_receive(const char *bytes, size_t count, uint8_t errors)
{
    for (size_t i = 0; i < count; i++) {
        if (device.rx_count == fifo_depth()) {
            device.lsr_errors |= LSR_OVERRUN;
        } else {
            device.rx[device.rx_count] = (uint8_t)bytes[i];
            device.rx_errors[device.rx_count++] = errors;
        }
    }
    update_line();
}
