// SPDX-License-Identifier: MIT
/* table.h - what the store keeps: plain data without pointers, in memory that outlives the process. */
#pragma once

#include "lib/server/state.h"
#include "store.h"

#define TABLE_ENTRIES 16u
#define TABLE_LOG_BYTES 512u /* room for the largest operation: one entry */
#define TABLE_BYTES (sizeof(struct store_entry) * TABLE_ENTRIES)

struct store_entry {
    uint64_t client; /* the number of its service, from 1; 0: this entry is free */
    struct store_pair pair;
};

struct store_table {
    struct state state;
    struct store_entry *entries;
};

/* In `bytes` of memory, as an earlier run has left it, or empty. MNOS_ERR_SIZE: that is too little. */
mnos_status_t texts_open(struct store_table *table, void *memory, uint64_t bytes);

/* Each happens wholly or, if the service dies meanwhile, not at all. The name has an end. MNOS_ERR_QUOTA: as SET says. */
mnos_status_t texts_set(struct store_table *table, uint64_t client, const struct store_pair *pair);
void texts_remove(struct store_table *table, uint64_t client, const struct store_name *name);

/* NULL: the client has no such name, or not so many. */
const struct store_pair *texts_find(const struct store_table *table, uint64_t client,
                                    const struct store_name *name);
const struct store_pair *texts_at(const struct store_table *table, uint64_t client, uint64_t index);
