// SPDX-License-Identifier: MIT
/*
 * sync - what was written becomes safe: see service.h. FSYNC and SYNC write pages, then wait for the transaction that
 * holds what changed, which all that wait at that time share; when no transaction has anything of it, a flush of the
 * disk is enough. Every 5 s what has changed is committed without being asked for.
 *
 * A ticket is what a request waits for: its step in the two highest bits, the lowest of the number of the last change that
 * it is about (reopen.c), and in the lower half a number.
 */
#include "services/fs/ext4/service.h"

enum { STEP_BEGIN, STEP_PAGES, STEP_COMMIT, STEP_FLUSH };

static uint64_t ticket_for(unsigned step, uint32_t changes, uint32_t number)
{
    return (uint64_t)step << 62 | (uint64_t)(changes & SERVICE_CHANGE_MASK) << 32 | number;
}

static uint32_t ticket_number(uint64_t ticket)
{
    return (uint32_t)ticket;
}

static uint32_t ticket_changes(uint64_t ticket)
{
    return (uint32_t)(ticket >> 32) & SERVICE_CHANGE_MASK;
}

/* All pages are written: what else has to be waited for? */
static uint64_t next_ticket(struct ext4_service *service, uint32_t changes)
{
    uint32_t transaction = ext4_transaction(service->fs);

    if (ext4_is_dirty(service->fs)) {
        ext4_want_commit(service->fs);
        service->work_due = true;
        return ticket_for(STEP_COMMIT, changes, transaction);
    }
    /* The next to begin: one that is under way may have begun before the pages were written. */
    service->flush_wanted = service->flush_begun + 1;
    return ticket_for(STEP_FLUSH, changes, (uint32_t)service->flush_wanted);
}

static bool is_flushed(const struct ext4_service *service, uint32_t number)
{
    return (int32_t)((uint32_t)service->flush_done - number) >= 0;
}

/* What could not be written SYNC tells once; of one file each open file is told by file_server.c. */
static mnos_status_t data_status(struct ext4_service *service, uint32_t inode, uint64_t ticket)
{
    bool failed = inode == 0 && service->data_failed;

    reopen_synced(service, inode, ticket_changes(ticket));
    if (failed)
        service->data_failed = service->kept->write_failed = false;
    return failed ? MNOS_ERR_DEVICE : MNOS_OK;
}

uint16_t service_failures(void *context, uint32_t inode)
{
    const struct open_inode *open = open_find(context, inode);

    return open == NULL ? 0 : open->failures;
}

void sync_flush_failed(struct ext4_service *service)
{
    service->data_failed = service->kept->write_failed = true;
    for (uint32_t i = 1; i <= SERVICE_OPEN_MAX; i++)
        service->opens[i].failures += service->opens[i].count != 0;
}

static mnos_status_t pages_step(struct ext4_service *service, uint32_t inode, uint64_t *ticket)
{
    uint32_t serial = ticket_number(*ticket);
    bool pending = cache_is_pending(&service->cache, inode, serial);

    if (pending)
        writeback_begin(service, inode, serial);
    if (pending && ext4_is_dirty(service->fs)) {
        /* Its commit waits for them before it flushes: that is done while the log is written. */
        cache_note_pending(&service->cache, inode, serial, ext4_transaction(service->fs));
    } else if (pending) {
        /* With none on its way the disk takes no more for now. */
        return service_wait(service, service->cache.writing_count == 0
                                         ? PARK_ANYTHING
                                         : service_key(KEY_WRITTEN, 0));
    }
    /* The commit that is under way may have flushed before these pages were written: behind it a flush of their own,
     * or the next commit. */
    if (!ext4_is_dirty(service->fs) &&
        !ext4_is_committed(service->fs, ext4_transaction(service->fs) - 1))
        return ext4_is_read_only(service->fs)
                   ? MNOS_ERR_DEVICE
                   : service_wait(service, service_key(KEY_COMMITTED, 0));
    *ticket = next_ticket(service, ticket_changes(*ticket));
    return MNOS_OK;
}

mnos_status_t service_sync(void *context, uint32_t inode, uint64_t *ticket)
{
    struct ext4_service *service = context;
    uint32_t number;
    mnos_status_t status = MNOS_OK;

    if (*ticket == 0)
        *ticket = ticket_for(STEP_PAGES, service->changes, service->cache.serial);
    if (*ticket >> 62 == STEP_PAGES)
        status = pages_step(service, inode, ticket);
    if (status != MNOS_OK)
        return status;
    number = ticket_number(*ticket);
    if (*ticket >> 62 == STEP_FLUSH)
        return is_flushed(service, number) ? data_status(service, inode, *ticket)
                                           : service_wait(service, service_key(KEY_FLUSHED, 0));
    if (ext4_is_committed(service->fs, number))
        return data_status(service, inode, *ticket);
    if (ext4_is_read_only(service->fs))
        return MNOS_ERR_DEVICE; /* it will not be committed any more */
    return service_wait(service, service_key(KEY_COMMITTED, 0));
}

/* ---- By itself ---- */

static void begin_flush(struct ext4_service *service)
{
    struct queue_request request = {.op = QUEUE_FLUSH, .owner = QUEUE_FLUSHES};

    if (service->flush_begun != service->flush_done ||
        service->flush_wanted <= service->flush_begun)
        return;
    service->flush_begun++;
    disk_queue_add(&service->queue, &request);
}

/* Every 5 s, as long as something changes. */
static void commit_in_time(struct ext4_service *service)
{
    if (service->commit_ns == 0 || service->tick_ns < service->commit_ns)
        return;
    for (uint32_t i = 0; i + 1 < SERVICE_AGES; i++)
        service->ages[i] = service->ages[i + 1];
    service->ages[SERVICE_AGES - 1] = service->cache.serial;
    service->commit_ns = 0;
    if (ext4_is_dirty(service->fs)) {
        ext4_want_commit(service->fs);
        service->work_due = true;
    }
    if (ext4_is_dirty(service->fs) || service->cache.dirty_count != 0)
        service_changed(service);
}

/* Whether a transaction has been committed since the last time. */
static bool is_news(struct ext4_service *service)
{
    bool news = false;

    for (; ext4_is_committed(service->fs, service->committed + 1); news = true)
        service->committed++;
    return news;
}

void sync_round(struct ext4_service *service)
{
    mnos_status_t status;

    commit_in_time(service);
    begin_flush(service);
    if (!service->work_due)
        return;
    service->work_due = false;
    /* An error makes the core read-only, which whoever waits finds out. It may only begin something that is waited
     * for: nobody runs again before the disk has answered. */
    status = ext4_work(service->fs);
    if (service->answered || status != MNOS_ERR_AGAIN)
        service_wake(service, service_key(KEY_COMMIT, 0));
    service->answered = false;
    if (is_news(service) || status != MNOS_ERR_AGAIN)
        service_wake(service, service_key(KEY_COMMITTED, 0));
}
