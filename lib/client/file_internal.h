// SPDX-License-Identifier: MIT
/* file_internal.h - one request to a file system: what the files of the client share. */
#pragma once

#include "abi/message.h"
#include "lib/client/file.h"
#include "lib/mnos/ipc.h"

struct file_call {
    uint32_t operation;
    bool once;       /* class N */
    mnos_cap_t cap;  /* that the request carries, or 0 */
    uint32_t accept; /* capabilities in the reply */
    size_t bytes;
    uint8_t request[MNOS_MESSAGE_MAX_BYTES];
    struct message message; /* the reply */
};

/* Puts a record at the beginning of the request, and then more behind it. MNOS_ERR_SIZE: no room.
 */
void file_call_begin(struct file_call *call, uint32_t operation, bool once, const void *record,
                     size_t bytes);
mnos_status_t file_call_add(struct file_call *call, const void *bytes, size_t count);
/* Sends it, again when the service dies, and waits for the reply. */
mnos_status_t file_call_send(struct file_session *session, struct file_call *call);
/* A request that concerns an open file: MNOS_ERR_LOST when that is from before the session began
 * anew. */
mnos_status_t file_call_on(const struct file *file, struct file_call *call);
/* The same session of a service, by another capability: what was open is not. */
mnos_status_t file_session_replace(struct file_session *session, mnos_cap_t service);
/* What is known to be mounted at a name of the root; NULL: the table has to be asked. */
struct file_session *file_mounts_known(struct file_mounts *mounts, const char *name, size_t bytes);
/* The mount point with that inode, whose session is known, has this name. */
void file_mounts_name(struct file_mounts *mounts, uint64_t inode, const char *name);

/* Whether the session is no more: the service does not know it, or its capability ended with who had minted it. */
static inline bool file_is_lost(mnos_status_t status)
{
    return status == MNOS_ERR_LOST || status == MNOS_ERR_HANDLE || status == MNOS_ERR_REVOKED;
}
