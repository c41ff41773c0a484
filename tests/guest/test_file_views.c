// SPDX-License-Identifier: MIT
/* test_file_views.c - files that are read where they are: what is lent, what a cell says, and that neither outlives its time. */
#include "lib/base/string.h"
#include "lib/client/file_view.h"
#include "lib/mnos/lent.h"
#include "tests/guest/child.h"
#include "tests/guest/files.h"
#include "tests/guest/guest.h"
#include "tests/guest/scene.h"

#define ALICE 0x10007ull
#define BOB 0x10008ull
#define PAGES 12u
#define FILE_BYTES (PAGES * 4096u)
#define COPIES 40u

struct world {
    struct child child;
    mnos_cap_t endpoint, caps[2];
    struct file_session alice, bob;
    struct file file, same; /* Alice's to read, Bob's to write */
    struct file_view view;
};

static uint8_t bytes[FILE_BYTES], again[FILE_BYTES];

static void fill(uint8_t seed)
{
    for (uint32_t i = 0; i < FILE_BYTES; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 12) * 31 + seed) | 1; /* no byte is zero */
}

static void write_all(const struct file *file)
{
    uint64_t count;

    CHECK_OK(file_write(file, 0, bytes, FILE_BYTES, &count));
    CHECK_EQ(count, FILE_BYTES);
}

static bool world_begin(struct world *world)
{
    const uint32_t both = FILE_READ_RIGHT | FILE_WRITE_RIGHT;

    *world = (struct world){.endpoint = endpoint_with_reserve(0)};
    world->caps[0] = cap_mint(world->endpoint, ALICE, 0);
    world->caps[1] = cap_mint(world->endpoint, BOB, 0);
    if (!child_create(&world->child) ||
        !child_start(&world->child, files_serve,
                     child_give(&world->child, world->endpoint, MNOS_RIGHTS_ALL), 0, 0, 0) ||
        !CHECK_OK(file_session_open(&world->alice, world->caps[0], 0)) ||
        !CHECK_OK(file_session_open(&world->bob, world->caps[1], 0)) ||
        !CHECK_OK(file_open(&world->bob, NULL, "file", FILE_CREATE, both, &world->same)) ||
        !CHECK_OK(file_open(&world->alice, NULL, "file", 0, FILE_READ_RIGHT, &world->file)))
        return false;
    fill(0);
    write_all(&world->same);
    file_view_open(&world->view, &world->file);
    return true;
}

static void world_end(struct world *world)
{
    file_view_close(&world->view);
    file_session_close(&world->alice);
    file_session_close(&world->bob);
    child_drop(&world->child);
    cap_drop(world->caps[0]);
    cap_drop(world->caps[1]);
    cap_drop(world->endpoint);
}

/* What the view gives, from an offset on, is what was written; returns how many bytes it gave. */
static uint64_t expect(struct world *world, uint64_t offset, uint64_t length)
{
    uint64_t count = UINT64_MAX;

    memset(again, 0, sizeof again);
    CHECK_OK(file_view_read(&world->view, offset, again, length, &count));
    CHECK(count <= length && memcmp(again, bytes + offset, count) == 0);
    return count;
}

TEST(file_views, a_cached_file_is_read_and_asked_about_while_the_service_stands_still)
{
    struct file_attr attr = {0};
    struct world world;
    uint64_t now;

    if (world_begin(&world)) {
        CHECK_EQ(expect(&world, 8192, 4096), 4096);
        CHECK(world.view.bytes >= 4096);
        CHECK_OK(sys_thread_block(world.child.thread, 0, &now));
        CHECK_EQ(expect(&world, 8192, 4096), 4096);
        CHECK_EQ(expect(&world, FILE_BYTES - 100, 100), 100);
        CHECK_EQ(expect(&world, FILE_BYTES - 100, 50), 50);
        CHECK_OK(file_view_attributes(&world.view, &attr));
        CHECK_EQ(attr.size, FILE_BYTES);
        CHECK_EQ(attr.links, 1);
        CHECK_OK(sys_thread_wake(world.child.thread));
        CHECK_EQ(expect(&world, 0, FILE_BYTES), FILE_BYTES);
    }
    world_end(&world);
}

TEST(file_views, what_others_write_is_there_with_their_reply)
{
    struct file_attr attr = {0}, before = {0};
    struct world world;
    uint64_t count;

    if (world_begin(&world)) {
        CHECK_EQ(expect(&world, 8192, 4096), 4096);
        CHECK_OK(file_view_attributes(&world.view, &before));
        fill(5);
        write_all(&world.same);
        CHECK_EQ(expect(&world, 8192, 4096), 4096);
        CHECK_OK(file_view_attributes(&world.view, &attr));
        CHECK(attr.modified_ns > before.modified_ns);
        /* Longer, and shorter: the end of the file is where it is now. */
        CHECK_OK(file_truncate(&world.same, FILE_BYTES - 10));
        CHECK_EQ(expect(&world, FILE_BYTES - 100, 100), 90);
        CHECK_OK(file_append(&world.same, bytes + FILE_BYTES - 10, 4, &count));
        CHECK_EQ(expect(&world, FILE_BYTES - 100, 100), 94);
        CHECK_OK(file_view_attributes(&world.view, &attr));
        CHECK_EQ(attr.size, FILE_BYTES - 6);
        /* A hole is not lent, and reads as zeros. */
        CHECK_OK(file_allocate(&world.same, 8192, 4096, FILE_ALLOCATE_PUNCH));
        memset(bytes + 8192, 0, 4096);
        CHECK_EQ(expect(&world, 4096, 12288), 12288);
        /* Names are attributes, too. */
        CHECK_OK(file_link(&world.bob, "file", "second"));
        CHECK_OK(file_view_attributes(&world.view, &attr));
        CHECK_EQ(attr.links, 2);
        CHECK_OK(file_unlink(&world.bob, "file"));
        CHECK_OK(file_rename(&world.bob, "second", "third"));
        CHECK_OK(file_view_attributes(&world.view, &attr));
        CHECK_EQ(attr.links, 1);
        CHECK_OK(file_unlink(&world.bob, "third"));
        CHECK_EQ(expect(&world, 4096, 4096), 4096);
        CHECK_OK(file_view_attributes(&world.view, &attr));
        CHECK_EQ(attr.links, 0);
    }
    world_end(&world);
}

/* Whether any of the pages is mapped still. */
static bool is_mapped(uint64_t address, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += 4096)
        if (lent_word((const uint64_t *)(address + at)) != 0)
            return true;
    return false;
}

/* A client that keeps what it was lent, as often as it can. */
static uint64_t multiply(const struct file_view *view, mnos_cap_t copies[COPIES])
{
    uint64_t mapped = 0;

    for (unsigned i = 0; i < COPIES; i++) {
        CHECK_OK(sys_cap_create(MNOS_CREATE_COPY, view->memory, MNOS_RIGHT_READ, 0, 0, &copies[i]));
        mapped +=
            sys_mem_map(MNOS_SELF, copies[i], ARENA + i * PAGE, 0, 1, MNOS_MAP_READ) == MNOS_OK;
    }
    CHECK_EQ(sys_mem_map(MNOS_SELF, copies[0], ARENA + COPIES * PAGE, 0, 1, MAP_RW),
             MNOS_ERR_RIGHTS);
    return mapped;
}

static void check_gone(uint64_t address, uint64_t size)
{
    CHECK(!is_mapped(ARENA, COPIES * PAGE));
    CHECK(!is_mapped(address, size));
}

TEST(file_views, pages_are_taken_back_from_all_copies_before_they_are_anothers)
{
    mnos_cap_t copies[COPIES] = {0};
    struct world world;
    struct file secret;
    uint64_t address, size, count;

    if (world_begin(&world)) {
        CHECK_EQ(expect(&world, 8192, 4096), 4096);
        address = world.view.address;
        size = world.view.bytes;
        CHECK_EQ(multiply(&world.view, copies), COPIES);
        CHECK(is_mapped(ARENA, PAGE) && is_mapped(address, size));
        CHECK_OK(file_truncate(&world.same, 0));
        check_gone(address, size);
        /* Another's bytes come into the same pages. */
        CHECK_OK(file_open(&world.bob, NULL, "secret", FILE_CREATE, FILE_WRITE_RIGHT, &secret));
        CHECK_OK(file_write(&secret, 0, bytes, FILE_BYTES, &count));
        check_gone(address, size);
        CHECK_EQ(expect(&world, 8192, 4096), 0);
        for (unsigned i = 0; i < COPIES; i++)
            CHECK_EQ(sys_cap_delete(copies[i]), MNOS_ERR_HANDLE);
    }
    world_end(&world);
}

TEST(file_views, a_view_ends_with_its_handle)
{
    mnos_cap_t copies[COPIES] = {0};
    struct world world;
    uint64_t address, size, count;
    char byte;

    if (world_begin(&world)) {
        CHECK_OK(file_unlink(&world.bob, "file"));
        CHECK_EQ(expect(&world, 8192, 4096), 4096);
        address = world.view.address;
        size = world.view.bytes;
        CHECK_EQ(multiply(&world.view, copies), COPIES);
        CHECK_OK(file_close(&world.file));
        check_gone(address, size);
        CHECK_EQ(file_view_read(&world.view, 8192, &byte, 1, &count), MNOS_ERR_FILE);
    }
    world_end(&world);
}

TEST(file_views, many_views_end_the_oldest_of_the_account_and_nobody_elses)
{
    static struct file_view views[24];
    struct world world;
    struct file_attr attr = {0};
    unsigned valid = 0;

    if (world_begin(&world)) {
        struct file_view other;

        file_view_open(&other, &world.same);
        CHECK_OK(file_view_attributes(&other, &attr));
        for (unsigned i = 0; i < 24; i++) {
            file_view_open(&views[i], &world.file);
            CHECK_OK(file_view_attributes(&views[i], &attr));
        }
        for (unsigned i = 0; i < 24; i++)
            valid += views[i].cell->number == views[i].number;
        CHECK_EQ(valid, 16);
        CHECK_EQ(other.cell->number, other.number);
        CHECK(views[0].cell->number != views[0].number);
        CHECK_OK(file_view_attributes(&views[0], &attr)); /* asks again */
        CHECK_EQ(views[0].cell->number, views[0].number);
        for (unsigned i = 0; i < 24; i++)
            file_view_close(&views[i]);
        file_view_close(&other);
    }
    world_end(&world);
}

static mnos_status_t ask_view(const struct file *file, uint64_t replaces, uint64_t pages)
{
    struct file_view_request record = {file->handle, 0, replaces, pages};
    struct message message = {.accept = 1};
    mnos_status_t status;

    message_put(&message, FILE_VIEW, &record, sizeof record);
    status = ipc_request(file->session->service, &message);
    message_refuse_caps(&message);
    return status;
}

TEST(file_views, a_view_needs_the_right_to_read_a_file)
{
    struct file_attr attr = {0};
    struct world world;
    struct file file;

    if (world_begin(&world)) {
        CHECK_OK(file_view_attributes(&world.view, &attr));
        CHECK_OK(file_open(&world.bob, NULL, "file", 0, FILE_WRITE_RIGHT, &file));
        CHECK_EQ(ask_view(&file, 0, 4), MNOS_ERR_DENIED);
        CHECK_EQ(ask_view(&file, 0, 0), MNOS_ERR_DENIED);
        CHECK_OK(file_open(&world.bob, NULL, "", 0, FILE_READ_RIGHT | FILE_LOOKUP, &file));
        CHECK_EQ(ask_view(&file, 0, 4), MNOS_ERR_DIRECTORY);
        /* What is another's is replaced by nobody. */
        CHECK_OK(ask_view(&world.same, world.view.number, UINT64_MAX));
        CHECK_EQ(world.view.cell->number, world.view.number);
        file.handle++;
        CHECK_EQ(ask_view(&file, 0, 4), MNOS_ERR_FILE);
    }
    world_end(&world);
}

struct writer {
    struct thread thread;
    struct world *world;
    bool stops;
};

/* The file's pages become another file's, and come back, again and again. */
static void change_places(void *argument)
{
    struct writer *writer = argument;
    static uint8_t secret[FILE_BYTES]; /* zeros: no byte of the file is */
    struct file other;
    uint64_t count;

    while (!__atomic_load_n(&writer->stops, __ATOMIC_ACQUIRE)) {
        CHECK_OK(file_truncate(&writer->world->same, 0));
        CHECK_OK(file_open(&writer->world->bob, NULL, "secret", FILE_CREATE | FILE_TRUNCATE_FIRST,
                           FILE_WRITE_RIGHT, &other));
        CHECK_OK(file_write(&other, 0, secret, FILE_BYTES, &count));
        CHECK_OK(file_close(&other));
        CHECK_OK(file_unlink(&writer->world->bob, "secret"));
        write_all(&writer->world->same);
    }
}

TEST(file_views, a_reader_is_never_given_what_came_into_the_place)
{
    static struct writer writer;
    struct world world;

    if (world_begin(&world)) {
        writer = (struct writer){.world = &world};
        helper_start(&writer.thread, change_places, &writer);
        for (unsigned i = 0; i < 600; i++) {
            (void)expect(&world, 4096 * (i % PAGES), 4096);
            if (i % 8 == 0)
                CHECK_OK(sys_thread_yield());
        }
        __atomic_store_n(&writer.stops, true, __ATOMIC_RELEASE);
        if (writer.thread.thread != 0)
            CHECK_OK(thread_join(&writer.thread, soon()));
        CHECK_EQ(expect(&world, 0, FILE_BYTES), FILE_BYTES);
    }
    world_end(&world);
}
