// SPDX-License-Identifier: MIT
/*
 * file_fuzz.h - clients of a service of files that send anything: bytes in, and the service must keep its invariants, and
 * have nothing left when the last client has gone. Most requests have the right form, with contents of a hostile client's choice.
 * Included behind tests/models/file_server.h by one file of a test.
 */
#pragma once

static const uint8_t *fuzz_input;
static size_t fuzz_left;
static unsigned fuzz_done[LABEL_OPERATIONS]; /* requests of each kind that were carried out */
static uint64_t fuzz_handles[8];
static mnos_badge_t fuzz_clients[4]; /* the last two were exported */

/* Bytes of the input that fall short are zeros. */
static uint64_t pick(uint64_t below)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < (below <= 256 ? 1u : 3u) && fuzz_left != 0; i++, fuzz_left--)
        number = number << 8 | *fuzz_input++;
    return number % below;
}

/* Now and then a sequence that is not the lane's next. */
static uint32_t next_of(mnos_badge_t client, uint32_t lane)
{
    const struct server_session *session = session_of(server.loop.sessions, client);

    return session == NULL || pick(10) == 0 ? 5 : label_next(session->lanes[lane].sequence);
}

/* Nearly always one of few names, so that there is something; else text of the input. */
static void pick_path(char path[64])
{
    static const char *const paths[] = {"a", "b",  "a/b", "b/a",   "..", "a/../b",
                                        "c", "/a", "",    "a/b/c", "c/", "."};
    size_t number = pick(16), length = 0;

    if (number < sizeof paths / sizeof paths[0]) {
        strcpy(path, paths[number]);
        return;
    }
    for (number = pick(64); length < number && fuzz_left != 0; length++)
        path[length] = (char)(1 + pick(255));
    path[length] = 0;
}

/* A lock has a word behind the four: kind and flags. */
static size_t pick_lock(uint8_t *request)
{
    uint64_t words[5] = {fuzz_handles[pick(8)], pick(2), pick(50), pick(200), 0};

    words[4] = pick(3) | pick(2) << 32;
    memcpy(request, words, sizeof(struct file_lock));
    return sizeof(struct file_lock);
}

/* The words of the record; returns how many bytes it has. *paths: how many follow. */
static size_t pick_record(uint32_t operation, uint64_t words[4], unsigned *paths)
{
    *paths = 0;
    switch (operation) {
    case FILE_OPEN:
        words[0] = pick(3) == 0 ? words[0] : 0;
        words[1] = (pick(2) ? FILE_CREATE : pick(64)) | (pick(2) ? 6 : pick(16)) << 32;
        *paths = 1;
        return 16;
    case FILE_STAT:
    case FILE_MKDIR:
    case FILE_UNLINK:
    case FILE_RMDIR:
    case FILE_READLINK:
        words[0] = 0;
        *paths = 1;
        return 16;
    case FILE_LINK:
    case FILE_SYMLINK:
    case FILE_RENAME:
        words[0] = words[1] = 0;
        *paths = 2;
        return 24;
    case FILE_READ: return 32;
    case FILE_VIEW: words[2] = pick(30), words[3] = pick(3) * 7; return 32;
    case FILE_WRITE:
    case FILE_APPEND: *paths = 1; return 32;
    case FILE_EXPORT: words[1] = pick(16); return 16;
    case FILE_TRUNCATE: return 16;
    case FILE_WATCH: words[1] = words[0], words[0] = pick(2), words[2] = pick(3); return 24;
    case FILE_SEEK: words[2] = pick(3); return 24;
    case FILE_SET_TIME: words[1] <<= pick(48), words[2] = pick(3); return 24;
    case FILE_ALLOCATE: words[2] = pick(70000), words[3] = pick(5); return 32;
    case FILE_READDIR: words[1] = pick(4); return 16;
    case FILE_INHERIT: words[1] = fuzz_handles[pick(8)]; return 16;
    case FILE_CLOSE:
    case FILE_FSYNC:
    case FILE_ATTR:
    case MOUNT_LISTEN: return 8;
    case FILE_OPEN_SESSION: words[1] = pick(20) == 0 ? pick(4) : 0; return 16;
    case MOUNT_MOUNT: memset(words, 0, 4 * sizeof words[0]); return sizeof(struct mount_request);
    default: return 0;
    }
}

/* A request of the right form, nearly always; returns its length. */
static size_t pick_request(uint32_t operation, uint8_t *request)
{
    uint64_t words[4] = {fuzz_handles[pick(8)], pick(70000), FILE_INLINE, pick(200)};
    char path[64] = "", second[64] = "";
    unsigned paths;
    size_t bytes;

    if (operation == FILE_LOCK)
        return pick_lock(request);
    bytes = pick_record(operation, words, &paths);
    if (paths != 0)
        pick_path(path);
    if (paths == 2)
        pick_path(second);
    if (paths == 2)
        words[2] = strlen(path);
    if (operation == FILE_WRITE || operation == FILE_APPEND)
        words[3] = strlen(path);
    memcpy(request, words, bytes < sizeof words ? bytes : sizeof words);
    memcpy(request + bytes, path, strlen(path));
    memcpy(request + bytes + strlen(path), second, strlen(second));
    return pick(8) == 0 ? pick(MNOS_MESSAGE_MAX_BYTES) : bytes + strlen(path) + strlen(second);
}

/* What capability the request carries: of a session by its badge, or another. */
static mnos_badge_t pick_capability(uint32_t operation)
{
    if (operation == FILE_CLOSE_TREE || operation == FILE_SESSION_INFO)
        return pick(3) != 0 ? 0 : fuzz_clients[pick(20) ? 2 + pick(2) : pick(4)];
    if (operation == FILE_INHERIT)
        return fuzz_clients[pick(4)];
    return operation == MOUNT_LISTEN || operation == FILE_WATCH ? pick(2) : 0;
}

static void fuzz_one(void)
{
    static uint8_t request[MNOS_MESSAGE_MAX_BYTES];
    uint32_t operation = (uint32_t)pick(45), lane = (uint32_t)pick(2) * 3;
    mnos_badge_t client = fuzz_clients[pick(3) ? 0 : pick(4)];
    size_t length;

    /* To begin anew is rare, or nothing would stay open. */
    if (operation == FILE_OPEN_SESSION && session_of(server.loop.sessions, client) != NULL &&
        pick(50))
        return;
    length = pick_request(operation, request);
    sent_badge = pick_capability(operation);
    exported = 0;
    (void)send(client, label_make(operation, lane, next_of(client, lane)), request, length, NULL);
    fuzz_done[operation] += message.label == MNOS_OK || exported != 0;
    if (operation == FILE_OPEN && message.label == MNOS_OK)
        fuzz_handles[pick(8)] = message.words[0];
    if (exported != 0)
        fuzz_clients[2 + pick(2)] = exported;
    if (pick(200) == 0 && fuzz_clients[2] != 0)
        client_gone(fuzz_clients[2]);
}

/* Who has gone leaves nothing. */
static void fuzz_end(void)
{
    const struct sessions *sessions = server.loop.sessions;

    for (uint32_t i = 1; i <= sessions->session_count; i++)
        if (session_is_open(sessions, i))
            client_gone(session_at(sessions, i)->badge);
    check_all();
    for (uint32_t i = 1; i <= sessions->session_count; i++)
        CHECK_EQ(session_at(sessions, i)->badge, 0);
    CHECK_EQ(windows_open, 0);
    CHECK_EQ(pages_lent, 0);
}

/* `data` is what the clients send, a few bytes a choice. */
static void file_fuzz(const uint8_t *data, size_t size)
{
    fuzz_input = data;
    fuzz_left = size;
    memset(fuzz_handles, 0, sizeof fuzz_handles);
    memcpy(fuzz_clients, (mnos_badge_t[4]){ALICE, BOB}, sizeof fuzz_clients);
    begin();
    for (unsigned i = 1; fuzz_left != 0; i++) {
        fuzz_one();
        if (i % 32 == 0)
            check_all();
    }
    fuzz_end();
}
