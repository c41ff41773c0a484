// SPDX-License-Identifier: MIT
/* table - see table.h. */
#include "services/devices/table.h"

#include "abi/interrupt.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "services/devices/config.h"

static bool numbers_ok(const struct function *function)
{
    if (function->state == DEVICE_ABSENT || function->state > DEVICE_FAILED ||
        function->line_count > DEVICE_VECTORS_MAX)
        return false;
    for (unsigned i = 0; i < DEVICE_VECTORS_MAX; i++)
        if (function->lines[i] != LINE_NONE && function->lines[i] >= MNOS_MESSAGE_LINES)
            return false;
    return strnlen(function->service, sizeof function->service) < sizeof function->service &&
           strnlen(function->reason, sizeof function->reason) < sizeof function->reason;
}

/* Marks the lines of a function; false: one is another's. */
static bool mark_lines(const struct function *function, uint64_t *used)
{
    for (unsigned i = 0; i < DEVICE_VECTORS_MAX; i++) {
        if (function->lines[i] == LINE_NONE)
            continue;
        if (*used >> function->lines[i] & 1)
            return false;
        *used |= 1ull << function->lines[i];
    }
    return true;
}

const char *table_check(const struct table *table)
{
    uint64_t used = 0;

    if (table->count > FUNCTIONS_MAX)
        return "more functions than there is room for";
    for (uint32_t i = 0; i < table->count; i++) {
        const struct function *function = &table->functions[i];
        bool has_driver = function->state == DEVICE_CLAIMED || function->state == DEVICE_QUIESCING;

        if (!numbers_ok(function))
            return "a number is out of range";
        /* The badge is written before the state and taken away after it. */
        if (has_driver && function->badge == 0)
            return "D1: claimed by nobody";
        if (!mark_lines(function, &used))
            return "D1: a message line of two functions";
        for (uint32_t k = 0; has_driver && k < i; k++)
            if (table->functions[k].badge == function->badge &&
                table->functions[k].state != DEVICE_FREE)
                return "D1: one driver has two functions";
    }
    return NULL;
}

uint8_t table_free_lines(const struct table *table, unsigned count, unsigned total)
{
    uint64_t used = 0, wanted = count >= 64 ? UINT64_MAX : (1ull << count) - 1;

    for (uint32_t i = 0; i < table->count; i++)
        (void)mark_lines(&table->functions[i], &used);
    for (unsigned first = 0; first + count <= total; first += count)
        if ((used >> first & wanted) == 0)
            return (uint8_t)first;
    return LINE_NONE;
}

struct function *table_of_service(struct table *table, const char *service)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (table->functions[i].service[0] != 0 &&
            strncmp(table->functions[i].service, service, MNOS_NAME_BYTES) == 0)
            return &table->functions[i];
    return NULL;
}

struct function *table_of_badge(struct table *table, mnos_badge_t badge)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (table->functions[i].state == DEVICE_CLAIMED && table->functions[i].badge == badge)
            return &table->functions[i];
    return NULL;
}

void function_address_text(const struct function *function, char *out, size_t size)
{
    device_address_t address = function->ids.address;
    size_t used = 0;

    if (ADDRESS_SEGMENT(address) != 0) {
        mnos_snprintf(out, size, "%04x:", (unsigned)ADDRESS_SEGMENT(address));
        used = strnlen(out, size);
    }
    mnos_snprintf(out + used, size - used, "%02x:%02x.%x", (unsigned)ADDRESS_BUS(address),
                  (unsigned)ADDRESS_DEVICE(address), (unsigned)ADDRESS_FUNCTION(address));
}

void function_fail(struct function *function, const char *reason)
{
    string_copy(function->reason, reason, sizeof function->reason);
    function->state = DEVICE_FAILED;
}
