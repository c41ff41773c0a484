// SPDX-License-Identifier: MIT
/*
 * main - the ext4 service in its process: capabilities, memory, the disk and the loop. See README.md.
 */
#include "lib/base/string.h"
#include "lib/client/clock.h"
#include "lib/client/region.h"
#include "lib/client/volume_disk.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/state.h"
#include "lib/server/windows.h"
#include "services/fs/ext4/service.h"

BOOTSTRAP_NEEDS("manager");

enum { EXIT_MEMORY = 1, EXIT_RECEIVE = 2 };

#define EVENT_DISK (1ull << 0)
/* What the driver's capability to this endpoint carries; service numbers and exported sessions are others. */
#define DISK_BADGE (1ull << 62)
/* 32 MiB, for which there are tables; the manifest's share may be less. */
#define PAGES_MAX 8192u
#define PIECES_MAX 17u
#define MAGIC 0x3454584553544154ull
/* What lies in the region has changed when this has. */
#define LAYOUT 8u

static struct region_piece cache_pieces[PIECES_MAX], ring_pieces[1], state_pieces[1];
static struct region cache_region, ring_region, state_region;
static struct state state;
static struct windows windows;
/* The last run has left its operations whole; it was in the middle of a request of class I. */
static bool was_whole, was_running;
static struct file_server server;
static struct park park;
static struct ext4_service service;
static struct volume_disk disk = {
    .data = &cache_region, .ring = &ring_region, .events = EVENT_DISK, .badge = DISK_BADGE};

/* ---- The disk ---- */

static bool submit(void *, const struct queue_request *request)
{
    static const uint8_t ops[] = {
        [QUEUE_READ] = BLOCK_READ, [QUEUE_WRITE] = BLOCK_WRITE, [QUEUE_FLUSH] = BLOCK_FLUSH};
    struct block_submission entry = {.op = ops[request->op],
                                     .flags = request->durable ? BLOCK_FUA : 0,
                                     .offset = (uint16_t)(request->part * 512),
                                     .sector = request->position / disk.client.info.sector_bytes,
                                     .page = request->page,
                                     .bytes = request->bytes,
                                     .user = queue_tag(request)};

    return block_submit(&disk.client, &entry) == MNOS_OK;
}

static void bell(void *)
{
    block_bell(&disk.client);
}

static void take_results(void)
{
    struct block_result result;

    volume_disk_renew(&disk);
    while (volume_disk_take(&disk, &result) == MNOS_OK)
        ext4_service_done(&service, result.user, result.status);
}

/* ---- Mounting ---- */

static mnos_status_t mount(void *context, const uint8_t *, uint32_t flags)
{
    mnos_status_t status;

    /* A volume that failed may still have something on its way into the pages. */
    if (service.queue.outstanding != 0)
        return MNOS_ERR_AGAIN;
    volume_disk_close(&disk);
    status = volume_disk_open(&disk);
    if (status != MNOS_OK)
        return status;
    ext4_service_mount(context, disk.client.info.sector_bytes, volume_disk_bytes(&disk),
                       (flags & MOUNT_READ_ONLY) != 0 ||
                           (disk.client.info.flags & BLOCK_READ_ONLY) != 0);
    return MNOS_OK;
}

static mnos_status_t unmount(void *context)
{
    ext4_service_unmount(context);
    return MNOS_OK;
}

static void state_changed(struct ext4_service *of)
{
    struct mount_status status = server.mount;
    const char *reason = ext4_reason(of->fs);

    if (of->state == SERVICE_MOUNTED) {
        status.state = MOUNT_STATE_MOUNTED;
        status.flags = ext4_is_read_only(of->fs) ? MOUNT_READ_ONLY : 0;
    } else if (of->state == SERVICE_FAILED) {
        status.state = MOUNT_STATE_FAILED;
        status.status = of->failure;
    } else if (of->state == SERVICE_NONE) {
        status = (struct mount_status){.state = MOUNT_STATE_NONE};
        volume_disk_close(&disk);
    } else {
        return;
    }
    string_copy(status.type, "ext4", sizeof status.type);
    string_copy(status.reason, reason, sizeof status.reason);
    STATE_SET(of->kept->mount, status);
    if (of->sessions_lost != 0)
        log_at(MNOS_LOG_WARNING, "%u clients have lost what they had open", of->sessions_lost);
    of->sessions_lost = 0;
    file_server_mounted(&server, &status);
}

static void say(const char *text)
{
    log_line("%s", text);
}

/* ---- The loop ---- */

static uint32_t grow(struct ext4_service *of)
{
    static bool no_more_pages;
    uint32_t before = cache_region.piece_count;

    if (!no_more_pages && of->memory.data_pages < PAGES_MAX &&
        region_grow(&cache_region) == MNOS_OK &&
        block_extend(&disk.client, cache_pieces[before].memory, cache_pieces[before].page_count) ==
            MNOS_OK) {
        state_extend(&state, 1, cache_region.bytes);
        return of->memory.data_pages + cache_pieces[before].page_count;
    }
    no_more_pages = true;
    return of->memory.data_pages;
}

static mnos_cap_t memory_of(const void *address, uint64_t *page, uint64_t *page_count)
{
    return region_memory(&cache_region, address, page, page_count);
}

static void set_clock(void *)
{
    service.tick_ns = kinfo_time_ns();
}

static void events(void *, uint64_t bits)
{
    volume_disk_told(&disk, bits);
    take_results();
}

static void gone(void *, mnos_badge_t badge)
{
    volume_disk_gone(&disk, badge);
}

static void blamed(void *, const struct message *message)
{
    log_at(MNOS_LOG_ERROR,
           "request %u of client 0x%llx is not carried out: the service has died of it twice",
           label_operation(message->label), (unsigned long long)message->badge);
}

static uint64_t deadline_ns(void *)
{
    uint64_t own = ext4_service_deadline_ns(&service);
    uint64_t of_disk = volume_disk_deadline(&disk);

    return own < of_disk ? own : of_disk;
}

static void round_ends(void *)
{
    if (volume_disk_is_at_rest(&disk) && ext4_service_is_at_rest(&service)) {
        state_step(); /* pages that came may have been the last that happened */
        return;
    }
    volume_disk_tick(&disk, service.tick_ns);
    take_results();
    ext4_service_round(&service);
}

/* ---- What outlives the process ---- */

static mnos_status_t open_regions(void)
{
    mnos_status_t status =
        region_open(&cache_region, BOOTSTRAP_REQUIRED("ext4_cache"), cache_pieces, PIECES_MAX);

    if (status == MNOS_OK)
        status = region_open(&ring_region, BOOTSTRAP_REQUIRED("ext4_ring"), ring_pieces, 1);
    if (status == MNOS_OK)
        status = region_open(&state_region, BOOTSTRAP_REQUIRED("ext4_state"), state_pieces, 1);
    return status != MNOS_OK ? status : windows_open(&windows, BOOTSTRAP_REQUIRED("ext4_windows"));
}

/* Finds what the last run left, or makes it anew; *found: there are operations of the last run, whole. */
static mnos_status_t get_memory(struct ext4_service_memory *memory, struct sessions **sessions,
                                bool *found)
{
    struct state_area areas[STATE_AREAS_MAX] = {[1] = {cache_region.address, cache_region.bytes}};
    uint64_t bytes = state_overhead(EXT4_SERVICE_LOG_BYTES) + file_server_session_bytes() +
                     ext4_service_state_bytes(PAGES_MAX);
    const char *wrong = NULL;

    if (state_region.bytes < bytes ||
        cache_region.bytes < (uint64_t)SERVICE_DATA_PAGES_MIN * MNOS_PAGE_BYTES)
        return MNOS_ERR_MEMORY;
    was_whole = state_open(&state, state_region.address, state_region.bytes, MAGIC, LAYOUT,
                           EXT4_SERVICE_LOG_BYTES, areas) == STATE_WHOLE;
    *found = was_whole;
    *sessions = state_content(&state);
    *memory =
        (struct ext4_service_memory){.log = &state,
                                     .data = cache_region.address,
                                     .data_pages = (uint32_t)(cache_region.bytes / MNOS_PAGE_BYTES),
                                     .pages_max = PAGES_MAX,
                                     .state = (uint8_t *)*sessions + file_server_session_bytes()};
    state_current = &state;
    if (*found)
        wrong = state_trust(&state) == STATE_TRUST_NONE
                    ? "it has died too often with it"
                    : sessions_take_over(*sessions, FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES);
    if (wrong != NULL)
        log_at(MNOS_LOG_WARNING, "what the last run left is not used: %s", wrong);
    *found = *found && wrong == NULL;
    return MNOS_OK;
}

/* Nothing of the last run is there. */
static void begin_anew(struct sessions *sessions)
{
    const struct running running = service.kept->running;

    state_drop(&state);
    memset(sessions, 0, file_server_session_bytes() + ext4_service_state_bytes(PAGES_MAX));
    if (was_whole)
        service.kept->running = running; /* what is dropped may have come of it */
    sessions_format(sessions, FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES, kinfo_time_ns());
    file_locks_format(&service.kept->locks);
    server.window_memory = &windows.memory;
    state_ready(&state);
}

/* With what clients have open alone, over the volume as its journal has it; false: it cannot. */
static bool mount_again(void)
{
    unsigned running;

    set_clock(NULL);
    if (volume_disk_open(&disk) != MNOS_OK)
        return false;
    server.mount = service.kept->mount;
    server.mount.state = MOUNT_STATE_MOUNTING;
    if (!ext4_service_mount_again(&service, disk.client.info.sector_bytes,
                                  volume_disk_bytes(&disk))) {
        server.mount = (struct mount_status){0};
        volume_disk_close(&disk);
        return false;
    }
    running =
        file_server_recover(&server, &windows.memory, state_was_ordered(&state)) + was_running;
    log_line("run %llu mounts from the journal, as it has died twice with what is in memory: what "
             "is open stays so, %u "
             "requests were running, %u of them for the second time",
             (unsigned long long)state.header->epoch, running & 0xFFFF, running >> 16);
    return true;
}

/* What the last run left goes on, over the same volume; false: it cannot. */
static bool go_on(void)
{
    const char *wrong = "its volume is not there any more";
    unsigned running;

    if (service.kept->state == SERVICE_NONE)
        return false;
    if (state_trust(&state) != STATE_TRUST_ALL || service.kept->state == SERVICE_RETURNING)
        return mount_again();
    set_clock(NULL);
    if (volume_disk_open(&disk) != MNOS_OK ||
        ext4_service_take_over(&service, volume_disk_bytes(&disk), &wrong) != MNOS_OK) {
        log_at(MNOS_LOG_WARNING, "what the last run left is not used: %s; the journal is replayed",
               wrong);
        volume_disk_close(&disk);
        return false;
    }
    server.mount = service.kept->mount;
    if (service.state != SERVICE_MOUNTED)
        server.mount.state = MOUNT_STATE_UNMOUNTING;
    running =
        file_server_recover(&server, &windows.memory, state_was_ordered(&state)) + was_running;
    log_line(
        "run %llu goes on with the files of the last: %u pages to be written, %u requests were "
        "running, %u of them for the second time",
        (unsigned long long)state.header->epoch, service.cache.dirty_count, running & 0xFFFF,
        running >> 16);
    return true;
}

int main(void)
{
    static struct file_methods methods;
    struct queue_port port = {.submit = submit, .bell = bell};
    struct ext4_service_memory memory;
    struct sessions *sessions;
    bool found = false;
    mnos_status_t status = open_regions();

    if (status == MNOS_OK)
        status = get_memory(&memory, &sessions, &found);
    if (status != MNOS_OK)
        return log_failure(status, "get memory for pages of files", EXIT_MEMORY);
    methods = ext4_methods;
    methods.mount = mount;
    methods.unmount = unmount;
    file_server_init(&server, &(struct file_system){&methods, &service, EXT4_ROOT, 0}, sessions,
                     bootstrap_cap("requests"), &park);
    server.loop.events = events;
    server.loop.gone = gone;
    server.loop.deadline_ns = deadline_ns;
    server.loop.round = round_ends;
    service.state_changed = state_changed;
    service.say = say;
    service.grow = grow;
    service.date_ns = clock_date_ns;
    service.memory_of = memory_of;
    ext4_service_init(&service, &server, &memory, &port);
    file_server_locks(&server, &service.kept->locks);
    if (was_whole)
        was_running = running_recover(&service.kept->running, state_was_ordered(&state));
    if (!found || !go_on())
        begin_anew(sessions);
    server.loop.running = &service.kept->running;
    server.loop.blamed = blamed;
    ext4_service_round(&service);
    return log_failure(server_loop_run(&server.loop, set_clock), "receive a request", EXIT_RECEIVE);
}
