// SPDX-License-Identifier: MIT
/*
 * region.h - a region of the manifest as its user sees it: all pieces mapped one after the other, the floor
 * first, in each run. Needs the capability "manager" or "observer" when there is more than the floor.
 */
#pragma once

#include "lib/mnos/bootstrap.h"
#include "lib/mnos/memory.h"
#include "protocols/region.h"

struct region_piece {
    mnos_cap_t memory;
    uint64_t
        physical; /* of its first page; UINT64_MAX: it is not one run of frames, or may not be read */
    uint32_t first_page, page_count; /* in the run of addresses */
};

struct region {
    char name[MNOS_NAME_BYTES];
    uint8_t *address;
    uint64_t bytes;              /* mapped */
    struct region_piece *pieces; /* the caller's, `piece_max` of them */
    uint32_t piece_count, piece_max;
    uint64_t bytes_max; /* that it may grow to, by the manifest and by `piece_max` */
};

/* Maps what there is: the floor, and what earlier runs have asked for. MNOS_ERR_NOT_FOUND: the program was
 * started without this region. */
mnos_status_t region_open(struct region *region, struct bootstrap_name name,
                          struct region_piece *pieces, uint32_t piece_max);

/* Adds a zeroed piece of 2 MiB at the end. MNOS_ERR_QUOTA: the share is used, or `piece_max` is. */
mnos_status_t region_grow(struct region *region);

/* The capability of the piece that an address of the region is in, the page in it, and how many there are from it on. */
mnos_cap_t region_memory(const struct region *region, const void *address, uint64_t *page,
                         uint64_t *page_count);

/* A capability for pages of one piece, by which they are handed on; of a region with keep = true. The part that these
 * pages are already, if an earlier run asked for the same. MNOS_ERR_EXISTS: some of them are of another part.
 * MNOS_ERR_QUOTA: the region has too many. */
mnos_status_t region_part(const struct region *region, uint32_t piece, uint32_t first_page,
                          uint32_t page_count, mnos_cap_t *part);
/* The same for pages that are of no part: MNOS_ERR_EXISTS when any is, so nobody else maps what is returned. */
mnos_status_t region_new_part(const struct region *region, uint32_t piece, uint32_t first_page,
                              uint32_t page_count, mnos_cap_t *part);
/* Takes back all that was handed on of the parts within these pages, by earlier runs too; with MNOS_ERR_ARGUMENT none,
 * as one lies only partly within them. */
mnos_status_t region_release(const struct region *region, uint32_t piece, uint32_t first_page,
                             uint32_t page_count);
