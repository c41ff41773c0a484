// SPDX-License-Identifier: MIT
/*
 * block.h - labels and records of the block protocol, and the ring that a client shares with a driver.
 *
 * The ring and the data are the client's memory. Requests are written into `submission` at `submitted`, results
 * into `completion` at `done`; each index counts entries since the ring was zeroed, modulo 2^32, and has one
 * writer. A batch is published by one release store of the index and one event.
 *
 * B1  A request is done when its completion is visible. Writes that were done before a FLUSH was submitted are
 *     durable when the FLUSH is done; one with BLOCK_FUA is when it is done itself.
 * B2  The driver writes only `completion` and `done`. Outstanding is what lies between `completed` and
 *     `submitted` with an `op` other than BLOCK_NONE; a driver that is attached carries all of that out.
 * B3  A client has no two requests with overlapping sectors or pages outstanding when one of them writes there. So
 *     carrying one out again changes nothing.
 * B4  The driver copies an entry before it checks it. One that reaches outside session or data, or is malformed:
 *     MNOS_ERR_ARGUMENT; one that the session's rights or the disk do not allow: MNOS_ERR_DENIED; nothing else happens.
 * B5  At most BLOCK_ENTRIES are outstanding: a full ring is the client's to wait for. The driver takes from
 *     sessions in turn, and takes no more than `completion` has room for.
 * B6  Before it acts on a completion the client stores BLOCK_NONE into the entry (release), then `taken`; and
 *     `completed` moves over the leading entries that are BLOCK_NONE. A READ that were carried out again could
 *     overwrite a page that the client has changed meanwhile.
 * B7  From sending ATTACH to its answer the client takes nothing from `completion`. A driver that begins anew
 *     begins with `done` = `taken`: what was not taken before is not done.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "abi/types.h"

enum block_label {
#define REQUEST(label, name, class, request, reply, text) BLOCK_##name = (label),
#include "protocols/block.def"
#undef REQUEST
};

/* At the driver's endpoint: something was submitted. */
#define BLOCK_EVENT_SUBMITTED (1ull << 0)

#define BLOCK_ENTRIES 256u
#define BLOCK_PAGES_MAX 128u  /* that one request may touch */
#define BLOCK_FLIGHTS_MAX 64u /* requests of one session that the driver works at */
#define BLOCK_PIECES_MAX 64u
#define BLOCK_NAME_BYTES 32u

enum block_right {
    BLOCK_RIGHT_READ = 1,
    BLOCK_RIGHT_WRITE = 2,
    BLOCK_RIGHT_REVOKE = 4, /* CLOSE_TREE */
    BLOCK_RIGHTS_ALL = 7,
};

enum block_flag {
    BLOCK_CAN_FLUSH = 1, /* there is a volatile cache; without it FLUSH has nothing to do */
    BLOCK_CAN_DISCARD = 2,
    BLOCK_CAN_ZERO = 4,
    BLOCK_READ_ONLY = 8,
};

struct block_info {
    uint32_t sector_bytes;   /* 512 to 4096, a power of two */
    uint32_t physical_bytes; /* what the medium writes at once */
    uint64_t sectors;        /* of the session */
    uint32_t pages_max;      /* that one request may touch */
    uint32_t flights_max;
    uint32_t flags;              /* enum block_flag */
    uint32_t rights;             /* enum block_right */
    char name[BLOCK_NAME_BYTES]; /* that the disk has; padded with zeros */
};
_Static_assert(sizeof(struct block_info) == 64, "shared between programs");

struct block_attach {
    uint64_t events; /* set at the client's endpoint when something is done */
    uint64_t pages; /* of data, in all pieces: nothing is carried out before so many are attached */
    uint64_t
        epoch; /* 0: begin anew. Else, when it is this run's and the session is attached, nothing changes */
};
_Static_assert(sizeof(struct block_attach) == 24, "shared between programs");

struct block_attached {
    uint64_t epoch; /* another one for each run of the driver, never 0 */
};

struct block_extend {
    uint64_t first_page; /* that the new memory becomes */
};

struct block_restrict {
    uint64_t first, sectors;
    uint64_t rights;
    uint64_t tag; /* for CLOSE_TAGGED, below 2^63; 0: none */
};
_Static_assert(sizeof(struct block_restrict) == 32, "shared between programs");

struct block_tag {
    uint64_t tag;
};

/* ---- The ring ---- */

enum block_op {
    BLOCK_NONE = 0, /* nothing to do: finished */
    BLOCK_READ = 1,
    BLOCK_WRITE = 2,
    BLOCK_FLUSH = 3,
    BLOCK_DISCARD = 4, /* what is read there afterwards is anything */
    BLOCK_ZERO = 5,
};

/* In `flags` of an entry. */
#define BLOCK_FUA 1u

struct block_submission {
    uint32_t id; /* the entry's index */
    _Atomic uint8_t op;
    uint8_t flags;
    uint16_t offset; /* in the first page, a multiple of the sector size */
    uint64_t sector;
    uint32_t page;  /* of the data */
    uint32_t bytes; /* a multiple of the sector size */
    uint64_t user;  /* the client's own */
};
_Static_assert(sizeof(struct block_submission) == 32, "shared between programs");

struct block_completion {
    uint32_t id;
    uint32_t status;
    uint64_t sector; /* MNOS_ERR_DEVICE: the first that failed, as far as the disk tells */
};
_Static_assert(sizeof(struct block_completion) == 16, "shared between programs");

struct block_ring {
    _Alignas(64) _Atomic uint32_t submitted; /* by the client */
    _Atomic uint32_t
        completed;          /* by the client: submissions that are finished, all before it too */
    _Atomic uint32_t taken; /* by the client: completions */
    _Alignas(64) _Atomic uint32_t done; /* by the driver */
    _Alignas(64) struct block_submission submissions[BLOCK_ENTRIES];
    struct block_completion completions[BLOCK_ENTRIES];
};
#define BLOCK_RING_PAGES 4u
_Static_assert(sizeof(struct block_ring) <= BLOCK_RING_PAGES * 4096, "the ring's pages");
