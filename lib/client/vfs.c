// SPDX-License-Identifier: MIT
/* vfs - see vfs.h. */
#include "lib/client/vfs.h"

#include "lib/client/service.h"

mnos_status_t vfs_mount_at(mnos_cap_t table, uint64_t index, struct vfs_mount *mount)
{
    struct vfs_index record = {index};
    struct message message = {0};
    mnos_status_t status;

    message_put(&message, VFS_LIST, &record, sizeof record);
    status = service_call(table, &message);
    if (status == MNOS_OK && message_get(&message, mount, sizeof *mount) != sizeof *mount)
        status = MNOS_ERR_FORMAT;
    mount->at[sizeof mount->at - 1] = mount->type[sizeof mount->type - 1] = 0;
    mount->service[sizeof mount->service - 1] = mount->reason[sizeof mount->reason - 1] = 0;
    return status;
}

mnos_status_t vfs_mount(mnos_cap_t table, const struct vfs_mount_request *request)
{
    struct message message = {0};

    message_put(&message, VFS_MOUNT, request, sizeof *request);
    return service_call(table, &message);
}

mnos_status_t vfs_umount(mnos_cap_t table, const char *at)
{
    struct vfs_path record = {0};
    struct message message = {0};

    if (strlen(at) >= sizeof record.at)
        return MNOS_ERR_SIZE;
    string_copy(record.at, at, sizeof record.at);
    message_put(&message, VFS_UMOUNT, &record, sizeof record);
    return service_call_parking(table, &message);
}
