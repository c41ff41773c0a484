// SPDX-License-Identifier: MIT
/*
 * roots - the exported roots that somebody holds: see server.h. Each is one of the lasting mints that the manifest gives this
 * service, and nobody may have them all. Nothing else is kept of a root.
 *
 * R1  A badge is in the table before it is minted, and as long as somebody may hold it.
 */
#include "services/vfs/server.h"

static uint64_t account_of(mnos_badge_t badge)
{
    return badge & VFS_BADGE_ACCOUNT;
}

mnos_badge_t *roots_take(struct vfs *vfs, mnos_badge_t badge)
{
    mnos_badge_t *free_one = NULL;
    unsigned own = 0;

    for (unsigned i = 0; i < VFS_ROOTS_MAX; i++) {
        mnos_badge_t *at = &vfs->roots->badges[i];

        if (*at == 0)
            free_one = at;
        else
            own += account_of(*at) == account_of(badge);
    }
    if (free_one == NULL || own >= VFS_ROOTS_MAX / VFS_ROOTS_SHARE)
        return NULL;
    __atomic_store_n(free_one, badge, __ATOMIC_RELEASE);
    return free_one;
}

void roots_gone(struct vfs *vfs, mnos_badge_t gone)
{
    for (unsigned i = 0; i < VFS_ROOTS_MAX; i++) {
        mnos_badge_t *at = &vfs->roots->badges[i];

        if (*at != 0 && ipc_client_is_gone(vfs->endpoint, gone, *at))
            *at = 0;
    }
}
