// SPDX-License-Identifier: MIT
/* disk - see disk.h. */
#include "services/volumes/disk.h"

#include "lib/base/string.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"

#define EVENT_DONE (1ull << 0) /* of the ring */
#define EVENT_WORK (1ull << 1) /* there is something to do for the thread */
#define BADGE 0x10000ull
#define STACK_PAGES 4u
#define PRIORITY 30u

/* ---- What is found ---- */

static mnos_status_t read_bytes(void *context, uint64_t sector, uint32_t bytes)
{
    struct disk *disk = context;

    return block_do(&disk->client, BLOCK_READ, sector, 0, bytes);
}

/* FNV-1a of the names of driver and disk: what tells it from others that have no signature. */
static uint64_t seed_of(const struct disk *disk)
{
    uint64_t hash = 0xCBF29CE484222325ull;

    for (const char *p = disk->service; *p != 0; p++)
        hash = (hash ^ (uint8_t)*p) * 0x100000001B3ull;
    for (const char *p = disk->client.info.name; *p != 0; p++)
        hash = (hash ^ (uint8_t)*p) * 0x100000001B3ull;
    return hash;
}

static void set_state(struct disk *disk, enum disk_state state)
{
    bool changed;

    mutex_lock(&disk->lock);
    changed = disk->state != state;
    disk->state = state;
    if (state == DISK_ABSENT)
        disk->count = 0;
    mutex_unlock(&disk->lock);
    if (changed)
        (void)!sys_ipc_notify(disk->notify, disk->changed);
}

static void publish(struct disk *disk)
{
    const struct scan *scan = &disk->scan;

    mutex_lock(&disk->lock);
    for (uint32_t i = 0; i < scan->count; i++) {
        struct volume_entry *volume = &disk->volumes[i];

        *volume = scan->volumes[i];
        volume->disk_number = disk->number;
        string_copy(volume->disk, disk->service, sizeof volume->disk);
        string_copy(volume->disk_name, disk->client.info.name, sizeof volume->disk_name);
    }
    disk->count = scan->count;
    mutex_unlock(&disk->lock);
    set_state(disk, DISK_READY);
}

static mnos_status_t read_disk(struct disk *disk)
{
    struct scan *scan = &disk->scan;
    mnos_status_t status;

    set_state(disk, DISK_READING);
    scan->sector_bytes = disk->client.info.sector_bytes;
    scan->sectors = disk->client.info.sectors;
    scan->disk_flags = disk->client.info.flags & BLOCK_READ_ONLY ? VOLUME_READ_ONLY : 0;
    status = scan_disk(scan, seed_of(disk));
    if (status != MNOS_OK)
        return status;
    if (scan->complaint != NULL)
        log_line("%s: %s", disk->service, scan->complaint);
    publish(disk);
    return MNOS_OK;
}

/* The driver's disk is the one that was read. */
static bool is_same(const struct block_info *a, const struct block_info *b)
{
    return a->sectors == b->sectors && a->sector_bytes == b->sector_bytes && a->flags == b->flags &&
           memcmp(a->name, b->name, sizeof a->name) == 0;
}

/* A driver that is there already has kept its clients' rings; one that was started anew gets this one. */
static mnos_status_t look(struct disk *disk)
{
    struct block_info info;
    mnos_status_t status = block_info(disk->session, &info);

    if (status != MNOS_OK)
        return status;
    if (disk->open && disk->state == DISK_READY && is_same(&info, &disk->client.info)) {
        block_restarted(&disk->client);
        return disk->client.failure;
    }
    status = block_open(&disk->client, &disk->setup);
    disk->open = status == MNOS_OK;
    return status == MNOS_OK ? read_disk(disk) : status;
}

/* ---- Sessions ---- */

/* Of services that have lost their volume. What fails is tried again when the driver was started; until then such a
 * service gets no other volume of this disk. */
static void close_sessions(struct disk *disk)
{
    mnos_status_t status = MNOS_OK;
    uint64_t service;

    while (status == MNOS_OK && (service = assignment_closing(disk->assignments, disk->number))) {
        status = block_close_tagged(disk->session, service);
        if (status == MNOS_OK)
            assignment_closed(disk->assignments, disk->number, service);
    }
}

static void answer(struct disk *disk, const struct disk_waiter *waiter)
{
    struct block_restrict part = {.first = waiter->first,
                                  .sectors = waiter->sectors,
                                  .rights = waiter->rights,
                                  .tag = waiter->service};
    struct message message = {.reply_id = waiter->reply_id};
    mnos_status_t status = MNOS_ERR_LOST;
    mnos_cap_t session;

    close_sessions(disk);
    if (!assignment_is_closing(disk->assignments, disk->number, waiter->service))
        status = block_restrict(disk->session, &part, &session);

    if (status != MNOS_OK) {
        ipc_reply_status(waiter->reply_id, status);
        return;
    }
    message_put(&message, MNOS_OK, NULL, 0);
    message_add_cap(&message, session, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);
    status = ipc_reply(&message);
    if (status != MNOS_OK)
        ipc_reply_status(waiter->reply_id, status); /* it takes none, and is told */
    (void)!sys_cap_delete(session);                 /* the session is now the client's alone */
}

static bool take_waiter(struct disk *disk, struct disk_waiter *waiter)
{
    bool found = false;

    mutex_lock(&disk->lock);
    for (unsigned i = 0; i < DISK_WAITERS_MAX && !found; i++) {
        found = disk->waiters[i].reply_id != 0;
        if (found) {
            *waiter = disk->waiters[i];
            disk->waiters[i].reply_id = 0;
        }
    }
    mutex_unlock(&disk->lock);
    return found;
}

/* ---- The thread ---- */

static bool take_look(struct disk *disk)
{
    bool wanted;

    mutex_lock(&disk->lock);
    wanted = disk->look;
    disk->look = false;
    mutex_unlock(&disk->lock);
    return wanted;
}

static void run(void *argument)
{
    struct disk *disk = argument;

    for (;;) {
        struct disk_waiter waiter;
        struct message message = {0};
        mnos_status_t status = MNOS_OK;

        if (take_look(disk)) {
            status = look(disk);
            if (status != MNOS_OK) {
                if (status != MNOS_ERR_STOPPED)
                    log_at(MNOS_LOG_ERROR, "%s: cannot be read (status %u)", disk->service, status);
                set_state(disk, DISK_ABSENT);
            }
            continue;
        }
        if (take_waiter(disk, &waiter)) {
            answer(disk, &waiter);
            continue;
        }
        if (disk->open)
            close_sessions(disk);
        /* An event that came meanwhile is still there. */
        if (ipc_receive(disk->endpoint, &message, MNOS_DEADLINE_NEVER) != MNOS_OK)
            return;
    }
}

mnos_status_t disk_start(struct disk *disk, const struct disk_memory *memory)
{
    mnos_status_t status =
        sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, &disk->endpoint);

    if (status != MNOS_OK)
        return status;
    disk->scan = (struct scan){.read = read_bytes, .context = disk, .buffer = memory->data_address};
    disk->setup = (struct block_setup){
        .service = disk->session,
        .ring_memory = memory->ring,
        .ring = memory->ring_address,
        .data = memory->data,
        .data_pages = DISK_DATA_PAGES,
        .endpoint = disk->endpoint,
        .events = EVENT_DONE,
        .badge = BADGE,
    };
    disk->look = true;
    return thread_create(&disk->thread, disk->service, run, disk, STACK_PAGES, PRIORITY,
                         MNOS_AFFINITY_ANY);
}

void disk_look(struct disk *disk)
{
    mutex_lock(&disk->lock);
    disk->look = true;
    mutex_unlock(&disk->lock);
    (void)!sys_ipc_notify(disk->endpoint, EVENT_WORK);
}

void disk_close(struct disk *disk)
{
    (void)!sys_ipc_notify(disk->endpoint, EVENT_WORK);
}

mnos_status_t disk_ask(struct disk *disk, const struct disk_waiter *waiter)
{
    mnos_status_t status = MNOS_ERR_AGAIN;

    mutex_lock(&disk->lock);
    for (unsigned i = 0; i < DISK_WAITERS_MAX; i++) {
        if (disk->waiters[i].reply_id != 0)
            continue;
        disk->waiters[i] = *waiter;
        status = MNOS_OK;
        break;
    }
    mutex_unlock(&disk->lock);
    if (status == MNOS_OK)
        (void)!sys_ipc_notify(disk->endpoint, EVENT_WORK);
    return status;
}
