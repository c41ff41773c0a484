// SPDX-License-Identifier: MIT
/* input.h - the client's side of protocols/input.def, for a keyboard whose driver may die, or not be there at all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/mnos/ipc.h"
#include "protocols/input.h"

#define INPUT_BADGE (1ull << 61) /* set in each of these badges, and in none of a client */

struct input_source {
    mnos_cap_t driver;   /* an endpoint to send to */
    mnos_cap_t endpoint; /* where it tells of keys */
    mnos_badge_t badge;  /* by which it does, and whose end says that it has ended: input_renew() */
    uint64_t event;
    bool listens;
    unsigned lights; /* that it was told last */
};

/* Before input_listen(): another badge than before. A driver that had been asked before, by an earlier run of this process too,
 * gives that capability up when it is asked: its end is none of the driver's. */
void input_renew(struct input_source *source);
/* It has started, for the first time or again. One that is not there tells nothing, until this is called again. */
void input_listen(struct input_source *source);
/* What was typed; 0: nothing more. */
size_t input_take(struct input_source *source, struct input_key keys[INPUT_KEYS_MAX]);
void input_light(struct input_source *source, unsigned lights);
