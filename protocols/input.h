// SPDX-License-Identifier: MIT
/* input.h - labels and records of keyboards; what they mean is in input.def. */
#pragma once

#include <stdint.h>

enum input_request {
#define REQUEST(label, name, class, request, reply, text) INPUT_##name = (label),
#include "protocols/input.def"
#undef REQUEST
};

#define INPUT_KEYS_MAX 128u

enum input_what {
    INPUT_RELEASED,
    INPUT_PRESSED,
    INPUT_REPEATED, /* it is still down, and the keyboard says so again and again */
    INPUT_LOST,     /* no key: some are missing here, so nobody knows which are down */
};

/* The number of a key is that of Linux's input events (linux/input-event-codes.h), as keymaps of Debian have it. */
#define INPUT_CODES 128u

struct input_key {
    uint16_t code; /* 1 to INPUT_CODES - 1; 0 with INPUT_LOST */
    uint8_t what;  /* enum input_what */
    uint8_t reserved;
};
_Static_assert(sizeof(struct input_key) == 4, "shared between programs");

enum input_light {
    INPUT_SCROLL_LOCK = 1u << 0, /* as the PS/2 keyboard numbers them */
    INPUT_NUM_LOCK = 1u << 1,
    INPUT_CAPS_LOCK = 1u << 2,
};
#define INPUT_LIGHTS_ALL (INPUT_SCROLL_LOCK | INPUT_NUM_LOCK | INPUT_CAPS_LOCK)

struct input_lights {
    uint32_t lights;
    uint32_t reserved;
};
