// SPDX-License-Identifier: MIT
/* main - a disk of memory: its region, and the loop. See README.md. */
#include "drivers/block/ramdisk/disk.h"
#include "lib/client/region.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/server/block_driver.h"

#define STATE_MAGIC 0x4B53494444414Dull
/* Before the disk's bytes: the header of the state, and the sessions. */
#define STATE_BYTES MNOS_PAGE_BYTES

enum { EXIT_MEMORY = 1, EXIT_RECEIVE = 2 };

static struct region region;
static struct region_piece pieces[1];
static struct block_driver driver;
static struct disk disk;

int main(void)
{
    mnos_status_t status = guard_begin();

    if (status == MNOS_OK)
        status = region_open(&region, BOOTSTRAP_REQUIRED("ramdisk"), pieces, 1);
    if (status == MNOS_OK && region.bytes <= STATE_BYTES)
        status = MNOS_ERR_SIZE;
    if (status != MNOS_OK)
        return log_failure(status, "get memory for the disk", EXIT_MEMORY);
    driver.endpoint = bootstrap_cap("requests");
    disk_open(&disk, &driver.server, region.address + STATE_BYTES, region.bytes - STATE_BYTES);
    block_driver_remember(&driver, region.address, region.bytes, STATE_MAGIC);
    block_driver_open(&driver, &disk.device);
    log_line("%lu KiB of memory as a disk", (unsigned long)(region.bytes - STATE_BYTES) / 1024);
    return log_failure(block_driver_serve(&driver), "receive a request", EXIT_RECEIVE);
}
