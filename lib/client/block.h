// SPDX-License-Identifier: MIT
/*
 * block.h - a disk, for programs: protocols/block.def through a capability of a session. One thread.
 *
 *   struct block_setup setup = {service, ring memory and address, data memory and its pages, endpoint, ...};
 *
 *   status = block_open(&disk, &setup);
 *   status = block_submit(&disk, &(struct block_submission){.op = BLOCK_READ, .sector = 0, .page = 3, .bytes = 4096});
 *   block_bell(&disk);
 *   ... an event of setup.events arrives at setup.endpoint ...
 *   while (block_take(&disk, &result) == MNOS_OK)
 *       ...
 *
 * A program that waits for other things too receives at its endpoint until block_deadline(), and hands
 * on what concerns the disk: block_tick() after each wait, block_gone() for a client that is gone,
 * block_restarted() for the news that the driver was started again. One that waits for the disk alone
 * uses block_wait().
 *
 * When the driver does not answer, the service manager is asked to look at it (manager_ask_alive()), so a program
 * that is a service should have the capability "observer" or "manager". A lack of memory, here or in the driver, is
 * waited out: it is tried again each second.
 *
 * When the driver dies nothing fails: the next run carries out what was outstanding. When there is no
 * next run, or it refuses the session, block_take() returns what is outstanding with that error, and so it
 * does for all that is submitted until block_restarted() succeeds. MNOS_ERR_LOST: the session is not known any
 * more; get a new one and open the disk again over the same ring.
 */
#pragma once

#include "lib/client/block_ring.h"
#include "lib/mnos/ipc.h"

struct block_setup {
    mnos_cap_t service; /* the session */
    mnos_cap_t ring_memory;
    void *ring; /* where BLOCK_RING_PAGES of it are mapped: zeroed, or what a predecessor left */
    mnos_cap_t data; /* the first piece; more by block_extend() */
    uint64_t data_pages;
    mnos_cap_t endpoint; /* where this program receives, with the right to mint */
    uint64_t events;     /* set there when something is done */
    /* What the driver's capability to it carries; the low 16 bits are used here. */
    mnos_badge_t badge;
};

struct block_client {
    struct block_ring_client ring;
    struct block_setup setup;
    struct block_info info;
    struct {
        mnos_cap_t memory;
        uint64_t pages;
    } pieces[BLOCK_PIECES_MAX];
    uint32_t piece_count;
    uint32_t attaches;    /* how often it has begun anew, */
    uint32_t interrupted; /* and how often with requests outstanding */
    uint32_t mints;       /* badges that were used */
    uint64_t epoch;
    mnos_badge_t badge; /* of what the driver holds now */
    uint64_t deadline_ns;
    mnos_status_t failure; /* why there is no driver; MNOS_OK: there is */
};

mnos_status_t block_info(mnos_cap_t service, struct block_info *info);
/* Waits until a run of the driver has taken it. What a predecessor of this program left outstanding in
 * the ring is carried out; block_ring_outstanding() tells what that is. */
mnos_status_t block_open(struct block_client *client, const struct block_setup *setup);
/* More data memory, the pages of which follow those before. */
mnos_status_t block_extend(struct block_client *client, mnos_cap_t memory, uint64_t pages);

/* Begun by block_bell(). MNOS_ERR_AGAIN: the ring is full. */
mnos_status_t block_submit(struct block_client *client, const struct block_submission *entry);
void block_bell(struct block_client *client);
/* MNOS_ERR_END: nothing is done that was not taken. */
mnos_status_t block_take(struct block_client *client, struct block_result *result);

/* When block_tick() wants to be called at the latest; never, when nothing is outstanding. */
uint64_t block_deadline(const struct block_client *client);
/* Asks the driver when it has been silent for too long. */
void block_tick(struct block_client *client, uint64_t now_ns);
/* For MNOS_KIND_CLIENT_GONE at the endpoint. */
void block_gone(struct block_client *client, mnos_badge_t badge);
/* Attaches to the driver that is there now, when it is another one. */
void block_restarted(struct block_client *client);

/* Receives at the endpoint, where nothing else may arrive, until something is done. MNOS_ERR_END: nothing is
 * outstanding. */
mnos_status_t block_wait(struct block_client *client, struct block_result *result);
/* One request from beginning to end, while no other is outstanding; its status. */
mnos_status_t block_do(struct block_client *client, uint8_t op, uint64_t sector, uint32_t page,
                       uint32_t bytes);

/* A session of a part of this one; protocols/block.def says what each member may be. */
mnos_status_t block_restrict(mnos_cap_t service, const struct block_restrict *part,
                             mnos_cap_t *session);
/* Closes the session of that capability and all below it. */
mnos_status_t block_close_tree(mnos_cap_t service, mnos_cap_t which);
/* The same for all sessions that were made through this one with a tag, and all that came from them. */
mnos_status_t block_close_tagged(mnos_cap_t service, uint64_t tag);
