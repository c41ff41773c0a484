// SPDX-License-Identifier: MIT
/*
 * world - what the steps of a mount do (see table.h): questions to the askers, of which the answers come later, and news.
 */
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/time.h"
#include "services/vfs/server.h"
#include "services/vfs/volumes.h"

static unsigned number_of(const struct vfs *vfs, const struct vfs_entry *entry)
{
    return (unsigned)(entry - vfs->table->entries);
}

/* ---- The steps ---- */

static uint64_t now_ns(void *)
{
    return kinfo_time_ns();
}

static mnos_status_t find(void *context, const struct vfs_entry *entry, struct vfs_volume *volume,
                          bool *settled)
{
    return volumes_find(context, entry, volume, settled);
}

/* When the asker is at another question the step is taken again after its answer. */
static mnos_status_t ask(struct vfs *vfs, const struct vfs_entry *entry,
                         enum asker_question question)
{
    unsigned number = number_of(vfs, entry);
    mnos_status_t status = asker_ask(&vfs->askers[number], question, entry, 0);

    vfs->again[number] |= status == MNOS_ERR_AGAIN;
    return status == MNOS_OK || status == MNOS_ERR_AGAIN ? VFS_LATER : status;
}

static mnos_status_t begin(void *context, const struct vfs_entry *entry, struct mount_status *)
{
    return ask(context, entry, ASK_BEGIN);
}

static mnos_status_t look(void *context, const struct vfs_entry *entry, struct mount_status *)
{
    return ask(context, entry, ASK_LOOK);
}

static mnos_status_t end(void *context, const struct vfs_entry *entry, struct mount_status *)
{
    return ask(context, entry, ASK_END);
}

void world_init(struct vfs *vfs)
{
    vfs->world = (struct vfs_world){
        .context = vfs, .now_ns = now_ns, .find = find, .begin = begin, .look = look, .end = end};
    for (unsigned i = 0; i < VFS_MOUNTS_MAX; i++) {
        vfs->askers[i].vfs = vfs;
        vfs->askers[i].number = i;
    }
}

/* ---- News ---- */

static void take_answer(struct vfs *vfs, struct vfs_entry *entry, const struct asker_answer *answer)
{
    unsigned number = number_of(vfs, entry);
    bool again = vfs->again[number];

    vfs->again[number] = false;
    if (answer->question == ASK_EXPORT)
        requests_exported(vfs, entry, answer);
    if (answer->question == ASK_BEGIN)
        vfs->asked[number] =
            answer->status == MNOS_OK && answer->said.state == MOUNT_STATE_MOUNTING;
    /* What was asked for in another state is not an answer to this one's question. */
    if (answer->question != ASK_EXPORT && answer->state == entry->state)
        vfs_answered(&vfs->world, entry, answer->status, &answer->said);
    if (again && entry->at[0] != 0)
        vfs_go_on(&vfs->world, entry);
}

void world_told(struct vfs *vfs, uint64_t events)
{
    struct asker_answer answer;

    if (events & MANAGER_EVENT_PEER_RESTARTED)
        vfs->volumes_stopped = false;
    for (unsigned i = 0; i < VFS_MOUNTS_MAX; i++) {
        struct vfs_entry *entry = &vfs->table->entries[i];

        if ((events & VFS_EVENT_ANSWERED) != 0 && asker_take(&vfs->askers[i], &answer))
            take_answer(vfs, entry, &answer);
        if (entry->at[0] == 0)
            continue;
        if (events & VFS_EVENT_VOLUMES)
            vfs_volumes_changed(entry);
        if (events & MANAGER_EVENT_PEER_RESTARTED)
            (void)vfs_peer_started(entry);
        if (events & (1ull << i | MANAGER_EVENT_PEER_RESTARTED))
            vfs_go_on(&vfs->world, entry);
    }
}

/* The run of a file system that would have told is no more; its next run is asked. */
void world_gone(struct vfs *vfs, mnos_badge_t badge)
{
    for (unsigned i = 0; i < VFS_MOUNTS_MAX; i++) {
        struct vfs_entry *entry = &vfs->table->entries[i];

        if (!asker_is_deaf(&vfs->askers[i], badge))
            continue;
        vfs->asked[i] = false;
        if (entry->at[0] != 0)
            vfs_go_on(&vfs->world, entry);
    }
    if (vfs->volumes_listen != 0 && ipc_client_is_gone(vfs->endpoint, badge, vfs->volumes_listen))
        vfs->volumes_listen = 0;
}

void world_go_on(struct vfs *vfs)
{
    for (unsigned i = 0; i < VFS_MOUNTS_MAX; i++) {
        struct vfs_entry *entry = &vfs->table->entries[i];

        /* What was asked to mount tells by an event, and what is asked now by its answer. */
        if (entry->at[0] != 0 && vfs_is_on_its_way(entry) &&
            !(entry->state == VFS_STARTING && (vfs->asked[i] || !asker_is_idle(&vfs->askers[i]))))
            vfs_go_on(&vfs->world, entry);
    }
    volumes_listen(vfs);
}
