// SPDX-License-Identifier: MIT
/*
 * file_copy.h - what a process has open, for one that is made as a copy of it (fork).
 *
 * Whoever makes the copy holds capabilities of the sessions of both: it begins the new session, lets it inherit, and gives
 * the new process the session's capability and its window. The copy has the `struct file_session` of its parent in its
 * memory, and makes it that of its own session by file_session_become().
 */
#pragma once

#include "lib/client/file.h"

/* What begins with a session: for the process that it is for. */
struct file_session_begun {
    mnos_cap_t window; /* Memory (Read, Write, Grant), the caller's; 0: the service shares none */
    uint64_t window_bytes; /* of it */
    uint32_t rights, type; /* enum file_rights, enum file_type of the root */
};

/* Begins the session of a capability, of which this process uses nothing. Waits for the service, also for its next run. */
mnos_status_t file_session_begin_for(mnos_cap_t service, uint64_t window_bytes,
                                     struct file_session_begun *begun);
/* The session of `service` gets what that of `from` has open under each of the handles: they become its own, 0 where
 * there is nothing. At most FILE_INHERIT_MAX at once. MNOS_ERR_ARGUMENT: they have not the same root. */
mnos_status_t file_session_inherit(mnos_cap_t service, mnos_cap_t from, uint64_t *handles,
                                   uint32_t count);
/* In the copy: the session is that of `service` from now on, begun with that window, which is mapped. Files of the
 * parent that were inherited are the copy's when their handles are put into them. Nothing of the parent's session, whose
 * capabilities the copy has not, is touched. */
mnos_status_t file_session_become(struct file_session *session, mnos_cap_t service,
                                  const struct file_session_begun *begun);
