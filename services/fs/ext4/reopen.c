// SPDX-License-Identifier: MIT
/*
 * reopen - the volume was mounted anew from its journal, since what the last runs left in memory may be what they died of, and
 * what clients have open goes on over it (docs/ext4-death.md).
 *
 * Of each open inode its generation is kept, and whether something was changed in it since it was synced last. Who has one
 * open that was changed, and is now as the journal has left it, or one that is not there any more, or is another one, is told
 * by ERR_LOST and begins its session anew; all others go on.
 *
 * O1  An entry of kept->opens says of the open inode of the same number what it says: it is stored before a handle or a
 *     session with that inode is, and what is left of one that has neither means nothing.
 */
#include "lib/base/string.h"
#include "lib/server/state.h"
#include "services/fs/ext4/service.h"

static struct kept_open *kept_of(struct ext4_service *service, const struct open_inode *open)
{
    return &service->kept->opens[open - service->opens];
}

/* ---- While it is open ---- */

void reopen_keep(struct ext4_service *service, uint32_t number)
{
    struct kept_open *kept = &service->kept->opens[number];
    uint32_t inode = service->opens[number].inode;

    if (number > service->kept_last)
        service->kept_last = number;
    kept->changed = 0;
    kept->known = known_generation(service, inode, &kept->generation);
    __atomic_store_n(&kept->inode, inode, __ATOMIC_RELEASE);
}

void reopen_forget(struct ext4_service *service, uint32_t number)
{
    service->kept->opens[number].inode = 0;
}

void reopen_learn(struct ext4_service *service, uint32_t inode, uint32_t generation)
{
    const struct open_inode *open = open_find(service, inode);
    struct kept_open *kept = open == NULL ? NULL : kept_of(service, open);

    if (kept == NULL || kept->known)
        return;
    kept->generation = generation;
    __atomic_store_n(&kept->known, true, __ATOMIC_RELEASE);
}

void reopen_changed(struct ext4_service *service, uint32_t inode)
{
    const struct open_inode *open = open_find(service, inode);

    if (open == NULL)
        return;
    if (++service->changes == 0)
        service->changes = 1;
    kept_of(service, open)->changed = service->changes;
}

/* Changes are numbered, and a ticket of FSYNC has the lowest bits of such a number: which of two is the later one? */
static bool is_later(uint32_t changed, uint32_t synced)
{
    return ((changed - synced) & SERVICE_CHANGE_MASK) - 1 < SERVICE_CHANGE_MASK / 2;
}

void reopen_synced(struct ext4_service *service, uint32_t inode, uint32_t synced)
{
    const struct open_inode *open = inode == 0 ? NULL : open_find(service, inode);
    uint32_t first = open == NULL ? 1 : (uint32_t)(open - service->opens);
    uint32_t last = inode == 0 ? service->kept_last : open == NULL ? 0 : first;

    for (uint32_t i = first; i <= last; i++) {
        struct kept_open *kept = &service->kept->opens[i];

        if (kept->changed != 0 && !is_later(kept->changed, synced))
            kept->changed = 0;
    }
}

/* ---- A run that goes on ---- */

static void hold_known(void *context, uint32_t inode)
{
    if (open_find(context, inode) != NULL)
        open_hold(context, inode);
}

void reopen_hold_all(struct ext4_service *service)
{
    struct sessions *sessions = service->files->loop.sessions;
    const struct service_kept *kept = service->kept;

    /* What nobody has open keeps no place from what somebody has. */
    open_place_all(service, kept->opens);
    sessions_hold_all(sessions, hold_known, service);
    open_forget_unused(service);
    sessions_hold_all(sessions, open_hold, service);
    service->changes = 0;
    for (uint32_t i = 1; i <= SERVICE_OPEN_MAX; i++) {
        if (kept->opens[i].inode != 0)
            service->kept_last = i;
        if (kept->opens[i].changed > service->changes)
            service->changes = kept->opens[i].changed;
    }
}

bool reopen_can(const struct ext4_service *service, uint64_t disk_bytes)
{
    const struct service_kept *kept = service->kept;

    return (kept->state == SERVICE_MOUNTED || kept->state == SERVICE_RETURNING) &&
           kept->disk_bytes == disk_bytes && file_locks_check(&kept->locks) == NULL;
}

/* Whether the inode is the one that was opened. */
static bool is_same(const struct ext4_service *service, const struct open_inode *open,
                    const struct ext4_attr *attr)
{
    const struct kept_open *kept = &service->kept->opens[open - service->opens];

    return open->inode == EXT4_ROOT ||
           (kept->known && kept->generation == attr->generation && attr->links != 0);
}

bool reopen_look(struct ext4_service *service)
{
    struct background *own = &service->reopening;

    for (; service->reopen_at <= SERVICE_OPEN_MAX; service->reopen_at++) {
        struct open_inode *open = &service->opens[service->reopen_at];
        struct ext4_attr attr;
        mnos_status_t status;

        if (own->waits)
            return false;
        if (open->count == 0)
            continue;
        ext4_begin(&own->op, service->fs);
        status = ext4_end(&own->op, ext4_stat(&own->op, open->inode, &attr));
        if (status == MNOS_ERR_AGAIN) {
            background_waits(service, own);
            return false;
        }
        own->op = (struct ext4_op){0};
        open->lost = status != MNOS_OK || !is_same(service, open, &attr);
    }
    return true;
}

/* It is not there any more, or (`changed`) not as it was. */
static bool is_lost(struct ext4_service *service, uint32_t inode, bool changed)
{
    const struct open_inode *open = open_find(service, inode);

    return open == NULL || open->lost || (changed && kept_of(service, open)->changed != 0);
}

static bool session_is_lost(struct ext4_service *service, const struct server_session *session)
{
    struct sessions *sessions = service->files->loop.sessions;
    bool lost = is_lost(service, session->object, true);

    for (uint32_t at = session->first_handle; !lost && at != 0; at = handle_at(sessions, at)->next)
        lost = is_lost(service, handle_at(sessions, at)->object, true);
    return lost;
}

unsigned reopen_end(struct ext4_service *service)
{
    struct sessions *sessions = service->files->loop.sessions;
    unsigned lost = 0;

    sessions_lose_parts(sessions);
    for (uint32_t i = 1; i <= sessions->session_count; i++) {
        struct server_session *session = session_at(sessions, i);

        if (session->badge == 0 || session->gone || session->lost ||
            !session_is_lost(service, session))
            continue;
        lost++;
        file_server_lose(service->files, session, is_lost(service, session->object, false));
    }
    for (uint32_t i = 1; i <= sessions->handle_count; i++)
        handle_at(sessions, i)->failures = 0; /* as those of what is open */
    /* Not before: a run that dies here tells those that were not told. */
    for (uint32_t i = 1; i <= SERVICE_OPEN_MAX; i++)
        service->kept->opens[i].changed = 0;
    return lost;
}
