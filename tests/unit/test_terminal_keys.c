// SPDX-License-Identifier: MIT
/* test_terminal_keys - keys become characters, keys with names, and orders to the terminal. */
#include <string.h>

#include "services/terminal/layout.h"
#include "tests/unit/unit.h"

#define KEY_A 30u
#define KEY_Q 16u
#define KEY_DEAD 13u
#define LEFT_CTRL 29u
#define LEFT_SHIFT 42u
#define LEFT_ALT 56u
#define RIGHT_ALT 100u
#define CAPS_LOCK 58u
#define NUM_LOCK 69u
#define KEYPAD_8 72u

static struct {
    struct keymaps_header header;
    struct keymap maps[2];
    struct keymap_pair pairs[2];
} file;
static struct layout keys;
static struct keys_event events[2];

static void scene(const char *layout)
{
    file.header = (struct keymaps_header){KEYMAPS_MAGIC, 2, 2, 0};
    memcpy(file.maps[0].name, "us", 3);
    memcpy(file.maps[1].name, "de", 3);
    for (unsigned i = 0; i < 2; i++) {
        memcpy(file.maps[i].keys[KEY_A], (uint32_t[]){'a' | KEYMAP_CAPS, 'A', 0, 0}, 16);
        memcpy(file.maps[i].keys[KEY_Q], (uint32_t[]){'q' | KEYMAP_CAPS, 'Q', i ? '@' : 0, 0}, 16);
        memcpy(file.maps[i].keys[KEY_DEAD], (uint32_t[]){i ? 0x301 | KEYMAP_DEAD : '=', '1', 0, 0},
               16);
    }
    file.pairs[0] = (struct keymap_pair){0x301, ' ', 0xB4};
    file.pairs[1] = (struct keymap_pair){0x301, 'a', 0xE1};
    CHECK(layout_open(&keys, &file, sizeof file, layout));
}

static unsigned feed(uint16_t code, enum input_what what)
{
    struct input_key key = {.code = code, .what = (uint8_t)what};

    return layout_feed(&keys, &key, events);
}

static uint32_t press(uint16_t code)
{
    unsigned count = feed(code, INPUT_PRESSED);

    CHECK_EQ(count, 1);
    CHECK_EQ(feed(code, INPUT_RELEASED), 0);
    return events[0].code;
}

TEST(terminal_keys, letters_with_shift_and_caps_lock)
{
    scene("us");
    CHECK_EQ(press(KEY_A), 'a');
    feed(LEFT_SHIFT, INPUT_PRESSED);
    CHECK_EQ(press(KEY_A), 'A');
    feed(LEFT_SHIFT, INPUT_RELEASED);
    feed(CAPS_LOCK, INPUT_PRESSED);
    feed(CAPS_LOCK, INPUT_REPEATED); /* once is once */
    feed(CAPS_LOCK, INPUT_RELEASED);
    CHECK_EQ(keys.lights, INPUT_CAPS_LOCK);
    CHECK_EQ(press(KEY_A), 'A');
    CHECK_EQ(press(KEY_DEAD), '='); /* no letter */
    feed(LEFT_SHIFT, INPUT_PRESSED);
    CHECK_EQ(press(KEY_A), 'a');
}

TEST(terminal_keys, ctrl_makes_controls_and_alt_is_told)
{
    scene("us");
    feed(LEFT_CTRL, INPUT_PRESSED);
    CHECK_EQ(press(KEY_A), 1);
    feed(LEFT_CTRL, INPUT_RELEASED);
    feed(LEFT_ALT, INPUT_PRESSED);
    CHECK_EQ(press(KEY_A), 'a');
    CHECK_EQ(events[0].modifiers, EMULATOR_ALT);
}

TEST(terminal_keys, right_alt_is_the_third_level_where_the_layout_has_one)
{
    scene("de");
    feed(RIGHT_ALT, INPUT_PRESSED);
    CHECK_EQ(press(KEY_Q), '@');
    CHECK_EQ(press(KEY_A), 'a');
}

TEST(terminal_keys, dead_keys_combine_or_come_first)
{
    scene("de");
    CHECK_EQ(feed(KEY_DEAD, INPUT_PRESSED), 0);
    CHECK_EQ(press(KEY_A), 0xE1);
    CHECK_EQ(feed(KEY_DEAD, INPUT_PRESSED), 0);
    CHECK_EQ(feed(KEY_Q, INPUT_PRESSED), 2);
    CHECK_EQ(events[0].code, 0xB4);
    CHECK_EQ(events[1].code, 'q');
    CHECK_EQ(feed(KEY_DEAD, INPUT_PRESSED), 0);
    CHECK_EQ(feed(KEY_DEAD, INPUT_PRESSED), 1);
    CHECK_EQ(events[0].code, 0xB4);
    CHECK_EQ(press(KEY_A), 'a'); /* nothing waits any more */
}

TEST(terminal_keys, keys_with_names_and_orders)
{
    scene("us");
    CHECK_EQ(press(103), EMULATOR_UP);
    CHECK_EQ(events[0].kind, KEYS_NAMED);
    CHECK_EQ(press(60), EMULATOR_F1 + 1);
    feed(LEFT_ALT, INPUT_PRESSED);
    CHECK_EQ(press(60), 1);
    CHECK_EQ(events[0].kind, KEYS_SWITCH);
    CHECK_EQ(press(63), EMULATOR_F1 + 4); /* Alt-F5 is the program's */
    CHECK_EQ(events[0].kind, KEYS_NAMED);
    feed(LEFT_ALT, INPUT_RELEASED);
    feed(LEFT_SHIFT, INPUT_PRESSED);
    CHECK_EQ(press(104), KEYS_UP);
    CHECK_EQ(events[0].kind, KEYS_SCROLL);
}

TEST(terminal_keys, the_keypad_has_digits_with_num_lock_and_arrows_without)
{
    scene("us");
    CHECK_EQ(press(KEYPAD_8), EMULATOR_UP);
    CHECK_EQ(events[0].kind, KEYS_NAMED);
    CHECK_EQ(press(83), EMULATOR_DELETE);
    CHECK_EQ(press(78), '+');
    feed(NUM_LOCK, INPUT_PRESSED);
    CHECK_EQ(press(KEYPAD_8), '8');
    CHECK_EQ(press(83), '.');
}

TEST(terminal_keys, what_is_lost_lets_go_of_the_modifiers)
{
    scene("us");
    feed(LEFT_CTRL, INPUT_PRESSED);
    CHECK_EQ(feed(0, INPUT_LOST), 0);
    CHECK_EQ(press(KEY_A), 'a');
    CHECK_EQ(feed(INPUT_CODES, INPUT_PRESSED), 0); /* no key that there can be */
}

TEST(terminal_keys, files_that_are_not_whole_are_refused_and_an_unknown_layout_is_the_first)
{
    scene("fr");
    CHECK_PTR_EQ(keys.map, &file.maps[0]);
    scene("de");
    CHECK_PTR_EQ(keys.map, &file.maps[1]);
    CHECK(!layout_open(&keys, &file, sizeof file - 1, "us"));
    CHECK(!layout_open(&keys, &file, 4, "us"));
    file.header.map_count = 0;
    CHECK(!layout_open(&keys, &file, sizeof file, "us"));
}
