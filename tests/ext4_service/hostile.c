// SPDX-License-Identifier: MIT
/*
 * hostile - requests as a hostile client would send them: some of any form, most of the right one with contents of its
 * choice, of several clients at once. Each is answered, and no invariant breaks: see commands.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ext4_service/commands.h"
#include "tests/ext4_service/host.h"

#define CLIENTS 4u
#define HANDLES 8u

static uint64_t state;
static uint64_t handles[CLIENTS][HANDLES]; /* what each has opened */

static uint64_t pick(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 20) % below;
}

static const char *pick_path(void)
{
    static const char *const paths[] = {"a",  "b", "a/b", "b/a",   "..", "a/../b", "c",
                                        "/a", "",  "c/",  "a/b/c", ".",  "link",   "link/a"};

    return paths[pick(sizeof paths / sizeof paths[0])];
}

/* Nearly always one of the client's own. */
static uint64_t pick_handle(unsigned client)
{
    return handles[pick(8) ? client : pick(CLIENTS)][pick(HANDLES)];
}

/* Of what has no path, and no bytes behind the record: the size of that. */
static size_t make_of_open(uint32_t operation, uint64_t words[4])
{
    switch (operation) {
    case FILE_SET_TIME: /* of all that 64 bits can say */
        words[1] = pick(UINT64_MAX) << pick(32);
        words[2] = pick(3);
        return 24;
    case FILE_SEEK: words[2] = pick(3); return 24;
    case FILE_ALLOCATE:
        words[2] = pick(70000);
        words[3] = pick(5);
        return 32;
    case FILE_TRUNCATE:
    case FILE_READDIR:
    case FILE_EXPORT: return 16;
    case FILE_CLOSE:
    case FILE_FSYNC:
    case FILE_ATTR: return 8;
    default: return 0;
    }
}

/* A record of the right size, and a path or two. */
static size_t make(unsigned client, uint32_t operation, uint8_t *request)
{
    uint64_t words[4] = {pick_handle(client), pick(3) ? pick(1 << 20) : pick(UINT64_MAX),
                         pick(2) ? FILE_INLINE : pick(70000), pick(70000)};
    const char *path = "", *second = "";
    size_t bytes = 0;

    switch (operation) {
    case FILE_OPEN:
        words[0] = pick(4) ? 0 : words[0];
        words[1] = (pick(3) ? pick(8) : pick(64)) | (pick(2) ? 6 : pick(32)) << 32;
        path = pick_path();
        bytes = 16;
        break;
    case FILE_STAT:
    case FILE_MKDIR:
    case FILE_UNLINK:
    case FILE_RMDIR:
    case FILE_READLINK:
        words[0] = words[1] = 0;
        path = pick_path();
        bytes = 16;
        break;
    case FILE_LINK:
    case FILE_SYMLINK:
    case FILE_RENAME:
        path = pick_path();
        second = pick_path();
        words[0] = words[1] = 0;
        words[2] = pick(20) ? strlen(path) : pick(4000);
        bytes = 24;
        break;
    case FILE_READ:
    case FILE_WRITE:
    case FILE_APPEND:
        if (words[2] == FILE_INLINE && operation != FILE_READ) {
            path = "some bytes";
            words[3] = strlen(path);
        }
        bytes = 32;
        break;
    default: bytes = make_of_open(operation, words); break;
    }
    memcpy(request, words, bytes);
    memcpy(request + bytes, path, strlen(path));
    memcpy(request + bytes + strlen(path), second, strlen(second));
    return bytes + strlen(path) + strlen(second);
}

/* Whether what it answers is a handle. */
static bool begin(unsigned client)
{
    uint8_t request[512];
    uint32_t operation = pick(8) ? (uint32_t)pick(FILE_SET_TIME + 1) : FILE_OPEN;
    size_t length;

    if (operation == FILE_OPEN_SESSION || operation == FILE_SYNC)
        operation = FILE_OPEN;
    length = make(client, operation, request);
    if (pick(10) == 0)
        length = pick(sizeof request);
    host_send(client, operation, request, length, NULL, 0);
    return operation == FILE_OPEN;
}

bool hostile_run(uint64_t seed, unsigned count)
{
    bool waits[CLIENTS] = {false}, opens[CLIENTS] = {false};
    unsigned busy = 0;

    state = seed * 0x9E3779B97F4A7C15ull + 88172645463325252ull;
    while (count != 0 || busy != 0) {
        unsigned client = (unsigned)pick(CLIENTS);

        if (waits[client] && host_replies[client].arrived) {
            waits[client] = false;
            busy--;
            if (host_replies[client].status == MNOS_OK && opens[client])
                memcpy(&handles[client][pick(HANDLES)], host_replies[client].bytes, 8);
        } else if (!waits[client] && count != 0) {
            count--;
            busy++;
            waits[client] = true;
            opens[client] = begin(client);
        } else {
            host_step();
        }
        if (pick(64) == 0)
            host_check();
    }
    return true;
}
