// SPDX-License-Identifier: MIT
/*
 * keyboard.h - the driver of the keyboard, asked by a thread of its own, so that one that does not answer keeps keys from the
 * screen and nothing else.
 *
 *   at rest --keyboard_ask()--> the thread asks --it has an answer, and sets an event--> keyboard_collect() --> at rest
 *
 * The thread alone waits for the driver. What ends its wait: the answer; the driver's death, after which its next run is asked, or
 * the manager says that there is none; and of one that shows no sign of life, the manager, which is asked after two seconds
 * (lib/client/service.h). One that shows that it works and never answers has no keys for anybody, until a person ends it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "lib/client/input.h"
#include "lib/mnos/thread.h"

enum keyboard_wish {
    KEYBOARD_LISTEN = 1, /* to be told of keys, as of a driver that has been started */
    KEYBOARD_LIGHT = 2,  /* its lights */
    KEYBOARD_TAKE = 4,   /* keys that wait */
};

struct keyboard {
    struct input_source source; /* the thread's while it asks, but for the badge */
    struct input_key keys[INPUT_KEYS_MAX];
    size_t count;
    unsigned lights;        /* that the thread sets */
    _Atomic uint32_t asked; /* enum keyboard_wish, of what the thread does; 0: it is done */
    unsigned wanted_lights;
    uint32_t given, wishes; /* what it was asked last, and what it is to be asked next */
    bool busy;              /* it was asked, and what came of it was not collected */
    bool gone;              /* nobody has the badge of `source` any more */
    mnos_cap_t work;        /* the endpoint at which it waits */
    uint64_t done_event;    /* at the endpoint of `source` */
    struct thread thread;
};

/* `source` has the driver, the endpoint and the event by which it tells of keys; `done_event` is another one there. */
mnos_status_t keyboard_begin(struct keyboard *keyboard, const struct input_source *source,
                             uint64_t done_event, uint32_t priority);
/* enum keyboard_wish. Does not wait; what is wished for while the thread asks is asked next. */
void keyboard_ask(struct keyboard *keyboard, uint32_t wishes, unsigned lights);
/* Nobody has the badge of `source` any more. A driver that listened has ended, and its next run is asked; where none listens it is
 * the end of a question that none has taken, and asking again at once would have the same answer for ever. */
void keyboard_lost(struct keyboard *keyboard);
/* What came of a question; false: there is nothing to collect. *took: it was for keys, of which there are *count. */
bool keyboard_collect(struct keyboard *keyboard, struct input_key keys[INPUT_KEYS_MAX],
                      size_t *count, bool *took);
/* Whether keys are or will be on their way without a further question, and would be lost with this process. */
bool keyboard_may_take(const struct keyboard *keyboard);
/* Whether a driver that has been started is to be asked to tell of keys. */
bool keyboard_is_deaf(const struct keyboard *keyboard);
