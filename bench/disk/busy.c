// SPDX-License-Identifier: MIT
/* busy - see busy.h. */
#include "bench/disk/busy.h"

#include "abi/statistics.h"
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/status.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

#define BATCHES_MAX 9u

static const struct mnos_statistics *statistics;
static bool failed;

bool busy_begin(void)
{
    uint64_t pages = (sizeof *statistics + PAGE - 1) / PAGE;
    void *address;

    if (!worked(memory_map(bootstrap_cap("statistics"), 0, pages, MNOS_MAP_READ, &address),
                "map the statistics"))
        return false;
    statistics = address;
    return true;
}

/* The core is not idle while it is here. */
uint64_t busy_now(void)
{
    return kinfo_time_ns() - statistics->cores[0].idle_ns;
}

/* ---- Choice ---- */

const char *argument(const char *key, const char *otherwise)
{
    static char value[160];
    size_t length = strlen(key), end = 0;

    for (const char *c = bootstrap_arguments(); *c != '\0'; c++) {
        if (strncmp(c, key, length) != 0)
            continue;
        for (c += length; end < sizeof value - 1 && c[end] != '\0' && c[end] != ' '; end++)
            value[end] = c[end];
        value[end] = '\0';
        return value;
    }
    return otherwise;
}

static bool has_part(const char *name, const char *part, size_t length)
{
    for (; *name != '\0'; name++) {
        if (strncmp(name, part, length) == 0)
            return true;
    }
    return false;
}

bool is_wanted(const char *name)
{
    const char *part = argument("only=", "");

    for (;;) {
        size_t length = 0;

        while (part[length] != '\0' && part[length] != '|')
            length++;
        if (has_part(name, part, length))
            return true;
        if (part[length] == '\0')
            return false;
        part += length + 1;
    }
}

/* ---- Results ---- */

bool worked(mnos_status_t status, const char *what)
{
    if (status == MNOS_OK)
        return true;
    if (!failed)
        log_line("bench-failed %s: %s", what, status_text(status));
    failed = true;
    return false;
}

bool has_failed(void)
{
    return failed;
}

static void sort(uint64_t *values, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        uint64_t value = values[i];
        unsigned at = i;

        for (; at != 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

void measure(const char *name, unsigned batches, uint64_t operations, batch_function *batch,
             void *context)
{
    uint64_t samples[BATCHES_MAX];

    if (failed || !is_wanted(name))
        return;
    for (unsigned i = 0; i < batches; i++)
        samples[i] = batch(context);
    sort(samples, batches);
    if (!failed)
        log_line("bench %s %llu instructions", name,
                 (unsigned long long)(samples[batches / 2] / operations));
}
