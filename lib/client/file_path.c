// SPDX-License-Identifier: MIT
/* file_path - requests that name files by paths: see file.h. */
#include "lib/client/file_internal.h"
#include "lib/base/string.h"

/* Where one path of a request has come. */
struct path {
    struct file_session *session;
    uint64_t directory; /* handle; 0: the root */
    const char *text;
    size_t bytes;
    uint32_t run; /* of the session, when it was asked last */
};

/* strlen() by eights. An aligned load reads nothing of a page that the text does not reach, but more than the text, which
 * the sanitizer of addresses would take for an error. */
__attribute__((no_sanitize("address"))) static inline size_t text_bytes(const char *text)
{
    typedef uint64_t __attribute__((may_alias)) word_t;
    static const uint64_t ones = 0x0101010101010101ull;
    const word_t *at = (const word_t *)((uintptr_t)text & ~7ull);
    /* What lies before the text is no end of it. */
    uint64_t word = *at | ((1ull << ((uintptr_t)text & 7) * 8) - 1), zeros;

    while ((zeros = (word - ones) & ~word & ones << 7) == 0)
        word = *++at;
    return (size_t)((const char *)at - text) + (size_t)__builtin_ctzll(zeros) / 8;
}

/* The session's root is "/" too: the service is asked for what is below it. An absolute path begins at the root of all
 * that is mounted. */
static inline struct path path_at(struct file_session *session, const struct file *directory,
                                  const char *text)
{
    struct path path = {session, directory == NULL ? 0 : directory->handle, text, text_bytes(text),
                        session->runs};

    if (text[0] != '/')
        return path;
    path.directory = 0;
    if (session->mounts != NULL)
        path.session = &session->mounts->root;
    while (path.text[0] == '/')
        path.text++;
    path.bytes -= (size_t)(path.text - text);
    return path;
}

/* The length of the first component, and where what follows it begins. */
static size_t first_component(const struct path *path, size_t *next)
{
    size_t bytes = 0;

    while (bytes < path->bytes && path->text[bytes] != '/')
        bytes++;
    for (*next = bytes; *next < path->bytes && path->text[*next] == '/';)
        ++*next;
    return bytes;
}

static inline bool is_at_root(const struct path *path)
{
    return path->session->mounts != NULL && path->session == &path->session->mounts->root &&
           path->directory == 0;
}

/* What is known to be mounted at the first component is gone to without asking the table. */
static __attribute__((noinline)) void go_to_known_there(struct path *path)
{
    struct file_session *session;
    size_t bytes, next;

    bytes = first_component(path, &next);
    session = file_mounts_known(path->session->mounts, path->text, bytes);
    if (session == NULL)
        return;
    path->session = session;
    path->text += next;
    path->bytes -= next;
}

/* By a copy, so that the path itself can stay in registers. */
static inline void go_to_known(struct path *path)
{
    struct path there;

    if (!is_at_root(path))
        return;
    there = *path;
    go_to_known_there(&there);
    *path = there;
}

/* Where a path goes on that has left its session. */
static mnos_status_t next_session(struct path *path, const struct file_rest *rest)
{
    struct file_mounts *mounts = path->session->mounts;

    if (rest->reason == FILE_REST_MOUNT)
        return mounts == NULL ? MNOS_ERR_REST
                              : file_mounts_session(mounts, rest->inode, &path->session);
    if (rest->reason != FILE_REST_PARENT && rest->reason != FILE_REST_ABSOLUTE)
        return MNOS_ERR_FORMAT;
    if (mounts != NULL)
        path->session = &mounts->root;
    return MNOS_OK; /* without mounts its root is all there is */
}

/*
 * After MNOS_ERR_REST: path `which` goes on elsewhere. `rest` keeps the text: that of the first path at its
 * beginning, that of the second at its end. MNOS_OK: try again.
 */
static mnos_status_t go_on(struct file_call *call, struct path paths[2], unsigned which,
                           char rest[MNOS_MESSAGE_MAX_BYTES], uint32_t *links)
{
    static const size_t head = sizeof(struct file_rest);
    char reply[MNOS_MESSAGE_MAX_BYTES];
    size_t bytes = message_get(&call->message, reply, sizeof reply);
    char name[FILE_MOUNT_NAME_BYTES] = "";
    struct file_rest record;
    mnos_status_t status;
    size_t named, next;
    char *text;

    memcpy(&record, reply, head);
    if (bytes < head)
        return MNOS_ERR_FORMAT;
    *links += record.links + 1;
    if (*links > FILE_LINKS_FOLLOWED_MAX)
        return MNOS_ERR_LINKS;
    bytes -= head;
    if (bytes + paths[1 - which].bytes > MNOS_MESSAGE_MAX_BYTES)
        return MNOS_ERR_SIZE;
    /* The first component is the mount point's name if the rest is all that follows it. */
    named = first_component(&paths[which], &next);
    if (is_at_root(&paths[which]) && named < sizeof name && paths[which].bytes - next == bytes)
        memcpy(name, paths[which].text, named);
    text = which == 0 ? rest : rest + MNOS_MESSAGE_MAX_BYTES - bytes;
    memcpy(text, reply + head, bytes);
    paths[which] = (struct path){.session = paths[which].session, .text = text, .bytes = bytes};
    status = next_session(&paths[which], &record);
    if (status == MNOS_OK && record.reason == FILE_REST_MOUNT && name[0] != 0)
        file_mounts_name(paths[which].session->mounts, record.inode, name);
    return status;
}

struct request {
    uint32_t operation, flags, rights;
    bool once;
    unsigned count; /* of paths; 0: a text that is none, and a path (SYMLINK) */
};

static inline void begin(struct file_call *call, struct file_session *session,
                         const struct request *what, const void *record, size_t bytes)
{
    if (what->once)
        file_call_begin_once(call, session, what->operation, record, bytes);
    else
        file_call_begin(call, what->operation, record, bytes);
}

/* Sends a request with one path. */
static inline __attribute__((always_inline)) mnos_status_t ask_one(struct file_call *call,
                                                                   const struct request *what,
                                                                   struct path *path)
{
    union {
        struct file_open open;
        struct file_path one;
    } record;

    if (sizeof record + path->bytes > MNOS_MESSAGE_MAX_BYTES)
        return MNOS_ERR_SIZE;
    if (what->operation == FILE_OPEN)
        record.open = (struct file_open){path->directory, what->flags & ~(uint32_t)FILE_BENEATH,
                                         what->rights};
    else
        record.one = (struct file_path){path->directory, what->flags & FILE_NO_FOLLOW, 0};
    path->run = path->session->runs;
    begin(call, path->session, what, &record, sizeof record);
    file_call_add(call, path->text, path->bytes);
    return file_call_send(path->session, call);
}

static __attribute__((noinline)) mnos_status_t ask_one_again(struct file_call *call,
                                                             const struct request *what,
                                                             struct path *path)
{
    return ask_one(call, what, path);
}

static mnos_status_t ask_two(struct file_call *call, const struct request *what,
                             struct file_session *session, const struct path *paths)
{
    struct file_two record = {paths[0].directory, paths[1].directory, (uint32_t)paths[0].bytes, 0};

    if (paths[0].bytes > MNOS_MESSAGE_MAX_BYTES ||
        sizeof record + paths[0].bytes + paths[1].bytes > MNOS_MESSAGE_MAX_BYTES)
        return MNOS_ERR_SIZE;
    begin(call, session, what, &record, sizeof record);
    file_call_add(call, paths[0].text, paths[0].bytes);
    file_call_add(call, paths[1].text, paths[1].bytes);
    return file_call_send(session, call);
}

/* The rest of which path came back with MNOS_ERR_REST. */
static unsigned which_path(const struct file_call *call)
{
    /* struct file_rest, `which`: it fits the registers. */
    return (call->message.words[0] >> 16 & 0xFFFF) != 0;
}

/* Two paths that are in different sessions: one of them may lead further. MNOS_ERR_REST: path *which does, and the
 * rest is in the call. MNOS_ERR_VOLUME: both end where they are. */
static mnos_status_t look_further(struct file_call *call, struct path paths[2], unsigned *which)
{
    static const struct request stat = {FILE_STAT, FILE_NO_FOLLOW, 0, false, 1};

    for (*which = 0; *which < 2; ++*which) {
        mnos_status_t status = ask_one_again(call, &stat, &paths[*which]);

        /* What is to get the second name need not be there yet. */
        if (status != MNOS_OK && (*which == 0 || status != MNOS_ERR_NOT_FOUND))
            return status;
    }
    return MNOS_ERR_VOLUME;
}

/* Asks once, of the session where the paths have come; of two, *which goes on with MNOS_ERR_REST. */
static mnos_status_t attempt(struct file_call *call, const struct request *what,
                             struct path paths[2], unsigned *which)
{
    struct file_session *session = paths[what->count == 0 ? 1 : 0].session;
    mnos_status_t status;

    *which = 0;
    if (what->count == 1)
        return ask_one_again(call, what, &paths[0]);
    if (what->count == 2 && paths[1].session != session)
        return look_further(call, paths, which);
    status = ask_two(call, what, session, paths);
    if (status == MNOS_ERR_REST)
        *which = which_path(call);
    return status;
}

static void go_to_known_both(const struct request *what, struct path paths[2])
{
    if (what->count != 0)
        go_to_known(&paths[0]);
    if (what->count != 1)
        go_to_known(&paths[1]);
}

/* Sends it until the paths have led somewhere; paths[0].session, or of two the one of both, is where. `status` is
 * what a first attempt has ended with. */
static mnos_status_t walk_on(struct file_call *call, const struct request *what,
                             struct path paths[2], mnos_status_t status, unsigned which)
{
    char rest[MNOS_MESSAGE_MAX_BYTES];
    uint32_t links = 0;

    /* Ends: each round counts as a link, of which there are FILE_LINKS_FOLLOWED_MAX. */
    while (status == MNOS_ERR_REST && (what->flags & FILE_BENEATH) == 0) {
        status = go_on(call, paths, which, rest, &links);
        if (status != MNOS_OK)
            return status;
        go_to_known_both(what, paths);
        status = attempt(call, what, paths, &which);
    }
    return status;
}

/* A request with two texts. */
static mnos_status_t walk_two(struct file_call *call, const struct request *what,
                              struct path paths[2])
{
    unsigned which;
    mnos_status_t status;

    go_to_known_both(what, paths);
    status = attempt(call, what, paths, &which);
    return walk_on(call, what, paths, status, which);
}

/* The path led out of its session: goes on. */
static __attribute__((noinline)) mnos_status_t walk_on_one(struct file_call *call,
                                                           const struct request *what,
                                                           struct path *path)
{
    struct path paths[2] = {*path}; /* of the second there is none */
    mnos_status_t status = walk_on(call, what, paths, MNOS_ERR_REST, 0);

    *path = paths[0];
    return status;
}

/* A request with one path, which mostly is answered at once. */
static inline __attribute__((always_inline)) mnos_status_t walk_one(struct file_call *call,
                                                                    const struct request *what,
                                                                    struct path *path)
{
    struct request again;
    struct path from;
    mnos_status_t status;

    go_to_known(path);
    status = ask_one(call, what, path);
    if (__builtin_expect(status != MNOS_ERR_REST, 1))
        return status;
    from = *path;
    again = *what;
    status = walk_on_one(call, &again, &from);
    *path = from;
    return status;
}

mnos_status_t file_open(struct file_session *session, const struct file *directory,
                        const char *text, uint32_t flags, uint32_t rights, struct file *file)
{
    struct request what = {FILE_OPEN, flags, rights, true, 1};
    struct file_opened opened;
    struct file_call call;
    struct path path;
    mnos_status_t status;

    if (directory != NULL && directory->run != directory->session->runs)
        return MNOS_ERR_LOST;
    path = path_at(directory != NULL ? directory->session : session, directory, text);
    status = walk_one(&call, &what, &path);
    if (status != MNOS_OK)
        return status;
    (void)message_get(&call.message, &opened, sizeof opened);
    *file = (struct file){.session = path.session,
                          .handle = opened.handle,
                          .size = opened.size,
                          .type = opened.type,
                          .rights = opened.rights,
                          .run = path.run};
    return MNOS_OK;
}

mnos_status_t file_stat(struct file_session *session, const char *text, uint32_t flags,
                        struct file_attr *attr)
{
    struct request what = {FILE_STAT, flags, 0, false, 1};
    struct path path = path_at(session, NULL, text);
    struct file_call call;
    mnos_status_t status = walk_one(&call, &what, &path);

    if (status == MNOS_OK)
        (void)message_get(&call.message, attr, sizeof *attr);
    return status;
}

mnos_status_t file_read_link(struct file_session *session, const char *link, char *text,
                             uint64_t size, uint64_t *bytes)
{
    struct request what = {FILE_READLINK, 0, 0, false, 1};
    struct path path = path_at(session, NULL, link);
    struct file_call call;
    mnos_status_t status = walk_one(&call, &what, &path);

    if (status != MNOS_OK)
        return status;
    (void)message_get(&call.message, text, size);
    *bytes = call.message.length;
    return MNOS_OK;
}

static mnos_status_t one(struct file_session *session, uint32_t operation, const char *text)
{
    struct request what = {operation, 0, 0, true, 1};
    struct path path = path_at(session, NULL, text);
    struct file_call call;

    return walk_one(&call, &what, &path);
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
    struct path paths[2] = {path_at(session, NULL, path), path_at(session, NULL, new_path)};
    struct file_call call;

    return walk_two(&call, &what, paths);
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
    struct path paths[2] = {{session, 0, text, strlen(text), 0}, path_at(session, NULL, path)};
    struct file_call call;

    return walk_two(&call, &what, paths);
}
