// SPDX-License-Identifier: MIT
/*
 * world - what the steps of a mount do: see table.h. A file system answers each of these requests at once
 * (mount.def), so none waits longer than until a run of the service is there, or init answers for one that is stopped.
 */
#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/client/service.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/listener.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"
#include "services/vfs/server.h"
#include "services/vfs/volumes.h"

/* A session that a new run does not know begins anew once. */
#define ATTEMPTS 2u

#define READ_RIGHTS (FILE_LOOKUP | FILE_READ_RIGHT)
#define ALL_RIGHTS (READ_RIGHTS | FILE_WRITE_RIGHT | FILE_CREATE_RIGHT)

static unsigned number_of(const struct vfs *vfs, const struct vfs_entry *entry)
{
    return (unsigned)(entry - vfs->table->entries);
}

static struct vfs_client *client_of(struct vfs *vfs, const struct vfs_entry *entry)
{
    return &vfs->clients[number_of(vfs, entry)];
}

static mnos_status_t listen(struct vfs *vfs, const struct vfs_entry *entry)
{
    struct vfs_client *client = client_of(vfs, entry);
    unsigned number = number_of(vfs, entry);
    mnos_badge_t badge;
    mnos_status_t status;

    if (client->listens != 0)
        return MNOS_OK;
    badge = vfs_new_badge(vfs, 0);
    status = listen_to(client->service, MOUNT_LISTEN, vfs->endpoint, badge, 1ull << number);
    if (status == MNOS_OK)
        client->listens = badge;
    return status;
}

/* The session of the service that an entry has now. */
static mnos_status_t connect(struct vfs *vfs, const struct vfs_entry *entry)
{
    struct vfs_client *client = client_of(vfs, entry);
    mnos_cap_t service = bootstrap_cap(entry->service);
    mnos_status_t status;

    if (service == 0)
        return MNOS_ERR_NOT_FOUND;
    if (client->open && client->service == service)
        return MNOS_OK;
    if (client->open)
        file_session_close(&client->session);
    *client = (struct vfs_client){.service = service, .started = client->started};
    status = file_session_open(&client->session, service, 0);
    client->open = status == MNOS_OK;
    return status;
}

/* A request of mount.def; its status is the file system's. */
static mnos_status_t ask(struct vfs *vfs, const struct vfs_entry *entry, uint32_t label,
                         const void *record, size_t bytes, struct mount_status *said)
{
    mnos_status_t status = MNOS_ERR_LOST;

    for (unsigned i = 0; i < ATTEMPTS && status == MNOS_ERR_LOST; i++) {
        struct vfs_client *client = client_of(vfs, entry);
        struct message message = {0};

        status = connect(vfs, entry);
        if (status == MNOS_OK)
            status = listen(vfs, entry);
        if (status == MNOS_OK) {
            message_put(&message, label, record, bytes);
            status = service_call(client->service, &message);
        }
        if (status == MNOS_OK && message_get(&message, said, sizeof *said) != sizeof *said)
            status = MNOS_ERR_FORMAT;
        if (status == MNOS_ERR_LOST && client->open) {
            file_session_close(&client->session);
            client->open = false;
            client->listens = 0;
        }
    }
    said->type[sizeof said->type - 1] = 0;
    said->reason[sizeof said->reason - 1] = 0;
    return status;
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

/* The volume is the service's, and the service runs. */
static mnos_status_t prepare(struct vfs *vfs, const struct vfs_entry *entry)
{
    struct vfs_client *client = client_of(vfs, entry);
    mnos_status_t status;

    if (entry->want == MOUNTS_WANT_NOTHING || client->started)
        return MNOS_OK;
    status = volumes_assign(entry);
    /* One that runs already is what is wanted; one that cannot be started is told by its silence. */
    if (status == MNOS_OK)
        (void)!manager_command(MANAGER_START, entry->service);
    client->started = status == MNOS_OK;
    return status;
}

static mnos_status_t begin(void *context, const struct vfs_entry *entry,
                           struct mount_status *status)
{
    struct mount_request request = {.flags = entry->flags};
    struct vfs_client *client = client_of(context, entry);
    mnos_status_t result = prepare(context, entry);

    memcpy(request.volume, entry->volume, sizeof request.volume);
    if (result == MNOS_OK)
        result = ask(context, entry, MOUNT_MOUNT, &request, sizeof request, status);
    client->asked = result == MNOS_OK && status->state == MOUNT_STATE_MOUNTING;
    if (result != MNOS_OK)
        client->started = false;
    return result;
}

static mnos_status_t look(void *context, const struct vfs_entry *entry, struct mount_status *status)
{
    return ask(context, entry, MOUNT_STATUS, NULL, 0, status);
}

static mnos_status_t end(void *context, const struct vfs_entry *entry, struct mount_status *status)
{
    struct vfs *vfs = context;
    mnos_status_t result;

    client_of(vfs, entry)->root.handle = 0; /* it closes what is open in its file system */
    result = ask(vfs, entry, MOUNT_UNMOUNT, NULL, 0, status);
    if (result == MNOS_OK && status->state == MOUNT_STATE_NONE) {
        volumes_take_back(entry);
        client_of(vfs, entry)->started = false;
    }
    return result;
}

void world_init(struct vfs *vfs)
{
    vfs->world = (struct vfs_world){
        .context = vfs, .now_ns = now_ns, .find = find, .begin = begin, .look = look, .end = end};
}

/* ---- Roots ---- */

static mnos_status_t try_export(struct vfs *vfs, const struct vfs_entry *entry, mnos_badge_t asker,
                                mnos_cap_t *session)
{
    struct vfs_client *client = client_of(vfs, entry);
    bool exported = (asker & VFS_BADGE_EXPORTED) != 0;
    uint32_t rights = entry->flags & MOUNT_READ_ONLY ? READ_RIGHTS : ALL_RIGHTS;
    uint32_t account = asker & VFS_BADGE_ACCOUNT;
    mnos_status_t status = MNOS_OK;

    if (client->root.handle == 0 || client->root.run != client->session.runs)
        status = file_open(&client->session, NULL, "", FILE_ONLY_DIRECTORY, rights, &client->root);
    if (status != MNOS_OK) {
        client->root.handle = 0;
        return status;
    }
    /* The root of all is exported to read at most, and what is mounted gives no more. */
    return file_export_for(&client->root,
                           exported ? rights & vfs_rights_of(asker) : rights | FILE_REVOKE, account,
                           session);
}

mnos_status_t world_export(struct vfs *vfs, struct vfs_entry *entry, mnos_badge_t client,
                           mnos_cap_t *session)
{
    mnos_status_t status = connect(vfs, entry);

    if (status == MNOS_OK)
        status = try_export(vfs, entry, client, session);
    if (status != MNOS_ERR_LOST)
        return status;
    /* A new run of the service: does it know the volume? */
    vfs_go_on(&vfs->world, entry);
    return entry->state == VFS_MOUNTED ? try_export(vfs, entry, client, session) : MNOS_ERR_AGAIN;
}

/* ---- News ---- */

void world_told(struct vfs *vfs, uint64_t events)
{
    if (events & MANAGER_EVENT_PEER_RESTARTED)
        vfs->volumes_stopped = false;
    for (unsigned i = 0; i < VFS_MOUNTS_MAX; i++) {
        struct vfs_entry *entry = &vfs->table->entries[i];

        if (entry->at[0] == 0)
            continue;
        if (events & VFS_EVENT_VOLUMES)
            vfs_volumes_changed(entry);
        if (events & (1ull << i | MANAGER_EVENT_PEER_RESTARTED))
            vfs_go_on(&vfs->world, entry);
    }
}

/* The run of a file system that would have told is no more; its next run is asked. */
void world_gone(struct vfs *vfs, mnos_badge_t badge)
{
    for (unsigned i = 0; i < VFS_MOUNTS_MAX; i++) {
        struct vfs_entry *entry = &vfs->table->entries[i];

        if (vfs->clients[i].listens == 0 ||
            !ipc_client_is_gone(vfs->endpoint, badge, vfs->clients[i].listens))
            continue;
        vfs->clients[i].listens = 0;
        vfs->clients[i].asked = false;
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

        /* What was asked to mount tells by an event. */
        if (entry->at[0] != 0 && vfs_is_on_its_way(entry) &&
            !(entry->state == VFS_STARTING && vfs->clients[i].asked))
            vfs_go_on(&vfs->world, entry);
    }
    volumes_listen(vfs);
}
