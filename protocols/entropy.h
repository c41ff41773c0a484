// SPDX-License-Identifier: MIT
/* entropy.h - label and record of the source of random numbers; what they mean is in entropy.def. */
#pragma once

#include <stdint.h>

enum entropy_label {
#define REQUEST(label, name, class, request, reply, text) ENTROPY_##name = (label),
#include "protocols/entropy.def"
#undef REQUEST
};

/* A program that needs many bytes takes these as the key of a generator of its own (lib/mnos/chacha20.h). */
struct entropy_bytes {
    uint8_t bytes[32];
};
