// SPDX-License-Identifier: MIT
/* page_table - see page_table.h. */
#include "personality/linux/lx/page_table.h"

#include <stddef.h>

#include "lib/base/string.h"
#include "personality/linux/lx/piece.h"

#define MASK (PAGE_TABLE_WORDS - 1ull)

static void *new_level(void)
{
    void *level = piece_allocate(PAGE_TABLE_WORDS * sizeof(uint64_t));

    if (level != NULL)
        memset(level, 0, PAGE_TABLE_WORDS * sizeof(uint64_t));
    return level;
}

uint64_t *page_table_word(struct page_table *table, uint64_t page, bool make)
{
    uint64_t top = page >> 2 * PAGE_TABLE_BITS & MASK, middle = page >> PAGE_TABLE_BITS & MASK;

    if (table->levels[top] == NULL && make)
        table->levels[top] = new_level();
    if (table->levels[top] == NULL)
        return NULL;
    if (table->levels[top][middle] == NULL && make)
        table->levels[top][middle] = new_level();
    return table->levels[top][middle] == NULL ? NULL : &table->levels[top][middle][page & MASK];
}

/* The first page behind the part of the table that has `page` and was not made. */
static uint64_t skip(const struct page_table *table, uint64_t page)
{
    uint64_t bits = table->levels[page >> 2 * PAGE_TABLE_BITS & MASK] == NULL ? 2 * PAGE_TABLE_BITS
                                                                              : PAGE_TABLE_BITS;

    return ((page >> bits) + 1) << bits;
}

uint64_t page_table_next(struct page_table *table, uint64_t page, uint64_t end, uint64_t **word)
{
    while (page < end) {
        *word = page_table_word(table, page, false);
        if (*word == NULL)
            page = skip(table, page);
        else if (**word != 0)
            return page;
        else
            page++;
    }
    return end;
}
