// SPDX-License-Identifier: MIT
/* serial.h - labels and records of the serial protocol; what they mean is in serial.def. */
#pragma once

#include <stdint.h>

enum serial_request {
#define REQUEST(label, name, class, request, reply, text) SERIAL_##name = (label),
#include "protocols/serial.def"
#undef REQUEST
};

struct serial_statistics {
    uint64_t received_bytes;
    uint64_t sent_bytes;
    uint64_t interrupts;
    uint64_t overruns; /* bytes lost in the device */
    uint64_t stops;    /* times that bytes were left in the device, for want of a reader */
    uint64_t parity_errors;
    uint64_t framing_errors;
    uint64_t breaks;
    uint32_t fifo_bytes; /* depth of the device's transmit FIFO; 1: none */
    uint32_t reserved;
};
_Static_assert(sizeof(struct serial_statistics) == 72, "shared between programs");
