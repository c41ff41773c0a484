// SPDX-License-Identifier: MIT
/* steps - from one state of a mount to the next: see table.h. Host tests compile this file as it is. */
#include "lib/base/string.h"
#include "services/vfs/table.h"

static void settle(struct vfs_entry *entry, enum vfs_state state, mnos_status_t status,
                   const char *reason)
{
    entry->status = (uint32_t)status;
    string_copy(entry->reason, reason, sizeof entry->reason);
    entry->state = state;
}

bool vfs_is_on_its_way(const struct vfs_entry *entry)
{
    return entry->state == VFS_PROBING || entry->state == VFS_STARTING;
}

void vfs_volumes_changed(struct vfs_entry *entry)
{
    if (entry->state == VFS_ABSENT && entry->want != MOUNTS_WANT_NOTHING && !entry->unmounted)
        entry->state = VFS_PROBING; /* since as long as before: nobody waits once more */
}

bool vfs_peer_started(struct vfs_entry *entry)
{
    if (entry->state != VFS_FAILED || entry->status != MNOS_ERR_STOPPED)
        return false;
    entry->state = VFS_STARTING;
    return true;
}

/* Each returns whether there may be a further step at once. */
static bool probe(const struct vfs_world *world, struct vfs_entry *entry)
{
    uint64_t now = world->now_ns(world->context), waited;
    struct vfs_volume volume = {0};
    bool settled = false;
    mnos_status_t status;

    if (entry->want == MOUNTS_WANT_NOTHING) {
        settle(entry, VFS_STARTING, MNOS_OK, "");
        return true;
    }
    if (entry->since_ns == 0)
        entry->since_ns = now;
    waited = now - entry->since_ns;
    status = world->find(world->context, entry, &volume, &settled);
    if (status == MNOS_OK) {
        memcpy(entry->volume, volume.id, sizeof entry->volume);
        string_copy(entry->type, volume.type, sizeof entry->type);
        string_copy(entry->service, volume.service, sizeof entry->service);
        settle(entry, VFS_STARTING, MNOS_OK, "");
        return true;
    }
    if (status == MNOS_ERR_FORMAT)
        settle(entry, VFS_ABSENT, status, "no service that is free mounts what the volume holds");
    else if (status != MNOS_ERR_NOT_FOUND)
        settle(entry, VFS_ABSENT, status, "the service of volumes does not answer");
    else if ((settled && waited >= VFS_PROBE_NS) || waited >= VFS_PROBE_MAX_NS)
        settle(entry, VFS_ABSENT, status, "no disk has such a volume");
    return false;
}

/* What a file system says of itself becomes the entry's state. */
static bool take(struct vfs_entry *entry, mnos_status_t status, const struct mount_status *said)
{
    uint32_t before = entry->state;

    if (status == VFS_LATER)
        return false;
    if (status == MNOS_ERR_STOPPED) {
        settle(entry, VFS_FAILED, status, "the service of the file system is stopped");
        return false;
    }
    if (status != MNOS_OK) {
        settle(entry, VFS_FAILED, status, "the service of the file system refuses");
        return false;
    }
    switch (said->state) {
    case MOUNT_STATE_MOUNTED:
        string_copy(entry->type, said->type, sizeof entry->type);
        settle(entry, VFS_MOUNTED, MNOS_OK, said->reason);
        break;
    case MOUNT_STATE_FAILED:
        settle(entry, VFS_FAILED, (mnos_status_t)said->status, said->reason);
        break;
    case MOUNT_STATE_NONE:
        if (before == VFS_STOPPING)
            settle(entry, VFS_ABSENT, MNOS_ERR_STATE, "it was unmounted");
        else if (before == VFS_MOUNTED)
            entry->state = VFS_STARTING; /* a run that knows nothing of it */
        break;
    default: break; /* an event will say more */
    }
    return entry->state != before && entry->state == VFS_STARTING;
}

static bool step(const struct vfs_world *world, struct vfs_entry *entry)
{
    struct mount_status said = {0};

    switch (entry->state) {
    case VFS_PROBING: return probe(world, entry);
    case VFS_STARTING: return take(entry, world->begin(world->context, entry, &said), &said);
    case VFS_MOUNTED: return take(entry, world->look(world->context, entry, &said), &said);
    case VFS_STOPPING:
        if (entry->want == MOUNTS_WANT_NOTHING)
            settle(entry, VFS_MOUNTED, MNOS_OK, "");
        else
            return take(entry, world->end(world->context, entry, &said), &said);
        break;
    default: break;
    }
    return false;
}

void vfs_go_on(const struct vfs_world *world, struct vfs_entry *entry)
{
    /* Ends: PROBING leads to STARTING, MOUNTED to STARTING, and STARTING to none of both at once. */
    for (unsigned i = 0; i < 3 && step(world, entry); i++)
        ;
}

void vfs_answered(const struct vfs_world *world, struct vfs_entry *entry, mnos_status_t status,
                  const struct mount_status *said)
{
    if (take(entry, status, said))
        vfs_go_on(world, entry);
}
