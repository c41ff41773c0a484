// SPDX-License-Identifier: MIT
/* keyboard - see keyboard.h. */
#include "services/terminal/keyboard.h"

#include "lib/base/string.h"
#include "lib/mnos/syscall.h"

#define STACK_PAGES 4u
#define EVENT_WORK 1ull

/* ---- The thread ---- */

static void carry_out(struct keyboard *keyboard, uint32_t wishes)
{
    if ((wishes & KEYBOARD_LISTEN) != 0)
        input_listen(&keyboard->source);
    if ((wishes & KEYBOARD_LIGHT) != 0)
        input_light(&keyboard->source, keyboard->lights);
    keyboard->count =
        (wishes & KEYBOARD_TAKE) != 0 ? input_take(&keyboard->source, keyboard->keys) : 0;
}

static void work(void *argument)
{
    struct keyboard *keyboard = argument;
    struct message message = {0};

    /* Acquire and release: what the questions and the answers are made of goes from thread to thread with them. */
    while (ipc_receive(keyboard->work, &message, MNOS_DEADLINE_NEVER) == MNOS_OK) {
        uint32_t wishes = atomic_load_explicit(&keyboard->asked, memory_order_acquire);

        if (wishes == 0)
            continue;
        carry_out(keyboard, wishes);
        atomic_store_explicit(&keyboard->asked, 0, memory_order_release);
        (void)!sys_ipc_notify(keyboard->source.endpoint, keyboard->done_event);
    }
}

/* ---- The loop of the terminal ---- */

mnos_status_t keyboard_begin(struct keyboard *keyboard, const struct input_source *source,
                             uint64_t done_event, uint32_t priority)
{
    mnos_status_t status;

    *keyboard = (struct keyboard){.source = *source, .done_event = done_event};
    status = sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, &keyboard->work);
    return status != MNOS_OK ? status
                             : thread_create(&keyboard->thread, "keyboard", work, keyboard,
                                             STACK_PAGES, priority, MNOS_AFFINITY_ANY);
}

static void ask_next(struct keyboard *keyboard)
{
    uint32_t wishes;

    if (keyboard->busy)
        return;
    /* Known only now, since what the thread asks may be whether it listens. */
    if (keyboard->gone && keyboard->source.listens)
        keyboard->wishes |= KEYBOARD_LISTEN;
    keyboard->gone = false;
    wishes = keyboard->wishes;
    if (wishes == 0)
        return;
    if ((wishes & KEYBOARD_LISTEN) != 0)
        input_renew(&keyboard->source);
    keyboard->busy = true;
    keyboard->given = wishes;
    keyboard->lights = keyboard->wanted_lights;
    keyboard->wishes = 0;
    atomic_store_explicit(&keyboard->asked, wishes, memory_order_release);
    (void)!sys_ipc_notify(keyboard->work, EVENT_WORK);
}

void keyboard_ask(struct keyboard *keyboard, uint32_t wishes, unsigned lights)
{
    keyboard->wishes |= wishes;
    keyboard->wanted_lights = lights;
    ask_next(keyboard);
}

void keyboard_lost(struct keyboard *keyboard)
{
    keyboard->gone = true;
    ask_next(keyboard);
}

bool keyboard_collect(struct keyboard *keyboard, struct input_key keys[INPUT_KEYS_MAX],
                      size_t *count, bool *took)
{
    if (!keyboard->busy || atomic_load_explicit(&keyboard->asked, memory_order_acquire) != 0)
        return false;
    *took = (keyboard->given & KEYBOARD_TAKE) != 0;
    *count = keyboard->count;
    memcpy(keys, keyboard->keys, keyboard->count * sizeof keys[0]);
    keyboard->busy = false;
    ask_next(keyboard);
    return true;
}

bool keyboard_may_take(const struct keyboard *keyboard)
{
    uint32_t given = keyboard->busy ? keyboard->given : 0;

    return ((given | keyboard->wishes) & KEYBOARD_TAKE) != 0;
}

bool keyboard_is_deaf(const struct keyboard *keyboard)
{
    return keyboard->busy || !keyboard->source.listens;
}
