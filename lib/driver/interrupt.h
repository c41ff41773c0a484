// SPDX-License-Identifier: MIT
/* interrupt.h - a message interrupt of a device that is claimed, ready to be waited for. */
#pragma once

#include <stdint.h>

#include "abi/types.h"

/* From now on vector `index` of the device sets `event` at `endpoint`, which needs Write there; *line
 * is a new capability, to acknowledge it by. What a predecessor had left unacknowledged is
 * acknowledged. MNOS_ERR_END: there is no such vector. */
mnos_status_t interrupt_open(mnos_cap_t devices, uint32_t index, mnos_cap_t endpoint,
                             uint64_t event, mnos_cap_t *line);
