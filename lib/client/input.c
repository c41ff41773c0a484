// SPDX-License-Identifier: MIT
/* input - see input.h. */
#include "lib/client/input.h"

#include "lib/client/service.h"
#include "lib/mnos/time.h"

static void set_lights(const struct input_source *source)
{
    struct input_lights request = {.lights = source->lights};
    struct message msg = {0};

    message_put(&msg, INPUT_LIGHTS, &request, sizeof request);
    (void)!service_call(source->driver, &msg); /* dark lights are no reason to do anything else */
}

void input_renew(struct input_source *source)
{
    source->badge = INPUT_BADGE | (kinfo_time_ns() & (INPUT_BADGE - 1));
}

void input_listen(struct input_source *source)
{
    source->listens = service_listen(source->driver, INPUT_LISTEN, source->endpoint, source->badge,
                                     source->event) == MNOS_OK;
    if (source->listens)
        set_lights(source);
}

size_t input_take(struct input_source *source, struct input_key keys[INPUT_KEYS_MAX])
{
    struct message msg = {0};

    message_put(&msg, INPUT_TAKE, NULL, 0);
    if (!source->listens || service_call(source->driver, &msg) != MNOS_OK)
        return 0;
    return message_get(&msg, keys, INPUT_KEYS_MAX * sizeof keys[0]) / sizeof keys[0];
}

void input_light(struct input_source *source, unsigned lights)
{
    if (source->lights == lights)
        return;
    source->lights = lights;
    if (source->listens)
        set_lights(source);
}
