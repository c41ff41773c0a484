// SPDX-License-Identifier: MIT
/*
 * test_ps2 - the keyboard driver against a model of the controller and of a keyboard, in the place of its ports.c: bytes, one
 * of which the controller holds, answers, and commands that are refused. IBM PS/2 Hardware Interface Technical Reference.
 */
#include <string.h>

#include "drivers/input/ps2/keyboard.c"  /* NOLINT */
#include "drivers/input/ps2/scancodes.c" /* NOLINT */
#include "tests/unit/unit.h"

/* ---- The model ---- */

static struct model {
    bool absent;    /* no controller */
    bool unplugged; /* no keyboard, which answers nothing */
    bool busy;      /* the controller takes nothing */
    uint8_t config;
    bool config_next; /* the next byte written is the configuration */
    uint8_t out[32];  /* what the driver will read, in order */
    unsigned out_count;
    bool answers_config; /* the first of these is no key */
    uint8_t told[32];    /* what the keyboard has got */
    unsigned told_count;
    unsigned refuse; /* so many bytes the keyboard wants again */
} model;

static void say_key(uint8_t byte)
{
    model.out[model.out_count++] = byte;
}

uint8_t ps2_status_read(void)
{
    if (model.absent)
        return 0xFF;
    return (model.out_count != 0 ? STATUS_OUTPUT_FULL : 0) | (model.busy ? STATUS_INPUT_FULL : 0);
}

uint8_t ps2_data_read(void)
{
    uint8_t byte = model.out[0];

    CHECK(model.out_count != 0);
    memmove(model.out, model.out + 1, --model.out_count);
    return byte;
}

void ps2_control_write(uint8_t value)
{
    CHECK(!model.busy);
    if (value == CONTROL_READ_CONFIG)
        say_key(model.config);
    model.config_next = value == CONTROL_WRITE_CONFIG;
}

void ps2_data_write(uint8_t value)
{
    CHECK(!model.busy);
    if (model.config_next) {
        model.config = value;
        model.config_next = false;
        return;
    }
    if (model.unplugged)
        return;
    model.told[model.told_count++] = value;
    say_key(model.refuse != 0 ? ANSWER_AGAIN : ANSWER_DONE);
    model.refuse -= model.refuse != 0;
}

/* ---- The scene ---- */

static struct keyboard keyboard;

static void scene(void)
{
    struct input_key first;

    CHECK_EQ(keyboard_init(&keyboard), MNOS_OK);
    keyboard_service(&keyboard);
    CHECK_EQ(keyboard_take(&keyboard, &first, 1), 1);
    CHECK_EQ(first.what, INPUT_LOST); /* nobody knows what an earlier run had */
}

static void type(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        say_key((uint8_t)bytes[i]);
    keyboard_service(&keyboard);
}

static struct input_key next(void)
{
    struct input_key key = {0};

    CHECK_EQ(keyboard_take(&keyboard, &key, 1), 1);
    return key;
}

static void check_key(uint16_t code, enum input_what what)
{
    struct input_key key = next();

    CHECK_EQ(key.code, code);
    CHECK_EQ(key.what, what);
}

TEST(ps2, sets_the_controller_up_and_tells_the_keyboard_to_send)
{
    model.config = CONFIG_MOUSE_INTERRUPT | CONFIG_KEYBOARD_OFF;
    scene();
    CHECK_EQ(model.config, CONFIG_KEYBOARD_INTERRUPT | CONFIG_TRANSLATE | CONFIG_MOUSE_OFF);
    CHECK_EQ(model.told_count, 3);
    CHECK_EQ(model.told[0], KEYBOARD_ENABLE);
    CHECK_EQ(model.told[1], KEYBOARD_SET_LIGHTS);
    CHECK_EQ(model.told[2], 0);
    CHECK_EQ(keyboard_deadline(&keyboard), MNOS_DEADLINE_NEVER);
}

TEST(ps2, a_machine_without_a_controller_and_one_that_takes_nothing_are_refused)
{
    model.absent = true;
    CHECK_EQ(keyboard_init(&keyboard), MNOS_ERR_DEVICE);
    model.absent = false;
    model.busy = true;
    CHECK_EQ(keyboard_init(&keyboard), MNOS_ERR_DEVICE);
}

TEST(ps2, what_was_typed_while_no_driver_ran_is_taken_in)
{
    struct input_key lost;

    say_key(0x1E);
    CHECK_EQ(keyboard_init(&keyboard), MNOS_OK);
    keyboard_service(&keyboard);
    CHECK_EQ(keyboard_take(&keyboard, &lost, 1), 1);
    check_key(30, INPUT_PRESSED);
}

TEST(ps2, keys_go_down_repeat_and_go_up)
{
    scene();
    type("\x1E\x1E\x9E", 3);
    check_key(30, INPUT_PRESSED);
    check_key(30, INPUT_REPEATED);
    check_key(30, INPUT_RELEASED);
    CHECK_EQ(keyboard_waiting(&keyboard), 0);
}

TEST(ps2, keys_with_prefixes_have_numbers_of_their_own)
{
    scene();
    type("\xE0\x48\xE0\xC8\xE0\x1D\x56\x58",
         8); /* up; right Ctrl; the key between Shift and Z; F12 */
    check_key(103, INPUT_PRESSED);
    check_key(103, INPUT_RELEASED);
    check_key(97, INPUT_PRESSED);
    check_key(86, INPUT_PRESSED);
    check_key(88, INPUT_PRESSED);
}

TEST(ps2, shift_keys_that_nobody_pressed_are_no_keys)
{
    scene();
    type("\xE0\x2A\xE0\x52\xE0\xD2\xE0\xAA", 8); /* Insert with Num Lock on */
    check_key(110, INPUT_PRESSED);
    check_key(110, INPUT_RELEASED);
    CHECK_EQ(keyboard_waiting(&keyboard), 0);
}

TEST(ps2, pause_is_one_key)
{
    scene();
    type("\xE1\x1D\x45\xE1\x9D\xC5", 6);
    check_key(119, INPUT_PRESSED);
    check_key(119, INPUT_RELEASED);
    CHECK_EQ(keyboard_waiting(&keyboard), 0);
}

TEST(ps2, an_unknown_code_is_no_key_and_harms_none)
{
    scene();
    type("\xE0\x7F\x6A\x1E", 4);
    check_key(30, INPUT_PRESSED);
    CHECK_EQ(keyboard_waiting(&keyboard), 0);
}

TEST(ps2, lights_are_sent_byte_by_byte_as_the_keyboard_answers)
{
    scene();
    model.told_count = 0;
    keyboard_set_lights(&keyboard, INPUT_CAPS_LOCK);
    CHECK_EQ(model.told_count, 1); /* the answer has not been read */
    type("\x1E", 1);
    CHECK_EQ(model.told_count, 2);
    CHECK_EQ(model.told[0], KEYBOARD_SET_LIGHTS);
    CHECK_EQ(model.told[1], INPUT_CAPS_LOCK);
    check_key(30, INPUT_PRESSED); /* a key in between is not lost */
}

TEST(ps2, lights_that_change_while_it_is_told_are_told_after)
{
    scene();
    model.told_count = 0;
    keyboard_set_lights(&keyboard, INPUT_CAPS_LOCK);
    keyboard_set_lights(&keyboard, INPUT_NUM_LOCK);
    keyboard_service(&keyboard);
    CHECK_EQ(model.told_count, 4);
    CHECK_EQ(model.told[1], INPUT_CAPS_LOCK);
    CHECK_EQ(model.told[3], INPUT_NUM_LOCK);
}

TEST(ps2, a_byte_that_the_keyboard_wants_again_is_sent_again_and_not_for_ever)
{
    scene();
    model.told_count = 0;
    model.refuse = 1;
    keyboard_set_lights(&keyboard, INPUT_CAPS_LOCK);
    keyboard_service(&keyboard);
    CHECK_EQ(model.told_count, 3);
    CHECK_EQ(model.told[1], KEYBOARD_SET_LIGHTS);
    CHECK_EQ(model.told[2], INPUT_CAPS_LOCK);
    model.told_count = 0;
    model.refuse = 100;
    keyboard_set_lights(&keyboard, 0);
    keyboard_service(&keyboard);
    CHECK_EQ(model.told_count, 3);
    CHECK_EQ(keyboard.asked, ASKED_NOTHING);
}

TEST(ps2, a_keyboard_that_does_not_answer_is_waited_for_so_long_and_no_longer)
{
    model.unplugged = true;
    keyboard.now_ns = 1000;
    CHECK_EQ(keyboard_init(&keyboard), MNOS_OK);
    for (unsigned i = 0; i < 2 * TRIES_MAX; i++) {
        CHECK(keyboard_deadline(&keyboard) != MNOS_DEADLINE_NEVER);
        keyboard.now_ns = keyboard_deadline(&keyboard);
        keyboard_service(&keyboard);
    }
    CHECK_EQ(keyboard_deadline(&keyboard), MNOS_DEADLINE_NEVER);
}

TEST(ps2, a_keyboard_that_is_plugged_in_is_told_to_send_and_all_keys_are_up)
{
    scene();
    type("\x1E", 1);
    check_key(30, INPUT_PRESSED);
    model.told_count = 0;
    type("\xAA", 1);
    keyboard_service(&keyboard);
    check_key(0, INPUT_LOST);
    CHECK_EQ(model.told[0], KEYBOARD_ENABLE);
    type("\x1E", 1);
    check_key(30, INPUT_PRESSED); /* not repeated: it was another keyboard's */
}

TEST(ps2, left_shift_that_goes_up_is_no_keyboard_that_was_plugged_in)
{
    scene();
    model.told_count = 0;
    type("\x2A\xAA", 2);
    check_key(42, INPUT_PRESSED);
    check_key(42, INPUT_RELEASED);
    CHECK_EQ(model.told_count, 0);
}

TEST(ps2, what_the_keyboard_could_not_keep_is_reported_where_it_is_missing)
{
    scene();
    type("\x1E\xFF\x1E", 3);
    check_key(30, INPUT_PRESSED);
    check_key(0, INPUT_LOST);
    check_key(30, INPUT_PRESSED);
}

TEST(ps2, a_driver_without_room_leaves_keys_in_the_device)
{
    struct input_key keys[KEYBOARD_QUEUE];

    scene();
    for (unsigned i = 0; i < KEYBOARD_QUEUE; i++)
        type(i % 2 == 0 ? "\x1E" : "\x9E", 1);
    type("\x30", 1);
    CHECK_EQ(keyboard_waiting(&keyboard), KEYBOARD_QUEUE);
    CHECK_EQ(model.out_count, 1);
    CHECK_EQ(keyboard_take(&keyboard, keys, KEYBOARD_QUEUE), KEYBOARD_QUEUE);
    keyboard_service(&keyboard);
    check_key(48, INPUT_PRESSED);
}
