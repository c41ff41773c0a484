// SPDX-License-Identifier: MIT
/*
 * volume - mounting and unmounting, what the core asks of the disk, and what goes on between requests: see
 * service.h.
 *
 *   NONE --mount--> MOUNTING --> MOUNTED --unmount--> WRITING --> UNMOUNTING --> NONE
 *                       `------> FAILED --mount--> MOUNTING           `--> FAILED
 *
 *   another run --mount again--> RETURNING --> MOUNTED
 *                                    `------> FAILED
 */
#include "lib/base/string.h"
#include "lib/server/state.h"
#include "services/fs/ext4/service.h"

/* ---- Operations and waiting ---- */

struct ext4_op *service_begin(struct ext4_service *service)
{
    if (service->pending)
        ext4_drop(&service->op); /* of something that could be left for later */
    service->pending = false;
    service->op = (struct ext4_op){0};
    ext4_begin(&service->op, service->fs);
    return &service->op;
}

mnos_status_t service_end(struct ext4_service *service, mnos_status_t status)
{
    uint32_t slot;

    status = ext4_end(&service->op, status);
    if (status != MNOS_ERR_AGAIN)
        return status;
    slot = service->op.waits_for;
    if (slot == EXT4_WAIT_ANY) {
        /* All slots are pinned or on their way: what this one has is needed by others. */
        ext4_drop(&service->op);
        return service_wait(service, PARK_ANYTHING);
    }
    service->pending = true;
    if (slot != EXT4_WAIT_COMMIT)
        return service_wait(service, (uint64_t)slot + 1);
    ext4_want_commit(service->fs);
    service->work_due = true;
    return service_wait(service, service_key(KEY_COMMIT, 0));
}

mnos_status_t service_wait(struct ext4_service *service, uint64_t key)
{
    service->files->system.waits_for = key;
    return SERVER_PARKED;
}

static void wake_background(struct background *own, uint64_t key)
{
    if (own->waits && (own->waits_for == key || own->waits_for == PARK_ANYTHING))
        own->waits = false;
}

void service_wake(struct ext4_service *service, uint64_t key)
{
    park_wake(service->files->loop.park, key);
    wake_background(&service->release, key);
    wake_background(&service->reopening, key);
}

static void forget_kept(struct ext4_service *service, uint32_t entry)
{
    if (service->has_parked_op[entry])
        ext4_drop(&service->parked_ops[entry]);
    service->has_parked_op[entry] = false;
}

/* A request waits: what its operation has pinned stays pinned until it has run again. */
static void request_waits(void *context, uint32_t entry)
{
    struct ext4_service *service = context;

    forget_kept(service, entry);
    if (!service->pending)
        return;
    service->parked_ops[entry] = service->op;
    service->has_parked_op[entry] = true;
    service->pending = false;
}

static void request_ended(void *context, uint32_t entry)
{
    forget_kept(context, entry);
}

void service_changed(struct ext4_service *service)
{
    if (service->commit_ns == 0)
        service->commit_ns = service->tick_ns + SERVICE_COMMIT_NS;
}

mnos_status_t service_writable(const struct ext4_service *service)
{
    if (!ext4_is_read_only(service->fs))
        return MNOS_OK;
    return service->kept->asked_read_only || service->kept->mounted_read_only ? MNOS_ERR_DENIED
                                                                              : MNOS_ERR_DEVICE;
}

/* ---- What the disk answers ---- */

static void pages_done(struct ext4_service *service, const struct queue_request *request,
                       mnos_status_t status)
{
    uint32_t count = request->bytes == 0 ? 1 : request->bytes / CACHE_PAGE_BYTES;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = request->number + i;
        struct open_inode *open = open_find(service, cache_page(&service->cache, number)->inode);

        if (request->op == QUEUE_WRITE && status != MNOS_OK) {
            service->data_failed = service->kept->write_failed = true;
            if (open != NULL)
                open->failures++;
        }
        if (request->op == QUEUE_READ ? cache_part_read(&service->cache, number, status)
                                      : cache_part_written(&service->cache, number, status))
            service_wake(service, service_key(KEY_PAGE, number));
    }
    if (request->op == QUEUE_WRITE)
        service_wake(service, service_key(KEY_WRITTEN, 0));
}

void ext4_service_done(struct ext4_service *service, uint64_t tag, mnos_status_t status)
{
    struct queue_request request = queue_untag(tag);
    bool page_is_read = request.owner == QUEUE_PAGES && request.op == QUEUE_READ;

    /* Bytes of a file that have come are nothing to the core, unless they make room for what it waits to have written. */
    if (!page_is_read || !disk_queue_has_room(&service->queue))
        service->answered = service->work_due = true;
    disk_queue_done(&service->queue);
    switch (request.owner) {
    case QUEUE_SLOT:
        ext4_done(service->fs, request.number, status);
        service_wake(service, (uint64_t)request.number + 1);
        break;
    case QUEUE_CORE_FLUSH:
        ext4_flushed(service->fs, status);
        service_wake(service, service_key(KEY_FLUSHED, 0));
        break;
    case QUEUE_FLUSHES:
        service->flush_done++;
        if (status != MNOS_OK)
            sync_flush_failed(service);
        service_wake(service, service_key(KEY_FLUSHED, 0));
        break;
    default: pages_done(service, &request, status); break;
    }
}

/* ---- The whole ---- */

/* The core has a part of the pages, as its operations need many at once. */
static uint32_t slots_for(uint32_t data_pages)
{
    uint32_t slots = (data_pages / 3 + EXT4_CHUNK_SLOTS - 1) / EXT4_CHUNK_SLOTS * EXT4_CHUNK_SLOTS;

    if (slots < EXT4_SLOTS_MIN)
        slots = EXT4_SLOTS_MIN;
    return slots > SERVICE_SLOTS_MAX ? SERVICE_SLOTS_MAX : slots;
}

static size_t aligned(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

size_t ext4_service_state_bytes(uint32_t pages_max)
{
    return aligned(sizeof(struct service_kept)) + aligned(ext4_core_bytes(SERVICE_SLOTS_MAX)) +
           aligned(cache_table_bytes(pages_max));
}

uint8_t *volume_tables(const struct ext4_service *service)
{
    return (uint8_t *)service->kept + aligned(sizeof(struct service_kept)) +
           aligned(ext4_core_bytes(SERVICE_SLOTS_MAX));
}

struct ext4_memory volume_core_memory(const struct ext4_service *service)
{
    return (struct ext4_memory){.log = service->memory.log,
                                .core =
                                    (uint8_t *)service->kept + aligned(sizeof(struct service_kept)),
                                .data = service->memory.data,
                                .slots = service->slots,
                                .slots_max = SERVICE_SLOTS_MAX};
}

void ext4_service_init(struct ext4_service *service, struct file_server *files,
                       const struct ext4_service_memory *memory, const struct queue_port *port)
{
    struct park *park = files->loop.park;

    service->files = files;
    service->memory = *memory;
    service->kept = memory->state;
    service->slots = slots_for(memory->data_pages);
    disk_queue_init(&service->queue, port, service->waiting,
                    sizeof service->waiting / sizeof service->waiting[0]);
    park->waits = request_waits;
    park->ended = request_ended;
    park->context = service;
    open_init(service);
    known_begin(service);
}

static void set_state(struct ext4_service *service, enum service_state state, mnos_status_t failure)
{
    service->state = state;
    file_server_is_ready(service->files, state == SERVICE_MOUNTED);
    STATE_SET(service->kept->state, (uint32_t)state);
    service->failure = failure;
    if (service->state_changed != NULL)
        service->state_changed(service);
    state_step();
}

/* `stays`: what a run finds that this one leaves before it is mounted. */
static void begin_mounting(struct ext4_service *service, const struct ext4_options *options,
                           enum service_state state, enum service_state stays)
{
    struct service_kept *kept = service->kept;
    struct ext4_memory memory;
    struct ext4_port port = volume_port(service);

    service->slots = slots_for(service->memory.data_pages);
    memory = volume_core_memory(service);
    kept->state = stays;
    kept->leaving_count = 0;
    kept->cut.inode = 0;
    kept->hole.inode = 0;
    kept->write_failed = 0;
    kept->slots = service->slots;
    kept->pages_max = service->memory.pages_max;
    kept->disk_bytes = options->disk_bytes;
    kept->asked_read_only = options->read_only;
    memset(volume_tables(service), 0, cache_table_bytes(kept->pages_max));
    service->held_count = 0;
    known_begin(service);
    service->cache = (struct cache){0};
    service->fs = ext4_init(&memory, &port, options);
    service->work_due = true;
    set_state(service, state, MNOS_OK);
}

void ext4_service_mount(struct ext4_service *service, uint32_t sector_bytes, uint64_t disk_bytes,
                        bool read_only)
{
    struct ext4_options options = {
        .sector_bytes = sector_bytes, .disk_bytes = disk_bytes, .read_only = read_only};

    /* Who finds it unfinished begins anew. */
    begin_mounting(service, &options, SERVICE_MOUNTING, SERVICE_NONE);
}

bool ext4_service_mount_again(struct ext4_service *service, uint32_t sector_bytes,
                              uint64_t disk_bytes)
{
    struct ext4_options options = {.sector_bytes = sector_bytes,
                                   .disk_bytes = disk_bytes,
                                   .read_only = service->kept->asked_read_only};

    if (!reopen_can(service, disk_bytes))
        return false;
    reopen_hold_all(service);
    begin_mounting(service, &options, SERVICE_RETURNING, SERVICE_RETURNING);
    return true;
}

static void is_mounted(struct ext4_service *service)
{
    service->block_bytes = ext4_block_bytes(service->fs);
    service->blocks_per_page = CACHE_PAGE_BYTES / service->block_bytes;
    service->kept->mounted_read_only = ext4_is_read_only(service->fs);
    cache_init(&service->cache, volume_tables(service),
               service->memory.data + (size_t)service->slots * CACHE_PAGE_BYTES,
               service->memory.pages_max - service->slots);
    views_init(service);
    service->cache.page_count = service->memory.data_pages - service->slots;
    service->cache.waited_for = service->committed = ext4_transaction(service->fs) - 1;
    memset(service->ages, 0, sizeof service->ages);
    service->commit_ns = 0;
    service->data_failed = false;
    if (service->state == SERVICE_RETURNING)
        service->reopen_at = 1;
    else
        set_state(service, SERVICE_MOUNTED, MNOS_OK);
}

/* Who waited for the volume to be mounted again goes on, or is told why it is not. */
static void has_returned(struct ext4_service *service)
{
    if (service->state == SERVICE_RETURNING) {
        service->sessions_lost = reopen_end(service);
        set_state(service, SERVICE_MOUNTED, MNOS_OK);
    }
    service_wake(service, service_key(KEY_RETURNED, 0));
}

void ext4_service_unmount(struct ext4_service *service)
{
    set_state(service, SERVICE_WRITING, MNOS_OK);
    park_wake_all(service->files->loop.park); /* they are not served any more */
}

/* Everything that is under way ends, and all pages are written. */
static bool all_written(struct ext4_service *service)
{
    if (service->files->loop.park->count != 0 || service->kept->leaving_count != 0)
        return false;
    if (service->cache.reading_count != 0)
        return false;
    if (!cache_is_pending(&service->cache, 0, service->cache.serial))
        return true;
    writeback_begin(service, 0, service->cache.serial);
    return false;
}

static void step_of_mount(struct ext4_service *service)
{
    bool unmounting = service->state == SERVICE_UNMOUNTING;
    bool returning = service->state == SERVICE_RETURNING;
    mnos_status_t status;

    if (!service->work_due)
        return;
    service->work_due = false;
    status = unmounting ? ext4_unmount(service->fs) : ext4_mount(service->fs);
    if (status == MNOS_ERR_AGAIN)
        return;
    if (status != MNOS_OK)
        set_state(service, SERVICE_FAILED, status);
    else if (!unmounting)
        is_mounted(service);
    else
        set_state(service, SERVICE_NONE, MNOS_OK);
    if (returning && status != MNOS_OK)
        has_returned(service);
}

/* Of pages that are new the core gets a share as well, by chunks. */
static void add_slots(struct ext4_service *service, uint32_t first, uint32_t end)
{
    uint32_t page = (first + EXT4_CHUNK_SLOTS - 1) / EXT4_CHUNK_SLOTS * EXT4_CHUNK_SLOTS;

    if (page + EXT4_CHUNK_SLOTS > end || !ext4_add_slots(service->fs, page))
        return;
    if (!cache_lend(&service->cache, page - service->slots + 1, EXT4_CHUNK_SLOTS))
        __builtin_trap(); /* nobody can have used them */
    state_step();
}

/* More pages, as long as there are any to have. */
static void grow(struct ext4_service *service)
{
    uint32_t before = service->memory.data_pages;

    if (!service->cache.pressed)
        return;
    service->cache.pressed = false;
    if (service->grow == NULL || before == service->memory.pages_max)
        return;
    service->memory.data_pages = service->grow(service);
    if (service->memory.data_pages == before)
        return;
    cache_grow(&service->cache, service->memory.data_pages - service->slots);
    add_slots(service, before, service->memory.data_pages);
}

void ext4_service_round(struct ext4_service *service)
{
    if (ext4_service_is_at_rest(service)) { /* as behind most requests */
        state_step();
        return;
    }
    if (service->state == SERVICE_MOUNTING || service->state == SERVICE_UNMOUNTING ||
        (service->state == SERVICE_RETURNING && service->reopen_at == 0))
        step_of_mount(service);
    if (service->state == SERVICE_RETURNING && service->reopen_at != 0 && reopen_look(service))
        has_returned(service);
    if (service->state == SERVICE_MOUNTED || service->state == SERVICE_WRITING) {
        open_release(service);
        writeback_round(service);
        sync_round(service);
        cache_forget_failed(&service->cache);
        grow(service);
    }
    if (service->state == SERVICE_WRITING && all_written(service)) {
        service->work_due = true;
        set_state(service, SERVICE_UNMOUNTING, MNOS_OK);
        step_of_mount(service);
    }
    state_step(); /* what went on by itself has ended its operations, and so it is with the log */
    disk_queue_push(&service->queue);
}
