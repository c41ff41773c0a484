// SPDX-License-Identifier: MIT
/* file_path - requests that name files by paths: see file.h. */
#include "lib/client/file_internal.h"
#include "lib/base/string.h"

/* Where one path of a request has come. */
struct path {
    uint64_t directory; /* handle; 0: the root */
    const char *text;
    size_t bytes;
};

/* The session's root is "/" too: the service is asked for what is below it. */
static struct path path_at(const struct file *directory, const char *text)
{
    struct path path = {directory == NULL ? 0 : directory->handle, text, strlen(text)};

    if (text[0] == '/')
        path.directory = 0;
    while (path.text[0] == '/')
        path.text++;
    path.bytes -= (size_t)(path.text - text);
    return path;
}

/*
 * After MNOS_ERR_REST: the path goes on from the root, which is all there is. `rest` keeps the
 * text: that of the first path at its beginning, that of the second at its end. MNOS_OK: try again.
 */
static mnos_status_t go_on(struct file_call *call, struct path paths[2],
                           char rest[MNOS_MESSAGE_MAX_BYTES], uint32_t *links)
{
    static const size_t head = sizeof(struct file_rest);
    size_t bytes = message_get(&call->message, call->request, sizeof call->request);
    struct file_rest record;
    char *text;

    memcpy(&record, call->request, head);
    if (bytes < head || record.which > 1)
        return MNOS_ERR_FORMAT;
    if (record.reason != FILE_REST_PARENT && record.reason != FILE_REST_ABSOLUTE)
        return MNOS_ERR_REST; /* another file system, which this library does not reach */
    *links += record.links + 1;
    if (*links > FILE_LINKS_FOLLOWED_MAX)
        return MNOS_ERR_LINKS;
    bytes -= head;
    if (bytes + paths[1 - record.which].bytes > MNOS_MESSAGE_MAX_BYTES)
        return MNOS_ERR_SIZE;
    text = record.which == 0 ? rest : rest + MNOS_MESSAGE_MAX_BYTES - bytes;
    memcpy(text, call->request + head, bytes);
    paths[record.which] = (struct path){0, text, bytes};
    return MNOS_OK;
}

struct request {
    uint32_t operation, flags, rights;
    bool once;
    unsigned count; /* of paths; 0: a text that is none, and a path (SYMLINK) */
};

static mnos_status_t put(struct file_call *call, const struct request *what,
                         const struct path paths[2])
{
    union {
        struct file_open open;
        struct file_path one;
        struct file_two two;
    } record;
    mnos_status_t status;
    size_t bytes;

    if (what->operation == FILE_OPEN) {
        record.open = (struct file_open){paths[0].directory, what->flags & ~(uint32_t)FILE_BENEATH,
                                         what->rights};
        bytes = sizeof record.open;
    } else if (what->count == 1) {
        record.one = (struct file_path){paths[0].directory, what->flags & FILE_NO_FOLLOW, 0};
        bytes = sizeof record.one;
    } else {
        record.two =
            (struct file_two){paths[0].directory, paths[1].directory, (uint32_t)paths[0].bytes, 0};
        bytes = sizeof record.two;
    }
    file_call_begin(call, what->operation, what->once, &record, bytes);
    status = file_call_add(call, paths[0].text, paths[0].bytes);
    if (status == MNOS_OK && what->count != 1)
        status = file_call_add(call, paths[1].text, paths[1].bytes);
    return status;
}

/* Sends it until the paths have led somewhere. */
static mnos_status_t walk(struct file_session *session, struct file_call *call,
                          const struct request *what, struct path paths[2])
{
    char rest[MNOS_MESSAGE_MAX_BYTES];
    uint32_t links = 0;

    for (;;) {
        mnos_status_t status = put(call, what, paths);

        if (status == MNOS_OK)
            status = file_call_send(session, call);
        if (status != MNOS_ERR_REST || what->flags & FILE_BENEATH)
            return status;
        status = go_on(call, paths, rest, &links);
        if (status != MNOS_OK)
            return status;
    }
}

mnos_status_t file_open(struct file_session *session, const struct file *directory,
                        const char *path, uint32_t flags, uint32_t rights, struct file *file)
{
    struct request what = {FILE_OPEN, flags, rights, true, 1};
    struct path paths[2] = {path_at(directory, path)};
    struct file_opened opened;
    struct file_call call;
    uint32_t run = session->runs;
    mnos_status_t status;

    if (directory != NULL && directory->run != run)
        return MNOS_ERR_LOST;
    status = walk(session, &call, &what, paths);
    if (status != MNOS_OK)
        return status;
    (void)message_get(&call.message, &opened, sizeof opened);
    *file = (struct file){.session = session,
                          .handle = opened.handle,
                          .size = opened.size,
                          .type = opened.type,
                          .rights = opened.rights,
                          .run = run};
    return MNOS_OK;
}

mnos_status_t file_stat(struct file_session *session, const char *path, uint32_t flags,
                        struct file_attr *attr)
{
    struct request what = {FILE_STAT, flags, 0, false, 1};
    struct path paths[2] = {path_at(NULL, path)};
    struct file_call call;
    mnos_status_t status = walk(session, &call, &what, paths);

    if (status == MNOS_OK)
        (void)message_get(&call.message, attr, sizeof *attr);
    return status;
}

mnos_status_t file_read_link(struct file_session *session, const char *path, char *text,
                             uint64_t size, uint64_t *bytes)
{
    struct request what = {FILE_READLINK, 0, 0, false, 1};
    struct path paths[2] = {path_at(NULL, path)};
    struct file_call call;
    mnos_status_t status = walk(session, &call, &what, paths);

    if (status != MNOS_OK)
        return status;
    (void)message_get(&call.message, text, size);
    *bytes = call.message.length;
    return MNOS_OK;
}

static mnos_status_t one(struct file_session *session, uint32_t operation, const char *path)
{
    struct request what = {operation, 0, 0, true, 1};
    struct path paths[2] = {path_at(NULL, path)};
    struct file_call call;

    return walk(session, &call, &what, paths);
}

mnos_status_t file_make_directory(struct file_session *session, const char *path)
{
    return one(session, FILE_MKDIR, path);
}

mnos_status_t file_remove_directory(struct file_session *session, const char *path)
{
    return one(session, FILE_RMDIR, path);
}

mnos_status_t file_unlink(struct file_session *session, const char *path)
{
    return one(session, FILE_UNLINK, path);
}

static mnos_status_t two(struct file_session *session, uint32_t operation, const char *path,
                         const char *new_path)
{
    struct request what = {operation, 0, 0, true, 2};
    struct path paths[2] = {path_at(NULL, path), path_at(NULL, new_path)};
    struct file_call call;

    return walk(session, &call, &what, paths);
}

mnos_status_t file_link(struct file_session *session, const char *path, const char *new_path)
{
    return two(session, FILE_LINK, path, new_path);
}

mnos_status_t file_rename(struct file_session *session, const char *path, const char *new_path)
{
    return two(session, FILE_RENAME, path, new_path);
}

mnos_status_t file_symlink(struct file_session *session, const char *text, const char *path)
{
    struct request what = {FILE_SYMLINK, 0, 0, true, 0};
    struct path paths[2] = {{0, text, strlen(text)}, path_at(NULL, path)};
    struct file_call call;

    return walk(session, &call, &what, paths);
}
