// SPDX-License-Identifier: MIT
/*
 * sessions - of the file systems: what the container was given, and one of each for each process. See host.h.
 *
 * A process' session is exported from the container's, so it can do no more; its badge is the process. lxhost holds a
 * capability of it, too, by which it lets a copy inherit.
 */
#include "personality/linux/lxhost/host.h"

#include "lib/base/printf.h"
#include "lib/client/file_copy.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/syscall.h"

/* "grant0", "grant1" and so on are sessions 0, 1...; "program" is the last. */
#define PROGRAM (LXHOST_MOUNTS_MAX - 1)

BOOTSTRAP_LIST("grant");

static struct {
    struct file_session files;
    struct file root;
    bool is_open, is_taken;
} masters[LXHOST_MOUNTS_MAX];

void sessions_name(unsigned number, char name[MNOS_NAME_BYTES])
{
    if (number == PROGRAM)
        mnos_snprintf(name, MNOS_NAME_BYTES, "program");
    else
        mnos_snprintf(name, MNOS_NAME_BYTES, "grant%u", number);
}

/* One that is a file's has that as its root, to read and maybe to write. */
static mnos_status_t open_master(unsigned number, mnos_cap_t session)
{
    struct file_session *files = &masters[number].files;
    mnos_status_t status = file_session_open(files, session, 0);
    uint32_t rights, flags;

    if (status != MNOS_OK)
        return status;
    flags = files->root_type == FILE_TYPE_DIRECTORY ? FILE_ONLY_DIRECTORY : 0;
    rights = files->rights & ~(uint32_t)FILE_REVOKE;
    status = file_open(files, NULL, "", flags, rights, &masters[number].root);
    masters[number].is_open = status == MNOS_OK;
    return status;
}

mnos_status_t sessions_open(void)
{
    mnos_status_t status = MNOS_OK;

    for (unsigned i = 0; i < LXHOST_MOUNTS_MAX && status == MNOS_OK; i++) {
        char name[MNOS_NAME_BYTES];
        mnos_cap_t session;

        sessions_name(i, name);
        session = bootstrap_lookup(bootstrap_listed(name));
        if (session != 0)
            status = open_master(i, session);
    }
    return status;
}

static mnos_status_t make(struct birth *birth, unsigned number)
{
    mnos_cap_t *session = &birth->process->native.sessions[number];
    char name[MNOS_NAME_BYTES];
    mnos_status_t status = file_export(
        &masters[number].root, masters[number].files.rights & ~(uint32_t)FILE_REVOKE, session);

    if (status != MNOS_OK)
        return status;
    sessions_name(number, name);
    return native_give(birth, name, *session, MNOS_RIGHT_WRITE);
}

mnos_status_t sessions_give(struct birth *birth)
{
    mnos_status_t status = MNOS_OK;

    for (unsigned i = 0; i < LXHOST_MOUNTS_MAX && status == MNOS_OK; i++) {
        if (masters[i].is_open)
            status = make(birth, i);
    }
    return status;
}

/* ---- Copies ---- */

/* The window is the copy's, under the name "windowN". */
static mnos_status_t begin(struct birth *birth, unsigned number, struct lxhost_image *image)
{
    char name[MNOS_NAME_BYTES];
    struct file_session_begun begun;
    mnos_status_t status =
        file_session_begin_for(birth->process->native.sessions[number], 0, &begun);

    if (status != MNOS_OK)
        return status;
    image->window_bytes[number] = begun.window_bytes;
    image->session_rights[number] = begun.rights;
    image->session_types[number] = begun.type;
    if (begun.window == 0)
        return MNOS_OK;
    mnos_snprintf(name, sizeof name, "window%u", number);
    status = native_give(birth, name, begun.window, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE);
    (void)!sys_cap_delete(begun.window);
    return status;
}

/* Handles of one session, as many as fit a request, from handle `from` of the image on; returns where it goes on. */
static uint32_t inherit(mnos_cap_t to, mnos_cap_t from, unsigned number, uint32_t first,
                        struct lxhost_image *image, uint32_t count)
{
    uint64_t handles[FILE_INHERIT_MAX];
    uint32_t places[FILE_INHERIT_MAX], found = 0, at = first;

    for (; at < count && found < FILE_INHERIT_MAX; at++) {
        if (image->handles[at].mount != number)
            continue;
        handles[found] = image->handles[at].handle;
        places[found++] = at;
    }
    /* What cannot be inherited is not open in the copy: its requests get an error. */
    if (found != 0 && file_session_inherit(to, from, handles, found) != MNOS_OK)
        __builtin_memset(handles, 0, sizeof handles);
    for (uint32_t i = 0; i < found; i++)
        image->handles[places[i]].handle = handles[i];
    return at;
}

mnos_status_t sessions_copy(struct birth *birth, const struct process *parent,
                            struct lxhost_image *image)
{
    uint32_t count = image->handle_count;
    mnos_status_t status = count <= LXHOST_HANDLES_MAX ? MNOS_OK : MNOS_ERR_FORMAT;

    if (status == MNOS_OK)
        status = sessions_give(birth);
    for (unsigned i = 0; i < LXHOST_MOUNTS_MAX && status == MNOS_OK; i++) {
        if (!masters[i].is_open)
            continue;
        status = begin(birth, i, image);
        for (uint32_t at = 0; status == MNOS_OK && at < count;)
            at = inherit(birth->process->native.sessions[i], parent->native.sessions[i], i, at,
                         image, count);
    }
    return status;
}

void sessions_drop(struct process *process)
{
    for (unsigned i = 0; i < LXHOST_MOUNTS_MAX; i++) {
        if (process->native.sessions[i] != 0)
            (void)!sys_cap_delete(process->native.sessions[i]);
        process->native.sessions[i] = 0;
    }
}

/* ---- For who has started the container ---- */

void sessions_describe(unsigned number, struct container_grant *grant)
{
    struct file_session *files = &masters[number].files;
    struct file_session_info info;

    *grant = (struct container_grant){.state = masters[number].is_open    ? CONTAINER_HELD
                                               : masters[number].is_taken ? CONTAINER_TAKEN
                                                                          : CONTAINER_NOTHING,
                                      .type = files->root_type};
    if (!masters[number].is_open)
        return;
    if (file_session_info(files, 0, &info) != MNOS_OK) {
        grant->state = CONTAINER_LOST;
        return;
    }
    grant->rights = info.rights;
    EACH_PROCESS(at)
    {
        if (at->native.sessions[number] != 0 &&
            file_session_info(files, at->native.sessions[number], &info) == MNOS_OK)
            grant->open += info.handles;
    }
}

/* Those of the processes are below the container's, which may close them; its own ends with its capability. */
mnos_status_t sessions_take(unsigned number)
{
    struct file_session *files = &masters[number].files;

    if (!masters[number].is_open)
        return masters[number].is_taken ? MNOS_OK : MNOS_ERR_NOT_FOUND;
    EACH_PROCESS(at)
    {
        mnos_cap_t *session = &at->native.sessions[number];
        mnos_status_t status = *session == 0 ? MNOS_OK : file_close_tree(files, *session);

        /* The root of all knows no sessions by capabilities, and mounted file systems give out their own below it. */
        if (status == MNOS_ERR_ACCEPT)
            return MNOS_ERR_DENIED;
        /* One that its service does not know any more is closed. */
        if (status != MNOS_OK && status != MNOS_ERR_NOT_FOUND && status != MNOS_ERR_LOST)
            return status;
        if (*session != 0)
            (void)!sys_cap_delete(*session);
        *session = 0;
    }
    file_session_close(files);
    (void)!sys_cap_delete(files->service);
    masters[number].is_open = false;
    masters[number].is_taken = true;
    return MNOS_OK;
}
