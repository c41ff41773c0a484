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
static uint64_t handles[HANDLES];

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

/* A record of the right size, and a path or two. */
static size_t make(uint32_t operation, uint8_t *request)
{
    uint64_t words[4] = {handles[pick(HANDLES)], pick(3) ? pick(1 << 20) : pick(UINT64_MAX),
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
    case FILE_TRUNCATE:
    case FILE_READDIR:
    case FILE_EXPORT: bytes = 16; break;
    case FILE_CLOSE:
    case FILE_FSYNC:
    case FILE_ATTR: bytes = 8; break;
    default: break;
    }
    memcpy(request, words, bytes);
    memcpy(request + bytes, path, strlen(path));
    memcpy(request + bytes + strlen(path), second, strlen(second));
    return bytes + strlen(path) + strlen(second);
}

static void begin(unsigned client)
{
    uint8_t request[512];
    uint32_t operation = (uint32_t)pick(44);
    size_t length;

    if (operation == FILE_OPEN_SESSION || operation == FILE_SYNC)
        operation = FILE_OPEN;
    length = make(operation, request);
    if (pick(10) == 0)
        length = pick(sizeof request);
    host_send(client, operation, request, length, NULL, 0);
}

bool hostile_run(uint64_t seed, unsigned count)
{
    bool waits[CLIENTS] = {false};
    unsigned busy = 0;

    state = seed * 0x9E3779B97F4A7C15ull + 88172645463325252ull;
    while (count != 0 || busy != 0) {
        unsigned client = (unsigned)pick(CLIENTS);

        if (waits[client] && host_replies[client].arrived) {
            waits[client] = false;
            busy--;
            if (host_replies[client].status == MNOS_OK && host_replies[client].length >= 8)
                memcpy(&handles[pick(HANDLES)], host_replies[client].bytes, 8);
        } else if (!waits[client] && count != 0) {
            count--;
            busy++;
            waits[client] = true;
            begin(client);
        } else {
            host_step();
        }
        if (pick(64) == 0)
            host_check();
    }
    return true;
}
