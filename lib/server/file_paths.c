// SPDX-License-Identifier: MIT
/* file_paths - the requests that name files by paths: see file_server.h. */
#include "lib/base/string.h"
#include "lib/server/file_resolve.h"
#include "lib/server/file_server.h"

/* Copies a record, and points at the text behind it, which stays until the next request. */
static inline mnos_status_t take_text(struct file_server *server, struct server_request *request,
                                      void *record, size_t record_bytes, const char **text,
                                      uint32_t *bytes)
{
    size_t length = request->message->length;
    const char *body;

    if (length < record_bytes)
        return MNOS_ERR_SIZE;
    body = server_body(&server->loop, request);
    memcpy(record, body, record_bytes);
    *text = body + record_bytes;
    *bytes = (uint32_t)(length - record_bytes);
    return MNOS_OK;
}

/* Looks a path up from the root or an open directory, which must allow all of `rights`. */
static inline __attribute__((always_inline)) mnos_status_t walk_in_place(
    struct file_server *server, struct server_request *request, struct file_walk *walk,
    uint64_t directory, uint32_t rights, const char *path, uint32_t bytes)
{
    const struct server_session *session = request->session;
    struct server_handle *handle = NULL;
    mnos_status_t status = MNOS_OK;

    if (directory != 0)
        status = file_server_handle(server, request, directory, rights, &handle);
    if (status == MNOS_OK && (session->rights & rights) != rights)
        status = MNOS_ERR_DENIED;
    if (status != MNOS_OK)
        return status;
    walk->root = session->object;
    walk->start = handle == NULL ? session->object : handle->object;
    walk->start_type = handle == NULL ? session->type : handle->type;
    return file_resolve_in_place(&server->system, walk, path, bytes);
}

/* The same, for requests that are made less. */
static __attribute__((noinline)) mnos_status_t walk(struct file_server *server,
                                                    struct server_request *request,
                                                    struct file_walk *walk, uint64_t directory,
                                                    uint32_t rights, const char *path,
                                                    uint32_t bytes)
{
    return walk_in_place(server, request, walk, directory, rights, path, bytes);
}

/* The answer to a path that leaves the session: the rest of it goes to the client. */
static mnos_status_t refuse(struct file_server *server, struct server_request *request,
                            const struct file_walk *walk, mnos_status_t status)
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

static inline mnos_status_t check_open(const struct file_open *wanted, enum file_type type)
{
    if (wanted->flags & FILE_EXCLUSIVE && wanted->flags & FILE_CREATE)
        return MNOS_ERR_EXISTS;
    if (wanted->flags & FILE_ONLY_DIRECTORY && type != FILE_TYPE_DIRECTORY)
        return MNOS_ERR_NOT_DIRECTORY;
    if (type == FILE_TYPE_SYMLINK)
        return MNOS_ERR_LINKS;
    /* Of a directory that is meant to be one, the right to write is for what is below. */
    if (type == FILE_TYPE_DIRECTORY &&
        (wanted->flags & FILE_TRUNCATE_FIRST ||
         (wanted->rights & FILE_WRITE_RIGHT && (wanted->flags & FILE_ONLY_DIRECTORY) == 0)))
        return MNOS_ERR_DIRECTORY;
    return MNOS_OK;
}

/* The rights that the path is walked with. */
static uint32_t rights_to_walk(const struct file_open *wanted)
{
    return FILE_LOOKUP | wanted->rights | (wanted->flags & FILE_CREATE ? FILE_CREATE_RIGHT : 0) |
           (wanted->flags & FILE_TRUNCATE_FIRST ? FILE_WRITE_RIGHT : 0);
}

/* OPEN has seen that there is room for the handle. */
static inline mnos_status_t open_inode(struct file_server *server, struct server_request *request,
                                       const struct file_open *wanted, struct file_opened opened)
{
    const struct file_methods *methods = server->system.methods;
    uint32_t inode = (uint32_t)opened.inode;
    struct server_handle *handle = handle_take(server->loop.sessions, request->session, inode,
                                               wanted->rights, opened.type, &opened.handle);

    opened.rights = wanted->rights;
    methods->hold(server->system.fs, inode);
    if (methods->failures != NULL) /* what was before, this one need not be told */
        handle->failures = methods->failures(server->system.fs, inode);
    return file_server_answer(request, &opened, sizeof opened);
}

/* What is there already; everything that may have to wait comes before the handle. A file that is made empty is open from
 * before on, so that the file system, which knows what has changed of what is open, knows this too. */
static inline mnos_status_t open_found(struct file_server *server, struct server_request *request,
                                       const struct file_open *wanted,
                                       const struct file_place *place)
{
    const struct file_methods *methods = server->system.methods;
    uint32_t inode = place->inode, type = place->type;
    uint64_t size;
    mnos_status_t status = check_open(wanted, type);
    bool cuts = status == MNOS_OK && (wanted->flags & FILE_TRUNCATE_FIRST) != 0;

    if (cuts) {
        methods->hold(server->system.fs, inode);
        request->touched = inode;
        status = file_server_truncate(server, inode, 0);
    }
    if (status == MNOS_OK)
        status = methods->size(server->system.fs, inode, &size);
    if (status == MNOS_OK)
        status = open_inode(server, request, wanted,
                            (struct file_opened){.inode = inode, .type = type, .size = size});
    if (cuts)
        methods->drop(server->system.fs, inode);
    return status;
}

/* Making it is the last that can fail or wait. */
static __attribute__((noinline)) mnos_status_t open_new(struct file_server *server,
                                                        struct server_request *request,
                                                        const struct file_open *wanted,
                                                        const struct file_place *place)
{
    uint32_t inode;
    mnos_status_t status;

    if ((wanted->flags & FILE_CREATE) == 0)
        return MNOS_ERR_NOT_FOUND;
    status = server->system.methods->create(server->system.fs, place, FILE_TYPE_FILE,
                                            request->session->account, &inode);
    if (status != MNOS_OK)
        return status;
    return open_inode(server, request, wanted,
                      (struct file_opened){.inode = inode, .type = FILE_TYPE_FILE});
}

mnos_status_t file_server_OPEN(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct file_walk *at = &server->walks[0];
    struct file_open wanted;
    const char *path;
    uint32_t bytes;
    mnos_status_t status = take_text(server, request, &wanted, sizeof wanted, &path, &bytes);

    if (status != MNOS_OK)
        return status;
    if ((wanted.rights & ~(uint32_t)(FILE_RIGHTS_ALL & ~FILE_REVOKE)) != 0 ||
        (wanted.flags & FILE_CREATE && wanted.flags & FILE_ONLY_DIRECTORY))
        return MNOS_ERR_ARGUMENT;
    if (!handle_room(server->loop.sessions, request->session))
        return MNOS_ERR_QUOTA;
    /* Something new is not made through a link, wherever that leads. */
    at->no_follow = (wanted.flags & (FILE_NO_FOLLOW | FILE_EXCLUSIVE)) != 0;
    status =
        walk_in_place(server, request, at, wanted.directory, rights_to_walk(&wanted), path, bytes);
    if (status != MNOS_OK)
        return refuse(server, request, at, status);
    return at->place.inode != 0 ? open_found(server, request, &wanted, &at->place)
                                : open_new(server, request, &wanted, &at->place);
}

/* ---- One path ---- */

/* The record and the walk of a request with one path. */
static inline __attribute__((always_inline)) mnos_status_t one_path(struct file_server *server,
                                                                    struct server_request *request,
                                                                    uint32_t rights, bool no_follow,
                                                                    bool in_place)
{
    struct file_path wanted;
    const char *path;
    uint32_t bytes;
    mnos_status_t status = take_text(server, request, &wanted, sizeof wanted, &path, &bytes);

    if (status != MNOS_OK)
        return status;
    server->walks[0].no_follow = no_follow || (wanted.flags & FILE_NO_FOLLOW) != 0;
    if (in_place)
        return walk_in_place(server, request, &server->walks[0], wanted.directory, rights, path,
                             bytes);
    return walk(server, request, &server->walks[0], wanted.directory, rights, path, bytes);
}

mnos_status_t file_server_STAT(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct file_attr attr;
    mnos_status_t status = one_path(server, request, FILE_LOOKUP, false, true);

    if (status == MNOS_OK && server->walks[0].place.inode == 0)
        status = MNOS_ERR_NOT_FOUND;
    if (status != MNOS_OK)
        return refuse(server, request, &server->walks[0], status);
    status = server->system.methods->attr(server->system.fs, server->walks[0].place.inode, &attr);
    return status != MNOS_OK ? status : file_server_answer(request, &attr, sizeof attr);
}

mnos_status_t file_server_READLINK(void *context, struct server_request *request)
{
    struct file_server *server = context;
    const struct file_place *place = &server->walks[0].place;
    mnos_status_t status = one_path(server, request, FILE_LOOKUP, true, false);
    uint32_t bytes;

    if (status == MNOS_OK && place->inode == 0)
        status = MNOS_ERR_NOT_FOUND;
    if (status == MNOS_OK)
        status = place->type == FILE_TYPE_SYMLINK ? MNOS_OK : MNOS_ERR_STATE;
    if (status != MNOS_OK)
        return refuse(server, request, &server->walks[0], status);
    status = server->system.methods->link_text(server->system.fs, place->inode, server->reply,
                                               sizeof server->reply, &bytes);
    return status != MNOS_OK ? status : file_server_answer(request, server->reply, bytes);
}

/* What changes the directory of one path. */
static mnos_status_t change(struct file_server *server, struct server_request *request,
                            mnos_status_t (*operation)(void *fs, const struct file_place *place))
{
    mnos_status_t status = one_path(server, request, FILE_LOOKUP | FILE_CREATE_RIGHT, true, true);

    if (status != MNOS_OK)
        return refuse(server, request, &server->walks[0], status);
    status = operation(server->system.fs, &server->walks[0].place);
    return status != MNOS_OK ? status : file_server_answer(request, NULL, 0);
}

static const struct file_methods *methods_of(const struct file_server *server)
{
    return server->system.methods;
}

mnos_status_t file_server_UNLINK(void *context, struct server_request *request)
{
    return change(context, request, methods_of(context)->unlink);
}

mnos_status_t file_server_RMDIR(void *context, struct server_request *request)
{
    return change(context, request, methods_of(context)->rmdir);
}

mnos_status_t file_server_MKDIR(void *context, struct server_request *request)
{
    struct file_server *server = context;
    mnos_status_t status = one_path(server, request, FILE_LOOKUP | FILE_CREATE_RIGHT, true, false);
    uint32_t inode;

    if (status != MNOS_OK)
        return refuse(server, request, &server->walks[0], status);
    status = methods_of(server)->create(server->system.fs, &server->walks[0].place,
                                        FILE_TYPE_DIRECTORY, request->session->account, &inode);
    return status != MNOS_OK ? status : file_server_answer(request, NULL, 0);
}

/* ---- Two paths ---- */

struct two_texts {
    struct file_two record;
    const char *first, *second;
    uint32_t first_bytes, second_bytes;
};

static mnos_status_t take_two(struct file_server *server, struct server_request *request,
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

static mnos_status_t second_path(struct file_server *server, struct server_request *request,
                                 const struct two_texts *two)
{
    server->walks[1].no_follow = true;
    return walk(server, request, &server->walks[1], two->record.second_directory,
                FILE_LOOKUP | FILE_CREATE_RIGHT, two->second, two->second_bytes);
}

/* Both paths of LINK or RENAME; MNOS_OK: walks[0] and walks[1] are found. *answered: the reply is
 * made. */
static mnos_status_t two_paths(struct file_server *server, struct server_request *request,
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
    return MNOS_OK;
}

mnos_status_t file_server_LINK(void *context, struct server_request *request)
{
    struct file_server *server = context;
    bool answered;
    mnos_status_t status = two_paths(server, request, FILE_LOOKUP, &answered);
    uint32_t inode = server->walks[0].place.inode;

    if (answered)
        return status;
    if (inode == 0)
        return MNOS_ERR_NOT_FOUND;
    status = methods_of(server)->link(server->system.fs, inode, &server->walks[1].place,
                                      request->session->account);
    return status != MNOS_OK ? status : file_server_answer(request, NULL, 0);
}

mnos_status_t file_server_RENAME(void *context, struct server_request *request)
{
    struct file_server *server = context;
    bool answered;
    mnos_status_t status = two_paths(server, request, FILE_LOOKUP | FILE_CREATE_RIGHT, &answered);

    if (answered)
        return status;
    status = methods_of(server)->rename(server->system.fs, &server->walks[0].place,
                                        &server->walks[1].place, request->session->account);
    return status != MNOS_OK ? status : file_server_answer(request, NULL, 0);
}

mnos_status_t file_server_SYMLINK(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct two_texts two;
    mnos_status_t status = take_two(server, request, &two);

    if (status == MNOS_OK && (two.first_bytes == 0 || two.first_bytes > FILE_PATH_BYTES_MAX))
        status = MNOS_ERR_SIZE;
    if (status != MNOS_OK)
        return status;
    status = second_path(server, request, &two);
    if (status != MNOS_OK)
        return refuse(server, request, &server->walks[1], status);
    status = methods_of(server)->symlink(server->system.fs, &server->walks[1].place, two.first,
                                         two.first_bytes, request->session->account);
    return status != MNOS_OK ? status : file_server_answer(request, NULL, 0);
}

/* ---- Directories ---- */

struct names_reply {
    char *bytes;
    size_t used;
    uint32_t count;
};

/* Puts a name behind what the reply has. */
static bool put_name(void *context, const struct file_entry *entry)
{
    struct names_reply *reply = context;
    struct file_name record = {.inode = entry->inode, .bytes = entry->bytes, .type = entry->type};
    size_t size = (sizeof record + entry->bytes + 7) & ~(size_t)7;

    if (reply->used + size > MNOS_MESSAGE_MAX_BYTES)
        return false;
    memset(reply->bytes + reply->used + size - 8, 0, 8);
    memcpy(reply->bytes + reply->used, &record, sizeof record);
    memcpy(reply->bytes + reply->used + sizeof record, entry->text, entry->bytes);
    reply->used += size;
    reply->count++;
    return true;
}

mnos_status_t file_server_READDIR(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct names_reply reply = {.bytes = server->reply, .used = sizeof(struct file_names)};
    struct file_names names = {0};
    struct server_handle *handle;
    struct file_readdir wanted;
    bool end;
    mnos_status_t status = file_server_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK)
        status = file_server_handle(server, request, wanted.handle, FILE_LOOKUP, &handle);
    if (status == MNOS_OK && handle->type != FILE_TYPE_DIRECTORY)
        status = MNOS_ERR_NOT_DIRECTORY;
    if (status == MNOS_OK)
        status = methods_of(server)->names(server->system.fs, handle->object, wanted.cookie,
                                           put_name, &reply, &names.next, &end);
    if (status != MNOS_OK)
        return status;
    names.count = reply.count;
    names.end = end;
    memcpy(server->reply, &names, sizeof names);
    return file_server_answer(request, server->reply, reply.used);
}
