// SPDX-License-Identifier: MIT
/*
 * main - the driver of virtio disks: claims its device, then serves until it or the device ends. See README.md.
 */
#include "drivers/block/virtio_blk/disk.h"
#include "lib/client/device.h"
#include "lib/driver/interrupt.h"
#include "lib/driver/virtio/virtio.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"
#include "lib/server/state.h"

/* At the endpoint, beside BLOCK_EVENT_SUBMITTED. */
#define EVENT_INTERRUPT (1ull << 1)
#define NAME_NS 1000000000ull
#define STATE_MAGIC 0x4B42494Full /* sessions */
#define STATE_PAGES 1u
#define STATE_LOG_BYTES 0u
_Static_assert(sizeof(struct state_header) + STATE_LOG_BYTES + sizeof(struct block_sessions) <=
                   STATE_PAGES * MNOS_PAGE_BYTES,
               "the region's floor");

enum { EXIT_CLAIM = 1, EXIT_DEVICE = 2, EXIT_MEMORY = 3, EXIT_INTERRUPT = 4, EXIT_RECEIVE = 5 };

static struct virtio virtio;
static struct dma_memory memory;
static struct disk disk;
static struct block_server server;
static struct state state;
static mnos_cap_t devices, endpoint, line;

static int fail(mnos_status_t status, const char *what, int code)
{
    log_error(status, what);
    return code;
}

/* ---- What the disk needs of this process ---- */

/* A piece of a client's data that is one run for the device. */
static uint64_t reach(void *, mnos_cap_t piece)
{
    return dma_reach(devices, piece);
}

static mnos_status_t reset(void *)
{
    log_line("the device is reset");
    return virtio_reset(&virtio);
}

static void cut_off(void *)
{
    mnos_status_t status = device_master(devices, false);

    log_line("the device does not work any more: everything fails");
    if (status != MNOS_OK)
        log_error(status, "keep the device from memory");
}

/* ---- Beginning ---- */

static mnos_status_t open_state(bool *fresh)
{
    void *address;
    mnos_status_t status = memory_map(bootstrap_cap("virtio_blk_state"), 0, STATE_PAGES,
                                      MNOS_MAP_READ | MNOS_MAP_WRITE, &address);

    if (status == MNOS_OK)
        *fresh = state_open(&state, address, STATE_PAGES * MNOS_PAGE_BYTES, STATE_MAGIC,
                            BLOCK_SESSIONS_LAYOUT, STATE_LOG_BYTES, NULL) != STATE_WHOLE;
    return status;
}

/* Up to a device that works. */
static int open_disk(void)
{
    struct device_info info;
    mnos_status_t status = device_claim(devices, &info);

    if (status != MNOS_OK)
        return fail(status, "claim a device", EXIT_CLAIM);
    status = virtio_open(&virtio, devices);
    if (status != MNOS_OK)
        return fail(status, "find the registers of the device", EXIT_DEVICE);
    status = dma_open(&memory, devices, bootstrap_cap("virtio_blk_dma"));
    if (status != MNOS_OK)
        return fail(status, "get memory for the device", EXIT_MEMORY);
    status = interrupt_open(devices, 0, endpoint, EVENT_INTERRUPT, &line);
    if (status != MNOS_OK)
        return fail(status, "bind the interrupt", EXIT_INTERRUPT);
    status = device_master(devices, true);
    disk = (struct disk){.server = &server,
                         .transport = &virtio.transport,
                         .reach = reach,
                         .reset = reset,
                         .cut_off = cut_off};
    if (status == MNOS_OK)
        status = disk_open(&disk, &memory);
    if (status != MNOS_OK)
        return fail(status, "begin with the device", EXIT_DEVICE);
    disk_ask_name(&disk, deadline_after_ns(NAME_NS));
    return 0;
}

static void open_server(bool fresh)
{
    struct block_sessions *sessions = state_content(&state);

    block_sessions_open(sessions, fresh, disk.device.info.sectors, kinfo_time_ns());
    state_ready(&state);
    block_server_open(&server, &disk.device, sessions, endpoint, state.header->epoch);
}

/* ---- The loop ---- */

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
        disk_take_done(&disk);
    }
    *message = (struct message){0};
    return status;
}

static mnos_status_t serve(void)
{
    struct message message = {0};

    for (;;) {
        mnos_status_t status;

        message.accept = BLOCK_SERVER_ACCEPTS;
        status = ipc_reply_receive(endpoint, &message, disk_deadline(&disk));
        if (status == MNOS_OK)
            status = handle(&message);
        else if (status == MNOS_ERR_DEADLINE)
            status = MNOS_OK, message = (struct message){0};
        if (status != MNOS_OK)
            return status;
        disk_check(&disk, kinfo_time_ns());
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
    code = open_disk();
    if (code != 0)
        return code;
    open_server(fresh);
    log_line("%s: %lu sectors of %u bytes%s%s%s", disk.device.info.name,
             (unsigned long)disk.device.info.sectors, disk.device.info.sector_bytes,
             disk.device.info.flags & BLOCK_READ_ONLY ? ", read-only" : "",
             disk.device.info.flags & BLOCK_CAN_FLUSH ? "" : ", no cache to flush",
             disk.queue.packed ? ", packed ring" : "");
    return fail(serve(), "receive a request", EXIT_RECEIVE);
}
