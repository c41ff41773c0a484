// SPDX-License-Identifier: MIT
/*
 * page_table.h - which pages of the program are present, and where they lie: a word for each page, found by address.
 *
 * Four levels of 512 words: 36 bits of page number, which are all below LX_BASE. A level takes little more than a page: a
 * program has three at least for each part of its addresses that it uses, and each fork copies them and looks through
 * the lowest. A word is 0 for a page that is not present; what else it means is memory.c's. Host tests compile this file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PAGE_TABLE_BITS 9u
#define PAGE_TABLE_WORDS (1u << PAGE_TABLE_BITS)
#define PAGE_TABLE_LEVELS 4u

struct page_table {
    /* Addresses of levels, the lowest of which have the words; 0: not made. */
    uint64_t top[PAGE_TABLE_WORDS];
};

/* The word of a page, NULL when none below its part of the table was made; with `make` NULL when there is no memory. */
uint64_t *page_table_word(struct page_table *table, uint64_t page, bool make);
/* The first page from `page` on, and before `end`, that is present; `end` when there is none. */
uint64_t page_table_next(struct page_table *table, uint64_t page, uint64_t end, uint64_t **word);
