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

/* How many orders the mount point of this name has followed; none: 0. */
static mnos_status_t orders_of(mnos_cap_t table, const char *at, uint32_t *orders)
{
    struct vfs_mount mount;
    mnos_status_t status = MNOS_OK;

    *orders = 0;
    for (uint64_t i = 0; i < VFS_MOUNTS_MAX && status == MNOS_OK; i++) {
        status = vfs_mount_at(table, i, &mount);
        if (status == MNOS_OK && strcmp(mount.at, at) == 0) {
            *orders = mount.orders;
            break;
        }
    }
    return status == MNOS_ERR_END ? MNOS_OK : status;
}

mnos_status_t vfs_mount(mnos_cap_t table, struct vfs_mount_request *request)
{
    struct message message = {0};
    mnos_status_t status;

    request->at[sizeof request->at - 1] = 0;
    status = orders_of(table, request->at, &request->orders);
    if (status != MNOS_OK)
        return status;
    message_put(&message, VFS_MOUNT, request, sizeof *request);
    return service_call(table, &message);
}

mnos_status_t vfs_umount(mnos_cap_t table, const char *at)
{
    struct vfs_umount_request request = {0};
    struct message message = {0};
    mnos_status_t status;

    if (strlen(at) >= sizeof request.at)
        return MNOS_ERR_SIZE;
    string_copy(request.at, at, sizeof request.at);
    status = orders_of(table, request.at, &request.orders);
    if (status != MNOS_OK)
        return status;
    message_put(&message, VFS_UMOUNT, &request, sizeof request);
    return service_call_parking(table, &message);
}
