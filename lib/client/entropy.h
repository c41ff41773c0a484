// SPDX-License-Identifier: MIT
/* entropy.h - the client's side of protocols/entropy.def: random bytes, of which a program that needs many makes the key of
 * a generator of its own (lib/mnos/chacha20.h). */
#pragma once

#include "abi/types.h"
#include "protocols/entropy.h"

/* Asks the service behind `entropy`, an endpoint to send to, and waits as long as it takes until that has its seed; a service
 * that dies meanwhile is asked again. MNOS_ERR_FORMAT: what it answered is no such record. */
mnos_status_t entropy_get(mnos_cap_t entropy, struct entropy_bytes *bytes);
