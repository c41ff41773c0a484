// SPDX-License-Identifier: MIT
/* layout - see layout.h. Host tests compile this file. */
#include "services/terminal/layout.h"

#include "lib/base/string.h"

/* linux/input-event-codes.h */
enum {
    KEY_ESC = 1,
    KEY_BACKSPACE = 14,
    KEY_TAB = 15,
    KEY_ENTER = 28,
    KEY_LEFT_CTRL = 29,
    KEY_LEFT_SHIFT = 42,
    KEY_RIGHT_SHIFT = 54,
    KEY_KP_TIMES = 55,
    KEY_LEFT_ALT = 56,
    KEY_CAPS_LOCK = 58,
    KEY_F1 = 59,
    KEY_F10 = 68,
    KEY_NUM_LOCK = 69,
    KEY_SCROLL_LOCK = 70,
    KEY_KP_7 = 71,
    KEY_KP_POINT = 83,
    KEY_F11 = 87,
    KEY_F12 = 88,
    KEY_KP_ENTER = 96,
    KEY_RIGHT_CTRL = 97,
    KEY_KP_SLASH = 98,
    KEY_RIGHT_ALT = 100,
    KEY_HOME = 102,
    KEY_UP = 103,
    KEY_PAGE_UP = 104,
    KEY_LEFT = 105,
    KEY_RIGHT = 106,
    KEY_END = 107,
    KEY_DOWN = 108,
    KEY_PAGE_DOWN = 109,
    KEY_INSERT = 110,
    KEY_DELETE = 111,
};

#define TERMINALS_BY_KEY 4u /* Alt-F1 to Alt-F4 */

/* Keys whose meaning is no layout's: enum emulator_key + 1. */
static const uint8_t named[INPUT_CODES] = {
    [KEY_ESC] = EMULATOR_ESCAPE + 1,
    [KEY_BACKSPACE] = EMULATOR_BACKSPACE + 1,
    [KEY_TAB] = EMULATOR_TAB + 1,
    [KEY_ENTER] = EMULATOR_ENTER + 1,
    [KEY_KP_ENTER] = EMULATOR_ENTER + 1,
    [KEY_HOME] = EMULATOR_HOME + 1,
    [KEY_UP] = EMULATOR_UP + 1,
    [KEY_PAGE_UP] = EMULATOR_PAGE_UP + 1,
    [KEY_LEFT] = EMULATOR_LEFT + 1,
    [KEY_RIGHT] = EMULATOR_RIGHT + 1,
    [KEY_END] = EMULATOR_END + 1,
    [KEY_DOWN] = EMULATOR_DOWN + 1,
    [KEY_PAGE_DOWN] = EMULATOR_PAGE_DOWN + 1,
    [KEY_INSERT] = EMULATOR_INSERT + 1,
    [KEY_DELETE] = EMULATOR_DELETE + 1,
    [KEY_F11] = EMULATOR_F1 + 11,
    [KEY_F12] = EMULATOR_F1 + 12,
};

/* The keypad from its 7 on: with Num Lock, and without. */
static const char keypad_text[] = "789-456+1230.";
static const uint8_t keypad_named[] = {
    EMULATOR_HOME + 1,      EMULATOR_UP + 1,
    EMULATOR_PAGE_UP + 1,   0,
    EMULATOR_LEFT + 1,      0,
    EMULATOR_RIGHT + 1,     0,
    EMULATOR_END + 1,       EMULATOR_DOWN + 1,
    EMULATOR_PAGE_DOWN + 1, EMULATOR_INSERT + 1,
    EMULATOR_DELETE + 1,
};

/* ---- Opening ---- */

bool layout_open(struct layout *keys, const void *file, size_t size, const char *name)
{
    const struct keymaps_header *header = file;
    const struct keymap *maps = (const void *)(header + 1);
    size_t name_bytes = strlen(name);

    if (size < sizeof *header || header->magic != KEYMAPS_MAGIC || header->map_count == 0 ||
        (uint64_t)header->map_count * sizeof *maps +
                (uint64_t)header->pair_count * sizeof(struct keymap_pair) >
            size - sizeof *header)
        return false;
    *keys = (struct layout){.map = maps,
                            .pairs = (const void *)(maps + header->map_count),
                            .pair_count = header->pair_count};
    for (uint32_t i = 0; i < header->map_count && name_bytes < KEYMAP_NAME_BYTES; i++)
        if (strncmp(maps[i].name, name, KEYMAP_NAME_BYTES) == 0)
            keys->map = &maps[i];
    return true;
}

/* ---- Modifiers ---- */

static unsigned modifiers(const struct layout *keys)
{
    return (keys->down[KEY_LEFT_SHIFT] || keys->down[KEY_RIGHT_SHIFT] ? EMULATOR_SHIFT : 0) |
           (keys->down[KEY_LEFT_CTRL] || keys->down[KEY_RIGHT_CTRL] ? EMULATOR_CTRL : 0) |
           (keys->down[KEY_LEFT_ALT] ? EMULATOR_ALT : 0);
}

static bool is_modifier(unsigned code)
{
    return code == KEY_LEFT_SHIFT || code == KEY_RIGHT_SHIFT || code == KEY_LEFT_CTRL ||
           code == KEY_RIGHT_CTRL || code == KEY_LEFT_ALT || code == KEY_RIGHT_ALT;
}

static unsigned light_of(unsigned code)
{
    switch (code) {
    case KEY_CAPS_LOCK: return INPUT_CAPS_LOCK;
    case KEY_NUM_LOCK: return INPUT_NUM_LOCK;
    case KEY_SCROLL_LOCK: return INPUT_SCROLL_LOCK;
    default: return 0;
    }
}

/* ---- Characters ---- */

static struct keys_event character(uint32_t code, unsigned held)
{
    return (struct keys_event){KEYS_CHARACTER, code, held & EMULATOR_ALT};
}

/* What Ctrl makes of it; characters that have none stay. ASCII, columns 4 and 5. */
static uint32_t with_ctrl(uint32_t code)
{
    if (code == ' ' || code == '2')
        return 0;
    if (code == '?' || code == '8')
        return 0x7F;
    if (code == '/' || code == '-')
        return 0x1F;
    return (code >= '@' && code <= '_') || (code >= 'a' && code <= 'z') ? code & 0x1F : code;
}

static uint32_t symbol(const struct layout *keys, unsigned code, unsigned held)
{
    const uint32_t *levels = keys->map->keys[code];
    bool caps = (keys->lights & INPUT_CAPS_LOCK) != 0 && (levels[0] & KEYMAP_CAPS) != 0;
    bool shift = ((held & EMULATOR_SHIFT) != 0) != caps;
    unsigned alt_gr = keys->down[KEY_RIGHT_ALT] ? 2 : 0;
    uint32_t found = levels[alt_gr + shift];

    /* A layout without a third level: its right Alt is as the left. */
    return found != 0 ? found : levels[shift];
}

static uint32_t combine(const struct layout *keys, uint32_t dead, uint32_t base)
{
    for (uint32_t i = 0; i < keys->pair_count; i++)
        if (keys->pairs[i].dead == dead && keys->pairs[i].base == base)
            return keys->pairs[i].result;
    return 0;
}

/* A character, behind a dead key maybe: the two are one, or both come. */
static unsigned put_character(struct layout *keys, uint32_t code, unsigned held,
                              struct keys_event events[2])
{
    uint32_t dead = keys->dead, both = dead != 0 ? combine(keys, dead, code) : 0;
    unsigned count = 0;

    keys->dead = 0;
    if (both != 0) {
        events[0] = character(both, held);
        return 1;
    }
    if (dead != 0 && combine(keys, dead, ' ') != 0)
        events[count++] = character(combine(keys, dead, ' '), held);
    events[count++] = character(code, held);
    return count;
}

static unsigned press_symbol(struct layout *keys, unsigned code, unsigned held,
                             struct keys_event events[2])
{
    uint32_t found = symbol(keys, code, held);
    uint32_t what = found & KEYMAP_CODE;

    if (what == 0)
        return 0;
    if ((held & EMULATOR_CTRL) != 0) {
        keys->dead = 0;
        events[0] = character(with_ctrl(what), held);
        return 1;
    }
    if ((found & KEYMAP_DEAD) == 0)
        return put_character(keys, what, held, events);
    if (keys->dead == 0) {
        keys->dead = what;
        return 0;
    }
    events[0] = character(combine(keys, keys->dead, ' '), held); /* twice: its own picture */
    keys->dead = 0;
    return events[0].code != 0;
}

/* ---- Keys with names ---- */

static unsigned name_of(const struct layout *keys, unsigned code)
{
    if (code >= KEY_F1 && code <= KEY_F10)
        return EMULATOR_F1 + 1 + code - KEY_F1;
    if (code >= KEY_KP_7 && code <= KEY_KP_POINT && (keys->lights & INPUT_NUM_LOCK) == 0)
        return keypad_named[code - KEY_KP_7];
    return named[code];
}

static struct keys_event press_named(enum emulator_key key, unsigned held)
{
    if ((held & EMULATOR_ALT) != 0 && key >= EMULATOR_F1 && key < EMULATOR_F1 + TERMINALS_BY_KEY)
        return (struct keys_event){KEYS_SWITCH, key - EMULATOR_F1, 0};
    if (held == EMULATOR_SHIFT && (key == EMULATOR_PAGE_UP || key == EMULATOR_PAGE_DOWN))
        return (struct keys_event){KEYS_SCROLL, key == EMULATOR_PAGE_UP ? KEYS_UP : KEYS_DOWN, 0};
    return (struct keys_event){KEYS_NAMED, key, held};
}

static uint32_t keypad_character(unsigned code)
{
    if (code == KEY_KP_TIMES)
        return '*';
    if (code == KEY_KP_SLASH)
        return '/';
    return code >= KEY_KP_7 && code <= KEY_KP_POINT ? (uint32_t)keypad_text[code - KEY_KP_7] : 0;
}

static unsigned press(struct layout *keys, unsigned code, struct keys_event events[2])
{
    unsigned held = modifiers(keys), name = name_of(keys, code);

    if (name != 0) {
        keys->dead = 0;
        events[0] = press_named((enum emulator_key)(name - 1), held);
        return 1;
    }
    if (keypad_character(code) != 0)
        return put_character(keys, keypad_character(code), held, events);
    return press_symbol(keys, code, held, events);
}

unsigned layout_feed(struct layout *keys, const struct input_key *key, struct keys_event events[2])
{
    if (key->what == INPUT_LOST) {
        memset(keys->down, 0, sizeof keys->down);
        return 0;
    }
    if (key->code == 0 || key->code >= INPUT_CODES)
        return 0;
    if (is_modifier(key->code)) {
        keys->down[key->code] = key->what != INPUT_RELEASED;
        return 0;
    }
    if (key->what == INPUT_RELEASED)
        return 0;
    if (light_of(key->code) != 0) {
        keys->lights ^= key->what == INPUT_PRESSED ? light_of(key->code) : 0;
        return 0;
    }
    return press(keys, key->code, events);
}
