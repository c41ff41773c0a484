// SPDX-License-Identifier: MIT
/*
 * takeover - this run goes on with the memory of one that died (docs/ext4-death.md): the core with its transactions, pages
 * that have to be written, what is open and what is being removed. Names, attributes, pages that are on the disk, and
 * requests that waited are forgotten: the first three are found again, and whoever sent the last sends them again.
 */
#include "lib/base/string.h"
#include "lib/server/state.h"
#include "services/fs/ext4/service.h"

static bool can_go_on(const struct service_kept *kept)
{
    return kept->state == SERVICE_MOUNTED || kept->state == SERVICE_WRITING ||
           kept->state == SERVICE_UNMOUNTING;
}

static mnos_status_t refuse(const char **wrong, const char *why)
{
    *wrong = why;
    return MNOS_ERR_FORMAT;
}

/* Pages that the core got later are its own again. */
static bool lend_slots(struct ext4_service *service)
{
    uint32_t page;

    for (uint32_t i = service->slots / EXT4_CHUNK_SLOTS;
         (page = ext4_chunk_page(service->fs, i)) != UINT32_MAX; i++) {
        if (page < service->slots || page + EXT4_CHUNK_SLOTS > service->memory.data_pages ||
            !cache_lend(&service->cache, page - service->slots + 1, EXT4_CHUNK_SLOTS))
            return false;
    }
    return true;
}

static mnos_status_t take_memory(struct ext4_service *service, const char **wrong)
{
    struct ext4_memory memory;
    struct ext4_port port = volume_port(service);
    struct service_kept *kept = service->kept;
    mnos_status_t status;

    service->slots = kept->slots;
    memory = volume_core_memory(service);
    status = ext4_resume(&memory, &port, &service->fs, wrong);
    if (status != MNOS_OK)
        return status;
    service->block_bytes = ext4_block_bytes(service->fs);
    service->blocks_per_page = CACHE_PAGE_BYTES / service->block_bytes;
    *wrong =
        cache_recover(&service->cache, volume_tables(service),
                      service->memory.data + (size_t)service->slots * CACHE_PAGE_BYTES,
                      kept->pages_max - service->slots, service->memory.data_pages - service->slots,
                      kept->disk_bytes / service->block_bytes);
    if (*wrong == NULL && !lend_slots(service))
        *wrong = "E2: a page is the core's and a file's";
    views_init(service);
    service->cache.waited_for = ext4_transaction(service->fs) - 1;
    service->committed = service->cache.waited_for - 1; /* or this one, too */
    return *wrong == NULL ? MNOS_OK : MNOS_ERR_FORMAT;
}

/* Of which files pages could not be written is not kept: all that are open are told. */
static void tell_of_failures(struct ext4_service *service)
{
    struct sessions *sessions = service->files->loop.sessions;

    service->data_failed = service->kept->write_failed;
    for (uint32_t i = 1; i <= SERVICE_OPEN_MAX; i++)
        service->opens[i].failures = service->data_failed;
    for (uint32_t i = 1; i <= sessions->handle_count; i++)
        handle_at(sessions, i)->failures = 0;
}

mnos_status_t ext4_service_take_over(struct ext4_service *service, uint64_t disk_bytes,
                                     const char **wrong)
{
    struct service_kept *kept = service->kept;
    mnos_status_t status;

    if (!can_go_on(kept))
        return refuse(wrong, "it was not mounted");
    if (kept->disk_bytes != disk_bytes || kept->pages_max != service->memory.pages_max ||
        kept->slots < EXT4_SLOTS_MIN || kept->slots > SERVICE_SLOTS_MAX ||
        kept->slots % EXT4_CHUNK_SLOTS != 0 || kept->slots >= service->memory.data_pages ||
        kept->leaving_count > sizeof kept->leaving / sizeof kept->leaving[0])
        return refuse(wrong, "it is of another size");
    *wrong = file_locks_check(&kept->locks);
    if (*wrong != NULL)
        return MNOS_ERR_FORMAT;
    status = take_memory(service, wrong);
    if (status != MNOS_OK)
        return status;
    reopen_hold_all(service);
    open_recover(service);
    tell_of_failures(service);
    resize_cut_pages(service);
    space_hole_pages(service);
    ext4_write_again(service->fs);
    service->state = (enum service_state)kept->state;
    file_server_is_ready(service->files, service->state == SERVICE_MOUNTED);
    service->work_due = true;
    service_changed(service);
    return MNOS_OK;
}
