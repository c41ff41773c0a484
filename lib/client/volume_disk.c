// SPDX-License-Identifier: MIT
/* volume_disk - see volume_disk.h. */
#include "lib/client/volume_disk.h"

#include "lib/base/string.h"
#include "lib/client/volume.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/syscall.h"
#include "protocols/manager.h"

mnos_status_t volume_disk_open(struct volume_disk *disk)
{
    const struct region_piece *pieces = disk->data->pieces;
    struct block_setup setup = {.ring_memory = disk->ring->pieces[0].memory,
                                .ring = disk->ring->address,
                                .data = pieces[0].memory,
                                .data_pages = pieces[0].page_count,
                                .endpoint = bootstrap_cap("requests"),
                                .events = disk->events,
                                .badge = disk->badge};
    mnos_status_t status = volume_mine(bootstrap_cap("volumes"), &setup.service);

    if (status != MNOS_OK)
        return status;
    /* What an earlier run has submitted is nobody's: the driver drops it when it is attached. */
    memset(disk->ring->address, 0, sizeof(struct block_ring));
    status = block_open(&disk->client, &setup);
    for (uint32_t i = 1; status == MNOS_OK && i < disk->data->piece_count; i++)
        status = block_extend(&disk->client, pieces[i].memory, pieces[i].page_count);
    disk->is_open = status == MNOS_OK;
    if (status != MNOS_OK)
        (void)!sys_cap_delete(setup.service);
    return status;
}

void volume_disk_close(struct volume_disk *disk)
{
    if (!disk->is_open)
        return;
    (void)!sys_cap_delete(disk->client.setup.service);
    disk->is_open = false;
}

void volume_disk_ask_again(struct volume_disk *disk)
{
    struct block_client *client = &disk->client;
    mnos_cap_t session;

    if (client->failure != MNOS_ERR_LOST && client->failure != MNOS_ERR_HANDLE)
        return;
    if (volume_mine(bootstrap_cap("volumes"), &session) != MNOS_OK)
        return;
    (void)!sys_cap_delete(client->setup.service);
    client->setup.service = session;
    block_restarted(client);
}

void volume_disk_told(struct volume_disk *disk, uint64_t bits)
{
    if (disk->is_open && (bits & MANAGER_EVENT_PEER_RESTARTED) != 0)
        block_restarted(&disk->client);
}

void volume_disk_gone(struct volume_disk *disk, mnos_badge_t badge)
{
    if (disk->is_open)
        block_gone(&disk->client, badge);
}
