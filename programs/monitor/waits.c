// SPDX-License-Identifier: MIT
/* waits - see waits.h. Host tests compile this file. */
#include "programs/monitor/waits.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"

void waits_add(struct wait_names *names, uint64_t id, const char *process, const char *thread)
{
    struct wait_name *entry;

    if (names->count == WAIT_NAMES_MAX)
        return;
    entry = &names->names[names->count++];
    entry->id = id;
    string_copy(entry->process, process, sizeof entry->process);
    string_copy(entry->thread, thread, sizeof entry->thread);
}

/* All objects have ids of one kind, so an id is of one of them. NULL: of none that was added. */
static const struct wait_name *find(const struct wait_names *names, uint64_t id)
{
    for (unsigned i = names->count; i-- > 0;) {
        if (names->names[i].id == id)
            return &names->names[i];
    }
    return NULL;
}

void waits_name(const struct wait_names *names, uint64_t id, char *out, size_t size)
{
    const struct wait_name *entry = find(names, id);

    out[0] = 0;
    if (entry != NULL)
        mnos_snprintf(out, size, "%s%s%s", entry->process, entry->thread[0] != 0 ? "/" : "",
                      entry->thread);
}

static void name_of(const struct wait_names *names, uint64_t id, char *out, size_t size)
{
    const struct wait_name *entry = find(names, id);

    if (entry != NULL)
        mnos_snprintf(out, size, "%s%s%s", entry->process, entry->thread[0] != 0 ? ", thread " : "",
                      entry->thread);
    else
        mnos_snprintf(out, size, "object %llu", (unsigned long long)id);
}

void waits_text(const struct wait_names *names, const struct mnos_thread_info *info, char *out,
                size_t size)
{
    char name[2 * MNOS_NAME_BYTES + 16];

    out[0] = 0;
    if (info->waits_for == 0)
        return;
    name_of(names, info->waits_for, name, sizeof name);
    switch (info->state) {
    case MNOS_STATE_SENDING: mnos_snprintf(out, size, "for %s to receive", name); break;
    case MNOS_STATE_CALLING: mnos_snprintf(out, size, "for the reply of %s", name); break;
    case MNOS_STATE_FAULTED: mnos_snprintf(out, size, "for its fault handler, %s", name); break;
    case MNOS_STATE_RECEIVING:
        mnos_snprintf(out, size, "for a message at endpoint %llu",
                      (unsigned long long)info->waits_for);
        break;
    default: break; /* it does not wait any more */
    }
}
