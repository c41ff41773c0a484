// SPDX-License-Identifier: MIT
/*
 * keyboard.h - the device logic: controller and keyboard, keys in, lights out. Knows registers; leaves clients and
 * capabilities to main.c.
 *
 * The controller translates to scan code set 1. Keyboards can be told to send set 1, or set 2 untranslated, but machines that
 * have a USB keyboard pretend to have a PS/2 one by their firmware, and what that does in another set than the one every system
 * uses is anybody's guess.
 *
 * K1  while `asked` is not ASKED_NOTHING, a byte has gone to the keyboard that it has not answered, and `answer_until_ns` says
 *     until when it may
 * K2  a byte is taken from the controller only while there is room for what it can bring: a key, or the mark of a loss
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"
#include "drivers/input/ps2/scancodes.h"

#define KEYBOARD_QUEUE 256u /* a power of two */
#define KEYBOARD_ANSWER_NS 200000000ull

enum keyboard_asked { ASKED_NOTHING, ASKED_ENABLE, ASKED_LIGHTS, ASKED_LIGHTS_VALUE };

struct keyboard {
    struct scancodes codes;
    struct input_key keys[KEYBOARD_QUEUE];
    uint32_t put, taken; /* indexes count all keys ever */
    enum keyboard_asked asked;
    unsigned tries;
    uint64_t answer_until_ns;
    bool enable;     /* the keyboard is to be told to send */
    uint8_t lights;  /* that it is to show, */
    uint8_t showing; /* and those that it was told last; LIGHTS_UNKNOWN: none yet */
    uint64_t now_ns; /* the caller's to set before each call */
};

/* What was typed before stays, and is taken in. MNOS_ERR_DEVICE: no controller answers. */
mnos_status_t keyboard_init(struct keyboard *keyboard);
/* Does all that the device has work for. For each interrupt, when the deadline has passed, and harmless otherwise. */
void keyboard_service(struct keyboard *keyboard);
/* When keyboard_service() has to be called at the latest. */
uint64_t keyboard_deadline(const struct keyboard *keyboard);

size_t keyboard_waiting(const struct keyboard *keyboard);
/* Up to `max` keys, which wait no longer; returns how many. keyboard_service() has to come after it: there is room again. */
size_t keyboard_take(struct keyboard *keyboard, struct input_key *keys, size_t max);
void keyboard_set_lights(struct keyboard *keyboard, uint8_t lights);
