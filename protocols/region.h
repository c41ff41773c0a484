// SPDX-License-Identifier: MIT
/*
 * region.h - memory that outlives its users: what lies in it, and how the manager is asked about it.
 *
 * A region is RAM that init owns. Each run of a service that the manifest names as its user finds the first
 * piece, the floor, in its bootstrap table; further pieces it asks of the manager, and the next run asks for
 * the same.
 */
#pragma once

#include "abi/types.h"

#define REGION_PIECE_PAGES 512u /* of every piece but the first: 2 MiB */

/*
 * The beginning of a region of kind "state". The manager writes `epoch`, `deaths` and `ordered` before it
 * starts a run of the service, and nothing else; the rest is the service's (lib/server/state.h).
 */
struct state_header {
    uint64_t magic; /* what is in the region; 0: nothing yet */
    uint32_t layout;
    uint32_t flags;     /* enum state_flags */
    uint64_t epoch;     /* grows with each run */
    uint64_t bytes;     /* of the region, as far as the service has taken it into use */
    uint32_t log_bytes; /* room of the undo log, which follows this header */
    uint32_t log_used;  /* not 0: an operation was not finished */
    uint64_t checksum;  /* of magic, layout and log_bytes */
    uint32_t deaths;    /* ends in a row that nobody ordered, before this run */
    uint32_t ordered;   /* 1: the last run was ended by order, which says nothing of the state */
    uint64_t reserved_word;
};
_Static_assert(sizeof(struct state_header) == 64, "shared between runs and with the manager");

enum state_flags {
    STATE_READY = 1u << 0, /* what is in the region is whole: the service had finished making it */
};

struct region_request {
    char name[MNOS_NAME_BYTES]; /* as in the service's bootstrap table */
    uint32_t index;             /* of the piece; 0 is the floor */
    uint32_t first_page;        /* PART and RELEASE: within the piece */
    uint32_t page_count;
    uint32_t flags; /* PART: enum region_part_flags */
};
_Static_assert(sizeof(struct region_request) == 40, "shared between programs");

enum region_part_flags {
    REGION_PART_NEW = 1u << 0, /* no run has had a part of these pages that is not released */
};

/* With the capability that REGION and GROW are answered by. */
struct region_answer {
    uint64_t pages;      /* of all pieces */
    uint64_t page_limit; /* that it may grow to, as far as the machine has memory */
};

struct region_list_entry {
    char name[MNOS_NAME_BYTES];
    char user[MNOS_NAME_BYTES]; /* the first; the others have the same memory */
    uint32_t kind;              /* enum manifest_region_kind, manifest_format.h */
    uint32_t flags;             /* enum manifest_region_flags */
    uint32_t users;
    uint32_t pieces; /* 0: it has no memory before the first start of a user */
    uint64_t pages;
    uint64_t page_limit;
    uint64_t epoch; /* kind state */
    uint64_t parts; /* that were made by PART and not yet released */
};
_Static_assert(sizeof(struct region_list_entry) == 96, "shared between programs");
