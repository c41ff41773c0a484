// SPDX-License-Identifier: MIT
/* table - see table.h. */
#include "table.h"

#include "lib/base/string.h"

#define MAGIC 0x6C706D617865ull /* any number that no other service's memory begins with */
#define LAYOUT 1u               /* another one when struct store_entry is another */

mnos_status_t texts_open(struct store_table *table, void *memory, uint64_t bytes)
{
    enum state_found found;

    if (bytes < state_overhead(TABLE_LOG_BYTES) + TABLE_BYTES)
        return MNOS_ERR_SIZE;
    found = state_open(&table->state, memory, bytes, MAGIC, LAYOUT, TABLE_LOG_BYTES, NULL);
    table->entries = state_content(&table->state);
    if (found == STATE_WHOLE && state_trust(&table->state) != STATE_TRUST_NONE)
        return MNOS_OK;
    state_drop(&table->state);
    memset(table->entries, 0, TABLE_BYTES);
    state_ready(&table->state);
    return MNOS_OK;
}

static struct store_entry *entry_of(const struct store_table *table, uint64_t client,
                                    const struct store_name *name)
{
    for (uint32_t i = 0; i < TABLE_ENTRIES; i++) {
        struct store_entry *entry = &table->entries[i];

        if (entry->client == client && strcmp(entry->pair.name.bytes, name->bytes) == 0)
            return entry;
    }
    return NULL;
}

/* One that is free, if the client may have it. */
static struct store_entry *entry_for(const struct store_table *table, uint64_t client)
{
    struct store_entry *place = NULL;
    uint32_t has = 0;

    for (uint32_t i = 0; i < TABLE_ENTRIES; i++) {
        if (table->entries[i].client == client)
            has++;
        else if (table->entries[i].client == 0 && place == NULL)
            place = &table->entries[i];
    }
    return has < STORE_SHARE ? place : NULL;
}

mnos_status_t texts_set(struct store_table *table, uint64_t client, const struct store_pair *pair)
{
    struct store_entry *entry = entry_of(table, client, &pair->name);

    if (entry == NULL)
        entry = entry_for(table, client);
    if (entry == NULL)
        return MNOS_ERR_QUOTA;
    state_put(&table->state, entry, sizeof *entry);
    entry->client = client;
    entry->pair = *pair;
    state_done(&table->state);
    return MNOS_OK;
}

void texts_remove(struct store_table *table, uint64_t client, const struct store_name *name)
{
    struct store_entry *entry = entry_of(table, client, name);

    if (entry == NULL)
        return;
    state_put(&table->state, &entry->client, sizeof entry->client);
    entry->client = 0;
    state_done(&table->state);
}

const struct store_pair *texts_find(const struct store_table *table, uint64_t client,
                                    const struct store_name *name)
{
    const struct store_entry *entry = entry_of(table, client, name);

    return entry != NULL ? &entry->pair : NULL;
}

const struct store_pair *texts_at(const struct store_table *table, uint64_t client, uint64_t index)
{
    for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
        if (table->entries[i].client == client && index-- == 0)
            return &table->entries[i].pair;
    return NULL;
}
