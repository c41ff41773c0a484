// SPDX-License-Identifier: MIT
/* system.h - what the server asks of the kernel and of the manager. Host tests have answers of
 * their own instead of system.c. */
#pragma once

#include "lib/mnos/ipc.h"
#include "services/devices/vectors.h"

/* Answers `message`, which holds the reply, with a new capability that the client may not hand on,
 * and keeps none. An error: the client still waits for an answer that says so. */
mnos_status_t system_answer_memory(struct message *message, uint64_t first_page,
                                   uint64_t page_count);
mnos_status_t system_answer_line(struct message *message, unsigned line);

/* Where a device finds the memory of a capability that came with a message; false: it is not RAM
 * that is contiguous and may be read. */
bool system_memory(mnos_cap_t memory, uint64_t *bus, uint64_t *bytes);

void system_drop(mnos_cap_t cap);

/* The name of the service that this badge is of; false: of none. */
bool system_service(mnos_badge_t badge, char name[MNOS_NAME_BYTES]);
/* Whether the manager has given that service up. */
bool system_service_failed(const char *name);

/* Whether any capability with this badge is left. */
bool system_badge_lives(mnos_badge_t badge);

uint64_t system_time_ns(void);
