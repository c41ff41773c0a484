// SPDX-License-Identifier: MIT
/*
 * regions.h - memory of the manifest's regions, which init owns and, once a run had it, never gives back: protocols/region.h.
 *
 *   piece (init's, all rights) -- intermediate (init's, one for each user) -- what a run of the user got
 *                                                                              -- what it handed on
 *   piece -- part (init's, one for each PART of a `keep` region) -- what runs got -- what they handed on
 *
 * G1  A piece that some run had is never freed, so no device writes into a frame that has another owner.
 * G6  What a run got is below its user's intermediate. That is revoked before the next run begins, unless the
 *     region is kept: deleting a capability hands its children up, so only what is above both runs reaches
 *     what the dead one handed on. Of a region that is kept, parts are revoked by RELEASE.
 * G7  Parts of one user never overlap. What is answered as a new part nobody else maps.
 *
 * Pieces have numbers from 0, the floor. Nothing that a service asks for makes init wait.
 */
#pragma once

#include "lib/mnos/ipc.h"
#include "protocols/region.h"
#include "services/init/manifest.h"

#define REGION_PARTS_MAX 1024u /* of one region */

struct region_piece {
    struct region_piece *next;
    mnos_cap_t memory;
    uint64_t page_count;
    uint64_t object_id;                                  /* as whoever holds a part of it is told */
    mnos_cap_t intermediates[MANIFEST_REGION_USERS_MAX]; /* 0: not made yet */
};

struct region_part {
    struct region_part *next;
    uint32_t user, index, first_page, page_count;
    mnos_cap_t memory;
};

struct region {
    const struct manifest_region *config;
    struct region_piece *first;  /* NULL: nobody that uses it was started yet, or could be */
    bool given;                  /* some run had it */
    struct state_header *header; /* kind state: mapped */
    struct region_part *parts;
    uint32_t piece_count, user_count, part_count;
    uint64_t pages, page_limit;
};

struct regions {
    const struct manifest *manifest;
    struct region all[MANIFEST_REGIONS_MAX];
    uint8_t user_of_grant[MANIFEST_GRANTS_MAX]; /* number among the region's users */
};

/* `free_frames`: of the machine, at boot. */
void regions_init(struct regions *regions, const struct manifest *manifest, uint64_t free_frames);

/* How runs of a service have ended, for those that come. */
struct region_past {
    uint32_t deaths; /* ends in a row that nobody ordered */
    bool ordered;    /* the last end was */
};

/* Before a run of the service: its regions have their floors, what its last run handed on is revoked, and the
 * epochs grow. What failed is in the log. */
mnos_status_t regions_begin_run(struct regions *regions, uint32_t service,
                                const struct region_past *past);

/* The run could not begin: what no run has ever had is free for other services. */
void regions_take_back(struct regions *regions, uint32_t service);

/* The floor of the region that a grant names, for the new process. */
mnos_status_t regions_give_floor(struct regions *regions, uint32_t grant, mnos_cap_t process,
                                 mnos_cap_t *given);

/* The requests of protocols/manager.def about a region of the service. REGION, GROW and PART add a capability
 * to `reply`. */
mnos_status_t regions_piece(const struct regions *regions, uint32_t service,
                            const struct region_request *request, struct message *reply);
mnos_status_t regions_grow(struct regions *regions, uint32_t service,
                           const struct region_request *request, struct message *reply);
mnos_status_t regions_part(struct regions *regions, uint32_t service,
                           const struct region_request *request, struct message *reply);
mnos_status_t regions_release(struct regions *regions, uint32_t service,
                              const struct region_request *request);

/* The name of the region that has this object among its pieces, or NULL. */
const char *regions_name_of(const struct regions *regions, uint64_t object_id);

void regions_describe(const struct regions *regions, uint32_t index,
                      struct region_list_entry *entry);
