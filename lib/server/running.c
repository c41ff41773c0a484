// SPDX-License-Identifier: MIT
/* running - see running.h. */
#include "lib/server/running.h"

#include "lib/base/string.h"
#include "lib/server/session.h"

static bool is_same(const struct running_request *request, mnos_badge_t badge, uint32_t label,
                    const uint64_t words[4])
{
    return request->badge == badge && request->label == label &&
           memcmp(request->words, words, sizeof request->words) == 0;
}

bool running_recover(struct running *running, bool ordered)
{
    struct running_request *now = &running->now, *suspect = &running->suspect;
    bool was_running = now->badge != 0;

    if (was_running && !ordered) {
        now->deaths =
            is_same(suspect, now->badge, now->label, now->words) ? suspect->deaths + 1 : 1;
        *suspect = *now;
    }
    running_end(running);
    return was_running;
}

bool running_is_suspect(struct running *running, const struct message *message)
{
    struct running_request *suspect = &running->suspect;

    if (suspect->deaths < SESSION_DEATHS_MAX ||
        !is_same(suspect, message->badge, message->label, message->words))
        return false;
    *suspect = (struct running_request){0};
    return true;
}

void running_clear(struct running *running)
{
    const struct running_request *now = &running->now;

    if (is_same(&running->suspect, now->badge, now->label, now->words))
        running->suspect = (struct running_request){0};
}
