// SPDX-License-Identifier: MIT
/*
 * ports.h - which I/O ports a process may use: the ranges it has opened through Memory capabilities of
 * the port flavour. The machine's bitmap is made from them (arch.h).
 *
 * An opening is a struct mapping in the tree of its address space, behind all pages. Openings of one process do
 * not overlap, so each bit of the bitmap belongs to one, which clears it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"

struct process;
struct memory;
struct capability;
struct cap_view;
struct tlb_batch;

/* Opens ports [first, first + count). MNOS_ERR_OVERLAP (one of them is open already), MNOS_ERR_HANDLE (revoked
 * meanwhile), MNOS_ERR_QUOTA, MNOS_ERR_MEMORY. Waits for other cores: the process may be gone afterwards. Hold no
 * lock. */
mnos_status_t ports_open(struct process *process, const struct cap_view *cap, uint32_t first,
                         uint32_t count);
/* Closes what was opened once through `cap`; false: nothing is open. The process cannot use the ports after tlb_batch_finish(). Hold no lock. */
bool ports_close_one_of(struct memory *memory, struct capability *cap, struct tlb_batch *batch);
/* Frees the bitmap of a process that ends and has no thread that runs; aspace_destroy() frees the openings. */
void ports_destroy(struct process *process);
