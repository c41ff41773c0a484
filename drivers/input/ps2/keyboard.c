// SPDX-License-Identifier: MIT
/* keyboard - see keyboard.h. Host tests compile this file with a model of the controller. */
#include "drivers/input/ps2/keyboard.h"

#include "drivers/input/ps2/registers.h"

/* A register access takes about a microsecond, and the controller answers within some milliseconds. */
#define CONTROLLER_READS 20000u
/* A controller that is stuck at "a byte is there" must not keep the driver for ever. */
#define DRAIN_LIMIT 64u
#define TRIES_MAX 3u
#define LIGHTS_UNKNOWN 0xFF
#define KEY_LEFT_SHIFT 42
#define OVERRUN_LOW                                                                                \
    0x00 /* in the place of keys that the keyboard could not keep: 00 in set 2 and 3, FF in set 1 */
#define OVERRUN_HIGH 0xFF

/* ---- The controller ---- */

/* Whether the bit of the status has become what is wanted. */
static bool wait_for_status(uint8_t bit, bool set)
{
    for (unsigned i = 0; i < CONTROLLER_READS; i++)
        if (((ps2_status_read() & bit) != 0) == set)
            return true;
    return false;
}

static bool command(uint8_t value)
{
    if (!wait_for_status(STATUS_INPUT_FULL, false))
        return false;
    ps2_control_write(value);
    return true;
}

static bool send(uint8_t value)
{
    if (!wait_for_status(STATUS_INPUT_FULL, false))
        return false;
    ps2_data_write(value);
    return true;
}

/* ---- Keys ---- */

size_t keyboard_waiting(const struct keyboard *keyboard)
{
    return keyboard->put - keyboard->taken;
}

static void put(struct keyboard *keyboard, struct input_key key)
{
    keyboard->keys[keyboard->put++ % KEYBOARD_QUEUE] = key;
}

/* Which keys are down is not known any more. */
static void note_loss(struct keyboard *keyboard)
{
    scancodes_lost(&keyboard->codes);
    put(keyboard, (struct input_key){.what = INPUT_LOST});
}

size_t keyboard_take(struct keyboard *keyboard, struct input_key *keys, size_t max)
{
    size_t count = 0;

    while (count < max && keyboard_waiting(keyboard) != 0)
        keys[count++] = keyboard->keys[keyboard->taken++ % KEYBOARD_QUEUE];
    return count;
}

/* ---- What the keyboard is told, one byte at a time ---- */

static void say(struct keyboard *keyboard, enum keyboard_asked asked, uint8_t byte)
{
    keyboard->asked = send(byte) ? asked : ASKED_NOTHING;
    keyboard->answer_until_ns = keyboard->now_ns + KEYBOARD_ANSWER_NS;
}

static void say_next(struct keyboard *keyboard)
{
    keyboard->tries = 0;
    keyboard->asked = ASKED_NOTHING;
    if (keyboard->enable) {
        keyboard->enable = false;
        say(keyboard, ASKED_ENABLE, KEYBOARD_ENABLE);
    } else if (keyboard->showing != keyboard->lights) {
        keyboard->showing = keyboard->lights;
        say(keyboard, ASKED_LIGHTS, KEYBOARD_SET_LIGHTS);
    }
}

static void say_again(struct keyboard *keyboard)
{
    static const uint8_t bytes[] = {
        [ASKED_ENABLE] = KEYBOARD_ENABLE, [ASKED_LIGHTS] = KEYBOARD_SET_LIGHTS};

    if (++keyboard->tries == TRIES_MAX)
        say_next(keyboard); /* it does without */
    else
        say(keyboard, keyboard->asked,
            keyboard->asked == ASKED_LIGHTS_VALUE ? keyboard->showing : bytes[keyboard->asked]);
}

static void answered(struct keyboard *keyboard, uint8_t byte)
{
    if (byte == ANSWER_AGAIN)
        say_again(keyboard);
    else if (keyboard->asked == ASKED_LIGHTS)
        say(keyboard, ASKED_LIGHTS_VALUE, keyboard->showing);
    else
        say_next(keyboard);
}

/* ---- What comes from it ---- */

static void begin_keyboard(struct keyboard *keyboard)
{
    keyboard->enable = true;
    keyboard->showing = LIGHTS_UNKNOWN;
    if (keyboard->asked == ASKED_NOTHING)
        say_next(keyboard);
}

static void take_byte(struct keyboard *keyboard, uint8_t byte)
{
    struct input_key key;

    if (keyboard->asked != ASKED_NOTHING && (byte == ANSWER_DONE || byte == ANSWER_AGAIN)) {
        answered(keyboard, byte);
    } else if (byte == OVERRUN_LOW || byte == OVERRUN_HIGH) {
        note_loss(keyboard);
    } else if (byte == SAYS_PLUGGED_IN && !keyboard->codes.down[KEY_LEFT_SHIFT] &&
               keyboard->codes.prefix == 0) {
        note_loss(keyboard); /* another keyboard: all keys are up */
        begin_keyboard(keyboard);
    } else if (scancodes_feed(&keyboard->codes, byte, &key)) {
        put(keyboard, key);
    }
}

static void drain(struct keyboard *keyboard)
{
    for (unsigned i = 0; i < DRAIN_LIMIT && keyboard_waiting(keyboard) < KEYBOARD_QUEUE; i++) {
        uint8_t status = ps2_status_read(), byte;

        if ((status & STATUS_OUTPUT_FULL) == 0)
            return;
        byte = ps2_data_read();
        if ((status & STATUS_FROM_MOUSE) == 0)
            take_byte(keyboard, byte);
    }
}

void keyboard_service(struct keyboard *keyboard)
{
    drain(keyboard);
    if (keyboard->asked != ASKED_NOTHING && keyboard->now_ns >= keyboard->answer_until_ns)
        say_again(keyboard);
}

uint64_t keyboard_deadline(const struct keyboard *keyboard)
{
    return keyboard->asked == ASKED_NOTHING ? MNOS_DEADLINE_NEVER : keyboard->answer_until_ns;
}

void keyboard_set_lights(struct keyboard *keyboard, uint8_t lights)
{
    keyboard->lights = lights;
    if (keyboard->asked == ASKED_NOTHING)
        say_next(keyboard);
}

/* While the keyboard may not send, what the controller has is from before, and the answer to a question comes next. */
mnos_status_t keyboard_init(struct keyboard *keyboard)
{
    uint8_t config;

    keyboard->showing = LIGHTS_UNKNOWN;
    if (ps2_status_read() == STATUS_ABSENT || !command(CONTROL_DISABLE_KEYBOARD) ||
        !command(CONTROL_DISABLE_MOUSE))
        return MNOS_ERR_DEVICE;
    put(keyboard, (struct input_key){.what = INPUT_LOST}); /* what an earlier run had taken in */
    drain(keyboard);
    if (!command(CONTROL_READ_CONFIG) || !wait_for_status(STATUS_OUTPUT_FULL, true))
        return MNOS_ERR_DEVICE;
    config = ps2_data_read();
    config &= (uint8_t) ~(CONFIG_KEYBOARD_OFF | CONFIG_MOUSE_INTERRUPT);
    config |= CONFIG_KEYBOARD_INTERRUPT | CONFIG_TRANSLATE | CONFIG_MOUSE_OFF;
    if (!command(CONTROL_WRITE_CONFIG) || !send(config) || !command(CONTROL_ENABLE_KEYBOARD))
        return MNOS_ERR_DEVICE;
    begin_keyboard(keyboard);
    return MNOS_OK;
}
