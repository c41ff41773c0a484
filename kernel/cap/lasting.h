// SPDX-License-Identifier: MIT
/*
 * lasting.h - lasting mints: badges that outlive who minted them, in slots that the payer of the endpoint has set
 * aside when it made it.
 *
 *   free --mint--> minted --the last capability with the badge goes--> gone --a receiver is told--> free
 *
 * What a minter gets is a capability in its own table, as always; above that, and below the first capability to the
 * endpoint, is the slot from the reserve, a ghost from the beginning. So the end of the minter takes only its own
 * capability, revoking the first one takes all, and nobody's account changes but that of who holds a copy.
 *
 * L1  each slot is free, minted or gone, unless the endpoint is dying
 * L2  a minted one has the flags KERNEL, MINTED, GHOST and LASTING, and a child
 * L3  a gone one is in no tree; its badge is news for the receiver, and takes no room of the endpoint's own
 *
 * Guarded by the endpoint's lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "cap/capability.h"
#include "mm/quota.h"
#include "object/result.h"

struct process;

/* In the place of the first slot of its pages. */
struct lasting {
    uint32_t count;          /* slots; constant */
    uint32_t touched;        /* those from here on are free, and undefined memory */
    uint32_t minted;         /* how many are */
    uint32_t news;           /* how many are gone */
    struct capability *free; /* of the others, linked by `next_free` */
    struct capability *gone_first, *gone_last; /* linked by `next` */
};
_Static_assert(sizeof(struct lasting) <= sizeof(struct capability), "it takes a slot");

/* Sets `count` slots aside, at most MNOS_LASTING_MAX; for 0 *lasting is NULL, which all below take for a reserve
 * without slots. MNOS_ERR_QUOTA, MNOS_ERR_MEMORY. */
mnos_status_t lasting_create(struct quota *quota, uint32_t count, struct lasting **lasting);
void lasting_free(struct quota *quota, struct lasting *lasting);
/* What it takes of the quota. */
uint64_t lasting_bytes(const struct lasting *lasting);

/* A minted slot, about to leave the tree: its badge is news from now on, or it was told at once. */
void lasting_gone_locked(struct lasting *lasting, struct capability *slot);
void lasting_told_locked(struct lasting *lasting, struct capability *slot);
/* The badge to tell next, of which there is one, and its slot is free. */
mnos_badge_t lasting_tell_locked(struct lasting *lasting);

static inline bool lasting_has_news_locked(const struct lasting *lasting)
{
    return lasting != NULL && lasting->news != 0;
}

/* Mints what `source` says, which is a view of an endpoint capability without a badge, given badge and rights: the
 * child of a slot of the reserve, in `process`'s table. MNOS_ERR_HANDLE; MNOS_ERR_STATE: under revocation, or argument
 * 2, the first capability was deleted; MNOS_ERR_QUOTA: of the process, or argument 2, none is left;
 * MNOS_ERR_MEMORY. */
result_t lasting_mint(struct process *process, const struct cap_view *source, mnos_cap_t *handle);
