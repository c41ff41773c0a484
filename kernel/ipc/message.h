// SPDX-License-Identifier: MIT
/*
 * message.h - moves one message between two threads, both of which the caller owns: registers, bytes
 * and capabilities. abi/message.h has the formats.
 */
#pragma once

#include <stdbool.h>

#include "abi/message.h"
#include "object/thread.h"

struct endpoint;

/* True when every field of the info word of a message to send is in range. */
static inline bool message_info_valid(uint64_t info)
{
    return MNOS_INFO_GET_LENGTH(info) <= MNOS_MESSAGE_MAX_BYTES &&
           MNOS_INFO_GET_CAPS(info) <= MNOS_MESSAGE_MAX_CAPS &&
           MNOS_INFO_GET_ACCEPT(info) <= MNOS_MESSAGE_MAX_CAPS &&
           (uint32_t)info >> MNOS_INFO_KIND_SHIFT == 0;
}

/*
 * Moves the message described by `from`'s registers to `to`, capabilities first, all or nothing; then
 * sets to's RSI, RDX, R10, R8, R9. `endpoint` is the one it travels through (NULL for a reply): a
 * capability to it arrives as its badge. Errors, for the sender; the receiver is unchanged:
 * MNOS_ERR_ACCEPT, MNOS_ERR_HANDLE, MNOS_ERR_RIGHTS (Grant, or more rights than held), MNOS_ERR_STATE,
 * MNOS_ERR_QUOTA and MNOS_ERR_MEMORY (the receiver's).
 */
result_t message_move(struct thread *from, struct thread *to, const struct endpoint *endpoint);
