// SPDX-License-Identifier: MIT
/*
 * page_table.h - which pages of the program are present, and where they lie: a word for each page, found by address.
 *
 * Three levels of 4,096 words: 36 bits of page number, which are all below LX_BASE. A word is 0 for a page that is not
 * present; what else it means is memory.c's. Host tests compile this file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PAGE_TABLE_BITS 12u
#define PAGE_TABLE_WORDS (1u << PAGE_TABLE_BITS)

struct page_table {
    uint64_t **levels[PAGE_TABLE_WORDS];
};

/* The word of a page, NULL when none below its part of the table was made; with `make` NULL when there is no memory. */
uint64_t *page_table_word(struct page_table *table, uint64_t page, bool make);
/* The first page from `page` on, and before `end`, that is present; `end` when there is none. */
uint64_t page_table_next(struct page_table *table, uint64_t page, uint64_t end, uint64_t **word);
