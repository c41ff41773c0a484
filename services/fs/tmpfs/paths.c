// SPDX-License-Identifier: MIT
/* paths - the requests that name files by paths: see server.h. */
#include "lib/base/string.h"
#include "services/fs/tmpfs/server.h"

/* Slots of a directory that one READDIR looks at, at most. */
#define SLOTS_AT_ONCE 4096u

/* Copies a record, and points at the text behind it, which stays until the next request. */
static mnos_status_t take_text(struct tmpfs_server *server, const struct server_request *request,
                               void *record, size_t record_bytes, const char **text,
                               uint32_t *bytes)
{
    size_t length = request->message->length;

    if (length < record_bytes)
        return MNOS_ERR_SIZE;
    (void)message_get(request->message, server->request, length);
    memcpy(record, server->request, record_bytes);
    *text = server->request + record_bytes;
    *bytes = (uint32_t)(length - record_bytes);
    return MNOS_OK;
}

/* Looks a path up from the root or an open directory, which must allow all of `rights`. */
static mnos_status_t walk(struct tmpfs_server *server, struct server_request *request,
                          struct tmpfs_walk *walk, uint64_t directory, uint32_t rights,
                          const char *path, uint32_t bytes)
{
    const struct server_session *session = request->session;
    struct server_handle *handle = NULL;
    mnos_status_t status = MNOS_OK;

    if (directory != 0)
        status = tmpfs_handle(server, request, directory, rights, &handle);
    if (status == MNOS_OK && (session->rights & rights) != rights)
        status = MNOS_ERR_DENIED;
    if (status != MNOS_OK)
        return status;
    walk->root = session->object;
    walk->start = handle == NULL ? session->object : handle->object;
    return tmpfs_resolve(server->fs, walk, path, bytes);
}

/* The answer to a path that leaves the session: the rest of it goes to the client. */
static mnos_status_t refuse(struct tmpfs_server *server, struct server_request *request,
                            const struct tmpfs_walk *walk, mnos_status_t status)
{
    struct file_rest rest = {
        .reason = (uint16_t)walk->reason, .which = walk == &server->walks[1], .links = walk->links};

    if (status != MNOS_ERR_REST)
        return status;
    memcpy(server->reply, &rest, sizeof rest);
    memcpy(server->reply + sizeof rest, walk->rest, walk->rest_bytes);
    message_put(request->message, MNOS_ERR_REST, server->reply, sizeof rest + walk->rest_bytes);
    request->had_no_effect = true;
    return MNOS_OK;
}

/* ---- Open ---- */

/* Finds what is to be opened, or makes it. */
static mnos_status_t find_or_make(struct tmpfs_server *server, const struct server_request *request,
                                  const struct file_open *wanted, const struct tmpfs_place *place,
                                  uint32_t *inode)
{
    *inode = place->inode;
    if (place->inode != 0)
        return wanted->flags & FILE_EXCLUSIVE && wanted->flags & FILE_CREATE ? MNOS_ERR_EXISTS
                                                                             : MNOS_OK;
    if ((wanted->flags & FILE_CREATE) == 0)
        return MNOS_ERR_NOT_FOUND;
    return tmpfs_create(server->fs, place, FILE_TYPE_FILE, request->session->account, inode);
}

static mnos_status_t check_open(struct tmpfs_server *server, const struct file_open *wanted,
                                uint32_t inode)
{
    uint32_t type = tmpfs_inode(server->fs, inode)->type;

    if (wanted->flags & FILE_ONLY_DIRECTORY && type != FILE_TYPE_DIRECTORY)
        return MNOS_ERR_NOT_DIRECTORY;
    if (type == FILE_TYPE_SYMLINK)
        return MNOS_ERR_LINKS;
    if (type == FILE_TYPE_DIRECTORY &&
        (wanted->rights & FILE_WRITE_RIGHT || wanted->flags & FILE_TRUNCATE_FIRST))
        return MNOS_ERR_DIRECTORY;
    return MNOS_OK;
}

/* The rights that the path is walked with. */
static uint32_t rights_to_walk(const struct file_open *wanted)
{
    return FILE_LOOKUP | wanted->rights | (wanted->flags & FILE_CREATE ? FILE_CREATE_RIGHT : 0) |
           (wanted->flags & FILE_TRUNCATE_FIRST ? FILE_WRITE_RIGHT : 0);
}

static mnos_status_t open_inode(struct tmpfs_server *server, struct server_request *request,
                                const struct file_open *wanted, uint32_t inode)
{
    struct file_opened opened = {.inode = inode, .rights = wanted->rights};
    mnos_status_t status;

    if (wanted->flags & FILE_TRUNCATE_FIRST)
        (void)tmpfs_truncate(server->fs, inode, 0); /* becoming shorter cannot fail */
    status =
        handle_make(server->loop.sessions, request->session, inode, wanted->rights, &opened.handle);
    if (status != MNOS_OK)
        return status;
    tmpfs_hold(server->fs, inode);
    opened.size = tmpfs_inode(server->fs, inode)->size;
    opened.type = tmpfs_inode(server->fs, inode)->type;
    return tmpfs_answer(request, &opened, sizeof opened);
}

mnos_status_t tmpfs_handle_OPEN(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    struct tmpfs_walk *at = &server->walks[0];
    struct file_open wanted;
    const char *path;
    uint32_t bytes, inode;
    mnos_status_t status = take_text(server, request, &wanted, sizeof wanted, &path, &bytes);

    if (status != MNOS_OK)
        return status;
    if ((wanted.rights & ~(uint32_t)(FILE_RIGHTS_ALL & ~FILE_REVOKE)) != 0 ||
        (wanted.flags & FILE_CREATE && wanted.flags & FILE_ONLY_DIRECTORY))
        return MNOS_ERR_ARGUMENT;
    if (!handle_room(server->loop.sessions, request->session))
        return MNOS_ERR_QUOTA;
    tmpfs_make_room(server);
    /* Something new is not made through a link, wherever that leads. */
    at->no_follow = (wanted.flags & (FILE_NO_FOLLOW | FILE_EXCLUSIVE)) != 0;
    status = walk(server, request, at, wanted.directory, rights_to_walk(&wanted), path, bytes);
    if (status != MNOS_OK)
        return refuse(server, request, at, status);
    status = find_or_make(server, request, &wanted, &at->place, &inode);
    if (status == MNOS_OK)
        status = check_open(server, &wanted, inode);
    return status != MNOS_OK ? status : open_inode(server, request, &wanted, inode);
}

/* ---- One path ---- */

/* The record and the walk of a request with one path. */
static mnos_status_t one_path(struct tmpfs_server *server, struct server_request *request,
                              uint32_t rights, bool no_follow)
{
    struct file_path wanted;
    const char *path;
    uint32_t bytes;
    mnos_status_t status = take_text(server, request, &wanted, sizeof wanted, &path, &bytes);

    if (status != MNOS_OK)
        return status;
    server->walks[0].no_follow = no_follow || (wanted.flags & FILE_NO_FOLLOW) != 0;
    return walk(server, request, &server->walks[0], wanted.directory, rights, path, bytes);
}

mnos_status_t tmpfs_handle_STAT(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    struct file_attr attr;
    mnos_status_t status = one_path(server, request, FILE_LOOKUP, false);

    if (status == MNOS_OK && server->walks[0].place.inode == 0)
        status = MNOS_ERR_NOT_FOUND;
    if (status != MNOS_OK)
        return refuse(server, request, &server->walks[0], status);
    tmpfs_attr(server->fs, server->walks[0].place.inode, &attr);
    return tmpfs_answer(request, &attr, sizeof attr);
}

mnos_status_t tmpfs_handle_READLINK(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    const struct tmpfs_place *place = &server->walks[0].place;
    mnos_status_t status = one_path(server, request, FILE_LOOKUP, true);
    uint64_t bytes;

    if (status == MNOS_OK && place->inode == 0)
        status = MNOS_ERR_NOT_FOUND;
    if (status == MNOS_OK && tmpfs_inode(server->fs, place->inode)->type != FILE_TYPE_SYMLINK)
        status = MNOS_ERR_STATE;
    if (status != MNOS_OK)
        return refuse(server, request, &server->walks[0], status);
    bytes = tmpfs_read(server->fs, place->inode, 0, server->reply, sizeof server->reply);
    return tmpfs_answer(request, server->reply, bytes);
}

/* What changes the directory of one path. */
static mnos_status_t change(struct tmpfs_server *server, struct server_request *request,
                            mnos_status_t (*operation)(struct tmpfs *fs,
                                                       const struct tmpfs_place *place))
{
    mnos_status_t status = one_path(server, request, FILE_LOOKUP | FILE_CREATE_RIGHT, true);

    if (status != MNOS_OK)
        return refuse(server, request, &server->walks[0], status);
    status = operation(server->fs, &server->walks[0].place);
    return status != MNOS_OK ? status : tmpfs_answer(request, NULL, 0);
}

mnos_status_t tmpfs_handle_UNLINK(void *context, struct server_request *request)
{
    return change(context, request, tmpfs_unlink);
}

mnos_status_t tmpfs_handle_RMDIR(void *context, struct server_request *request)
{
    return change(context, request, tmpfs_rmdir);
}

mnos_status_t tmpfs_handle_MKDIR(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    mnos_status_t status = one_path(server, request, FILE_LOOKUP | FILE_CREATE_RIGHT, true);
    uint32_t inode;

    if (status != MNOS_OK)
        return refuse(server, request, &server->walks[0], status);
    tmpfs_make_room(server);
    status = tmpfs_create(server->fs, &server->walks[0].place, FILE_TYPE_DIRECTORY,
                          request->session->account, &inode);
    return status != MNOS_OK ? status : tmpfs_answer(request, NULL, 0);
}

/* ---- Two paths ---- */

struct two_texts {
    struct file_two record;
    const char *first, *second;
    uint32_t first_bytes, second_bytes;
};

static mnos_status_t take_two(struct tmpfs_server *server, const struct server_request *request,
                              struct two_texts *two)
{
    mnos_status_t status = take_text(server, request, &two->record, sizeof two->record, &two->first,
                                     &two->second_bytes);

    if (status == MNOS_OK && two->record.first_bytes > two->second_bytes)
        status = MNOS_ERR_SIZE;
    if (status != MNOS_OK)
        return status;
    two->first_bytes = two->record.first_bytes;
    two->second = two->first + two->first_bytes;
    two->second_bytes -= two->first_bytes;
    return MNOS_OK;
}

static mnos_status_t second_path(struct tmpfs_server *server, struct server_request *request,
                                 const struct two_texts *two)
{
    server->walks[1].no_follow = true;
    return walk(server, request, &server->walks[1], two->record.second_directory,
                FILE_LOOKUP | FILE_CREATE_RIGHT, two->second, two->second_bytes);
}

/* Both paths of LINK or RENAME; MNOS_OK: walks[0] and walks[1] are found. *answered: the reply is
 * made. */
static mnos_status_t two_paths(struct tmpfs_server *server, struct server_request *request,
                               uint32_t first_rights, bool *answered)
{
    struct two_texts two;
    mnos_status_t status = take_two(server, request, &two);
    unsigned which = 0;

    *answered = true;
    if (status != MNOS_OK)
        return status;
    server->walks[0].no_follow = true;
    status = walk(server, request, &server->walks[0], two.record.first_directory, first_rights,
                  two.first, two.first_bytes);
    if (status == MNOS_OK) {
        which = 1;
        status = second_path(server, request, &two);
    }
    if (status != MNOS_OK)
        return refuse(server, request, &server->walks[which], status);
    *answered = false;
    tmpfs_make_room(server);
    return MNOS_OK;
}

mnos_status_t tmpfs_handle_LINK(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    bool answered;
    mnos_status_t status = two_paths(server, request, FILE_LOOKUP, &answered);
    uint32_t inode = server->walks[0].place.inode;

    if (answered)
        return status;
    if (inode == 0)
        return MNOS_ERR_NOT_FOUND;
    status = tmpfs_link(server->fs, inode, &server->walks[1].place, request->session->account);
    return status != MNOS_OK ? status : tmpfs_answer(request, NULL, 0);
}

mnos_status_t tmpfs_handle_RENAME(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    bool answered;
    mnos_status_t status = two_paths(server, request, FILE_LOOKUP | FILE_CREATE_RIGHT, &answered);

    if (answered)
        return status;
    status = tmpfs_rename(server->fs, &server->walks[0].place, &server->walks[1].place,
                          request->session->account);
    return status != MNOS_OK ? status : tmpfs_answer(request, NULL, 0);
}

mnos_status_t tmpfs_handle_SYMLINK(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    struct two_texts two;
    mnos_status_t status = take_two(server, request, &two);

    if (status == MNOS_OK && (two.first_bytes == 0 || two.first_bytes > FILE_PATH_BYTES_MAX))
        status = MNOS_ERR_SIZE;
    if (status != MNOS_OK)
        return status;
    tmpfs_make_room(server);
    status = second_path(server, request, &two);
    if (status != MNOS_OK)
        return refuse(server, request, &server->walks[1], status);
    status = tmpfs_symlink(server->fs, &server->walks[1].place, two.first, two.first_bytes,
                           request->session->account);
    return status != MNOS_OK ? status : tmpfs_answer(request, NULL, 0);
}

/* ---- Directories ---- */

/* Puts one name behind what the reply has; returns its size, 0: there is no room. */
static size_t put_name(struct tmpfs_server *server, uint32_t unit, size_t used)
{
    const struct tmpfs_name *name = tmpfs_unit(server->fs, unit);
    struct file_name record = {.inode = name->inode,
                               .bytes = name->bytes,
                               .type = (uint16_t)tmpfs_inode(server->fs, name->inode)->type};
    size_t size = (sizeof record + name->bytes + 7) & ~(size_t)7;

    if (used + size > sizeof server->reply)
        return 0;
    memset(server->reply + used + size - 8, 0, 8);
    memcpy(server->reply + used, &record, sizeof record);
    (void)tmpfs_name_text(server->fs, unit, server->reply + used + sizeof record);
    return size;
}

mnos_status_t tmpfs_handle_READDIR(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    struct file_names names = {0};
    struct server_handle *handle;
    struct file_readdir wanted;
    size_t used = sizeof names, size = 1;
    uint32_t unit = 0, left = SLOTS_AT_ONCE;
    mnos_status_t status = tmpfs_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK)
        status = tmpfs_handle(server, request, wanted.handle, FILE_LOOKUP, &handle);
    if (status == MNOS_OK && tmpfs_inode(server->fs, handle->object)->type != FILE_TYPE_DIRECTORY)
        status = MNOS_ERR_NOT_DIRECTORY;
    if (status != MNOS_OK)
        return status;
    for (names.next = wanted.cookie; size != 0 && left != 0;) {
        uint64_t before = names.next;

        unit = tmpfs_name_at(server->fs, handle->object, left, &names.next);
        left -= (uint32_t)(names.next - before);
        if (unit == 0)
            break;
        size = put_name(server, unit, used);
        names.count += size != 0;
        names.next += size != 0;
        left -= size != 0 && left != 0;
        used += size;
    }
    names.end = names.next >= tmpfs_inode(server->fs, handle->object)->slots;
    memcpy(server->reply, &names, sizeof names);
    return tmpfs_answer(request, server->reply, used);
}
