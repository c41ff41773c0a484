// SPDX-License-Identifier: MIT
/* asker - see asker.h. */
#include "services/vfs/asker.h"

#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/client/service.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/listener.h"
#include "lib/mnos/syscall.h"
#include "services/vfs/server.h"
#include "services/vfs/volumes.h"

/* A session that a new run does not know begins anew once. */
#define ATTEMPTS 2u
#define EVENT_ASKED (1ull << 0)
#define STACK_PAGES 6u
#define PRIORITY 25u

#define READ_RIGHTS (FILE_LOOKUP | FILE_READ_RIGHT)
#define ALL_RIGHTS (READ_RIGHTS | FILE_WRITE_RIGHT | FILE_CREATE_RIGHT)

/* ---- Requests ---- */

static mnos_badge_t listens(struct asker *asker)
{
    mnos_badge_t badge;

    mutex_lock(&asker->lock);
    badge = asker->listens;
    mutex_unlock(&asker->lock);
    return badge;
}

static void set_listens(struct asker *asker, mnos_badge_t badge)
{
    mutex_lock(&asker->lock);
    asker->listens = badge;
    mutex_unlock(&asker->lock);
}

/* That the badge is gone may be told before this has returned: so it is stored before. */
static mnos_status_t listen(struct asker *asker)
{
    mnos_badge_t badge;
    mnos_status_t status;

    if (listens(asker) != 0)
        return MNOS_OK;
    badge = vfs_new_badge(asker->vfs, 0);
    set_listens(asker, badge);
    status =
        listen_to(asker->service, MOUNT_LISTEN, asker->vfs->endpoint, badge, 1ull << asker->number);
    if (status != MNOS_OK)
        set_listens(asker, 0);
    return status;
}

/* The session of the service that the entry has now. */
static mnos_status_t connect(struct asker *asker, const struct vfs_entry *entry)
{
    mnos_cap_t service = bootstrap_cap(entry->service);
    mnos_status_t status;

    if (service == 0)
        return MNOS_ERR_NOT_FOUND;
    if (asker->open && asker->service == service)
        return MNOS_OK;
    if (asker->open)
        file_session_close(&asker->session);
    asker->service = service;
    asker->root = (struct file){0};
    set_listens(asker, 0);
    status = file_session_open(&asker->session, service, 0);
    asker->open = status == MNOS_OK;
    return status;
}

/* A request of mount.def; its status is the file system's. */
static mnos_status_t request(struct asker *asker, const struct vfs_entry *entry, uint32_t label,
                             const void *record, size_t bytes, struct mount_status *said)
{
    mnos_status_t status = MNOS_ERR_LOST;

    for (unsigned i = 0; i < ATTEMPTS && status == MNOS_ERR_LOST; i++) {
        struct message message = {0};

        status = connect(asker, entry);
        if (status == MNOS_OK)
            status = listen(asker);
        if (status == MNOS_OK) {
            message_put(&message, label, record, bytes);
            status = service_call(asker->service, &message);
        }
        if (status == MNOS_OK && message_get(&message, said, sizeof *said) != sizeof *said)
            status = MNOS_ERR_FORMAT;
        if (status == MNOS_ERR_LOST && asker->open) {
            file_session_close(&asker->session);
            asker->open = false;
            set_listens(asker, 0);
        }
    }
    said->type[sizeof said->type - 1] = 0;
    said->reason[sizeof said->reason - 1] = 0;
    return status;
}

/* ---- Questions ---- */

/* The volume is the service's, and the service runs. */
static mnos_status_t prepare(struct asker *asker, const struct vfs_entry *entry)
{
    mnos_status_t status;

    if (entry->want == MOUNTS_WANT_NOTHING || asker->started)
        return MNOS_OK;
    status = volumes_assign(entry);
    /* One that runs already is what is wanted; one that cannot be started is told by its silence. */
    if (status == MNOS_OK)
        (void)!manager_command(MANAGER_START, entry->service);
    asker->started = status == MNOS_OK;
    return status;
}

static mnos_status_t begin(struct asker *asker, const struct vfs_entry *entry,
                           struct mount_status *said)
{
    struct mount_request wanted = {.flags = entry->flags};
    mnos_status_t status = prepare(asker, entry);

    memcpy(wanted.volume, entry->volume, sizeof wanted.volume);
    if (status == MNOS_OK)
        status = request(asker, entry, MOUNT_MOUNT, &wanted, sizeof wanted, said);
    if (status != MNOS_OK)
        asker->started = false;
    return status;
}

static mnos_status_t end(struct asker *asker, const struct vfs_entry *entry,
                         struct mount_status *said)
{
    mnos_status_t status;

    asker->root.handle = 0; /* it closes what is open in its file system */
    status = request(asker, entry, MOUNT_UNMOUNT, NULL, 0, said);
    if (status == MNOS_OK && said->state == MOUNT_STATE_NONE) {
        volumes_take_back(entry);
        asker->started = false;
    }
    return status;
}

static mnos_status_t export(struct asker *asker, const struct vfs_entry *entry, mnos_badge_t client,
                            mnos_cap_t *session)
{
    bool exported = (client & VFS_BADGE_EXPORTED) != 0;
    uint32_t rights = entry->flags & MOUNT_READ_ONLY ? READ_RIGHTS : ALL_RIGHTS;
    mnos_status_t status = connect(asker, entry);

    if (status == MNOS_OK && (asker->root.handle == 0 || asker->root.run != asker->session.runs))
        status = file_open(&asker->session, NULL, "", FILE_ONLY_DIRECTORY, rights, &asker->root);
    if (status != MNOS_OK) {
        asker->root.handle = 0;
        return status;
    }
    /* The root of all is exported to read at most, and what is mounted gives no more. */
    return file_export_for(&asker->root,
                           exported ? rights & vfs_rights_of(client) : rights | FILE_REVOKE,
                           client & VFS_BADGE_ACCOUNT, session);
}

static void find_answer(struct asker *asker, const struct vfs_entry *entry, mnos_badge_t client,
                        struct asker_answer *answer)
{
    switch (answer->question) {
    case ASK_BEGIN: answer->status = begin(asker, entry, &answer->said); break;
    case ASK_LOOK:
        answer->status = request(asker, entry, MOUNT_STATUS, NULL, 0, &answer->said);
        break;
    case ASK_END: answer->status = end(asker, entry, &answer->said); break;
    case ASK_EXPORT: answer->status = export(asker, entry, client, &answer->session); break;
    }
}

/* ---- The thread ---- */

static void run(void *argument)
{
    struct asker *asker = argument;

    for (;;) {
        struct asker_answer answer;
        struct message message = {0};
        bool asked;

        mutex_lock(&asker->lock);
        asked = asker->state == ASKER_ASKED;
        answer = asker->answer;
        mutex_unlock(&asker->lock);
        if (!asked) { /* an event that came meanwhile is still there */
            if (ipc_receive(asker->endpoint, &message, MNOS_DEADLINE_NEVER) != MNOS_OK)
                return;
            continue;
        }
        find_answer(asker, &asker->entry, asker->client, &answer);
        mutex_lock(&asker->lock);
        asker->answer = answer;
        asker->state = ASKER_ANSWERED;
        mutex_unlock(&asker->lock);
        (void)!sys_ipc_notify(asker->vfs->endpoint, VFS_EVENT_ANSWERED);
    }
}

static mnos_status_t start(struct asker *asker, const char *name)
{
    mnos_status_t status = MNOS_OK;

    if (asker->endpoint == 0)
        status = sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, &asker->endpoint);
    if (status == MNOS_OK && asker->thread.thread == 0)
        status = thread_create(&asker->thread, name, run, asker, STACK_PAGES, PRIORITY,
                               MNOS_AFFINITY_ANY);
    return status;
}

mnos_status_t asker_ask(struct asker *asker, enum asker_question question,
                        const struct vfs_entry *entry, mnos_badge_t client)
{
    mnos_status_t status = start(asker, vfs_name(entry));

    if (status != MNOS_OK)
        return status;
    mutex_lock(&asker->lock);
    if (asker->state == ASKER_IDLE) {
        asker->entry = *entry;
        asker->client = client;
        asker->answer = (struct asker_answer){.question = question, .state = entry->state};
        asker->state = ASKER_ASKED;
    } else {
        status = MNOS_ERR_AGAIN;
    }
    mutex_unlock(&asker->lock);
    if (status == MNOS_OK)
        (void)!sys_ipc_notify(asker->endpoint, EVENT_ASKED);
    return status;
}

bool asker_is_idle(struct asker *asker)
{
    bool idle;

    mutex_lock(&asker->lock);
    idle = asker->state == ASKER_IDLE;
    mutex_unlock(&asker->lock);
    return idle;
}

bool asker_take(struct asker *asker, struct asker_answer *answer)
{
    bool taken;

    mutex_lock(&asker->lock);
    taken = asker->state == ASKER_ANSWERED;
    if (taken) {
        *answer = asker->answer;
        asker->state = ASKER_IDLE;
    }
    mutex_unlock(&asker->lock);
    return taken;
}

bool asker_is_deaf(struct asker *asker, mnos_badge_t gone)
{
    bool deaf;

    mutex_lock(&asker->lock);
    deaf = asker->listens != 0 && ipc_client_is_gone(asker->vfs->endpoint, gone, asker->listens);
    if (deaf)
        asker->listens = 0;
    mutex_unlock(&asker->lock);
    return deaf;
}
