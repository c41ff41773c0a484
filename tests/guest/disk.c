// SPDX-License-Identifier: MIT
/* disk - see disk.h. */
#include "tests/guest/disk.h"

#include "drivers/block/ramdisk/disk.h"
#include "lib/mnos/memory.h"

static struct block_server server;
static struct disk disk;

uint64_t disk_serve(uint64_t endpoint, uint64_t memory, uint64_t pages, uint64_t epoch)
{
    struct message message = {0};
    void *address;

    if (guard_begin() != MNOS_OK || memory_map(memory, 0, DISK_STATE_PAGES + pages,
                                               MNOS_MAP_READ | MNOS_MAP_WRITE, &address) != MNOS_OK)
        return 1;
    disk_open(&disk, &server, (uint8_t *)address + DISK_STATE_PAGES * MNOS_PAGE_BYTES,
              pages * MNOS_PAGE_BYTES);
    block_sessions_open(address, epoch == 1, disk.device.info.sectors, 100);
    block_server_open(&server, &disk.device, address, endpoint, epoch);
    for (;;) {
        mnos_status_t status;

        message.accept = BLOCK_SERVER_ACCEPTS;
        status = ipc_reply_receive(endpoint, &message, MNOS_DEADLINE_NEVER);
        if (status != MNOS_OK)
            return status;
        if (message.kind == MNOS_KIND_EVENTS)
            message = (struct message){0};
        else
            block_server_handle(&server, &message);
        block_server_pump(&server);
    }
}
