// SPDX-License-Identifier: MIT
/*
 * keys.h - what a terminal sends, byte by byte, turned into keys: characters in UTF-8, control
 * characters, the escape sequences of function keys (ECMA-48, xterm "Control Sequences").
 *
 * What comes may be damaged, incomplete or hostile. A control character ends a pending sequence and
 * counts as a key; ill-formed UTF-8 is U+FFFD; unknown sequences and strings (OSC, DCS and the
 * like) are swallowed.
 */
#pragma once

#include "lib/mnos/utf8.h"

enum key_code {
    KEY_CHARACTER, /* text */
    KEY_CONTROL,   /* `character` below 0x20, or 0x7F */
    KEY_ALT,       /* Alt and an ASCII character, control characters too */
    KEY_UP,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_DELETE,
};

struct key {
    enum key_code code;
    bool modified; /* with Ctrl or Alt */
    uint32_t character;
};

#define KEYS_PER_BYTE 2 /* what was cut short, and the byte itself */
#define KEY_PARAMETERS 4

/* Zero: nothing pending. */
struct key_decoder {
    unsigned state;
    struct utf8_decoder utf8;
    bool escaped; /* an escape came before this sequence: Alt */
    bool known;   /* the sequence so far is one that a key can send */
    unsigned parameter_count;
    unsigned parameters[KEY_PARAMETERS];
};

/* Returns how many keys the byte has completed. */
unsigned keys_feed(struct key_decoder *decoder, uint8_t byte, struct key keys[KEYS_PER_BYTE]);

/* Whether nothing is pending. */
bool keys_idle(const struct key_decoder *decoder);
