// SPDX-License-Identifier: MIT
/* match - see match.h. */
#include "services/devices/match.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"

/* A mask of 0 says nothing. */
static bool class_fits(const struct driver_match *match, const struct function *function)
{
    return ((match->class_code ^ function->ids.class_code) & match->class_mask) == 0;
}

static bool names_ids(const struct driver_match *match, const struct function *function)
{
    return match->vendor == function->ids.vendor &&
           (match->device == function->ids.device || match->device == MATCH_ANY) &&
           class_fits(match, function);
}

static bool names_class(const struct driver_match *match, const struct function *function)
{
    return match->vendor == MATCH_ANY && match->class_mask != 0 && class_fits(match, function);
}

static const struct driver_match *find(const struct driver_match *matches, unsigned count,
                                       const struct function *function)
{
    for (unsigned i = 0; i < count; i++)
        if (names_ids(&matches[i], function))
            return &matches[i];
    for (unsigned i = 0; i < count; i++)
        if (names_class(&matches[i], function))
            return &matches[i];
    return NULL;
}

static void assign(struct table *table, struct function *function, const struct driver_match *match)
{
    char name[MNOS_NAME_BYTES];

    for (uint32_t i = 0; i == 0 || i < match->instances; i++) {
        if (match->instances == 0)
            string_copy(name, match->service, sizeof name);
        else
            mnos_snprintf(name, sizeof name, "%s.%u", match->service, i);
        if (table_of_service(table, name) == NULL) {
            string_copy(function->service, name, sizeof function->service);
            return;
        }
    }
    mnos_snprintf(function->reason, sizeof function->reason, "each instance of %s has a device",
                  match->service);
}

void match_all(struct table *table, const struct driver_match *matches, unsigned count)
{
    for (uint32_t i = 0; i < table->count; i++) {
        struct function *function = &table->functions[i];
        const struct driver_match *match = find(matches, count, function);

        if (match != NULL && function->state == DEVICE_FREE && function->service[0] == 0 &&
            (function->flags & DEVICE_BRIDGE) == 0)
            assign(table, function, match);
    }
}
