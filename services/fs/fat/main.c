// SPDX-License-Identifier: MIT
/*
 * main - the FAT service in its process: capabilities, memory, the disk and the loop. See README.md.
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
#include "services/fs/fat/service.h"

BOOTSTRAP_NEEDS("manager");

enum { EXIT_MEMORY = 1, EXIT_RECEIVE = 2 };

#define EVENT_DISK (1ull << 0)
/* What the driver's capability to this endpoint carries; service numbers and exported sessions are others. */
#define DISK_BADGE (1ull << 62)
#define PIECES_MAX 5u
/* The floor, and pieces of 2 MiB as far as the manifest's share goes. */
#define PAGES_MAX 2304u

#define MAGIC 0x545441465354ull
/* What lies in the region has changed when this has. */
#define LAYOUT 2u
/* What a request changes of sessions and lanes. */
#define LOG_BYTES 32768u

static struct region_piece cache_pieces[PIECES_MAX], ring_pieces[1], state_pieces[1];
static struct region cache_region, ring_region, state_region;
static struct state state;
static struct windows windows;
static struct fat_kept *kept;
static struct file_server server;
static struct park park;
static struct fat_service service;
static struct volume_disk volume = {
    .data = &cache_region, .ring = &ring_region, .events = EVENT_DISK, .badge = DISK_BADGE};
/* Of the transfers that are waited for. */
static uint32_t outstanding;
static mnos_status_t outcome;

/* ---- The disk ---- */

static void take_results(void)
{
    struct block_result result;

    volume_disk_renew(&volume);
    while (volume_disk_take(&volume, &result) == MNOS_OK) {
        outstanding--;
        if (result.status != MNOS_OK)
            outcome = result.status;
    }
}

static mnos_status_t submit(const struct block_submission *entry)
{
    mnos_status_t status = block_submit(&volume.client, entry);

    outstanding += status == MNOS_OK;
    return status;
}

/* Until all that was submitted is done. The loop goes on meanwhile: see server_loop_meanwhile(). A driver that
 * dies, or is silent, is the client library's to deal with; it ends the wait with an error when there is no driver
 * any more. */
static mnos_status_t finish(void)
{
    block_bell(&volume.client);
    for (take_results(); outstanding != 0; take_results()) {
        mnos_status_t status = server_loop_meanwhile(&server.loop, volume_disk_deadline(&volume));

        if (status != MNOS_OK)
            return status;
        volume_disk_tick(&volume, kinfo_time_ns());
    }
    return outcome;
}

static mnos_status_t transfer(void *, const struct disk_transfer *transfers, uint32_t count)
{
    outcome = MNOS_OK;
    for (uint32_t i = 0; i < count; i++) {
        const struct disk_transfer *at = &transfers[i];
        struct block_submission entry = {.op = at->write ? BLOCK_WRITE : BLOCK_READ,
                                         .offset = (uint16_t)at->offset,
                                         .sector = at->position / volume.client.info.sector_bytes,
                                         .page = at->page,
                                         .bytes = at->bytes};
        mnos_status_t status = submit(&entry);

        if (status != MNOS_OK) {
            (void)finish();
            return status;
        }
    }
    return finish();
}

static mnos_status_t flush(void *)
{
    struct block_submission entry = {.op = BLOCK_FLUSH};
    mnos_status_t status;

    outcome = MNOS_OK;
    status = submit(&entry);
    return status != MNOS_OK ? status : finish();
}

static const struct fat_disk disk = {.transfer = transfer, .flush = flush};

/* ---- Mounting ---- */

static mnos_status_t mount(void *context, const uint8_t *, uint32_t flags)
{
    mnos_status_t status;

    if (server.loop.busy)
        return MNOS_ERR_AGAIN;
    volume_disk_close(&volume);
    status = volume_disk_open(&volume);
    outstanding = 0;
    if (status != MNOS_OK)
        return status;
    fat_service_mount(context, volume.client.info.sector_bytes, volume_disk_bytes(&volume),
                      (flags & MOUNT_READ_ONLY) != 0 ||
                          (volume.client.info.flags & BLOCK_READ_ONLY) != 0);
    return MNOS_OK;
}

static mnos_status_t unmount(void *context)
{
    fat_service_unmount(context);
    return MNOS_OK;
}

static void state_changed(struct fat_service *of)
{
    struct mount_status status = server.mount;
    struct file_space space;

    if (of->state == FAT_MOUNTED) {
        status.state = MOUNT_STATE_MOUNTED;
        status.flags = of->read_only ? MOUNT_READ_ONLY : 0;
        if (fat_methods.space(of, 0, &space) == MNOS_OK)
            memcpy(status.type, space.type, sizeof status.type);
    } else if (of->state == FAT_FAILED) {
        status.state = MOUNT_STATE_FAILED;
        status.status = of->failure;
    } else if (of->state == FAT_NONE) {
        status = (struct mount_status){.state = MOUNT_STATE_NONE};
        volume_disk_close(&volume);
    } else {
        return;
    }
    string_copy(status.reason, of->reason, sizeof status.reason);
    kept->mount = status;
    file_server_mounted(&server, &status);
}

static void say(const char *text)
{
    log_line("%s", text);
}

/* ---- The loop ---- */

static void set_clock(void *)
{
    service.tick_ns = kinfo_time_ns();
}

static void events(void *, uint64_t bits)
{
    volume_disk_told(&volume, bits);
    take_results();
}

static void gone(void *, mnos_badge_t badge)
{
    volume_disk_gone(&volume, badge);
}

static uint64_t deadline_ns(void *)
{
    uint64_t own = fat_service_deadline_ns(&service);
    uint64_t of_disk = volume_disk_deadline(&volume);

    return own < of_disk ? own : of_disk;
}

static void round_ends(void *)
{
    volume_disk_tick(&volume, service.tick_ns);
    take_results();
    fat_service_round(&service);
}

static mnos_status_t get_pages(uint64_t bytes, struct memory_block *block)
{
    return memory_allocate((bytes + MNOS_PAGE_BYTES - 1) / MNOS_PAGE_BYTES, block);
}

static mnos_status_t get_memory(void)
{
    struct memory_block table;
    mnos_status_t status =
        region_open(&cache_region, BOOTSTRAP_REQUIRED("fat_cache"), cache_pieces, PIECES_MAX);

    if (status == MNOS_OK)
        status = region_open(&ring_region, BOOTSTRAP_REQUIRED("fat_ring"), ring_pieces, 1);
    if (status == MNOS_OK)
        status = region_open(&state_region, BOOTSTRAP_REQUIRED("fat_state"), state_pieces, 1);
    if (status == MNOS_OK)
        status = windows_open(&windows, BOOTSTRAP_REQUIRED("fat_windows"));
    /* What the share allows; less is no error. */
    while (status == MNOS_OK && cache_region.piece_count < PIECES_MAX &&
           region_grow(&cache_region) == MNOS_OK)
        continue;
    service.memory = cache_region.address;
    service.pages = (uint32_t)(cache_region.bytes / MNOS_PAGE_BYTES);
    if (service.pages > PAGES_MAX)
        service.pages = PAGES_MAX;
    if (status == MNOS_OK)
        status = get_pages(volume_cache_table_bytes(service.pages), &table);
    if (status == MNOS_OK)
        service.table = table.address;
    return status;
}

/* ---- What outlives the process ---- */

/* Nothing of the last run is there. */
static void begin_anew(struct sessions *sessions)
{
    state_drop(&state);
    memset(sessions, 0, file_server_session_bytes() + sizeof *kept);
    sessions_format(sessions, FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES, kinfo_time_ns());
    file_locks_format(&kept->locks);
    state_ready(&state);
}

/* Finds what the last run left, or makes it anew; *found: its sessions are there. */
static mnos_status_t get_state(struct sessions **sessions, bool *found)
{
    const char *wrong = NULL;

    if (state_region.bytes < state_overhead(LOG_BYTES) + file_server_session_bytes() + sizeof *kept)
        return MNOS_ERR_MEMORY;
    *found = state_open(&state, state_region.address, state_region.bytes, MAGIC, LAYOUT, LOG_BYTES,
                        NULL) == STATE_WHOLE;
    *sessions = state_content(&state);
    kept = (struct fat_kept *)((uint8_t *)*sessions + file_server_session_bytes());
    state_current = &state;
    if (*found)
        wrong = sessions_take_over(*sessions, FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES);
    if (*found && wrong == NULL)
        wrong = file_locks_check(&kept->locks);
    if (wrong != NULL)
        log_at(MNOS_LOG_WARNING, "what the last run left is not used: %s", wrong);
    *found = *found && wrong == NULL;
    if (!*found)
        begin_anew(*sessions);
    return MNOS_OK;
}

/* The volume that the last run had mounted; false: it had none, or it is not there any more. */
static bool mount_again(void)
{
    struct mount_status was = kept->mount;

    if (!kept->mounted || state_trust(&state) == STATE_TRUST_NONE ||
        volume_disk_open(&volume) != MNOS_OK)
        return false;
    server.mount = was;
    server.mount.state = MOUNT_STATE_MOUNTING;
    if (fat_service_mount_again(&service, volume.client.info.sector_bytes,
                                volume_disk_bytes(&volume)))
        return true;
    volume_disk_close(&volume);
    service.state = FAT_NONE;
    server.mount = (struct mount_status){.state = MOUNT_STATE_NONE};
    return false;
}

/* Requests that come while the volume is mounted wait for their turn, in the sessions and lanes that they had. */
static void go_on(void)
{
    bool in_request = kept->in_request, mounted;
    unsigned running, lost;

    kept->in_request = false;
    set_clock(NULL);
    running = file_server_recover(&server, &windows.memory, state_was_ordered(&state));
    running += in_request && (running & 0xFFFF) == 0; /* of class I: its client sends it again */
    mounted = mount_again();
    lost = kept_take_over(&service, !mounted);
    log_line("run %llu goes on with the sessions of the last: %u requests were running, %u of them "
             "for the second time; %u clients have lost what they had not synced",
             (unsigned long long)state.header->epoch, running & 0xFFFF, running >> 16, lost);
    park_wake(&park, PARK_TURN);
    server_loop_go_on(&server.loop);
}

int main(void)
{
    static struct file_methods methods;
    struct sessions *sessions;
    bool found = false;
    mnos_status_t status = get_memory();

    if (status == MNOS_OK)
        status = get_state(&sessions, &found);
    if (status != MNOS_OK)
        return log_failure(status, "get memory for pages of the volume", EXIT_MEMORY);
    methods = fat_methods;
    methods.mount = mount;
    methods.unmount = unmount;
    file_server_init(&server, &(struct file_system){&methods, &service, FAT_ROOT, 0}, sessions,
                     bootstrap_cap("requests"), &park);
    file_server_locks(&server, &kept->locks);
    server.window_memory = &windows.memory;
    server.loop.events = events;
    server.loop.gone = gone;
    server.loop.deadline_ns = deadline_ns;
    server.loop.round = round_ends;
    service.state_changed = state_changed;
    service.say = say;
    service.date_ns = clock_date_ns;
    fat_service_init(&service, &server, &disk, kept);
    if (found)
        go_on();
    return log_failure(server_loop_run(&server.loop, set_clock), "receive a request", EXIT_RECEIVE);
}
