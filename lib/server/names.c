// SPDX-License-Identifier: MIT
/* names - see names.h. */
#include "lib/server/names.h"

#include "lib/mnos/memory.h"

_Static_assert(sizeof((struct mnos_bootstrap){0}.entries) <= MNOS_MESSAGE_MAX_BYTES,
               "all names are one message");

mnos_status_t names_answer_table(const struct mnos_bootstrap *table, struct message *reply)
{
    if (table == NULL || table->magic != MNOS_BOOTSTRAP_MAGIC ||
        table->entry_count > MNOS_BOOTSTRAP_ENTRIES)
        return MNOS_ERR_FORMAT;
    message_put(reply, MNOS_OK, table->entries, table->entry_count * sizeof table->entries[0]);
    return MNOS_OK;
}

mnos_status_t names_answer(mnos_cap_t memory, struct message *reply)
{
    void *page;
    mnos_status_t status = memory_map(memory, 0, 1, MNOS_MAP_READ, &page);

    if (status != MNOS_OK)
        return status;
    status = names_answer_table(page, reply);
    memory_unmap(page, 1); /* which leaves the IPC buffer, where the answer is, alone */
    return status;
}
