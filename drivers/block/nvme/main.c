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
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/block_driver.h"

#define STATE_MAGIC 0x454D564Eull /* sessions */

enum { EXIT_CLAIM = 1, EXIT_DEVICE = 2, EXIT_MEMORY = 3, EXIT_INTERRUPT = 4, EXIT_RECEIVE = 5 };

static struct mmio registers;
static struct dma_memory memory;
static struct nvme_disk disk;
static struct block_driver driver;
static mnos_cap_t devices;

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

/* Registers, interrupt and memory of the controller. */
static int open_device(void)
{
    struct device_info info;
    mnos_status_t status = device_claim(devices, &info);

    if (status != MNOS_OK)
        return log_failure(status, "claim a device", EXIT_CLAIM);
    status = device_registers_map(devices, 0, &registers);
    if (status != MNOS_OK)
        return log_failure(status, "map the registers of the controller", EXIT_DEVICE);
    status = dma_open(&memory, devices, bootstrap_cap("nvme_dma"));
    if (status != MNOS_OK)
        return log_failure(status, "get memory for the device", EXIT_MEMORY);
    status = interrupt_open(devices, 0, driver.endpoint, BLOCK_EVENT_INTERRUPT, &driver.line);
    if (status != MNOS_OK)
        return log_failure(status, "bind the interrupt", EXIT_INTERRUPT);
    return 0;
}

static int open_disk(void)
{
    mnos_status_t status = device_master(devices, true);

    disk = (struct nvme_disk){.server = &driver.server, .reach = reach, .cut_off = cut_off};
    if (status == MNOS_OK)
        status = nvme_disk_open(&disk, &registers, &memory);
    return status == MNOS_OK ? 0 : log_failure(status, "begin with the controller", EXIT_DEVICE);
}

static void take_done(void *)
{
    nvme_disk_take_done(&disk);
}

static uint64_t deadline_ns(void *)
{
    return nvme_disk_deadline(&disk);
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

static void check(void *, uint64_t now_ns)
{
    nvme_disk_check(&disk, now_ns);
    log_resets();
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
        status = block_driver_remember_in(&driver, bootstrap_cap("nvme_state"), STATE_MAGIC);
    if (status != MNOS_OK)
        return log_failure(status, "get memory", EXIT_MEMORY);
    code = open_device();
    if (code == 0)
        code = open_disk();
    if (code != 0)
        return code;
    block_driver_open(&driver, &disk.device);
    log_line("%s: %llu sectors of %u bytes%s", disk.device.info.name,
             (unsigned long long)disk.device.info.sectors, disk.device.info.sector_bytes,
             disk.device.info.flags & BLOCK_READ_ONLY ? ", read-only" : "");
    return log_failure(block_driver_serve(&driver), "receive a request", EXIT_RECEIVE);
}
