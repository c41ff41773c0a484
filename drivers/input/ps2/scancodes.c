// SPDX-License-Identifier: MIT
/* scancodes - see scancodes.h. Host tests compile this file. */
#include "drivers/input/ps2/scancodes.h"

#define PREFIX_MORE 0xE0 /* keys that the first PC did not have */
#define PREFIX_PAUSE                                                                               \
    0xE1 /* E1 1D 45, and E1 9D C5 right behind: the key has no release of its own */
#define RELEASED 0x80
#define KEY_PAUSE 119
#define PAUSE_FIRST 0x1D
#define PAUSE_SECOND 0x45
#define SAME_UP_TO 0x58 /* so far Linux's numbers are those of set 1 */

enum { NONE = 0, MORE = 1, PAUSE = 2, PAUSE_BEGUN = 3 };

/* Beyond: keys of Japanese and Brazilian keyboards. */
static const uint8_t high[RELEASED] = {
    [0x70] = 93, [0x73] = 89, [0x79] = 92, [0x7B] = 94, [0x7D] = 124, [0x7E] = 121,
};

/* Behind E0. What is 0 is no key: E0 2A and E0 36 are Shift keys that nobody has pressed, around keys that the first PC had
 * with Shift only. */
static const uint8_t more[RELEASED] = {
    [0x1C] = 96,                      /* Enter of the keypad */
    [0x1D] = 97,                      /* right Ctrl */
    [0x35] = 98,                      /* / of the keypad */
    [0x37] = 99,                      /* Print */
    [0x38] = 100,                     /* right Alt */
    [0x46] = KEY_PAUSE, [0x47] = 102, /* Home */
    [0x48] = 103,                     /* up */
    [0x49] = 104,                     /* page up */
    [0x4B] = 105,                     /* left */
    [0x4D] = 106,                     /* right */
    [0x4F] = 107,                     /* End */
    [0x50] = 108,                     /* down */
    [0x51] = 109,                     /* page down */
    [0x52] = 110,                     /* Insert */
    [0x53] = 111,                     /* Delete */
    [0x5B] = 125,                     /* left Windows key */
    [0x5C] = 126,                     /* right one */
    [0x5D] = 127,                     /* menu */
    [0x5E] = 116,                     /* power */
};

static bool report(struct scancodes *codes, uint8_t code, bool released, struct input_key *key)
{
    if (code == 0)
        return false;
    *key = (struct input_key){.code = code, .what = INPUT_PRESSED};
    if (released)
        key->what = INPUT_RELEASED;
    else if (codes->down[code])
        key->what = INPUT_REPEATED;
    codes->down[code] = !released;
    return true;
}

static uint8_t plain_key(uint8_t byte)
{
    return byte <= SAME_UP_TO ? byte : high[byte];
}

bool scancodes_feed(struct scancodes *codes, uint8_t byte, struct input_key *key)
{
    unsigned prefix = codes->prefix;
    bool released = (byte & RELEASED) != 0;
    uint8_t plain = byte & ~RELEASED;

    codes->prefix = NONE;
    if (byte == PREFIX_MORE)
        codes->prefix = MORE;
    else if (byte == PREFIX_PAUSE)
        codes->prefix = PAUSE;
    else if (prefix == PAUSE && plain == PAUSE_FIRST)
        codes->prefix = PAUSE_BEGUN;
    else if (prefix == PAUSE_BEGUN && plain == PAUSE_SECOND)
        return report(codes, KEY_PAUSE, released, key);
    else
        return report(codes, prefix == MORE ? more[plain] : plain_key(plain), released, key);
    return false;
}

void scancodes_lost(struct scancodes *codes)
{
    *codes = (struct scancodes){0};
}
