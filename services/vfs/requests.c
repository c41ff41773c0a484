// SPDX-License-Identifier: MIT
/* requests - those of vfs.def: see server.h. */
#include "lib/base/string.h"
#include "lib/mnos/syscall.h"
#include "lib/server/state.h"
#include "services/vfs/server.h"

static mnos_status_t record(const struct message *message, void *to, size_t bytes)
{
    return message_get(message, to, bytes) == bytes && message->length == bytes ? MNOS_OK
                                                                                : MNOS_ERR_SIZE;
}

/* ---- Waiting ---- */

static mnos_status_t park(struct vfs *vfs, const struct message *message, uint64_t inode)
{
    struct vfs_parked *free_one = NULL;
    unsigned own = 0;

    for (unsigned i = 0; i < VFS_PARKED_MAX; i++) {
        struct vfs_parked *at = &vfs->parked[i];

        if (at->reply_id == 0)
            free_one = at;
        else
            own += at->badge == message->badge;
    }
    if (free_one == NULL || own >= VFS_PARKED_MAX / VFS_PARKED_SHARE)
        return MNOS_ERR_AGAIN;
    *free_one = (struct vfs_parked){.reply_id = message->reply_id,
                                    .badge = message->badge,
                                    .inode = inode,
                                    .label = message->label};
    return VFS_ASIDE;
}

void requests_forget(struct vfs *vfs, mnos_badge_t badge)
{
    for (unsigned i = 0; i < VFS_PARKED_MAX; i++) {
        struct vfs_parked *at = &vfs->parked[i];

        if (at->reply_id != 0 && ipc_client_is_gone(vfs->endpoint, badge, at->badge))
            *at = (struct vfs_parked){0};
    }
}

/* ---- Roots ---- */

/* The reply of the request that waits; it does no more. */
static void answer_root(struct vfs_parked *at, mnos_status_t status, mnos_cap_t session)
{
    struct message message = {.reply_id = at->reply_id};

    if (status == MNOS_OK) {
        message_put(&message, MNOS_OK, NULL, 0);
        message_add_cap(&message, session, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);
        /* It may not be deliverable by the client's fault, who is told then, if it still waits. */
        status = ipc_reply(&message);
    }
    if (status != MNOS_OK)
        ipc_reply_status(at->reply_id, status);
    *at = (struct vfs_parked){0};
}

static struct vfs_parked *who_waits(struct vfs *vfs, uint64_t inode)
{
    for (unsigned i = 0; i < VFS_PARKED_MAX; i++)
        if (vfs->parked[i].exporting && vfs->parked[i].inode == inode)
            return &vfs->parked[i];
    return NULL;
}

void requests_exported(struct vfs *vfs, struct vfs_entry *entry, const struct asker_answer *answer)
{
    struct vfs_parked *at = who_waits(vfs, entry->inode);

    if (at != NULL && answer->status == MNOS_ERR_LOST && !at->lost) {
        at->exporting = false;
        at->lost = true;
        vfs_go_on(&vfs->world, entry); /* a new run of the service: does it know the volume? */
    } else if (at != NULL) {
        answer_root(at, answer->status == MNOS_ERR_LOST ? MNOS_ERR_AGAIN : answer->status,
                    answer->session);
    }
    if (answer->session != 0)
        (void)!sys_cap_delete(answer->session); /* the client's is the last with its badge */
}

/* Who waits for the root of an entry that is not on its way. */
static void export_root(struct vfs *vfs, struct vfs_entry *entry, struct vfs_parked *at)
{
    struct asker *asker = &vfs->askers[entry - vfs->table->entries];
    mnos_status_t status = MNOS_OK;

    if (entry->state == VFS_MOUNTED && (at->exporting || !asker_is_idle(asker)))
        return;
    if (entry->state == VFS_MOUNTED)
        status = asker_ask(asker, ASK_EXPORT, entry, at->badge);
    else
        status = entry->state == VFS_STOPPING ? MNOS_ERR_STATE : (mnos_status_t)entry->status;
    if (status != MNOS_OK)
        answer_root(at, status, 0);
    else
        at->exporting = true;
}

static mnos_status_t root(struct vfs *vfs, const struct message *message)
{
    struct vfs_entry *entry;
    struct vfs_point wanted;
    mnos_status_t status = record(message, &wanted, sizeof wanted);

    if (status != MNOS_OK)
        return status;
    entry = vfs_find_inode(vfs->table, wanted.inode);
    if (entry == NULL)
        return MNOS_ERR_NOT_FOUND;
    /* A service that was stopped may have been started since: nobody tells. */
    if (vfs_peer_started(entry))
        vfs_go_on(&vfs->world, entry);
    return park(vfs, message, entry->inode);
}

/* ---- The table ---- */

static mnos_status_t list(struct vfs *vfs, struct message *message)
{
    struct vfs_mount mount = {0};
    struct vfs_index wanted;
    mnos_status_t status = record(message, &wanted, sizeof wanted);

    if (status != MNOS_OK)
        return status;
    for (unsigned i = 0; i < VFS_MOUNTS_MAX; i++) {
        const struct vfs_entry *entry = &vfs->table->entries[i];

        if (entry->at[0] == 0 || wanted.index-- != 0)
            continue;
        mount.inode = entry->inode;
        mount.state = entry->state;
        mount.status = entry->status;
        mount.flags = entry->flags;
        mount.orders = entry->orders;
        memcpy(mount.at, entry->at, sizeof mount.at);
        memcpy(mount.volume, entry->volume, sizeof mount.volume);
        memcpy(mount.service, entry->service, sizeof mount.service);
        memcpy(mount.type, entry->type, sizeof mount.type);
        memcpy(mount.reason, entry->reason, sizeof mount.reason);
        message_put(message, MNOS_OK, &mount, sizeof mount);
        return MNOS_OK;
    }
    return MNOS_ERR_END;
}

static bool may_control(const struct message *message)
{
    return message->badge != 0 && (message->badge & VFS_BADGE_EXPORTED) == 0;
}

static bool is_named(const uint8_t volume[MOUNT_VOLUME_BYTES])
{
    for (unsigned i = 0; i < MOUNT_VOLUME_BYTES; i++) {
        if (volume[i] != 0)
            return true;
    }
    return false;
}

static mnos_status_t mount(struct vfs *vfs, struct message *message)
{
    struct vfs_mount_request wanted;
    struct vfs_entry *entry;
    mnos_status_t status = record(message, &wanted, sizeof wanted);
    enum vfs_order order;
    bool named;

    if (status != MNOS_OK)
        return status;
    if (!may_control(message))
        return MNOS_ERR_DENIED;
    if (!vfs_path_is_good(wanted.at) || (wanted.flags & ~(uint32_t)MOUNT_READ_ONLY) != 0)
        return MNOS_ERR_ARGUMENT;
    named = is_named(wanted.volume);
    entry = vfs_find(vfs->table, wanted.at + 1, strlen(wanted.at + 1));
    order = vfs_order_of(entry, VFS_MOUNT, wanted.orders, message->badge);
    if (order == VFS_ORDER_AGAIN) {
        message_put(message, MNOS_OK, NULL, 0);
        return MNOS_OK;
    }
    if (entry != NULL && entry->state != VFS_ABSENT && entry->state != VFS_FAILED)
        return MNOS_ERR_EXISTS;
    if (order == VFS_ORDER_LATE)
        return MNOS_ERR_STATE;
    if (entry == NULL && !named)
        return MNOS_ERR_NOT_FOUND;
    if (entry == NULL)
        entry = vfs_add(vfs->table, wanted.at);
    if (entry == NULL)
        return MNOS_ERR_QUOTA;
    vfs_follow(entry, VFS_MOUNT, message->badge);
    if (named) {
        entry->want = MOUNTS_WANT_VOLUME;
        memcpy(entry->volume, wanted.volume, sizeof entry->volume);
    }
    entry->flags = wanted.flags;
    entry->unmounted = 0;
    entry->since_ns = 0;
    entry->state = VFS_PROBING;
    state_step();
    vfs_go_on(&vfs->world, entry);
    message_put(message, MNOS_OK, NULL, 0);
    return MNOS_OK;
}

static mnos_status_t umount(struct vfs *vfs, struct message *message)
{
    struct vfs_umount_request wanted;
    struct vfs_entry *entry;
    mnos_status_t status = record(message, &wanted, sizeof wanted);
    enum vfs_order order;

    if (status != MNOS_OK)
        return status;
    if (!may_control(message))
        return MNOS_ERR_DENIED;
    if (!vfs_path_is_good(wanted.at))
        return MNOS_ERR_NOT_FOUND;
    entry = vfs_find(vfs->table, wanted.at + 1, strlen(wanted.at + 1));
    if (entry == NULL)
        return MNOS_ERR_NOT_FOUND;
    order = vfs_order_of(entry, VFS_UMOUNT, wanted.orders, message->badge);
    if (order == VFS_ORDER_LATE || (order == VFS_ORDER_NEW && (entry->want == MOUNTS_WANT_NOTHING ||
                                                               entry->state != VFS_MOUNTED)))
        return MNOS_ERR_STATE;
    status = park(vfs, message, entry->inode);
    if (status != VFS_ASIDE || order == VFS_ORDER_AGAIN)
        return status; /* it is answered as the first was, or is with it */
    vfs_follow(entry, VFS_UMOUNT, message->badge);
    entry->unmounted = 1;
    entry->state = VFS_STOPPING;
    state_step();
    vfs_go_on(&vfs->world, entry);
    return VFS_ASIDE;
}

void requests_go_on(struct vfs *vfs)
{
    for (unsigned i = 0; i < VFS_PARKED_MAX; i++) {
        struct vfs_parked *at = &vfs->parked[i];
        struct vfs_entry *entry = at->reply_id == 0 ? NULL : vfs_find_inode(vfs->table, at->inode);
        uint64_t reply_id = at->reply_id;

        if (reply_id == 0)
            continue;
        if (entry == NULL) {
            ipc_reply_status(reply_id, MNOS_ERR_NOT_FOUND);
        } else if (at->label == VFS_UMOUNT && entry->state != VFS_STOPPING) {
            ipc_reply_status(reply_id, entry->state == VFS_ABSENT ? MNOS_OK
                                       : entry->status != MNOS_OK ? (mnos_status_t)entry->status
                                                                  : MNOS_ERR_STATE);
        } else {
            if (at->label == VFS_ROOT && !vfs_is_on_its_way(entry))
                export_root(vfs, entry, at);
            continue;
        }
        *at = (struct vfs_parked){0};
    }
}

mnos_status_t requests_handle(struct vfs *vfs, struct message *message)
{
    switch (message->label) {
    case VFS_ROOT: return root(vfs, message);
    case VFS_LIST: return list(vfs, message);
    case VFS_MOUNT: return mount(vfs, message);
    case VFS_UMOUNT: return umount(vfs, message);
    default: return MNOS_ERR_LABEL;
    }
}
