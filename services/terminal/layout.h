// SPDX-License-Identifier: MIT
/*
 * layout.h - keys that go down and up become characters, keys with names, and orders to the terminal itself: layouts of the file
 * `keymaps`, which tools/mkkeymaps.py makes of Debian's console-setup and xkb-data; modifiers, locks, dead keys. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/input.h"
#include "services/terminal/emulator.h"

#define KEYMAPS_MAGIC 0x5359454Bu /* "KEYS" */
#define KEYMAP_NAME_BYTES 8u
#define KEYMAP_LEVELS 4u /* plain, with Shift, with AltGr, with both */
#define KEYMAP_CODE 0x1FFFFFu
#define KEYMAP_DEAD (1u << 30) /* a dead key: its code is a combining character */
#define KEYMAP_CAPS (1u << 31) /* Caps Lock is as Shift for it */

/* The file: this, so many struct keymap, so many struct keymap_pair, ordered by both members. Little-endian. */
struct keymaps_header {
    uint32_t magic;
    uint32_t map_count, pair_count;
    uint32_t reserved;
};

struct keymap {
    char name[KEYMAP_NAME_BYTES];              /* "us", "de" */
    uint32_t keys[INPUT_CODES][KEYMAP_LEVELS]; /* 0: nothing */
};

/* What a dead key makes of the next character; of the blank, its own picture. */
struct keymap_pair {
    uint32_t dead, base, result;
};

enum keys_kind {
    KEYS_NOTHING,
    KEYS_CHARACTER, /* code, and EMULATOR_ALT in modifiers */
    KEYS_NAMED,     /* code: enum emulator_key, and modifiers */
    KEYS_SWITCH,    /* code: which terminal, from 0 */
    KEYS_SCROLL,    /* code: up or down */
};
enum { KEYS_UP, KEYS_DOWN };

struct keys_event {
    enum keys_kind kind;
    uint32_t code;
    unsigned modifiers;
};

struct layout {
    const struct keymap *map;
    const struct keymap_pair *pairs;
    uint32_t pair_count;
    bool down[INPUT_CODES]; /* the modifiers, by key */
    unsigned lights;        /* enum input_light: what is locked */
    uint32_t dead;          /* the combining character that waits; 0: none */
};

/* With the layout called `name`, or the first of the file. False: there is none, or the file is not whole. */
bool layout_open(struct layout *keys, const void *file, size_t size, const char *name);
/* At most two events come of one key: a dead key that does not combine comes before the next character. */
unsigned layout_feed(struct layout *keys, const struct input_key *key, struct keys_event events[2]);
