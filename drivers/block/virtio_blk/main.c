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
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/block_driver.h"

#define NAME_NS 1000000000ull
#define STATE_MAGIC 0x4B42494Full /* sessions */

enum { EXIT_CLAIM = 1, EXIT_DEVICE = 2, EXIT_MEMORY = 3, EXIT_INTERRUPT = 4, EXIT_RECEIVE = 5 };

static struct virtio virtio;
static struct dma_memory memory;
static struct disk disk;
static struct block_driver driver;
static mnos_cap_t devices;

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

    log_at(MNOS_LOG_ERROR, "the device does not work any more: everything fails");
    if (status != MNOS_OK)
        log_error(status, "keep the device from memory");
}

/* ---- Beginning ---- */

/* Up to a device that works. */
static int open_disk(void)
{
    struct device_info info;
    mnos_status_t status = device_claim(devices, &info);

    if (status != MNOS_OK)
        return log_failure(status, "claim a device", EXIT_CLAIM);
    status = virtio_open(&virtio, devices);
    if (status != MNOS_OK)
        return log_failure(status, "find the registers of the device", EXIT_DEVICE);
    status = dma_open(&memory, devices, bootstrap_cap("virtio_blk_dma"));
    if (status != MNOS_OK)
        return log_failure(status, "get memory for the device", EXIT_MEMORY);
    status = interrupt_open(devices, 0, driver.endpoint, BLOCK_EVENT_INTERRUPT, &driver.line);
    if (status != MNOS_OK)
        return log_failure(status, "bind the interrupt", EXIT_INTERRUPT);
    status = device_master(devices, true);
    disk = (struct disk){.server = &driver.server,
                         .transport = &virtio.transport,
                         .reach = reach,
                         .reset = reset,
                         .cut_off = cut_off};
    if (status == MNOS_OK)
        status = disk_open(&disk, &memory);
    if (status != MNOS_OK)
        return log_failure(status, "begin with the device", EXIT_DEVICE);
    disk_ask_name(&disk, deadline_after_ns(NAME_NS));
    return 0;
}

static void take_done(void *)
{
    disk_take_done(&disk);
}

static uint64_t deadline_ns(void *)
{
    return disk_deadline(&disk);
}

static void check(void *, uint64_t now_ns)
{
    disk_check(&disk, now_ns);
}

int main(void)
{
    mnos_status_t status = guard_begin();
    int code;

    devices = bootstrap_cap("devices");
    driver.endpoint = bootstrap_cap("requests");
    driver.take_done = take_done;
    driver.deadline_ns = deadline_ns;
    driver.check = check;
    if (status == MNOS_OK)
        status = block_driver_remember_in(&driver, bootstrap_cap("virtio_blk_state"), STATE_MAGIC);
    if (status != MNOS_OK)
        return log_failure(status, "get memory", EXIT_MEMORY);
    code = open_disk();
    if (code != 0)
        return code;
    block_driver_open(&driver, &disk.device);
    log_line("%s: %lu sectors of %u bytes%s%s%s", disk.device.info.name,
             (unsigned long)disk.device.info.sectors, disk.device.info.sector_bytes,
             disk.device.info.flags & BLOCK_READ_ONLY ? ", read-only" : "",
             disk.device.info.flags & BLOCK_CAN_FLUSH ? "" : ", no cache to flush",
             disk.queue.packed ? ", packed ring" : "");
    return log_failure(block_driver_serve(&driver), "receive a request", EXIT_RECEIVE);
}
