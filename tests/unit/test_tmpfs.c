// SPDX-License-Identifier: MIT
/* test_tmpfs - files in memory: what paths can name, bytes, limits, and directories that change. */
#include "tests/models/tmpfs.h"

/* ---- Paths ---- */

static uint32_t inode_of(struct tmpfs *fs, const char *path)
{
    return walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, path, true) == MNOS_OK ? walked.place.inode : 0;
}

static uint32_t add(struct tmpfs *fs, const char *path, enum file_type type)
{
    uint32_t inode = 0;

    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, path, true), MNOS_OK);
    CHECK_EQ(tmpfs_create(fs, &walked.place, type, ACCOUNT, &inode), MNOS_OK);
    return inode;
}

static void add_link(struct tmpfs *fs, const char *path, const char *target)
{
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, path, true), MNOS_OK);
    CHECK_EQ(tmpfs_symlink(fs, &walked.place, target, (uint32_t)strlen(target), ACCOUNT), MNOS_OK);
}

static void check_rest(uint32_t reason, const char *rest)
{
    CHECK_EQ(walked.reason, reason);
    CHECK_EQ(walked.rest_bytes, strlen(rest));
    CHECK(memcmp(walked.rest, rest, strlen(rest)) == 0);
}

TEST(tmpfs, a_path_names_what_is_below_the_root)
{
    struct tmpfs *fs = make(64);
    uint32_t dir = add(fs, "dir", FILE_TYPE_DIRECTORY),
             sub = add(fs, "dir/sub", FILE_TYPE_DIRECTORY);
    uint32_t file = add(fs, "dir/sub/file", FILE_TYPE_FILE);

    add_link(fs, "here", "dir/sub");
    add_link(fs, "dir/up", "../here/file");
    CHECK_EQ(inode_of(fs, "dir/sub/file"), file);
    CHECK_EQ(inode_of(fs, "dir//./sub/../sub/file"), file);
    CHECK_EQ(inode_of(fs, "here/file"), file);
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "dir/up", false), MNOS_OK);
    CHECK_EQ(walked.place.inode, file);
    CHECK_EQ(walked.links, 2);
    CHECK_EQ(inode_of(fs, ""), TMPFS_ROOT);
    CHECK_EQ(inode_of(fs, "dir/sub/.."), dir);
    CHECK_EQ(inode_of(fs, "here/"), sub);
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, sub, "file", false), MNOS_OK);
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "dir/sub/file/", false), MNOS_ERR_NOT_DIRECTORY);
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "dir/sub/file/..", false),
             MNOS_ERR_NOT_DIRECTORY);
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "none/x", false), MNOS_ERR_NOT_FOUND);
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "dir/none", false), MNOS_OK);
    CHECK_EQ(walked.place.inode, 0);
    CHECK_EQ(walked.place.directory, dir);
    check_all(fs);
}

TEST(tmpfs, nothing_outside_of_the_root_can_be_named)
{
    struct tmpfs *fs = make(64);
    uint32_t cell = add(fs, "cell", FILE_TYPE_DIRECTORY),
             in = add(fs, "cell/in", FILE_TYPE_DIRECTORY);

    add(fs, "secret", FILE_TYPE_FILE);
    add_link(fs, "cell/up", "../secret");
    add_link(fs, "cell/in/up2", "../../secret");
    add_link(fs, "cell/abs", "/secret");
    add_link(fs, "cell/dots", "..");
    add_link(fs, "cell/chain", "in/up2");
    CHECK_EQ(walk_from(fs, cell, cell, "..", false), MNOS_ERR_REST);
    check_rest(FILE_REST_PARENT, "");
    CHECK_EQ(walk_from(fs, cell, cell, "in/../../secret", false), MNOS_ERR_REST);
    check_rest(FILE_REST_PARENT, "secret");
    CHECK_EQ(walk_from(fs, cell, cell, "up", false), MNOS_ERR_REST);
    check_rest(FILE_REST_PARENT, "secret");
    CHECK_EQ(walk_from(fs, cell, cell, "in/up2", false), MNOS_ERR_REST);
    CHECK_EQ(walk_from(fs, cell, cell, "chain", false), MNOS_ERR_REST);
    check_rest(FILE_REST_PARENT, "secret");
    CHECK_EQ(walked.links, 2);
    CHECK_EQ(walk_from(fs, cell, cell, "abs/more", false), MNOS_ERR_REST);
    check_rest(FILE_REST_ABSOLUTE, "secret/more");
    CHECK_EQ(walk_from(fs, cell, cell, "//secret", false), MNOS_ERR_REST);
    check_rest(FILE_REST_ABSOLUTE, "secret");
    CHECK_EQ(walk_from(fs, cell, cell, "dots/secret", false), MNOS_ERR_REST);
    check_rest(FILE_REST_PARENT, "secret");
    /* The directory in which someone is walking is moved out. */
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "cell/in", true), MNOS_OK);
    struct file_place from = walked.place;

    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "out", true), MNOS_OK);
    CHECK_EQ(tmpfs_rename(fs, &from, &walked.place, ACCOUNT), MNOS_OK);
    CHECK_EQ(walk_from(fs, cell, in, "..", false), MNOS_ERR_DENIED);
    CHECK_EQ(walk_from(fs, cell, in, "../secret", false), MNOS_ERR_DENIED);
    CHECK_EQ(walk_from(fs, cell, in, "up2", false), MNOS_ERR_DENIED);
    CHECK_EQ(walk_from(fs, cell, in, "x", false), MNOS_OK);
    check_all(fs);
}

TEST(tmpfs, links_without_end_and_names_without_end_are_refused)
{
    struct tmpfs *fs = make(64);
    char name[FILE_NAME_BYTES_MAX + 2], path[FILE_PATH_BYTES_MAX + 2];

    add_link(fs, "a", "b");
    add_link(fs, "b", "a");
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "a", false), MNOS_ERR_LINKS);
    memset(name, 'n', sizeof name);
    name[FILE_NAME_BYTES_MAX + 1] = 0;
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, name, false), MNOS_ERR_SIZE);
    name[FILE_NAME_BYTES_MAX] = 0;
    add(fs, name, FILE_TYPE_FILE);
    CHECK(inode_of(fs, name) != 0);
    memset(path, '/', sizeof path);
    path[0] = '.';
    path[FILE_PATH_BYTES_MAX + 1] = 0;
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, path, false), MNOS_ERR_SIZE);
    path[FILE_PATH_BYTES_MAX] = 0;
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, path, false), MNOS_OK);
    /* A link whose text and the rest are too long together. */
    memset(path, 'x', 200);
    for (unsigned i = 200; i < 3800; i++)
        path[i] = i % 2 ? '/' : '.';
    path[3800] = 0;
    add_link(fs, "long", path);
    memset(path, '/', 200);
    memcpy(path, "long", 4);
    path[200] = 'x';
    path[201] = 0;
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, path, false), MNOS_ERR_SIZE);
    check_all(fs);
}

/* ---- Bytes ---- */

TEST(tmpfs, a_sparse_file_has_the_pages_that_were_written)
{
    struct tmpfs *fs = make(64);
    uint32_t file = add(fs, "file", FILE_TYPE_FILE), before = fs->free_page_count;
    uint64_t offsets[] = {0, 5 << 12, 7ull << 22, 3ull << 32, TMPFS_SIZE_MAX - 8}, count;
    char bytes[16];

    for (unsigned i = 0; i < 5; i++) {
        CHECK_EQ(tmpfs_write(fs, file, offsets[i], "12345678", 8, &count), MNOS_OK);
        CHECK_EQ(count, 8);
        check_all(fs);
    }
    CHECK_EQ(tmpfs_inode(fs, file)->size, TMPFS_SIZE_MAX);
    CHECK_EQ(tmpfs_write(fs, file, TMPFS_SIZE_MAX - 4, "12345678", 8, &count), MNOS_ERR_SIZE);
    for (unsigned i = 0; i < 5; i++) {
        memset(bytes, 1, sizeof bytes);
        CHECK_EQ(tmpfs_read(fs, file, offsets[i], bytes, 8), 8);
        CHECK(memcmp(bytes, "12345678", 8) == 0);
    }
    CHECK_EQ(tmpfs_read(fs, file, 1ull << 30, bytes, 16), 16);
    for (unsigned i = 0; i < 16; i++)
        CHECK_EQ(bytes[i], 0);
    CHECK_EQ(tmpfs_truncate(fs, file, 4), MNOS_OK);
    CHECK_EQ(tmpfs_truncate(fs, file, 16), MNOS_OK);
    CHECK_EQ(tmpfs_read(fs, file, 0, bytes, 16), 16);
    CHECK(memcmp(bytes, "1234\0\0\0\0\0\0\0\0\0\0\0\0", 16) == 0);
    check_all(fs);
    CHECK_EQ(tmpfs_truncate(fs, file, 0), MNOS_OK);
    CHECK_EQ(fs->free_page_count, before);
}

/* Pages are freed TMPFS_CUT_PAGES at once. What lies above the last of them may be left for the next step, and is not
 * forgotten. */
TEST(tmpfs, a_file_of_as_many_pages_as_one_step_frees_is_freed_wholly)
{
    static const uint8_t page[TMPFS_PAGE_BYTES] = {1};

    for (uint32_t count = TMPFS_CUT_PAGES - 1; count <= TMPFS_CUT_PAGES + 1; count++) {
        struct tmpfs *fs = make(BLOCK_PAGES);
        uint32_t file = add(fs, "file", FILE_TYPE_FILE), other = add(fs, "other", FILE_TYPE_FILE);
        uint32_t free_before = fs->free_page_count;
        uint64_t written;

        for (uint32_t i = 0; i < count; i++)
            CHECK_EQ(tmpfs_write(fs, file, (uint64_t)i * sizeof page, page, sizeof page, &written),
                     MNOS_OK);
        CHECK_EQ(tmpfs_truncate(fs, file, 0), MNOS_OK);
        CHECK_EQ(fs->free_page_count, free_before);
        for (uint32_t i = 0; i < count; i++)
            CHECK_EQ(tmpfs_write(fs, other, (uint64_t)i * sizeof page, page, sizeof page, &written),
                     MNOS_OK);
        CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "other", true), MNOS_OK);
        CHECK_EQ(tmpfs_unlink(fs, &walked.place), MNOS_OK);
        while (tmpfs_reap(fs))
            continue;
        CHECK_EQ(fs->free_page_count, free_before);
        check_all(fs);
    }
}

TEST(tmpfs, a_directory_that_is_moved_onto_itself_stays_what_it_is)
{
    struct tmpfs *fs = make(64);
    uint32_t full = add(fs, "full", FILE_TYPE_DIRECTORY);
    struct file_place from;

    add(fs, "full/file", FILE_TYPE_FILE);
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "full", true), MNOS_OK);
    from = walked.place;
    CHECK_EQ(tmpfs_rename(fs, &from, &walked.place, ACCOUNT), MNOS_OK);
    CHECK_EQ(inode_of(fs, "full"), full);
    CHECK(inode_of(fs, "full/file") != 0);
    check_all(fs);
}

TEST(tmpfs, a_full_file_system_says_so_and_gives_back_what_is_removed)
{
    struct tmpfs *fs = make(100);
    static char bytes[1 << 19];
    uint64_t count, free_before = fs->free_page_count;
    uint32_t file;

    fs->page_limit = 100000; /* the share is not what ends it */
    file = add(fs, "file", FILE_TYPE_FILE);
    CHECK_EQ(tmpfs_write(fs, file, 0, bytes, sizeof bytes, &count), MNOS_OK);
    CHECK(count > 90 * 4096 && count < 100 * 4096);
    CHECK_EQ(tmpfs_write(fs, file, count, bytes, 1, &count), MNOS_ERR_FULL);
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "link", true), MNOS_OK);
    CHECK_EQ(tmpfs_symlink(fs, &walked.place, "x", 1, ACCOUNT), MNOS_ERR_FULL);
    check_all(fs);
    tmpfs_hold(fs, file);
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "file", true), MNOS_OK);
    CHECK_EQ(tmpfs_unlink(fs, &walked.place), MNOS_OK);
    check_all(fs);
    CHECK_EQ(tmpfs_read(fs, file, 0, bytes, 10), 10); /* open: it is there */
    tmpfs_drop(fs, file);
    check_all(fs);
    while (tmpfs_reap(fs))
        continue;
    CHECK(fs->free_page_count >= free_before - 2); /* inodes and names keep their pages */
}

/* Deaths leave any number there: who counts again is what has handles. */
TEST(tmpfs, what_is_open_is_counted_anew_by_who_has_it)
{
    struct tmpfs *fs = make(100);
    uint32_t file = add(fs, "file", FILE_TYPE_FILE);

    tmpfs_hold(fs, file);
    tmpfs_hold(fs, file);
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "file", true), MNOS_OK);
    CHECK_EQ(tmpfs_unlink(fs, &walked.place), MNOS_OK);
    tmpfs_inode(fs, file)->opens = 77;
    tmpfs_inode(fs, TMPFS_ROOT)->opens = 78;
    tmpfs_rebuild(fs);
    CHECK(tmpfs_check(fs, seen) != NULL); /* nothing refers to the file */
    tmpfs_hold(fs, file);
    check_all(fs);
    tmpfs_drop(fs, file);
    CHECK_EQ(tmpfs_inode(fs, file)->type, FILE_TYPE_NONE);
    check_all(fs);
    tmpfs_hold(fs, file); /* a handle that was damaged */
    CHECK(tmpfs_check(fs, seen) != NULL);
}

/* A component's first eight bytes are looked at as a number, and what is behind them is not. */
TEST(tmpfs, names_of_every_length_up_to_the_limit_differ_in_each_byte)
{
    static char text[FILE_NAME_BYTES_MAX + 2], other[FILE_NAME_BYTES_MAX + 2];
    struct tmpfs *fs = make(200);

    for (size_t length = 1; length <= FILE_NAME_BYTES_MAX; length += length < 20 ? 1 : 13) {
        uint32_t file;

        memset(text, 'a', length);
        text[length] = 0;
        file = add(fs, text, FILE_TYPE_FILE);
        for (size_t at = 0; at < length; at++) {
            memcpy(other, text, length + 1);
            other[at] = 'b';
            CHECK_EQ(inode_of(fs, other), 0);
        }
        memcpy(other, text, length);
        strcpy(other + length, "/");
        CHECK_EQ(inode_of(fs, text), file);
        CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, other, true), MNOS_ERR_NOT_DIRECTORY);
    }
    check_all(fs);
}

static mnos_status_t walk_bytes(struct tmpfs *fs, const char *path, uint32_t bytes)
{
    walked.root = walked.start = TMPFS_ROOT;
    walked.no_follow = true;
    return file_resolve(
        &(struct file_system){&tmpfs_methods, &(struct tmpfs_files){.fs = fs}, 0, 0}, &walked, path,
        bytes);
}

/* The library takes texts up to a zero; a client without it can send any bytes. */
TEST(tmpfs, nothing_gets_a_name_that_others_could_not_say)
{
    static const char long_name[] = "a\0name-of-more-than-eight-bytes";
    struct tmpfs *fs = make(64);
    uint32_t file = add(fs, "a", FILE_TYPE_FILE), inode;
    struct file_place from;

    CHECK_EQ(walk_bytes(fs, "a", 1), MNOS_OK);
    from = walked.place;
    for (uint32_t bytes = 2; bytes < sizeof long_name; bytes += 5) {
        CHECK_EQ(walk_bytes(fs, long_name, bytes), MNOS_OK);
        CHECK_EQ(walked.place.inode, 0);
        CHECK_EQ(tmpfs_create(fs, &walked.place, FILE_TYPE_FILE, ACCOUNT, &inode),
                 MNOS_ERR_ARGUMENT);
        CHECK_EQ(tmpfs_create(fs, &walked.place, FILE_TYPE_DIRECTORY, ACCOUNT, &inode),
                 MNOS_ERR_ARGUMENT);
        CHECK_EQ(tmpfs_symlink(fs, &walked.place, "a", 1, ACCOUNT), MNOS_ERR_ARGUMENT);
        CHECK_EQ(tmpfs_link(fs, file, &walked.place, ACCOUNT), MNOS_ERR_ARGUMENT);
        CHECK_EQ(tmpfs_rename(fs, &from, &walked.place, ACCOUNT), MNOS_ERR_ARGUMENT);
    }
    CHECK_EQ(inode_of(fs, "a"), file);
    check_all(fs);
}

/* A name says what type of inode it leads to, also when it has come to lead to another one. */
TEST(tmpfs, a_name_that_is_renamed_over_leads_to_what_was_moved)
{
    struct tmpfs *fs = make(100);
    uint32_t file = add(fs, "file", FILE_TYPE_FILE);
    struct file_place from;

    add_link(fs, "link", "nowhere");
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "file", true), MNOS_OK);
    from = walked.place;
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "link", true), MNOS_OK);
    CHECK_EQ(tmpfs_rename(fs, &from, &walked.place, ACCOUNT), MNOS_OK);
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "link", false), MNOS_OK);
    CHECK_EQ(walked.place.inode, file);
    CHECK_EQ(walked.place.type, FILE_TYPE_FILE);
    check_all(fs);
}

TEST(tmpfs, a_client_over_its_share_is_refused_and_others_are_not)
{
    struct tmpfs *fs = make(100);
    static char bytes[1 << 19];
    uint32_t first = add(fs, "first", FILE_TYPE_FILE), second = 0;
    uint64_t count;

    fs->page_limit = 100;
    CHECK_EQ(tmpfs_write(fs, first, 0, bytes, sizeof bytes, &count), MNOS_OK);
    CHECK_EQ(count, 24 * 4096); /* and an index page */
    CHECK_EQ(tmpfs_write(fs, first, count, bytes, 1, &count), MNOS_ERR_QUOTA);
    CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, "second", true), MNOS_OK);
    CHECK_EQ(tmpfs_create(fs, &walked.place, FILE_TYPE_FILE, ACCOUNT + 1, &second), MNOS_OK);
    CHECK_EQ(tmpfs_write(fs, second, 0, bytes, 4096, &count), MNOS_OK);
    check_all(fs);
}

TEST(tmpfs, a_directory_has_any_number_of_names_and_reading_it_survives_changes)
{
    enum { COUNT = 3000 };
    struct tmpfs *fs = make(BLOCK_PAGES);
    static uint8_t met[COUNT];
    char name[FILE_NAME_BYTES_MAX];
    uint64_t slot = 0;
    unsigned step = 0;

    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "name %u with a text that needs several units of its own", i);
        add(fs, name, FILE_TYPE_FILE);
    }
    check_all(fs);
    for (uint32_t unit; (unit = tmpfs_name_at(fs, TMPFS_ROOT, 10000, &slot)) != 0; slot++, step++) {
        name[tmpfs_name_text(fs, unit, name)] = 0;
        if (strncmp(name, "name ", 5) == 0)
            met[atoi(name + 5)]++;
        if (step % 3 != 0)
            continue;
        /* Multiples of 3 come and go meanwhile. */
        snprintf(name, sizeof name, "name %u with a text that needs several units of its own",
                 step * 7 % COUNT / 3 * 3);
        CHECK_EQ(walk_from(fs, TMPFS_ROOT, TMPFS_ROOT, name, true), MNOS_OK);
        if (walked.place.inode != 0)
            CHECK_EQ(tmpfs_unlink(fs, &walked.place), MNOS_OK);
        snprintf(name, sizeof name, "new %u", step);
        add(fs, name, FILE_TYPE_FILE);
    }
    for (unsigned i = 0; i < COUNT; i++)
        CHECK(i % 3 == 0 ? met[i] <= 1 : met[i] == 1);
    check_all(fs);
}

TEST(tmpfs, holes_are_found_far_away_and_punching_gives_all_memory_back)
{
    struct tmpfs *fs = make(BLOCK_PAGES);
    uint32_t file = add(fs, "sparse", FILE_TYPE_FILE), free_before = fs->free_page_count;
    uint64_t far = 3ull << 40, done, count;

    CHECK_EQ(tmpfs_seek(fs, file, 0, false), UINT64_MAX);
    CHECK_EQ(tmpfs_seek(fs, file, 77, true), 77);
    CHECK_EQ(tmpfs_write(fs, file, far, "x", 1, &count), MNOS_OK);
    CHECK_EQ(tmpfs_seek(fs, file, 5, false), far);
    CHECK_EQ(tmpfs_seek(fs, file, far + 10, false), far + 10); /* by pages */
    CHECK_EQ(tmpfs_seek(fs, file, far, true), far + TMPFS_PAGE_BYTES);
    CHECK_EQ(tmpfs_seek(fs, file, far + TMPFS_PAGE_BYTES, false), UINT64_MAX);
    /* More than is done at once: whoever asks, asks again. */
    CHECK_EQ(tmpfs_allocate(fs, file, 100, (TMPFS_SPACE_PAGES + 1) * TMPFS_PAGE_BYTES, true, &done),
             MNOS_OK);
    CHECK_EQ(done, TMPFS_SPACE_PAGES * TMPFS_PAGE_BYTES - 100);
    check_all(fs);
    tmpfs_punch(fs, file, 0, TMPFS_SIZE_MAX, &done);
    CHECK_EQ(done, TMPFS_SPACE_PAGES * TMPFS_PAGE_BYTES);
    tmpfs_punch(fs, file, done, TMPFS_SIZE_MAX - done, &count);
    CHECK_EQ(count, TMPFS_SIZE_MAX - done);
    CHECK_EQ(fs->free_page_count, free_before);
    CHECK_EQ(tmpfs_inode(fs, file)->size, far + 1);
    check_all(fs);
    CHECK_EQ(tmpfs_allocate(fs, file, TMPFS_SIZE_MAX, 1, false, &done), MNOS_ERR_SIZE);
    for (count = 0; tmpfs_allocate(fs, file, count, far, true, &done) == MNOS_OK;)
        count += done;
    CHECK(count > TMPFS_SPACE_PAGES * TMPFS_PAGE_BYTES);
    check_all(fs);
}
