// SPDX-License-Identifier: MIT
/*
 * registers.h - the keyboard controller of a PC, and how the driver reaches it.
 *
 * Names and bits: Intel 8042, as IBM's "PS/2 Hardware Interface Technical Reference" has it ("Keyboard and Auxiliary Device
 * Controller"). The access functions are I/O port instructions in ports.c; host tests link a model instead.
 */
#pragma once

#include <stdint.h>

enum {
    STATUS_OUTPUT_FULL = 1 << 0, /* a byte is there to be read */
    STATUS_INPUT_FULL = 1 << 1,  /* what was written last has not been taken yet */
    STATUS_FROM_MOUSE = 1 << 5,
    STATUS_ABSENT = 0xFF, /* what an empty bus reads */

    CONTROL_READ_CONFIG = 0x20,
    CONTROL_WRITE_CONFIG = 0x60,
    CONTROL_DISABLE_MOUSE = 0xA7,
    CONTROL_DISABLE_KEYBOARD = 0xAD,
    CONTROL_ENABLE_KEYBOARD = 0xAE,

    CONFIG_KEYBOARD_INTERRUPT = 1 << 0,
    CONFIG_MOUSE_INTERRUPT = 1 << 1,
    CONFIG_KEYBOARD_OFF = 1 << 4,
    CONFIG_MOUSE_OFF = 1 << 5,
    CONFIG_TRANSLATE = 1 << 6, /* scan code set 2, which keyboards send, becomes set 1 */

    /* To the keyboard itself, and what it answers. */
    KEYBOARD_SET_LIGHTS = 0xED,
    KEYBOARD_ENABLE = 0xF4,
    ANSWER_DONE = 0xFA,
    ANSWER_AGAIN = 0xFE,
    SAYS_PLUGGED_IN =
        0xAA, /* its self-test has passed; in set 1 also: the left Shift has gone up */
};

uint8_t ps2_data_read(void);
void ps2_data_write(uint8_t value);
uint8_t ps2_status_read(void);
void ps2_control_write(uint8_t value);
