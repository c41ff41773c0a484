// SPDX-License-Identifier: MIT
/*
 * takeover - what a run goes on with behind one that died: see struct fat_kept and docs/fat.md. FatFs and the pages of the
 * volume are not kept: what was not committed when a run dies is lost, in the middle of an operation or not. So who
 * had changed something since is told, and everybody else finds what was open where the last commit left it.
 */
#include "lib/base/string.h"
#include "services/fs/fat/service.h"

void kept_know(struct fat_service *service, const struct fat_node *node)
{
    struct fat_kept_node *kept = &service->kept->nodes[node_number(service, node)];
    const struct fatfs_object *object = &node->object;

    if (kept->known || node->gone || node == node_of(service, FAT_ROOT))
        return;
    kept->directory = node->directory;
    kept->entry = object->entry;
    kept->from = object->first_entry == FATFS_NO_LONG_NAME ? object->entry : object->first_entry;
    kept->generation = node->generation;
    service->kept->next_generation = service->next_generation;
    __atomic_store_n(&kept->known, true, __ATOMIC_RELEASE);
}

void kept_forget(struct fat_service *service, const struct fat_node *node)
{
    __atomic_store_n(&service->kept->nodes[node_number(service, node)].known, false,
                     __ATOMIC_RELEASE);
}

void kept_commit(struct fat_service *service)
{
    for (uint32_t i = FAT_ROOT + 1; i <= NODES_MAX; i++) {
        if (service->nodes[i].used)
            kept_know(service, node_of(service, i));
    }
    memset(service->kept->changed, 0, sizeof service->kept->changed);
    service->request_changed = false; /* what the request that runs changes behind this is new */
}

void kept_ran(void *context, const struct server_request *request)
{
    struct file_server *server = context;
    struct fat_service *service = server->system.fs;

    /* One that is answered while another waits in its middle changes nothing. */
    if (server->loop.busy || !service->kept->in_request)
        return;
    if (service->request_changed && request->session != NULL)
        service->kept->changed[request->session->number] = true;
    if (service->request_renamed)
        service->kept->renamed.is_one = false;
    service->kept->in_request = false;
}

void kept_note_renamed(struct fat_service *service, const struct fatfs_object *place)
{
    struct fat_kept *kept = service->kept;

    kept->renamed.directory_cluster = place->directory->cluster;
    kept->renamed.entry = place->entry;
    service->request_renamed = true;
    __atomic_store_n(&kept->renamed.is_one, true, __ATOMIC_RELEASE);
}

bool kept_was_renamed(const struct fat_service *service, const struct file_place *from,
                      const struct file_place *to)
{
    const struct fat_kept *kept = service->kept;
    const struct fatfs_object *there;

    if (!kept->renamed.is_one || from->inode != 0 || to->inode == 0)
        return false;
    there = &service->nodes[to->inode].object;
    return there->directory != NULL && there->entry == kept->renamed.entry &&
           there->directory->cluster == kept->renamed.directory_cluster;
}

/* ---- The next run ---- */

struct wanted {
    uint32_t entry;
    struct fatfs_object object;
    bool found;
};

/* The first that is listed from its first entry on. */
static bool take(void *context, const char *, const struct fatfs_object *object, uint32_t)
{
    struct wanted *wanted = context;

    wanted->found = object->entry == wanted->entry;
    wanted->object = *object;
    return false;
}

/* The node of a number, whose directory is there. */
static bool restore_one(struct fat_service *service, uint32_t number)
{
    const struct fat_kept_node *kept = &service->kept->nodes[number];
    const struct fat_node *directory = node_of(service, kept->directory);
    struct wanted wanted = {.entry = kept->entry};

    if (!directory->object.is_directory ||
        fatfs_list(&directory->object, kept->from & ~31u, take, &wanted) == FATFS_DEVICE ||
        !wanted.found)
        return false;
    node_restore(service, number, kept->directory, &wanted.object, kept->generation);
    return true;
}

static bool is_there(const struct fat_service *service, uint32_t number)
{
    return number >= FAT_ROOT && number <= NODES_MAX && service->nodes[number].used &&
           !service->nodes[number].gone;
}

/* With the directories above it, from the first that is there downwards. Each of them is one more, or it ends. */
static bool restore(struct fat_service *service, uint32_t number)
{
    static uint32_t way[NODES_MAX];
    uint32_t length = 0;

    while (!is_there(service, number)) {
        if (number <= FAT_ROOT || number > NODES_MAX || length == NODES_MAX ||
            !service->kept->nodes[number].known)
            return false;
        way[length++] = number;
        number = service->kept->nodes[number].directory;
    }
    while (length-- != 0) {
        if (!restore_one(service, way[length]))
            return false;
    }
    return true;
}

static bool goes_on(struct fat_service *service, const struct server_session *session)
{
    struct sessions *sessions = service->files->loop.sessions;
    bool whole = !session->lost && !service->kept->changed[session->number] &&
                 restore(service, session->object);

    for (uint32_t at = session->first_handle; whole && at != 0; at = handle_at(sessions, at)->next)
        whole = restore(service, handle_at(sessions, at)->object);
    return whole;
}

/* Before anything is held: what is open and was not found again is a directory that is gone. */
static void hold(void *context, uint32_t number)
{
    struct fat_service *service = context;

    if (!service->nodes[number].used)
        node_restore_gone(service, number);
    node_hold(service, number);
}

/* Whose session has lost something, and all that is open is held, by its number of the last run. */
static void find(struct fat_service *service, bool all, bool lost[FILE_SERVER_SESSIONS + 1])
{
    struct sessions *sessions = service->files->loop.sessions;

    for (uint32_t i = 1; i <= sessions->session_count; i++) {
        const struct server_session *session = session_at(sessions, i);

        lost[i] = session->badge != 0 && !session->gone && (all || !goes_on(service, session));
    }
    sessions_hold_all(sessions, hold, service);
    node_restored(service);
}

unsigned kept_take_over(struct fat_service *service, bool all)
{
    struct server_loop *loop = &service->files->loop;
    static bool lost[FILE_SERVER_SESSIONS + 1];
    unsigned count = 0;

    find(service, all, lost);
    for (uint32_t i = 1; i <= loop->sessions->session_count; i++) {
        struct server_session *session = session_at(loop->sessions, i);

        if (!lost[i])
            continue;
        count++;
        file_server_lose(service->files, session, all);
    }
    memset(service->kept->changed, 0, sizeof service->kept->changed);
    /* Places of nodes that are not here are of no use to this run. */
    for (uint32_t i = FAT_ROOT + 1; i <= NODES_MAX; i++) {
        if (!service->nodes[i].used || service->nodes[i].gone)
            service->kept->nodes[i].known = false;
    }
    return count;
}
