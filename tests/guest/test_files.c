// SPDX-License-Identifier: MIT
/* test_files.c - files through the real service, library and kernel: sessions that are handed on
 * and closed. */
#include "lib/client/file.h"
#include "lib/base/string.h"
#include "tests/guest/child.h"
#include "tests/guest/files.h"
#include "tests/guest/guest.h"
#include "tests/guest/scene.h"

#define BADGE 0x10007ull
#define WATCH_BADGE 0x770001ull /* of the capability through which a watch is told */
#define EXPORTS 256u            /* lasting mints */

struct world {
    struct child child;
    mnos_cap_t endpoint, client;
    struct file_session files;
};

static bool start_service(struct world *world)
{
    return child_create(&world->child) &&
           child_start(&world->child, files_serve,
                       child_give(&world->child, world->endpoint, MNOS_RIGHTS_ALL), 0, 0, 0);
}

static bool world_begin(struct world *world)
{
    *world = (struct world){.endpoint = endpoint_with_reserve(EXPORTS)};
    world->client = cap_mint(world->endpoint, BADGE, 0);
    return start_service(world) && CHECK_OK(file_session_open(&world->files, world->client, 0));
}

static void world_end(struct world *world)
{
    file_session_close(&world->files);
    child_drop(&world->child);
    cap_drop(world->client);
    cap_drop(world->endpoint);
}

static void put(struct file_session *files, const char *path, const char *text)
{
    struct file file;
    uint64_t count = 0;

    if (!CHECK_OK(file_open(files, NULL, path, FILE_CREATE, FILE_WRITE_RIGHT, &file)))
        return;
    CHECK_OK(file_write(&file, 0, text, strlen(text), &count));
    CHECK_EQ(count, strlen(text));
    CHECK_OK(file_close(&file));
}

/* Opens a path, and checks that the file holds the text. */
static void expect(struct file_session *files, const char *path, const char *text)
{
    struct file file;
    char bytes[64];
    uint64_t count = 0;

    if (!CHECK_OK(file_open(files, NULL, path, 0, FILE_READ_RIGHT, &file)))
        return;
    CHECK_OK(file_read(&file, 0, bytes, sizeof bytes, &count));
    CHECK_EQ(count, strlen(text));
    CHECK(memcmp(bytes, text, strlen(text)) == 0);
    CHECK_OK(file_close(&file));
}

/* A capability of a session of its own for a directory. */
static mnos_cap_t export_directory(struct file_session *files, const char *path, uint32_t rights)
{
    struct file directory;
    mnos_cap_t session = 0;

    if (!CHECK_OK(file_open(files, NULL, path, FILE_ONLY_DIRECTORY, rights, &directory)))
        return 0;
    CHECK_OK(file_export(&directory, rights, &session));
    CHECK_OK(file_close(&directory));
    return session;
}

TEST(files, bytes_arrive_by_message_window_and_second_copy)
{
    static uint8_t bytes[20000], again[20000];
    struct world world;
    struct file file;
    uint64_t count = 0;
    uint8_t *buffer;

    if (world_begin(&world)) {
        for (unsigned i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(i * 7 + i / 256);
        put(&world.files, "small", "a few bytes");
        expect(&world.files, "/small", "a few bytes");
        CHECK_OK(file_open(&world.files, NULL, "large", FILE_CREATE,
                           FILE_READ_RIGHT | FILE_WRITE_RIGHT, &file));
        CHECK_OK(file_write(&file, 100, bytes, sizeof bytes, &count));
        CHECK_EQ(count, sizeof bytes);
        CHECK_OK(file_read(&file, 100, again, sizeof again, &count));
        CHECK_EQ(count, sizeof bytes);
        CHECK(memcmp(bytes, again, sizeof bytes) == 0);
        buffer = file_buffer(&world.files, 4096);
        if (CHECK(buffer != NULL)) {
            CHECK_OK(file_read(&file, 16000, buffer, 4096, &count));
            CHECK_EQ(count, 4096);
            CHECK(memcmp(bytes + 15900, buffer, 4096) == 0);
        }
        CHECK_OK(file_close(&file));
    }
    world_end(&world);
}

TEST(files, an_exported_directory_is_all_that_its_holder_reaches)
{
    static struct file_session cell;
    struct world world;
    struct file_attr attr;
    struct file walking;
    mnos_cap_t cap;

    if (world_begin(&world)) {
        CHECK_OK(file_make_directory(&world.files, "cell"));
        CHECK_OK(file_make_directory(&world.files, "cell/in"));
        put(&world.files, "secret", "outside");
        put(&world.files, "cell/in/file", "inside");
        CHECK_OK(file_symlink(&world.files, "/secret", "cell/absolute"));
        CHECK_OK(file_symlink(&world.files, "../../secret", "cell/in/up"));
        cap = export_directory(&world.files, "cell",
                               FILE_LOOKUP | FILE_READ_RIGHT | FILE_CREATE_RIGHT);
        CHECK_OK(file_session_open(&cell, cap, 0));
        expect(&cell, "in/file", "inside");
        expect(&cell, "/../in/../../in/file", "inside"); /* the root's parent is the root */
        CHECK_EQ(file_stat(&cell, "../secret", 0, &attr), MNOS_ERR_NOT_FOUND);
        CHECK_EQ(file_stat(&cell, "../secret", FILE_BENEATH, &attr), MNOS_ERR_REST);
        CHECK_EQ(file_stat(&cell, "absolute", 0, &attr), MNOS_ERR_NOT_FOUND);
        CHECK_EQ(file_stat(&cell, "in/up", 0, &attr), MNOS_ERR_NOT_FOUND);
        CHECK_EQ(file_link(&cell, "../secret", "mine"), MNOS_ERR_NOT_FOUND);
        CHECK_EQ(file_rename(&cell, "in/../../secret", "mine"), MNOS_ERR_NOT_FOUND);
        /* What it walks in is moved out under its feet: it keeps that, and gains nothing. */
        CHECK_OK(file_open(&cell, NULL, "in", 0, FILE_LOOKUP, &walking));
        CHECK_OK(file_rename(&world.files, "cell/in", "out"));
        {
            struct file file;

            CHECK_EQ(file_open(&cell, &walking, "../secret", FILE_BENEATH, FILE_READ_RIGHT, &file),
                     MNOS_ERR_DENIED);
            CHECK_EQ(file_open(&cell, &walking, "up", FILE_BENEATH, FILE_READ_RIGHT, &file),
                     MNOS_ERR_DENIED);
        }
        CHECK_EQ(file_stat(&cell, "in/file", 0, &attr), MNOS_ERR_NOT_FOUND);
        file_session_close(&cell);
        cap_drop(cap);
    }
    world_end(&world);
}

TEST(files, a_closed_session_is_of_no_use_and_its_window_is_gone)
{
    static struct file_session child;
    struct world world;
    struct file_session_info info = {0};
    struct file_attr attr;
    mnos_cap_t cap, window;
    uint64_t size;

    if (world_begin(&world)) {
        CHECK_OK(file_make_directory(&world.files, "dir"));
        cap = export_directory(&world.files, "dir", FILE_LOOKUP);
        CHECK_OK(file_session_open(&child, cap, 0));
        CHECK_OK(file_session_info(&world.files, cap, &info));
        CHECK_EQ(info.rights, FILE_LOOKUP);
        CHECK_OK(file_session_info(&world.files, 0, &info));
        CHECK_EQ(info.below, 1);
        window = child.window_cap;
        CHECK_EQ(file_close_tree(&child, cap), MNOS_ERR_DENIED); /* it has not the right */
        CHECK_OK(file_close_tree(&world.files, cap));
        CHECK_EQ(sys_cap_inspect(window, MNOS_VIEW_CAPABILITY, 0, &size), MNOS_ERR_HANDLE);
        CHECK_EQ(file_stat(&child, "", 0, &attr), MNOS_ERR_LOST);
        CHECK_EQ(file_stat(&child, "", 0, &attr), MNOS_ERR_LOST);
        CHECK_OK(file_session_info(&world.files, 0, &info));
        CHECK_EQ(info.below, 0);
        cap_drop(cap);
        /* One that is dropped ends with its last capability. */
        cap = export_directory(&world.files, "dir", FILE_LOOKUP);
        CHECK_OK(file_session_info(&world.files, 0, &info));
        CHECK_EQ(info.below, 1);
        cap_drop(cap);
        CHECK_OK(file_session_info(&world.files, 0, &info));
        CHECK_EQ(info.below, 0);
        file_session_close(&child);
    }
    world_end(&world);
}

TEST(files, a_client_that_takes_no_capability_is_told_and_harms_nobody)
{
    struct file_open_session record = {0};
    struct file_export export = {.rights = FILE_LOOKUP};
    struct file directory;
    struct message message = {0};
    struct world world;

    if (world_begin(&world)) {
        message_put(&message, FILE_OPEN_SESSION, &record, sizeof record);
        CHECK_EQ(ipc_request(world.client, &message), MNOS_ERR_ACCEPT);
        CHECK_OK(file_open(&world.files, NULL, "", 0, FILE_LOOKUP, &directory));
        export.handle = directory.handle;
        message_put(&message, FILE_EXPORT, &export, sizeof export);
        CHECK_EQ(ipc_request(world.client, &message), MNOS_ERR_ACCEPT);
        CHECK_OK(file_close(&directory));
        put(&world.files, "file", "text");
    }
    world_end(&world);
}

struct worker {
    struct thread thread;
    struct file_session *files;
    char name[8];
    unsigned done;
};

/* Makes, finds and removes a file of its own, again and again. */
static void work(void *argument)
{
    struct worker *worker = argument;
    struct file_attr attr;
    struct file file;
    bool ok = true;

    for (unsigned i = 0; i < 100 && ok; i++) {
        ok = file_open(worker->files, NULL, worker->name, FILE_CREATE | FILE_EXCLUSIVE,
                       FILE_WRITE_RIGHT, &file) == MNOS_OK &&
             file_close(&file) == MNOS_OK &&
             file_stat(worker->files, worker->name, 0, &attr) == MNOS_OK &&
             file_unlink(worker->files, worker->name) == MNOS_OK;
        worker->done += ok;
    }
}

TEST(files, threads_share_a_session_by_its_lanes)
{
    static struct worker workers[4];
    struct file_session_info info = {0};
    struct world world;

    if (world_begin(&world)) {
        for (unsigned i = 0; i < 4; i++) {
            workers[i] = (struct worker){.files = &world.files, .name = {(char)('a' + i)}};
            helper_start(&workers[i].thread, work, &workers[i]);
        }
        for (unsigned i = 0; i < 4; i++) {
            if (workers[i].thread.thread != 0)
                CHECK_OK(thread_join(&workers[i].thread, soon()));
            CHECK_EQ(workers[i].done, 100);
        }
        CHECK_OK(file_session_info(&world.files, 0, &info));
        CHECK_EQ(info.handles, 0);
    }
    world_end(&world);
}

TEST(files, room_is_set_aside_and_taken_out_of_the_middle_of_a_file)
{
    struct world world;
    struct file file;
    uint64_t found = 0;

    if (world_begin(&world)) {
        put(&world.files, "file", "text");
        CHECK_OK(
            file_open(&world.files, NULL, "file", 0, FILE_READ_RIGHT | FILE_WRITE_RIGHT, &file));
        CHECK_OK(file_allocate(&file, 8192, 4096, 0));
        CHECK_OK(file_seek(&file, 0, FILE_SEEK_HOLE, &found));
        CHECK_EQ(found, 4096);
        CHECK_OK(file_seek(&file, found, FILE_SEEK_DATA, &found));
        CHECK_EQ(found, 8192);
        CHECK_OK(file_allocate(&file, 0, 10000, FILE_ALLOCATE_PUNCH));
        CHECK_OK(file_seek(&file, 0, FILE_SEEK_DATA, &found));
        CHECK_EQ(found, 8192); /* a page that is not whole stays, with zeros in it */
        CHECK_OK(file_allocate(&file, 0, 12288, FILE_ALLOCATE_PUNCH));
        CHECK_EQ(file_seek(&file, 0, FILE_SEEK_DATA, &found), MNOS_ERR_END);
        CHECK_EQ(file_allocate(&file, 0, 1ull << 43, 0), MNOS_ERR_SIZE);
        CHECK_OK(file_close(&file));
    }
    world_end(&world);
}

static uint64_t next_events(mnos_cap_t endpoint)
{
    struct message message = {0};

    return CHECK_OK(ipc_receive(endpoint, &message, soon())) && message.kind == MNOS_KIND_EVENTS
               ? message.words[0]
               : 0;
}

TEST(files, a_watch_is_told_by_events_and_ends_with_the_service)
{
    mnos_cap_t endpoint = endpoint_with_reserve(0);
    struct message message = {0};
    struct world world;
    struct file directory;

    if (world_begin(&world)) {
        CHECK_OK(file_open(&world.files, NULL, "", FILE_ONLY_DIRECTORY, FILE_LOOKUP, &directory));
        CHECK_OK(file_watch(&directory, endpoint, WATCH_BADGE, 4));
        CHECK_EQ(next_events(endpoint), 4); /* once at once */
        put(&world.files, "file", "text");
        CHECK_EQ(next_events(endpoint), 4);
        CHECK_EQ(ipc_receive(endpoint, &message, deadline_after_ns(1000000)), MNOS_ERR_DEADLINE);
        child_drop(&world.child);
        CHECK_OK(ipc_receive(endpoint, &message, soon()));
        CHECK_EQ(message.kind, MNOS_KIND_CLIENT_GONE);
        CHECK(ipc_client_is_gone(endpoint, message.badge, WATCH_BADGE));
    }
    world_end(&world);
    cap_drop(endpoint);
}

static void wait_for_lock(void *argument)
{
    struct worker *worker = argument;
    struct file_lock lock = {.owner = 2, .kind = FILE_LOCK_EXCLUSIVE, .flags = FILE_LOCK_WAIT};
    struct file file;

    if (file_open(worker->files, NULL, "file", 0, FILE_WRITE_RIGHT, &file) == MNOS_OK &&
        file_lock(&file, &lock) == MNOS_OK)
        __atomic_store_n(&worker->done, 1, __ATOMIC_RELEASE);
}

TEST(files, a_thread_waits_for_a_lock_until_it_is_given_up)
{
    static struct worker worker;
    struct file_lock lock = {.owner = 1, .kind = FILE_LOCK_EXCLUSIVE};
    struct world world;
    struct file file;

    if (world_begin(&world)) {
        put(&world.files, "file", "text");
        CHECK_OK(file_open(&world.files, NULL, "file", 0, FILE_WRITE_RIGHT, &file));
        CHECK_OK(file_lock(&file, &lock));
        worker = (struct worker){.files = &world.files};
        helper_start(&worker.thread, wait_for_lock, &worker);
        sleep_until(deadline_after_ns(20000000));
        CHECK_EQ(__atomic_load_n(&worker.done, __ATOMIC_ACQUIRE), 0);
        CHECK_OK(file_close(&file));
        if (worker.thread.thread != 0)
            CHECK_OK(thread_join(&worker.thread, soon()));
        CHECK_EQ(worker.done, 1);
    }
    world_end(&world);
}

TEST(files, the_next_run_of_the_service_says_what_is_lost)
{
    struct world world;
    struct file_attr attr;
    struct file file;
    uint64_t count;
    char byte;

    if (world_begin(&world)) {
        put(&world.files, "file", "text");
        CHECK_OK(file_open(&world.files, NULL, "file", 0, FILE_READ_RIGHT, &file));
        child_drop(&world.child);
        if (start_service(&world)) {
            CHECK_EQ(file_read(&file, 0, &byte, 1, &count), MNOS_ERR_LOST);
            CHECK_EQ(file_read(&file, 0, &byte, 1, &count), MNOS_ERR_LOST);
            CHECK_EQ(file_stat(&world.files, "file", 0, &attr), MNOS_ERR_NOT_FOUND);
            put(&world.files, "file", "new");
            expect(&world.files, "file", "new");
        }
    }
    world_end(&world);
}
