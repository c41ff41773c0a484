// SPDX-License-Identifier: MIT
/* file_walk - see file_walk.h. */
#include "lib/client/file_walk.h"

/* The length of the first component, and where what follows it begins. */
static size_t first_component(const struct file_path_at *path, size_t *next)
{
    size_t bytes = 0;

    while (bytes < path->bytes && path->text[bytes] != '/')
        bytes++;
    for (*next = bytes; *next < path->bytes && path->text[*next] == '/';)
        ++*next;
    return bytes;
}

void file_walk_known(struct file_path_at *path)
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

/* Where a path goes on that has left its session. */
static mnos_status_t next_session(struct file_path_at *path, const struct file_rest *rest)
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
static mnos_status_t go_on(struct file_call *call, struct file_path_at paths[2], unsigned which,
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
    if (file_is_at_root(&paths[which]) && named < sizeof name && paths[which].bytes - next == bytes)
        memcpy(name, paths[which].text, named);
    text = which == 0 ? rest : rest + MNOS_MESSAGE_MAX_BYTES - bytes;
    memcpy(text, reply + head, bytes);
    paths[which] =
        (struct file_path_at){.session = paths[which].session, .text = text, .bytes = bytes};
    status = next_session(&paths[which], &record);
    if (status == MNOS_OK && record.reason == FILE_REST_MOUNT && name[0] != 0)
        file_mounts_name(paths[which].session->mounts, record.inode, name);
    return status;
}

static inline void begin(struct file_call *call, struct file_session *session,
                         const struct file_asked *what, const void *record, size_t bytes)
{
    if (what->once)
        file_call_begin_once(call, session, what->operation, record, bytes);
    else
        file_call_begin(call, what->operation, record, bytes);
}

/* Sends a request with one path. */
static mnos_status_t ask_one(struct file_call *call, const struct file_asked *what,
                             struct file_path_at *path)
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
    begin(call, path->session, what, &record, sizeof record);
    path->run = path->session->runs;
    file_call_add(call, path->text, path->bytes);
    return file_call_send(path->session, call);
}

static mnos_status_t ask_two(struct file_call *call, const struct file_asked *what,
                             struct file_session *session, const struct file_path_at *paths)
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
static mnos_status_t look_further(struct file_call *call, struct file_path_at paths[2],
                                  unsigned *which)
{
    static const struct file_asked stat = {FILE_STAT, FILE_NO_FOLLOW, 0, false, 1};

    for (*which = 0; *which < 2; ++*which) {
        mnos_status_t status = ask_one(call, &stat, &paths[*which]);

        /* What is to get the second name need not be there yet. */
        if (status != MNOS_OK && (*which == 0 || status != MNOS_ERR_NOT_FOUND))
            return status;
    }
    return MNOS_ERR_VOLUME;
}

/* Asks once, of the session where the paths have come; of two, *which goes on with MNOS_ERR_REST. */
static mnos_status_t attempt(struct file_call *call, const struct file_asked *what,
                             struct file_path_at paths[2], unsigned *which)
{
    struct file_session *session = paths[what->count == 0 ? 1 : 0].session;
    mnos_status_t status;

    *which = 0;
    if (what->count == 1)
        return ask_one(call, what, &paths[0]);
    if (what->count == 2 && paths[1].session != session)
        return look_further(call, paths, which);
    status = ask_two(call, what, session, paths);
    if (status == MNOS_ERR_REST)
        *which = which_path(call);
    return status;
}

static void go_to_known_both(const struct file_asked *what, struct file_path_at paths[2])
{
    if (what->count != 0)
        file_go_to_known(&paths[0]);
    if (what->count != 1)
        file_go_to_known(&paths[1]);
}

/* Sends it until the paths have led somewhere; paths[0].session, or of two the one of both, is where. `status` is
 * what a first attempt has ended with. */
static __attribute__((noinline)) mnos_status_t walk_on(struct file_call *call,
                                                       const struct file_asked *what,
                                                       struct file_path_at paths[2],
                                                       mnos_status_t status, unsigned which)
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
mnos_status_t file_walk_two(const struct file_asked *what, struct file_path_at paths[2])
{
    struct file_call call;
    unsigned which;
    mnos_status_t status;

    go_to_known_both(what, paths);
    status = attempt(&call, what, paths, &which);
    return walk_on(&call, what, paths, status, which);
}

/* `status` is how the request, which is in `call`, has ended; the path may have led out of its session, and goes on. */
static mnos_status_t conclude(struct file_answer *answer, struct file_call *call,
                              const struct file_asked *what, struct file_path_at *path,
                              mnos_status_t status)
{
    if (status == MNOS_ERR_REST) {
        struct file_path_at paths[2] = {*path}; /* of the second there is none */

        status = walk_on(call, what, paths, status, 0);
        *path = paths[0];
    }
    if (status != MNOS_OK)
        return status;
    memcpy(answer->words, call->message.words, sizeof answer->words);
    answer->length = call->message.length;
    return MNOS_OK;
}

mnos_status_t file_walk_long(struct file_answer *answer, const struct file_asked *what,
                             struct file_path_at *path)
{
    struct file_call call;

    return conclude(answer, &call, what, path, ask_one(&call, what, path));
}

mnos_status_t file_walk_on(struct file_answer *answer, const struct file_asked *what,
                           struct file_path_at *path, const struct message *request, uint32_t lane,
                           const struct ipc_registers *regs, uint64_t rax)
{
    struct file_call call = {what->operation, lane, request->length, *request};
    struct file_session *session = path->session;
    mnos_status_t status = file_quick_on(session, &call.message, regs, rax);

    if (status != MNOS_OK)
        status = file_call_failed(session, path->run, lane, status);
    else
        file_give_lane(session, lane);
    return conclude(answer, &call, what, path, status);
}
