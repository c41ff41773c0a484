// SPDX-License-Identifier: MIT
/* mounts - the commands about file systems: mount, umount, sync, df. */
#include "lib/client/vfs.h"
#include "lib/client/volume.h"

#include "lib/base/printf.h"
#include "lib/mnos/size_text.h"
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/status.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/files.h"
#include "programs/monitor/mounts.h"

/* A bound for somebody else's list. */
#define VOLUMES_MAX 1024u

static const char *state_text(uint32_t state)
{
    static const char *const texts[] = {"absent",  "looked for", "starting",
                                        "mounted", "stopping",   "failed"};

    return state < sizeof texts / sizeof texts[0] ? texts[state] : "?";
}

/* Calls `look` for each mount; false: the table did not answer, which was told. */
static bool each_mount(const char *command,
                       bool (*look)(const char *command, const struct vfs_mount *mount))
{
    struct vfs_mount mount;
    bool good = true;

    if (files_session(command) == NULL)
        return false;
    for (uint64_t i = 0; i < VFS_MOUNTS_MAX; i++) {
        mnos_status_t status = vfs_mount_at(bootstrap_find("files"), i, &mount);

        if (status == MNOS_ERR_END)
            break;
        if (status != MNOS_OK) {
            files_failed(status, command, "");
            return false;
        }
        good &= look(command, &mount);
    }
    return good;
}

void mounts_explain(const char *path)
{
    static char full[FILES_PATH_BYTES];
    struct vfs_mount mount;

    if (path[0] == 0 || !files_path("", path, full))
        return;
    for (uint64_t i = 0; i < VFS_MOUNTS_MAX; i++) {
        size_t bytes;

        if (vfs_mount_at(bootstrap_find("files"), i, &mount) != MNOS_OK)
            return;
        bytes = strlen(mount.at);
        if (mount.state != VFS_MOUNTED && strncmp(full, mount.at, bytes) == 0 &&
            (full[bytes] == 0 || full[bytes] == '/'))
            console_print("%s is %s: %s\n", mount.at, state_text(mount.state), mount.reason);
    }
}

/* ---- mount, umount ---- */

static bool print_mount(const char *, const struct vfs_mount *mount)
{
    console_print(
        "%-12s %-10s %-10s %-10s %s%s%s\n", mount->at, mount->type[0] != 0 ? mount->type : "-",
        state_text(mount->state), mount->service[0] != 0 ? mount->service : "-",
        mount->flags & MOUNT_READ_ONLY ? "read only" : "",
        mount->flags & MOUNT_READ_ONLY && mount->reason[0] != 0 ? "; " : "", mount->reason);
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A GUID as it is written; GPT stores the first three of its five parts the other way round. */
static bool parse_guid(const char *text, uint8_t id[MOUNT_VOLUME_BYTES])
{
    static const uint8_t order[] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    unsigned digits = 0;

    memset(id, 0, MOUNT_VOLUME_BYTES);
    for (; *text != 0; text++) {
        int digit = hex_digit(*text);

        if (*text == '-')
            continue;
        if (digit < 0 || digits == 32)
            return false;
        id[order[digits / 2]] |= (uint8_t)(digit << (digits % 2 == 0 ? 4 : 0));
        digits++;
    }
    return digits == 32;
}

/* A partition as DRIVER/NUMBER, as `disks` lists it, or DRIVER alone: a disk without partitions. */
static mnos_status_t find_volume(const char *text, uint8_t id[MOUNT_VOLUME_BYTES])
{
    struct volume_entry volume;
    char name[MNOS_NAME_BYTES + 12];
    mnos_status_t status = MNOS_OK;

    if (bootstrap_find("volumes") == 0)
        return MNOS_ERR_NOT_FOUND;
    for (uint64_t i = 0; i < VOLUMES_MAX; i++) {
        status = volume_entry(bootstrap_find("volumes"), i, &volume);
        if (status != MNOS_OK)
            break;
        volume.disk[sizeof volume.disk - 1] = 0;
        if (volume.partition == 0)
            mnos_snprintf(name, sizeof name, "%s", volume.disk);
        else
            mnos_snprintf(name, sizeof name, "%s/%u", volume.disk, volume.partition);
        if (strcmp(name, text) == 0) {
            memcpy(id, volume.id, MOUNT_VOLUME_BYTES);
            return MNOS_OK;
        }
    }
    return status == MNOS_ERR_END || status == MNOS_OK ? MNOS_ERR_NOT_FOUND : status;
}

void command_mount(const struct words *words)
{
    struct vfs_mount_request request = {0};
    const char *at = words->word[words->count - 1];
    mnos_status_t status;

    if (words->count == 1) {
        console_print("%-12s %-10s %-10s %-10s\n", "MOUNTED AT", "TYPE", "STATE", "SERVICE");
        (void)each_mount("mount", print_mount);
        return;
    }
    if (words->count == 3 && !parse_guid(words->word[1], request.volume)) {
        status = find_volume(words->word[1], request.volume);
        if (status != MNOS_OK) {
            console_error(status,
                          "mount: a volume is DRIVER/PARTITION, as disks lists them, or a GUID");
            return;
        }
    }
    if (strlen(at) >= sizeof request.at) {
        console_print("mount: a mount point has at most %u bytes\n", VFS_PATH_BYTES - 1);
        return;
    }
    string_copy(request.at, at, sizeof request.at);
    if (files_session("mount") == NULL)
        return;
    status = vfs_mount(bootstrap_find("files"), &request);
    if (status != MNOS_OK)
        files_failed(status, "mount", at);
}

void command_umount(const struct words *words)
{
    mnos_status_t status;

    if (files_session("umount") == NULL)
        return;
    status = vfs_umount(bootstrap_find("files"), words->word[1]);
    if (status != MNOS_OK)
        files_failed(status, "umount", words->word[1]);
}

/* ---- sync, df ---- */

static bool sync_mount(const char *command, const struct vfs_mount *mount)
{
    struct file_session *session;
    mnos_status_t status;

    if (mount->state != VFS_MOUNTED)
        return true; /* nothing was written there that is not in it */
    status = file_mounts_session(files_mounts(), mount->inode, &session);
    if (status == MNOS_OK)
        status = file_sync_all(session);
    /* A session that a new run does not know is asked for once more. */
    if (status == MNOS_ERR_LOST)
        status = file_mounts_session(files_mounts(), mount->inode, &session);
    if (status != MNOS_OK)
        files_failed(status, command, mount->at);
    return status == MNOS_OK;
}

bool mounts_sync(const char *command)
{
    return each_mount(command, sync_mount);
}

/* A file system without a volume (a volume's name is all 0) holds nothing that outlives it. */
static bool leave_mount(const char *command, const struct vfs_mount *mount)
{
    static const uint8_t none[MOUNT_VOLUME_BYTES];
    mnos_status_t status;

    if (mount->state != VFS_MOUNTED || memcmp(mount->volume, none, sizeof none) == 0)
        return true;
    status = vfs_umount(bootstrap_find("files"), mount->at);
    if (status != MNOS_OK)
        files_failed(status, command, mount->at);
    return status == MNOS_OK;
}

bool mounts_leave(const char *command)
{
    return mounts_sync(command) && each_mount(command, leave_mount);
}

void command_sync(const struct words *)
{
    (void)mounts_sync("sync");
}

static bool print_space(const char *command, const struct vfs_mount *mount)
{
    char total[SIZE_TEXT_BYTES], used[SIZE_TEXT_BYTES], left[SIZE_TEXT_BYTES];
    struct file_session *session;
    struct file_space space;
    mnos_status_t status;

    if (mount->state != VFS_MOUNTED) {
        console_print("%-12s %-10s %s%s%s\n", mount->at, mount->type[0] != 0 ? mount->type : "-",
                      state_text(mount->state), mount->reason[0] != 0 ? ": " : "", mount->reason);
        return true;
    }
    status = file_mounts_session(files_mounts(), mount->inode, &session);
    if (status == MNOS_OK)
        status = file_space(session, &space);
    if (status != MNOS_OK) {
        files_failed(status, command, mount->at);
        return false;
    }
    console_print("%-12s %-10.16s %10s %10s %10s %12llu\n", mount->at, space.type,
                  size_text(total, space.total_bytes),
                  size_text(used, space.total_bytes - space.free_bytes),
                  size_text(left, space.free_bytes), (unsigned long long)space.free_inodes);
    return true;
}

void command_df(const struct words *)
{
    console_print("%-12s %-10s %10s %10s %10s %12s\n", "MOUNTED AT", "TYPE", "SIZE", "USED", "FREE",
                  "FREE FILES");
    (void)each_mount("df", print_space);
}
