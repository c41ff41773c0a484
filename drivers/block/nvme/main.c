// SPDX-License-Identifier: MIT
/*
 * main - the driver of NVMe disks: claims its controller, then serves until it or the device ends.
 * See README.md.
 */
#include "drivers/block/nvme/disk.h"
#include "lib/client/device.h"
#include "lib/driver/interrupt.h"
#include "lib/driver/window.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"
#include "lib/server/state.h"

/* At the endpoint, beside BLOCK_EVENT_SUBMITTED. */
#define EVENT_INTERRUPT (1ull << 1)
#define STATE_MAGIC 0x454D564Eull /* sessions */
#define STATE_PAGES 1u
#define STATE_LOG_BYTES 0u
_Static_assert(sizeof(struct state_header) + STATE_LOG_BYTES + sizeof(struct block_sessions) <=
                   STATE_PAGES * MNOS_PAGE_BYTES,
               "the region's floor");

enum { EXIT_CLAIM = 1, EXIT_DEVICE = 2, EXIT_MEMORY = 3, EXIT_INTERRUPT = 4, EXIT_RECEIVE = 5 };

static struct device_windows windows;
static struct dma_memory memory;
static struct nvme_disk disk;
static struct block_server server;
static struct state state;
static mnos_cap_t devices, endpoint, line;

static int fail(mnos_status_t status, const char *what, int code)
{
    log_error(status, what);
    return code;
}

/* A piece of a client's data that is one run for the device. */
static uint64_t reach(void *, mnos_cap_t piece)
{
    return dma_reach(devices, piece);
}

static void cut_off(void *)
{
    mnos_status_t status = device_master(devices, false);

    if (status != MNOS_OK)
        log_error(status, "keep the controller from memory");
}

static mnos_status_t open_state(bool *fresh)
{
    void *address;
    mnos_status_t status = memory_map(bootstrap_cap("nvme_state"), 0, STATE_PAGES,
                                      MNOS_MAP_READ | MNOS_MAP_WRITE, &address);

    if (status == MNOS_OK)
        *fresh = state_open(&state, address, STATE_PAGES * MNOS_PAGE_BYTES, STATE_MAGIC,
                            BLOCK_SESSIONS_LAYOUT, STATE_LOG_BYTES, NULL) != STATE_WHOLE;
    return status;
}

/* Registers, interrupt and memory of the controller. */
static int open_device(void)
{
    struct device_info info;
    mnos_status_t status = device_claim(devices, &info);

    if (status != MNOS_OK)
        return fail(status, "claim a device", EXIT_CLAIM);
    status = device_window_map(&windows, devices, 0);
    if (status == MNOS_OK && windows.bars[0].parts[0].offset != 0)
        status = MNOS_ERR_FORMAT; /* the MSI-X table lies where the registers are */
    if (status != MNOS_OK)
        return fail(status, "map the registers of the controller", EXIT_DEVICE);
    status = dma_open(&memory, devices, bootstrap_cap("nvme_dma"));
    if (status != MNOS_OK)
        return fail(status, "get memory for the device", EXIT_MEMORY);
    status = interrupt_open(devices, 0, endpoint, EVENT_INTERRUPT, &line);
    if (status != MNOS_OK)
        return fail(status, "bind the interrupt", EXIT_INTERRUPT);
    return 0;
}

static int open_disk(void)
{
    mnos_status_t status = device_master(devices, true);

    disk = (struct nvme_disk){.server = &server, .reach = reach, .cut_off = cut_off};
    if (status == MNOS_OK)
        status = nvme_disk_open(&disk, &windows.bars[0].parts[0].registers, &memory);
    return status == MNOS_OK ? 0 : fail(status, "begin with the controller", EXIT_DEVICE);
}

static void open_server(bool fresh)
{
    struct block_sessions *sessions = state_content(&state);

    block_sessions_open(sessions, fresh, disk.device.info.sectors, kinfo_time_ns());
    state_ready(&state);
    block_server_open(&server, &disk.device, sessions, endpoint, state.header->epoch);
}

static mnos_status_t handle(struct message *message)
{
    mnos_status_t status = MNOS_OK;

    alive_answer(message);
    if (message->kind != MNOS_KIND_EVENTS) {
        block_server_handle(&server, message);
        return MNOS_OK;
    }
    /* First acknowledged, then looked: what comes after sets the event once more. */
    if ((message->words[0] & EVENT_INTERRUPT) != 0) {
        status = sys_irq_ack(line);
        nvme_disk_take_done(&disk);
    }
    *message = (struct message){0};
    return status;
}

/* A device that works is never reset: somebody should know. */
static void log_resets(void)
{
    static uint32_t logged;

    if (disk.resets_ever == logged)
        return;
    logged = disk.resets_ever;
    log_line(disk.failed ? "the controller does not work any more: everything fails"
                         : "the controller was silent or wrong, and is reset");
}

static mnos_status_t serve(void)
{
    struct message message = {0};

    for (;;) {
        mnos_status_t status;

        message.accept = BLOCK_SERVER_ACCEPTS;
        status = ipc_reply_receive(endpoint, &message, nvme_disk_deadline(&disk));
        if (status == MNOS_OK)
            status = handle(&message);
        else if (status == MNOS_ERR_DEADLINE)
            status = MNOS_OK, message = (struct message){0};
        if (status != MNOS_OK)
            return status;
        nvme_disk_check(&disk, kinfo_time_ns());
        log_resets();
        block_server_pump(&server);
    }
}

int main(void)
{
    bool fresh = true;
    mnos_status_t status = guard_begin();
    int code;

    devices = bootstrap_cap("devices");
    endpoint = bootstrap_cap("requests");
    if (status == MNOS_OK)
        status = open_state(&fresh);
    if (status != MNOS_OK)
        return fail(status, "get memory", EXIT_MEMORY);
    code = open_device();
    if (code == 0)
        code = open_disk();
    if (code != 0)
        return code;
    open_server(fresh);
    log_line("%s: %llu sectors of %u bytes%s", disk.device.info.name,
             (unsigned long long)disk.device.info.sectors, disk.device.info.sector_bytes,
             disk.device.info.flags & BLOCK_READ_ONLY ? ", read-only" : "");
    return fail(serve(), "receive a request", EXIT_RECEIVE);
}
