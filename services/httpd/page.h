// SPDX-License-Identifier: MIT
/* page.h - what an answer is made of: its head, and pages of our own: errors and listings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_HEAD_BYTES 512u
#define PAGE_BYTES 12288u

/* Text that grows as far as there is room; `cut`: there was not enough. */
struct page {
    char text[PAGE_BYTES];
    size_t count;
    bool cut;
};

void page_begin(struct page *page, const char *title);
/* A name in a listing, as a link. False: there is no room for it and for the end. */
bool page_add_name(struct page *page, const char *name, bool is_directory);
void page_end(struct page *page, bool all);
/* The page that says what went wrong. */
void page_error(struct page *page, uint32_t status);

/* Writes the head of an answer; returns its length. `location` may be NULL. */
size_t page_head(char head[PAGE_HEAD_BYTES], uint32_t status, const char *type, uint64_t length,
                 bool keep_alive, const char *location);
/* By the ending of a name. */
const char *page_type(const char *name);
