// SPDX-License-Identifier: MIT
/*
 * root - the directory of all mount points, by the requests of file.def. It is read only, and what a path names
 * below a mount point is another service's: see server.h.
 */
#include "lib/base/string.h"
#include "lib/server/export.h"
#include "services/vfs/server.h"

/* The handle of the root says what it was opened for: in the bits from 8 on. */
#define ROOT_HANDLE 1u
#define ROOT_HANDLE_SHIFT 8

struct text {
    const char *at, *end;
};

/* Whether it is a handle of the root that the asker could have opened. */
static bool is_handle(const struct message *message, uint64_t handle)
{
    return (handle & ((1u << ROOT_HANDLE_SHIFT) - 1)) == ROOT_HANDLE &&
           (handle >> ROOT_HANDLE_SHIFT & ~(uint64_t)vfs_rights_of(message->badge)) == 0;
}

/* Where a path begins: there, or at the root by number 0, which is the same. */
static bool is_beginning(const struct message *message, uint64_t handle)
{
    return handle == 0 || is_handle(message, handle);
}

static mnos_status_t answer(struct message *message, const void *record, size_t bytes)
{
    message_put(message, MNOS_OK, record, bytes);
    return MNOS_OK;
}

/* The answer to a path that leaves the root; what is left of it begins at a slash or is empty. */
static mnos_status_t leave(struct vfs *vfs, struct message *message, uint32_t reason,
                           unsigned which, uint64_t inode, struct text left)
{
    struct file_rest rest = {.reason = (uint16_t)reason, .which = (uint16_t)which, .inode = inode};
    size_t bytes;

    while (left.at < left.end && *left.at == '/')
        left.at++;
    bytes = (size_t)(left.end - left.at);
    memcpy(vfs->reply, &rest, sizeof rest);
    memcpy(vfs->reply + sizeof rest, left.at, bytes);
    message_put(message, MNOS_ERR_REST, vfs->reply, sizeof rest + bytes);
    return MNOS_OK;
}

/* MNOS_OK: the path is the root's. MNOS_ERR_NOT_FOUND: a name that nothing has; *last: nothing follows it.
 * VFS_ASIDE: it leads elsewhere, and the message is the answer that says so. */
static mnos_status_t walk(struct vfs *vfs, struct message *message, unsigned which,
                          struct text path, bool *last)
{
    *last = true;
    if (path.end - path.at > FILE_PATH_BYTES_MAX)
        return MNOS_ERR_SIZE;
    if (path.at < path.end && *path.at == '/') {
        (void)leave(vfs, message, FILE_REST_ABSOLUTE, which, 0, path);
        return VFS_ASIDE;
    }
    for (;;) {
        struct text name = {path.at, path.at};
        const struct vfs_entry *entry;
        size_t bytes;

        while (name.end < path.end && *name.end != '/')
            name.end++;
        for (path.at = name.end; path.at < path.end && *path.at == '/';)
            path.at++;
        bytes = (size_t)(name.end - name.at);
        if (bytes == 0 && path.at == path.end)
            return MNOS_OK;
        if (bytes == 0 || (bytes == 1 && name.at[0] == '.'))
            continue;
        if (bytes == 2 && name.at[0] == '.' && name.at[1] == '.') {
            (void)leave(vfs, message, FILE_REST_PARENT, which, 0, path);
            return VFS_ASIDE;
        }
        if (bytes > FILE_NAME_BYTES_MAX)
            return MNOS_ERR_SIZE;
        entry = vfs_find(vfs->table, name.at, bytes);
        *last = path.at == path.end;
        if (entry == NULL)
            return MNOS_ERR_NOT_FOUND;
        (void)leave(vfs, message, FILE_REST_MOUNT, which, entry->inode, path);
        return VFS_ASIDE;
    }
}

/* ---- Requests ---- */

static struct file_attr root_attr(const struct vfs *vfs)
{
    return (struct file_attr){.inode = VFS_ROOT_INODE,
                              .generation = 1,
                              .created_ns = vfs->date_ns,
                              .modified_ns = vfs->date_ns,
                              .changed_ns = vfs->date_ns,
                              .type = FILE_TYPE_DIRECTORY,
                              .links = 1};
}

static mnos_status_t open_session(struct message *message)
{
    struct file_limits limits = {.rights = vfs_rights_of(message->badge),
                                 .lanes = LABEL_LANES,
                                 .handles = 1,
                                 .type = FILE_TYPE_DIRECTORY,
                                 .root = VFS_ROOT_INODE};

    return answer(message, &limits, sizeof limits);
}

/* What a path is looked up for, and cannot be done to the root or to a name in it. */
static mnos_status_t refusal(mnos_status_t found, bool last, bool makes)
{
    if (found == MNOS_OK)
        return makes ? MNOS_ERR_EXISTS : MNOS_ERR_DENIED;
    return makes && last ? MNOS_ERR_DENIED : found;
}

static mnos_status_t open(struct vfs *vfs, struct message *message, struct text path)
{
    struct file_opened opened = {.inode = VFS_ROOT_INODE, .type = FILE_TYPE_DIRECTORY};
    struct file_open wanted;
    mnos_status_t status;
    bool last;

    memcpy(&wanted, vfs->request, sizeof wanted);
    if (!is_beginning(message, wanted.directory))
        return MNOS_ERR_FILE;
    status = walk(vfs, message, 0, path, &last);
    if (status == VFS_ASIDE)
        return MNOS_OK;
    if (status != MNOS_OK)
        return refusal(status, last, (wanted.flags & FILE_CREATE) != 0);
    if (wanted.flags & FILE_CREATE && wanted.flags & FILE_EXCLUSIVE)
        return MNOS_ERR_EXISTS;
    if (wanted.flags & FILE_TRUNCATE_FIRST || wanted.rights & FILE_WRITE_RIGHT)
        return MNOS_ERR_DIRECTORY;
    if ((wanted.rights & ~vfs_rights_of(message->badge)) != 0)
        return MNOS_ERR_DENIED;
    opened.rights = wanted.rights;
    opened.handle = ROOT_HANDLE | (uint64_t)wanted.rights << ROOT_HANDLE_SHIFT;
    return answer(message, &opened, sizeof opened);
}

static mnos_status_t one_path(struct vfs *vfs, struct message *message, uint32_t operation,
                              struct text path)
{
    struct file_attr attr = root_attr(vfs);
    struct file_path wanted;
    mnos_status_t status;
    bool last;

    memcpy(&wanted, vfs->request, sizeof wanted);
    if (!is_beginning(message, wanted.directory))
        return MNOS_ERR_FILE;
    status = walk(vfs, message, 0, path, &last);
    if (status == VFS_ASIDE)
        return MNOS_OK;
    if (operation == FILE_STAT)
        return status != MNOS_OK ? status : answer(message, &attr, sizeof attr);
    if (operation == FILE_READLINK)
        return status != MNOS_OK ? status : MNOS_ERR_STATE;
    if (operation == FILE_UNLINK && status == MNOS_OK)
        return MNOS_ERR_DIRECTORY;
    return refusal(status, last, operation == FILE_MKDIR);
}

/* LINK, RENAME and SYMLINK; the first text of the last is no path. */
static mnos_status_t two_paths(struct vfs *vfs, struct message *message, uint32_t operation,
                               struct text texts)
{
    struct text first = texts, second = texts;
    mnos_status_t status = MNOS_OK;
    struct file_two wanted;
    bool last = true;

    memcpy(&wanted, vfs->request, sizeof wanted);
    if (wanted.first_bytes > (size_t)(texts.end - texts.at))
        return MNOS_ERR_SIZE;
    if (!is_beginning(message, wanted.first_directory) ||
        !is_beginning(message, wanted.second_directory))
        return MNOS_ERR_FILE;
    first.end = second.at = texts.at + wanted.first_bytes;
    if (operation != FILE_SYMLINK)
        status = walk(vfs, message, 0, first, &last);
    if (status == VFS_ASIDE)
        return MNOS_OK;
    if (status != MNOS_OK)
        return status;
    status = walk(vfs, message, 1, second, &last);
    return status == VFS_ASIDE ? MNOS_OK : refusal(status, last, true);
}

static mnos_status_t readdir(struct vfs *vfs, struct message *message)
{
    struct file_names names = {.end = 1};
    struct file_readdir wanted;
    size_t used = sizeof names;

    memcpy(&wanted, vfs->request, sizeof wanted);
    if (!is_handle(message, wanted.handle))
        return MNOS_ERR_FILE;
    /* All of them fit into one message. The cookie is the number of the entry. */
    for (names.next = wanted.cookie; names.next < VFS_MOUNTS_MAX; names.next++) {
        const struct vfs_entry *entry = &vfs->table->entries[names.next];
        struct file_name record = {.inode = entry->inode, .type = FILE_TYPE_DIRECTORY};

        if (entry->at[0] == 0)
            continue;
        record.bytes = (uint16_t)strlen(vfs_name(entry));
        memset(vfs->reply + used, 0, sizeof record + VFS_PATH_BYTES);
        memcpy(vfs->reply + used, &record, sizeof record);
        memcpy(vfs->reply + used + sizeof record, vfs_name(entry), record.bytes);
        used += (sizeof record + record.bytes + 7) & ~(size_t)7;
        names.count++;
    }
    memcpy(vfs->reply, &names, sizeof names);
    return answer(message, vfs->reply, used);
}
_Static_assert(sizeof(struct file_names) +
                       VFS_MOUNTS_MAX * (sizeof(struct file_name) + VFS_PATH_BYTES) <=
                   MNOS_MESSAGE_MAX_BYTES,
               "all names fit into one message");

static mnos_status_t export(struct vfs *vfs, struct message *message)
{
    struct file_export wanted;
    mnos_badge_t badge, *place;
    uint64_t bits;

    memcpy(&wanted, vfs->request, sizeof wanted);
    if (!is_handle(message, wanted.handle))
        return MNOS_ERR_FILE;
    if ((wanted.rights & ~(wanted.handle >> ROOT_HANDLE_SHIFT)) != 0 || wanted.account != 0)
        return MNOS_ERR_DENIED;
    bits = (message->badge & VFS_BADGE_ACCOUNT) |
           ((wanted.rights & FILE_READ_RIGHT) != 0 ? VFS_BADGE_READ : 0);
    badge = vfs_new_badge(vfs, bits);
    place = roots_take(vfs, badge);
    if (place == NULL)
        return MNOS_ERR_QUOTA;
    if (server_export(vfs->endpoint, message, badge) == MNOS_OK)
        return VFS_ASIDE;
    *place = 0;
    return MNOS_ERR_QUOTA;
}

static mnos_status_t with_handle(struct vfs *vfs, struct message *message, uint32_t operation)
{
    struct file_attr attr = root_attr(vfs);
    uint64_t handle;

    memcpy(&handle, vfs->request, sizeof handle);
    if (!is_handle(message, handle))
        return MNOS_ERR_FILE;
    if (operation == FILE_ATTR)
        return answer(message, &attr, sizeof attr);
    if (operation == FILE_CLOSE || operation == FILE_FSYNC)
        return answer(message, NULL, 0);
    /* It has no handle with the right to write; what else there is, is of files. */
    return operation == FILE_SET_TIME ? MNOS_ERR_DENIED : MNOS_ERR_DIRECTORY;
}

static mnos_status_t about_all(struct message *message, uint32_t operation)
{
    struct file_session_info info = {.root = VFS_ROOT_INODE,
                                     .rights = vfs_rights_of(message->badge)};
    struct file_space space = {.type = "vfs"};

    switch (operation) {
    case FILE_OPEN_SESSION: return open_session(message);
    case FILE_STATFS: return answer(message, &space, sizeof space);
    case FILE_SYNC: return answer(message, NULL, 0);
    case FILE_SESSION_INFO: return answer(message, &info, sizeof info);
    default: return MNOS_ERR_DENIED; /* CLOSE_TREE: no session here has that right */
    }
}

/* The record that a request has at its beginning; 0: none that is looked at. */
static size_t record_bytes(uint32_t operation)
{
    switch (operation) {
    case FILE_OPEN: return sizeof(struct file_open);
    case FILE_STAT:
    case FILE_MKDIR:
    case FILE_UNLINK:
    case FILE_RMDIR:
    case FILE_READLINK: return sizeof(struct file_path);
    case FILE_LINK:
    case FILE_SYMLINK:
    case FILE_RENAME: return sizeof(struct file_two);
    case FILE_READDIR: return sizeof(struct file_readdir);
    case FILE_EXPORT: return sizeof(struct file_export);
    case FILE_OPEN_SESSION:
    case FILE_STATFS:
    case FILE_SYNC:
    case FILE_SESSION_INFO:
    case FILE_CLOSE_TREE: return 0;
    default: return sizeof(struct file_handle);
    }
}

mnos_status_t root_handle(struct vfs *vfs, struct message *message)
{
    uint32_t operation = label_operation(message->label);
    size_t length = message_get(message, vfs->request, message->length);
    size_t record = record_bytes(operation);
    struct text path = {vfs->request + record, vfs->request + length};

    if (length < record)
        return MNOS_ERR_SIZE;
    switch (operation) {
    case FILE_OPEN: return open(vfs, message, path);
    case FILE_STAT:
    case FILE_MKDIR:
    case FILE_UNLINK:
    case FILE_RMDIR:
    case FILE_READLINK: return one_path(vfs, message, operation, path);
    case FILE_LINK:
    case FILE_SYMLINK:
    case FILE_RENAME: return two_paths(vfs, message, operation, path);
    case FILE_READDIR: return readdir(vfs, message);
    case FILE_EXPORT: return export(vfs, message);
    default:
        return record == 0 ? about_all(message, operation) : with_handle(vfs, message, operation);
    }
}
