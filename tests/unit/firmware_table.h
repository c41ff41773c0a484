// SPDX-License-Identifier: MIT
/* firmware_table.h - tables as firmware writes them, under construction in tests. */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 8192 };

/* A table under construction. */
struct table {
    uint8_t bytes[BUFFER_BYTES];
    size_t size;
};

static inline void put(struct table *t, size_t at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        t->bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static inline void sum(struct table *t, size_t checksum_at, size_t size)
{
    uint8_t total = 0;

    t->bytes[checksum_at] = 0;
    for (size_t i = 0; i < size; i++)
        total = (uint8_t)(total + t->bytes[i]);
    t->bytes[checksum_at] = (uint8_t)-total;
}

static inline void table_begin(struct table *t, const char *signature, size_t size)
{
    memset(t, 0, sizeof(*t));
    memcpy(t->bytes, signature, 4);
    t->size = size;
}

static inline void table_end(struct table *t)
{
    put(t, 4, t->size, 4);
    sum(t, 9, t->size);
}

/* A copy with nothing behind it; the caller frees it. */
static inline void *exactly(const struct table *t, size_t size)
{
    void *copy = malloc(size);

    memcpy(copy, t->bytes, size);
    return copy;
}

static inline void add(struct table *t, const void *entry, size_t bytes)
{
    memcpy(t->bytes + t->size, entry, bytes);
    t->size += bytes;
}

#define ADD(t, ...)                                                                                \
    do {                                                                                           \
        const uint8_t entry_[] = {__VA_ARGS__};                                                    \
        add(t, entry_, sizeof(entry_));                                                            \
    } while (0)
