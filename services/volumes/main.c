// SPDX-License-Identifier: MIT
/* main - volumes: its disks, its memory, and the loop. See README.md. */
#include "lib/client/manager.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/server/alive.h"
#include "lib/server/state.h"
#include "services/volumes/server.h"

BOOTSTRAP_NEEDS("observer");

/* At the endpoint: a disk's list has changed. */
#define EVENT_CHANGED (1ull << 0)
#define STATE_MAGIC 0x53454D554C4F56ull
#define STATE_LAYOUT 2u
_Static_assert(sizeof(struct state_header) + sizeof(struct assignments) <= MNOS_PAGE_BYTES,
               "the region's floor");
/* Of the region `volumes_buffers`, for one disk. */
#define DISK_PAGES (BLOCK_RING_PAGES + DISK_DATA_PAGES)
#define PIECE_RIGHTS (MNOS_RIGHT_READ | MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT)

enum { EXIT_MEMORY = 1, EXIT_DISK = 2, EXIT_RECEIVE = 3 };

/* The drivers that may be there, as the manifest's `uses` name them. */
BOOTSTRAP_LIST("virtio_blk");
BOOTSTRAP_LIST("nvme");
BOOTSTRAP_LIST("ramdisk");
static const char *const drivers[] = {"virtio_blk", "nvme", "ramdisk"};

static struct disk disks[DISKS_MAX];
static struct volume_server server;
static struct state state;
static mnos_cap_t buffers;
static uint8_t *buffers_address;
static uint64_t buffers_pages;

static uint64_t service_number(const char *name)
{
    struct manager_service service;
    uint64_t index;

    return manager_find(name, &index, &service) == MNOS_OK ? index : 0;
}

/* The manifest's arguments: "assigner=NAME". */
static uint64_t assigner_number(void)
{
    static const char key[] = "assigner=";
    const char *text = bootstrap_arguments();

    return strncmp(text, key, sizeof key - 1) == 0 ? service_number(text + sizeof key - 1) : 0;
}

/* ---- Memory ---- */

static mnos_status_t open_memory(void)
{
    const struct mnos_cap_info *info;
    uint64_t size;
    void *address;
    mnos_status_t status;

    buffers = bootstrap_cap("volumes_buffers");
    status = sys_cap_inspect(buffers, MNOS_VIEW_CAPABILITY, 0, &size);
    if (status != MNOS_OK)
        return status;
    info = (const struct mnos_cap_info *)ipc_buffer()->data;
    buffers_pages = info->count;
    status = memory_map(buffers, 0, buffers_pages, MNOS_MAP_READ | MNOS_MAP_WRITE, &address);
    buffers_address = address;
    if (status != MNOS_OK)
        return status;
    /* Rings that a predecessor left are nobody's: it asks again for all that it wants to know. */
    memset(buffers_address, 0, buffers_pages * MNOS_PAGE_BYTES);
    status =
        memory_map(bootstrap_cap("volumes_state"), 0, 1, MNOS_MAP_READ | MNOS_MAP_WRITE, &address);
    if (status != MNOS_OK)
        return status;
    if (state_open(&state, address, MNOS_PAGE_BYTES, STATE_MAGIC, STATE_LAYOUT, 0, NULL) !=
        STATE_WHOLE)
        memset(state_content(&state), 0, sizeof(struct assignments));
    state_ready(&state);
    server.assignments = state_content(&state);
    return MNOS_OK;
}

static mnos_status_t piece_of(uint64_t first, uint64_t pages, mnos_cap_t *piece)
{
    return sys_cap_create(MNOS_CREATE_RANGE, buffers, PIECE_RIGHTS, first, pages, piece);
}

/* ---- Disks ---- */

static mnos_status_t add_disk(const char *service)
{
    uint32_t number = server.disk_count;
    uint64_t first = (uint64_t)number * DISK_PAGES;
    struct disk *disk = &disks[number];
    struct disk_memory memory = {
        .ring_address = buffers_address + first * MNOS_PAGE_BYTES,
        .data_address = buffers_address + (first + BLOCK_RING_PAGES) * MNOS_PAGE_BYTES,
    };
    mnos_status_t status;

    if (number == DISKS_MAX || first + DISK_PAGES > buffers_pages) {
        log_at(MNOS_LOG_ERROR, "%s: no memory for one more disk", service);
        return MNOS_OK;
    }
    string_copy(disk->service, service, sizeof disk->service);
    disk->number = number;
    disk->session = bootstrap_lookup(bootstrap_listed(service));
    disk->notify = server.endpoint;
    disk->changed = EVENT_CHANGED;
    disk->assignments = server.assignments;
    status = piece_of(first, BLOCK_RING_PAGES, &memory.ring);
    if (status == MNOS_OK)
        status = piece_of(first + BLOCK_RING_PAGES, DISK_DATA_PAGES, &memory.data);
    if (status == MNOS_OK)
        status = disk_start(disk, &memory);
    if (status == MNOS_OK)
        server.disk_count++;
    return status;
}

/* A driver has instances, or is one service. */
static mnos_status_t add_disks(const char *driver)
{
    char name[MNOS_NAME_BYTES];
    mnos_status_t status = MNOS_OK;

    if (bootstrap_lookup(bootstrap_listed(driver)) != 0)
        return add_disk(driver);
    for (unsigned i = 0; status == MNOS_OK; i++) {
        (void)mnos_snprintf(name, sizeof name, "%s.%u", driver, i);
        if (bootstrap_lookup(bootstrap_listed(name)) == 0)
            break;
        status = add_disk(name);
    }
    return status;
}

/* ---- The loop ---- */

static void handle_events(uint64_t events)
{
    if ((events & EVENT_CHANGED) != 0)
        volume_server_tell(&server);
    if ((events & MANAGER_EVENT_PEER_RESTARTED) != 0)
        for (uint32_t i = 0; i < server.disk_count; i++)
            disk_look(&disks[i]);
}

static mnos_status_t serve(void)
{
    struct message message = {0};

    for (;;) {
        mnos_status_t status;

        message.accept = 1;
        status = ipc_reply_receive(server.endpoint, &message, MNOS_DEADLINE_NEVER);
        if (status != MNOS_OK)
            return status;
        alive_answer(&message);
        if (message.kind == MNOS_KIND_EVENTS) {
            handle_events(message.words[0]);
            message = (struct message){0};
        } else {
            volume_server_handle(&server, &message);
        }
    }
}

int main(void)
{
    mnos_status_t status;

    server.endpoint = bootstrap_cap("requests");
    server.service_number = service_number;
    server.assigner = assigner_number();
    server.disks = disks;
    status = open_memory();
    if (status != MNOS_OK)
        return log_failure(status, "get memory", EXIT_MEMORY);
    for (unsigned i = 0; i < sizeof drivers / sizeof *drivers; i++) {
        status = add_disks(drivers[i]);
        if (status != MNOS_OK)
            return log_failure(status, "begin with a disk", EXIT_DISK);
    }
    return log_failure(serve(), "receive a request", EXIT_RECEIVE);
}
