// SPDX-License-Identifier: MIT
/* file_mounts - the sessions of what is mounted: see file.h. */
#include "lib/client/file_internal.h"
#include "lib/client/service.h"
#include "lib/mnos/syscall.h"
#include "protocols/vfs.h"

mnos_status_t file_mounts_open(struct file_mounts *mounts, mnos_cap_t table, uint64_t window_bytes)
{
    mnos_status_t status;

    *mounts = (struct file_mounts){0};
    status = file_session_open(&mounts->root, table, window_bytes);
    mounts->root.mounts = mounts;
    return status;
}

/* Ends when the mount point is mounted, or not on its way any more. */
static mnos_status_t ask_for_root(struct file_mounts *mounts, uint64_t inode, mnos_cap_t *root)
{
    struct vfs_point record = {inode};
    struct message message = {0};
    mnos_status_t status;

    message_put(&message, VFS_ROOT, &record, sizeof record);
    message.accept = 1;
    status = service_call_parking(mounts->root.service, &message);
    *root = status == MNOS_OK ? message_cap(&message, 0) : 0;
    return status == MNOS_OK && *root == 0 ? MNOS_ERR_FORMAT : status;
}

/* The place of a mount point's session, or one for it: free, or of a session that is lost. -1: there is none. */
static int place_of(const struct file_mounts *mounts, uint64_t inode)
{
    int place = -1;

    for (unsigned i = 0; i < FILE_MOUNTS_MAX; i++) {
        if (mounts->mounted[i].inode == inode)
            return (int)i;
        if (place < 0 && (mounts->mounted[i].inode == 0 || mounts->mounted[i].session.lost))
            place = (int)i;
    }
    return place;
}

/* Whether the session of a place can be used; under the lock. */
static bool is_there(const struct file_mounts *mounts, int place, uint64_t inode)
{
    return place >= 0 && mounts->mounted[place].inode == inode &&
           !mounts->mounted[place].session.lost;
}

static mnos_status_t begin_there(struct file_mounts *mounts, int place, uint64_t inode,
                                 mnos_cap_t root)
{
    struct file_session *session = &mounts->mounted[place].session;
    mnos_cap_t before = mounts->mounted[place].inode == 0 ? 0 : session->service;
    mnos_status_t status;

    if (mounts->mounted[place].inode != inode)
        mounts->mounted[place].name[0] = 0;
    session->mounts = mounts;
    session->window_wanted = mounts->root.window_wanted;
    mounts->mounted[place].inode = inode;
    status = file_session_replace(session, root);
    if (before != 0)
        (void)!sys_cap_delete(before);
    if (status != MNOS_OK)
        session->lost = true;
    return status;
}

/* No place is left. A session that was ended by an unmount is known to be lost only when something is asked of it. */
static void ask_all(struct file_mounts *mounts)
{
    struct file_space space;

    for (unsigned i = 0; i < FILE_MOUNTS_MAX; i++) {
        if (!mounts->mounted[i].session.lost)
            (void)!file_space(&mounts->mounted[i].session, &space);
    }
}

mnos_status_t file_mounts_session(struct file_mounts *mounts, uint64_t inode,
                                  struct file_session **session)
{
    mnos_status_t status = MNOS_OK;
    mnos_cap_t root = 0;
    int place;

    mutex_lock(&mounts->lock);
    place = place_of(mounts, inode);
    if (!is_there(mounts, place, inode)) {
        /* It may take long: other threads go where they are going meanwhile. */
        mutex_unlock(&mounts->lock);
        if (place < 0)
            ask_all(mounts);
        status = ask_for_root(mounts, inode, &root);
        mutex_lock(&mounts->lock);
        place = place_of(mounts, inode);
        if (status == MNOS_OK && place < 0)
            status = MNOS_ERR_QUOTA;
        if (status == MNOS_OK && !is_there(mounts, place, inode)) {
            status = begin_there(mounts, place, inode, root);
            root = 0;
        }
        if (root != 0)
            (void)!sys_cap_delete(root); /* another thread was faster */
    }
    if (status == MNOS_OK)
        *session = &mounts->mounted[place].session;
    mutex_unlock(&mounts->lock);
    return status;
}

struct file_session *file_mounts_known(struct file_mounts *mounts, const char *name, size_t bytes)
{
    struct file_session *session = NULL;

    mutex_lock(&mounts->lock);
    for (unsigned i = 0; i < FILE_MOUNTS_MAX && session == NULL; i++) {
        if (bytes != 0 && bytes < FILE_MOUNT_NAME_BYTES && mounts->mounted[i].inode != 0 &&
            !mounts->mounted[i].session.lost && mounts->mounted[i].name[bytes] == 0 &&
            memcmp(mounts->mounted[i].name, name, bytes) == 0)
            session = &mounts->mounted[i].session;
    }
    mutex_unlock(&mounts->lock);
    return session;
}

void file_mounts_name(struct file_mounts *mounts, uint64_t inode, const char *name)
{
    mutex_lock(&mounts->lock);
    for (unsigned i = 0; i < FILE_MOUNTS_MAX; i++) {
        if (mounts->mounted[i].inode == inode)
            string_copy(mounts->mounted[i].name, name, sizeof mounts->mounted[i].name);
    }
    mutex_unlock(&mounts->lock);
}
