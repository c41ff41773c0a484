// SPDX-License-Identifier: MIT
/*
 * volume - mounting, unmounting, and what is written when: see service.h and docs/fat.md.
 *
 *   NONE --mount--> MOUNTING --> MOUNTED --unmount--> UNMOUNTING --> NONE
 *                       `------> FAILED --mount--> MOUNTING `--> FAILED
 */
#include "lib/base/string.h"
#include "services/fs/fat/boot.h"
#include "services/fs/fat/service.h"

/* ---- What FatFs asks for ---- */

static bool port_read(void *context, void *to, uint32_t sector, uint32_t count)
{
    struct fat_service *service = context;
    uint64_t bytes = service->port.sector_bytes;

    return volume_cache_read(&service->cache, sector * bytes, to, count * bytes) == MNOS_OK;
}

static bool port_write(void *context, const void *from, uint32_t sector, uint32_t count,
                       enum fatfs_class class)
{
    struct fat_service *service = context;
    uint64_t bytes = service->port.sector_bytes;

    return volume_cache_write(&service->cache, sector * bytes, from, count * bytes, class) ==
           MNOS_OK;
}

mnos_status_t fat_status(enum fatfs_result result)
{
    switch (result) {
    case FATFS_OK: return MNOS_OK;
    case FATFS_NONE: return MNOS_ERR_NOT_FOUND;
    case FATFS_NAME: return MNOS_ERR_ARGUMENT;
    case FATFS_FULL: return MNOS_ERR_FULL;
    case FATFS_DAMAGED:
    case FATFS_FOREIGN: return MNOS_ERR_FORMAT;
    default: return MNOS_ERR_DEVICE;
    }
}

/* ---- Writing ---- */

mnos_status_t volume_writable(const struct fat_service *service)
{
    if (!service->read_only)
        return MNOS_OK;
    return service->asked_read_only ? MNOS_ERR_DENIED : MNOS_ERR_DEVICE;
}

void volume_changed(struct fat_service *service)
{
    service->request_changed = true;
    if (service->commit_ns == 0)
        service->commit_ns = service->tick_ns + FAT_COMMIT_NS;
}

/* Before anything else of a change is on the medium it says that the volume is in use. */
static mnos_status_t mark(struct fat_service *service, bool marked)
{
    mnos_status_t status = MNOS_OK;

    if (service->marked == marked || service->found_marked)
        return MNOS_OK;
    status = fat_status(fatfs_mark(marked));
    if (status == MNOS_OK)
        status = volume_cache_write_out(&service->cache, CACHE_MARK);
    if (status == MNOS_OK)
        status = volume_cache_flush(&service->cache);
    service->marked = marked;
    return status;
}

/* Bytes, then what says that their clusters are used, then what leads to them; each on the medium before the next. */
static mnos_status_t write_in_order(struct fat_service *service)
{
    mnos_status_t damaged = node_update_all(service), status = MNOS_ERR_DEVICE;

    if (damaged != MNOS_ERR_DEVICE)
        status = fat_status(fatfs_write_counters());
    for (unsigned class = CACHE_BYTES; status == MNOS_OK && class <= CACHE_ENTRIES; class ++) {
        status = volume_cache_write_out(&service->cache, class);
        if (status == MNOS_OK)
            status = volume_cache_flush(&service->cache);
    }
    return status == MNOS_OK ? damaged : status;
}

static bool is_dirty(const struct fat_service *service)
{
    const uint32_t *dirty = service->cache.dirty;

    return dirty[CACHE_BYTES] + dirty[CACHE_TABLES] + dirty[CACHE_ENTRIES] != 0;
}

mnos_status_t volume_commit(struct fat_service *service)
{
    mnos_status_t status = mark(service, true);

    if (status == MNOS_OK)
        status = write_in_order(service);
    service->commit_ns = 0;
    if (status == MNOS_ERR_FORMAT)
        return status; /* what the asker wrote has no entry that says so */
    if (status == MNOS_OK)
        kept_commit(service);
    /* Nothing on the medium leads to these any more. */
    if (status == MNOS_OK)
        status = node_free_gone(service);
    if (status == MNOS_OK && is_dirty(service)) /* tables, which are no client's */
        service->commit_ns = service->tick_ns + FAT_COMMIT_NS;
    if (status == MNOS_OK || service->read_only)
        return status;
    service->read_only = true;
    string_copy(service->reason, "writing failed", sizeof service->reason);
    if (service->say != NULL)
        service->say("writing failed: the volume is read-only from now on");
    if (service->state == FAT_MOUNTED && service->state_changed != NULL)
        service->state_changed(service);
    return status;
}

/* ---- Mounting ---- */

void fat_service_init(struct fat_service *service, struct file_server *files,
                      const struct fat_disk *disk, struct fat_kept *kept)
{
    service->files = files;
    service->kept = kept;
    service->next_generation = kept->next_generation;
    service->disk = disk;
    files->loop.waits_inside = true;
    files->loop.ran = kept_ran;
    node_init(service);
}

static void set_state(struct fat_service *service, enum fat_state state, mnos_status_t failure)
{
    service->state = state;
    service->failure = failure;
    if (state != FAT_MOUNTING) /* which may be the next run of what is mounted */
        service->kept->mounted = state == FAT_MOUNTED;
    if (service->state_changed != NULL)
        service->state_changed(service);
}

static void begin_mounting(struct fat_service *service, uint32_t sector_bytes, uint64_t disk_bytes,
                           bool read_only)
{
    service->disk_bytes = service->kept->disk_bytes = disk_bytes;
    service->disk_sector_bytes = sector_bytes;
    service->kept->asked_read_only = read_only;
    service->asked_read_only = service->read_only = read_only;
    service->marked = false;
    service->commit_ns = 0;
    service->reason[0] = 0;
    set_state(service, FAT_MOUNTING, MNOS_OK);
}

void fat_service_mount(struct fat_service *service, uint32_t sector_bytes, uint64_t disk_bytes,
                       bool read_only)
{
    service->kept->mounted = service->kept->renamed.is_one = false;
    memset(service->kept->nodes, 0, sizeof service->kept->nodes);
    memset(service->kept->changed, 0, sizeof service->kept->changed);
    begin_mounting(service, sector_bytes, disk_bytes, read_only);
}

void fat_service_unmount(struct fat_service *service)
{
    set_state(service, FAT_UNMOUNTING, MNOS_OK);
    park_wake_all(service->files->loop.park); /* they are not served any more */
}

static mnos_status_t refuse(struct fat_service *service, mnos_status_t status, const char *reason)
{
    string_copy(service->reason, reason, sizeof service->reason);
    return status;
}

static mnos_status_t read_boot(struct fat_service *service)
{
    uint8_t sector[BOOT_BYTES];
    struct boot_facts facts;
    mnos_status_t status;

    memset(service->table, 0, volume_cache_table_bytes(service->pages));
    volume_cache_init(&service->cache, service->table, service->memory, service->pages,
                      service->disk, service->disk_bytes);
    status = volume_cache_read(&service->cache, 0, sector, sizeof sector);
    if (status != MNOS_OK)
        return refuse(service, status, "the boot sector cannot be read");
    if (!boot_read(sector, &facts))
        return refuse(service, MNOS_ERR_FORMAT, "no FAT or exFAT");
    if (facts.volume_bytes > service->disk_bytes)
        return refuse(service, MNOS_ERR_FORMAT, "larger than the volume");
    if (facts.sector_bytes < service->disk_sector_bytes)
        return refuse(service, MNOS_ERR_FORMAT, "its sectors are smaller than the disk's");
    service->port = (struct fatfs_disk){.context = service,
                                        .sector_bytes = facts.sector_bytes,
                                        .read = port_read,
                                        .write = port_write};
    return MNOS_OK;
}

static mnos_status_t mount(struct fat_service *service)
{
    mnos_status_t status = read_boot(service);
    struct fatfs_space space;

    if (status != MNOS_OK)
        return status;
    node_init(service);
    status = fat_status(fatfs_mount(&service->port));
    if (status == MNOS_OK)
        status = fat_status(fatfs_space(&space));
    if (status == MNOS_OK)
        status = fat_status(fatfs_marked(&service->found_marked));
    if (status != MNOS_OK)
        return refuse(service, status, "damaged, or of a form that is not known");
    if (service->found_marked && service->say != NULL)
        service->say("the volume was not unmounted: a check (fsck.fat, fsck.exfat) is due");
    return MNOS_OK;
}

bool fat_service_mount_again(struct fat_service *service, uint32_t sector_bytes,
                             uint64_t disk_bytes)
{
    if (service->kept->disk_bytes != disk_bytes)
        return false;
    begin_mounting(service, sector_bytes, disk_bytes, service->kept->asked_read_only);
    fat_service_round(service);
    return service->state == FAT_MOUNTED;
}

/* The second commit is that of what the first has freed. */
static mnos_status_t unmount(struct fat_service *service)
{
    mnos_status_t status = MNOS_OK;

    for (unsigned i = 0; i < 2 && status == MNOS_OK && !service->read_only; i++) {
        if (service->commit_ns != 0 || service->gone_count != 0 || is_dirty(service))
            status = volume_commit(service);
    }
    return status == MNOS_OK && !service->read_only ? mark(service, false) : status;
}

void fat_service_round(struct fat_service *service)
{
    mnos_status_t status;

    if (service->state == FAT_MOUNTING) {
        status = mount(service);
        set_state(service, status == MNOS_OK ? FAT_MOUNTED : FAT_FAILED, status);
    } else if (service->state == FAT_UNMOUNTING) {
        status = unmount(service);
        set_state(service, status == MNOS_OK ? FAT_NONE : FAT_FAILED, status);
    } else if (service->state == FAT_MOUNTED && service->commit_ns != 0 &&
               service->tick_ns >= service->commit_ns && !service->read_only) {
        (void)!volume_commit(service);
    }
    park_wake(service->files->loop.park, KEY_NEXT_ROUND);
}

uint64_t fat_service_deadline_ns(const struct fat_service *service)
{
    return service->commit_ns == 0 || service->read_only ? UINT64_MAX : service->commit_ns;
}

const char *fat_service_check(struct fat_service *service)
{
    const char *wrong = node_check(service);

    if (wrong == NULL && service->state == FAT_MOUNTED)
        wrong = volume_cache_check(&service->cache);
    return wrong;
}
