// SPDX-License-Identifier: MIT
/* asker - see asker.h. */
#include "services/vfs/asker.h"

#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/client/service.h"
#include "lib/mnos/bootstrap.h"
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

/* That the badge is gone may be told before this has returned: so it is stored before. */
static mnos_status_t listen(struct asker *asker)
{
    mnos_badge_t badge;
    mnos_status_t status;

    if (atomic_load(&asker->listens) != 0)
        return MNOS_OK;
    badge = vfs_new_badge(asker->vfs, 0);
    atomic_store(&asker->listens, badge);
    status = service_listen(asker->service, MOUNT_LISTEN, asker->vfs->endpoint, badge,
                            1ull << asker->number);
    if (status != MNOS_OK)
        atomic_store(&asker->listens, 0);
    return status;
}

/* The session of the service that the entry has now. */
static mnos_status_t connect(struct asker *asker, const struct vfs_entry *entry)
{
    mnos_cap_t service = bootstrap_lookup(bootstrap_listed(entry->service));
    mnos_status_t status;

    if (service == 0)
        return MNOS_ERR_NOT_FOUND;
    if (asker->open && asker->service == service)
        return MNOS_OK;
    if (asker->open)
        file_session_close(&asker->session);
    asker->service = service;
    asker->root = (struct file){0};
    atomic_store(&asker->listens, 0);
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
            atomic_store(&asker->listens, 0);
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

    if (entry->want == MOUNTS_WANT_NOTHING ||
        (asker->started_inode == entry->inode && asker->started_orders == entry->orders))
        return MNOS_OK;
    status = volumes_assign(entry);
    /* One that runs already is what is wanted; one that cannot be started is told by its silence. */
    if (status == MNOS_OK)
        (void)!manager_command(MANAGER_START, entry->service);
    asker->started_inode = status == MNOS_OK ? entry->inode : 0;
    asker->started_orders = entry->orders;
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
        asker->started_inode = 0;
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
        asker->started_inode = 0;
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

static bool is_in(struct asker *asker, enum asker_state state)
{
    return atomic_load_explicit(&asker->state, memory_order_acquire) == state;
}

static void go_to(struct asker *asker, enum asker_state state)
{
    atomic_store_explicit(&asker->state, state, memory_order_release);
}

static void run(void *argument)
{
    struct asker *asker = argument;

    for (;;) {
        struct message message = {0};

        if (is_in(asker, ASKER_ASKED)) {
            find_answer(asker, &asker->entry, asker->client, &asker->answer);
            go_to(asker, ASKER_ANSWERED);
            (void)!sys_ipc_notify(asker->vfs->endpoint, VFS_EVENT_ANSWERED);
        }
        /* An event that came meanwhile is still there. */
        if (ipc_receive(asker->endpoint, &message, MNOS_DEADLINE_NEVER) != MNOS_OK)
            return;
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
    if (!asker_is_idle(asker))
        return MNOS_ERR_AGAIN;
    asker->entry = *entry;
    asker->client = client;
    asker->answer = (struct asker_answer){.question = question, .state = entry->state};
    go_to(asker, ASKER_ASKED);
    (void)!sys_ipc_notify(asker->endpoint, EVENT_ASKED);
    return MNOS_OK;
}

bool asker_is_idle(struct asker *asker)
{
    return is_in(asker, ASKER_IDLE);
}

bool asker_take(struct asker *asker, struct asker_answer *answer)
{
    if (!is_in(asker, ASKER_ANSWERED))
        return false;
    *answer = asker->answer;
    go_to(asker, ASKER_IDLE);
    return true;
}

bool asker_is_deaf(struct asker *asker, mnos_badge_t gone)
{
    mnos_badge_t badge = atomic_load(&asker->listens);

    /* What the thread has set meanwhile is another one. */
    return badge != 0 && ipc_client_is_gone(asker->vfs->endpoint, gone, badge) &&
           atomic_compare_exchange_strong(&asker->listens, &badge, 0);
}
