// SPDX-License-Identifier: MIT
/*
 * lent.h - reading memory that is lent, and may be taken back at any moment: a page fault while it is read is an answer, and
 * not the end of the program.
 *
 * For threads that have called lent_begin(), as many as there are; other faults of theirs end the process as ever. A service
 * that also writes into memory of its clients, and has one thread, has lib/server/guard.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/fault.h"
#include "abi/types.h"

/* For the calling thread: takes its faults as an upcall. MNOS_ERR_STATE: the program has a handler of its own (upcall.h), which
 * may call lent_fault() first. */
mnos_status_t lent_begin(void);
/* For such a handler: whether the fault was one of what follows, which then goes on with the answer. */
bool lent_fault(struct mnos_fault *fault);

/* memcpy(). NULL: some of it is not mapped; what `to` holds then is not defined. */
void *lent_copy(void *to, const void *from, size_t bytes);
/* An aligned word; 0 if it is not mapped. */
uint64_t lent_word(const uint64_t *from);
