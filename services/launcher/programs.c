// SPDX-License-Identifier: MIT
/* programs - see programs.h. Host tests compile this file. */
#include "services/launcher/programs.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"

static bool is_alive(const struct program *program)
{
    return program->state == PROGRAM_MADE || program->state == PROGRAM_RUNNING;
}

struct program *programs_place(struct programs *programs, void (*drop)(struct program *program))
{
    struct program *place = NULL, *oldest = NULL;
    unsigned alive = 0;

    for (unsigned i = 0; i < PROGRAMS_ENTRIES; i++) {
        struct program *at = &programs->entries[i];

        alive += is_alive(at);
        if (at->state == PROGRAM_FREE)
            place = at;
        if (at->state == PROGRAM_ENDED && (oldest == NULL || at->order < oldest->order))
            oldest = at;
    }
    if (alive >= LAUNCHER_PROGRAMS_MAX)
        return NULL;
    if (place != NULL)
        return place;
    drop(oldest); /* there is one: fewer are alive than the table has entries */
    *oldest = (struct program){0};
    return oldest;
}

void programs_add(struct programs *programs, struct program *program)
{
    program->order = programs->next_order++;
    program->state = PROGRAM_MADE;
}

static bool is_owners(const struct program *program, uint64_t owner)
{
    return program->state != PROGRAM_FREE && program->owner == owner;
}

struct program *programs_find(struct programs *programs, uint64_t owner, uint64_t number)
{
    for (unsigned i = 0; i < PROGRAMS_ENTRIES; i++) {
        struct program *at = &programs->entries[i];

        if (is_owners(at, owner) && at->number == number)
            return at;
    }
    return NULL;
}

struct program *programs_made_by(struct programs *programs, mnos_badge_t badge, uint64_t request)
{
    for (unsigned i = 0; i < PROGRAMS_ENTRIES; i++) {
        struct program *at = &programs->entries[i];

        if (at->state != PROGRAM_FREE && at->badge == badge && at->request == request)
            return at;
    }
    return NULL;
}

struct program *programs_at(struct programs *programs, uint64_t owner, uint64_t index)
{
    struct program *found = NULL;
    uint64_t after = 0;

    /* One after the other by their order: the table is small. */
    for (uint64_t step = 0; step <= index && step < PROGRAMS_ENTRIES; step++) {
        found = NULL;
        for (unsigned i = 0; i < PROGRAMS_ENTRIES; i++) {
            struct program *at = &programs->entries[i];

            if (is_owners(at, owner) && at->order >= after &&
                (found == NULL || at->order < found->order))
                found = at;
        }
        if (found == NULL)
            return NULL;
        after = found->order + 1;
    }
    return index < PROGRAMS_ENTRIES ? found : NULL;
}

mnos_status_t programs_named(struct programs *programs, uint64_t owner, const char *name,
                             struct program **program)
{
    struct program *ended = NULL, *found = NULL;
    char full[MNOS_NAME_BYTES];
    unsigned count = 0;

    for (unsigned i = 0; i < PROGRAMS_ENTRIES; i++) {
        struct program *at = &programs->entries[i];

        if (!is_owners(at, owner))
            continue;
        programs_name(at, full);
        if (strncmp(full, name, MNOS_NAME_BYTES) == 0) {
            *program = at;
            return MNOS_OK;
        }
        if (strncmp(at->name, name, MNOS_NAME_BYTES) != 0)
            continue;
        if (!is_alive(at)) {
            ended = at;
            continue;
        }
        found = at;
        count++;
    }
    if (count > 1 || (count == 0 && ended == NULL))
        return MNOS_ERR_NOT_FOUND;
    *program = count == 1 ? found : ended;
    return MNOS_OK;
}

void programs_name(const struct program *program, char out[MNOS_NAME_BYTES])
{
    char number[24];
    int bytes = mnos_snprintf(number, sizeof number, "#%llu", (unsigned long long)program->number);

    mnos_snprintf(out, MNOS_NAME_BYTES, "%.*s%s", MNOS_NAME_BYTES - 1 - bytes, program->name,
                  number);
}

bool programs_clean_name(const char from[MNOS_NAME_BYTES], char out[MNOS_NAME_BYTES])
{
    memset(out, 0, MNOS_NAME_BYTES);
    for (unsigned i = 0; i < MNOS_NAME_BYTES - 1 && from[i] != 0; i++)
        out[i] = from[i] > ' ' && from[i] < 0x7F && from[i] != '#' ? from[i] : '?';
    return out[0] != 0;
}
