// SPDX-License-Identifier: MIT
/* volumes - see volumes.h. */
#include "services/vfs/volumes.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/service.h"
#include "lib/client/volume.h"
#include "lib/mnos/bootstrap.h"

/* A bound for somebody else's list. */
#define VOLUMES_MAX 1024u
/* Services of one type: ext4, or ext4.0, ext4.1, ... */
#define INSTANCES_MAX 8u

void volumes_listen(struct vfs *vfs)
{
    mnos_cap_t volumes = bootstrap_find("volumes");
    mnos_badge_t badge;

    if (volumes == 0 || vfs->volumes_listen != 0 || vfs->volumes_stopped)
        return;
    badge = vfs_new_badge(vfs, 0);
    if (service_listen(volumes, VOLUME_LISTEN, vfs->endpoint, badge, VFS_EVENT_VOLUMES) == MNOS_OK)
        vfs->volumes_listen = badge;
    else
        vfs->volumes_stopped = true; /* until an event says that it was started */
}

/* What the manifest's [types] may name. */
BOOTSTRAP_LIST("tmpfs");
BOOTSTRAP_LIST("initrdfs");
BOOTSTRAP_LIST("ext4");
BOOTSTRAP_LIST("fat");

/* A service of this name, or with a number behind it, that nothing else is mounted by. */
static bool find_service(struct vfs *vfs, const struct vfs_entry *entry, const char *type,
                         char name[MNOS_NAME_BYTES])
{
    const char *service = vfs_service_of(vfs->table, type);

    if (service == NULL)
        return false;
    string_copy(name, service, MNOS_NAME_BYTES);
    if (bootstrap_lookup(bootstrap_listed(name)) != 0)
        return vfs_service_is_free(vfs->table, name, entry);
    for (unsigned i = 0; i < INSTANCES_MAX; i++) {
        mnos_snprintf(name, MNOS_NAME_BYTES, "%s.%u", service, i);
        if (bootstrap_lookup(bootstrap_listed(name)) != 0 &&
            vfs_service_is_free(vfs->table, name, entry))
            return true;
    }
    return false;
}

static bool is_of_type(const struct vfs_entry *entry, const char *content)
{
    for (unsigned i = 0; i < MOUNTS_TYPES_OF_MOUNT; i++) {
        if (entry->types[i][0] != 0 && strcmp(entry->types[i], content) == 0)
            return true;
    }
    return false;
}

/* Whether something on the disk of a volume is booted from. */
static bool is_booted_from(mnos_cap_t volumes, const struct volume_entry *volume)
{
    struct volume_entry other;

    for (unsigned i = 0; i < VOLUMES_MAX && volume_entry(volumes, i, &other) == MNOS_OK; i++) {
        if (other.disk_number == volume->disk_number && other.flags & VOLUME_BOOT_MEDIUM)
            return true;
    }
    return false;
}

static bool is_wanted(struct vfs *vfs, mnos_cap_t volumes, const struct vfs_entry *entry,
                      const struct volume_entry *volume, bool boot_medium_too)
{
    if (entry->want == MOUNTS_WANT_VOLUME)
        return memcmp(volume->id, entry->volume, sizeof entry->volume) == 0;
    return is_of_type(entry, volume->content) &&
           vfs_volume_is_free(vfs->table, volume->id, entry) &&
           (boot_medium_too || !is_booted_from(volumes, volume));
}

static mnos_status_t look(struct vfs *vfs, mnos_cap_t volumes, const struct vfs_entry *entry,
                          bool boot_medium_too, struct vfs_volume *found)
{
    struct volume_entry volume;
    mnos_status_t status = MNOS_OK;

    for (unsigned i = 0; i < VOLUMES_MAX; i++) {
        status = volume_entry(volumes, i, &volume);
        if (status != MNOS_OK)
            break;
        volume.content[sizeof volume.content - 1] = 0;
        if (!is_wanted(vfs, volumes, entry, &volume, boot_medium_too))
            continue;
        memcpy(found->id, volume.id, sizeof found->id);
        string_copy(found->type, volume.content, sizeof found->type);
        return find_service(vfs, entry, volume.content, found->service) ? MNOS_OK : MNOS_ERR_FORMAT;
    }
    return status == MNOS_ERR_END || status == MNOS_OK ? MNOS_ERR_NOT_FOUND : status;
}

mnos_status_t volumes_find(struct vfs *vfs, const struct vfs_entry *entry,
                           struct vfs_volume *volume, bool *settled)
{
    mnos_cap_t volumes = bootstrap_find("volumes");
    struct volume_status state = {0};
    mnos_status_t status;

    if (volumes == 0)
        return MNOS_ERR_STOPPED;
    status = volume_status(volumes, &state);
    *settled = state.scanned != 0;
    if (status == MNOS_OK)
        status = look(vfs, volumes, entry, false, volume);
    /* The medium that was booted from only when no other has one. */
    if (status == MNOS_ERR_NOT_FOUND && *settled && entry->want == MOUNTS_WANT_FIRST &&
        vfs->world.now_ns(vfs) - entry->since_ns >= VFS_PROBE_NS / 2)
        status = look(vfs, volumes, entry, true, volume);
    return status;
}

mnos_status_t volumes_assign(const struct vfs_entry *entry)
{
    return volume_assign(bootstrap_find("volumes"), entry->volume, entry->service);
}

void volumes_take_back(const struct vfs_entry *entry)
{
    /* When it fails the volume stays the service's, which can mount it again, and no other. */
    (void)!volume_assign(bootstrap_find("volumes"), NULL, entry->service);
}
