// SPDX-License-Identifier: MIT
/* page.h - what an answer is made of: its head, and pages of our own: errors and listings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/httpd/condition.h"

#define PAGE_HEAD_BYTES 896u
#define PAGE_LOCATION_MAX 256u
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

/* What an answer says before its body. */
struct page_head {
    uint32_t status;
    const char *type;
    uint64_t length; /* of the body, and of the one that HEAD does not get */
    bool keep_alive;
    const char *location;              /* of at most PAGE_LOCATION_MAX bytes; NULL: none */
    const struct validator *validator; /* of a file; NULL: it is none */
    uint64_t first, size; /* of a file: where a part begins (206), and of how much (206, 416) */
    uint64_t now_s;       /* since 1970; 0: it is not known */
};

/* Writes it; returns its length. */
size_t page_head(char head[PAGE_HEAD_BYTES], const struct page_head *says);
/* By the ending of a name. */
const char *page_type(const char *name);
