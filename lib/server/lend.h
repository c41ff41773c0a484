// SPDX-License-Identifier: MIT
/* lend.h - memory that a client may read until it is taken back. */
#pragma once

#include "abi/types.h"

/* A capability of its own for some pages, Read alone for others: what is handed on of it lend_end() takes back. The source
 * has Read, Grant and Revoke. */
mnos_status_t lend_begin(mnos_cap_t memory, uint64_t first_page, uint64_t page_count,
                         mnos_cap_t *lent);
/* When it returns nobody maps the pages through it. It takes as long as clients have made copies and mappings of it, each of
 * which they have paid for. */
void lend_end(mnos_cap_t lent);
/* One that was never returned before, by an earlier run neither. */
uint64_t lend_number(void);
