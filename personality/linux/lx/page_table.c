// SPDX-License-Identifier: MIT
/* page_table - see page_table.h. */
#include "personality/linux/lx/page_table.h"

#include <stddef.h>

#include "lib/base/string.h"
#include "personality/linux/lx/piece.h"

#define MASK (PAGE_TABLE_WORDS - 1ull)

/* Its address, 0: there is no memory. */
static uint64_t new_level(void)
{
    void *level = piece_allocate(PAGE_TABLE_WORDS * sizeof(uint64_t));

    if (level != NULL)
        memset(level, 0, PAGE_TABLE_WORDS * sizeof(uint64_t));
    return (uint64_t)level;
}

/* Down to the word of a page, or to the entry of a level that is not there. *bits: of the page number, below that entry's. */
static uint64_t *descend(struct page_table *table, uint64_t page, bool make, unsigned *bits)
{
    uint64_t *entry;

    *bits = (PAGE_TABLE_LEVELS - 1) * PAGE_TABLE_BITS;
    entry = &table->top[page >> *bits & MASK];
    while (*bits != 0) {
        if (*entry == 0 && make)
            *entry = new_level();
        if (*entry == 0)
            break;
        *bits -= PAGE_TABLE_BITS;
        entry = (uint64_t *)*entry + (page >> *bits & MASK);
    }
    return entry;
}

uint64_t *page_table_word(struct page_table *table, uint64_t page, bool make)
{
    unsigned bits;
    uint64_t *entry = descend(table, page, make, &bits);

    return bits == 0 ? entry : NULL;
}

uint64_t page_table_next(struct page_table *table, uint64_t page, uint64_t end, uint64_t **word)
{
    while (page < end) {
        unsigned bits;
        uint64_t *entry = descend(table, page, false, &bits);

        if (*entry != 0) {
            *word = entry;
            return page;
        }
        do { /* on within that level */
            page = ((page >> bits) + 1) << bits;
            entry++;
        } while (page < end && (page >> bits & MASK) != 0 && *entry == 0);
    }
    return end;
}
