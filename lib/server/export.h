// SPDX-License-Identifier: MIT
/* export.h - a service answers with a capability of a session that it has made. */
#pragma once

#include "lib/mnos/ipc.h"

/*
 * Mints `badge` on the service's endpoint, which needs the right Grant on it, and answers `message`
 * with the capability. It is a lasting mint, of those that the manifest has set aside (`exports`): the
 * client's capability outlives this run of the service, and MNOS_ERR_QUOTA says that none is left. So
 * badges must be unique over all runs. The service keeps no capability: the client's is then the last
 * with its badge, and its end is reported. MNOS_OK: answered, or nobody waited for it any more, and the report is under
 * way. An error: the client waits still, for an answer that says so.
 */
mnos_status_t server_export(mnos_cap_t endpoint, struct message *message, mnos_badge_t badge);
/* The same; the holder may set `events` at the endpoint. */
mnos_status_t server_export_with(mnos_cap_t endpoint, struct message *message, mnos_badge_t badge,
                                 uint64_t events);
