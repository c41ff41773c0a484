// SPDX-License-Identifier: MIT
/* scenes - a directory of very many names, and images that somebody damaged. */
#include <stdlib.h>
#include <string.h>

#include "tests/ext4/host.h"

/* ---- Many ---- */

static uint32_t name_of(char *text, uint32_t number)
{
    return (uint32_t)snprintf(text, 64, "file-n\xC3\xBAmero-%06u", number);
}

static void must(struct host *h, const char *what, uint32_t number)
{
    if (h->status != MNOS_OK)
        host_fail("%s %u: %d; %s", what, number, (int)h->status, ext4_reason(h->fs));
}

static void check_names(struct host *h, uint32_t directory, uint32_t first, uint32_t count)
{
    char text[64];

    for (uint32_t i = 0; i < count; i++) {
        uint32_t inode = 0, bytes = name_of(text, i);

        HOST_RUN(h, ext4_lookup(&h->op, directory, text, bytes, &inode));
        if (h->status != (i < first ? MNOS_ERR_NOT_FOUND : MNOS_OK))
            host_fail("lookup %u: %d", i, (int)h->status);
    }
}

static bool count_name(void *context, const struct ext4_name *name)
{
    (void)name;
    ++*(uint32_t *)context;
    return true;
}

static uint32_t count_names(struct host *h, uint32_t directory)
{
    uint64_t cookie = 0, next = 0;
    uint32_t all = 0;
    bool end = false;

    while (!end) {
        uint32_t here = 0;

        host_begin(h);
        while (h->going) {
            here = 0;
            host_end(h, ext4_readdir(&h->op, directory, cookie, count_name, &here, &next, &end));
        }
        must(h, "readdir", all);
        all += here;
        cookie = next;
    }
    return all;
}

static void remove_names(struct host *h, uint32_t directory, uint32_t first, uint32_t end)
{
    uint32_t gone = 0;
    char text[64];

    for (uint32_t i = first; i < end; i++) {
        uint32_t bytes = name_of(text, i);

        HOST_RUN(h, ext4_unlink(&h->op, directory, text, bytes, &gone));
        must(h, "unlink", i);
        h->status = host_release(h, gone);
        must(h, "release", i);
    }
}

void scene_many(struct host *h, uint32_t count, bool keep)
{
    uint32_t directory = 0, inode = 0, gone = 0;
    char text[64];

    HOST_RUN(h, ext4_mkdir(&h->op, EXT4_ROOT, "many", 4, 0755, &directory));
    must(h, "mkdir", 0);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bytes = name_of(text, i);

        HOST_RUN(h, ext4_create(&h->op, directory, text, bytes, 0644, &inode));
        must(h, "create", i);
    }
    check_names(h, directory, 0, count);
    if (count_names(h, directory) != count)
        host_fail("%u names in place of %u", count_names(h, directory), count);
    remove_names(h, directory, 0, count / 2);
    check_names(h, directory, count / 2, count);
    HOST_RUN(h, ext4_rmdir(&h->op, EXT4_ROOT, "many", 4, &gone));
    if (h->status != MNOS_ERR_NOT_EMPTY)
        host_fail("rmdir: %d", (int)h->status);
    if (keep)
        return;
    remove_names(h, directory, count / 2, count);
    HOST_RUN(h, ext4_rmdir(&h->op, EXT4_ROOT, "many", 4, &gone));
    must(h, "rmdir", 0);
    h->status = host_release(h, gone);
    must(h, "release", 0);
    printf("%u names, operations run again: %llu\n", count, (unsigned long long)h->again);
}

/* ---- Damage ---- */

/* Whatever comes of it: names are made, moved and removed, files written and cut. */
static void use(struct host *h, uint32_t inode)
{
    struct ext4_place from = {EXT4_ROOT, "made", 4}, to = {inode, "moved", 5};
    uint8_t bytes[3000] = {1};
    uint32_t made = 0, gone = 0;

    HOST_RUN(h, ext4_create(&h->op, inode, "made", 4, 0644, &made));
    HOST_RUN(h, ext4_create(&h->op, EXT4_ROOT, "made", 4, 0644, &made));
    (void)host_write(h, inode, 5000, bytes, sizeof bytes);
    (void)host_truncate(h, inode, 700);
    HOST_RUN(h, ext4_mkdir(&h->op, inode, "below", 5, 0755, &made));
    HOST_RUN(h, ext4_rename(&h->op, &from, &to, &gone));
    HOST_RUN(h, ext4_link(&h->op, inode, EXT4_ROOT, "linked", 6));
    HOST_RUN(h, ext4_unlink(&h->op, inode, "moved", 5, &gone));
    if (h->status == MNOS_OK && gone != 0)
        (void)host_release(h, gone);
    HOST_RUN(h, ext4_rmdir(&h->op, inode, "below", 5, &gone));
    if (h->status == MNOS_OK && gone != 0)
        (void)host_release(h, gone);
}

static void remove_line(struct host *h, const struct host_line *line)
{
    uint32_t bytes = (uint32_t)strcspn(line->text, " /"), gone = 0;

    HOST_RUN(h, ext4_unlink(&h->op, EXT4_ROOT, line->text, bytes, &gone));
    if (h->status != MNOS_OK)
        HOST_RUN(h, ext4_rmdir(&h->op, EXT4_ROOT, line->text, bytes, &gone));
    if (h->status == MNOS_OK && gone != 0)
        (void)host_release(h, gone);
}

static void look(struct host *h)
{
    struct host_tree tree = {0};

    (void)host_list(h, &tree);
    for (uint32_t i = 0; i < tree.count && i < 40; i++)
        use(h, tree.lines[i].inode);
    for (uint32_t i = 0; i < tree.count && i < 40; i++)
        remove_line(h, &tree.lines[i]);
    host_tree_free(&tree);
    (void)host_sync(h);
}

void scene_damaged(const uint8_t *image, uint64_t bytes, const uint8_t *changes, size_t count)
{
    uint8_t *copy = malloc(bytes);
    static struct host h;

    memcpy(copy, image, bytes);
    for (size_t i = 0; i + 5 <= count; i += 5) {
        uint32_t place = 0;

        memcpy(&place, changes + i, 4);
        copy[place % bytes] = changes[i + 4];
    }
    host_open(&h, copy, bytes, HOST_SLOTS);
    h.hostile = true;
    h.quiet = true;
    if (host_mount(&h, false) == MNOS_OK) {
        look(&h);
        (void)host_unmount(&h);
    }
    host_close(&h);
}

void scene_foreign(struct host *h)
{
    h->hostile = true;
    h->quiet = true;
    if (host_mount(h, false) != MNOS_OK) {
        printf("refused: %s\n", ext4_reason(h->fs));
        return;
    }
    printf("mounted: %s\n", ext4_reason(h->fs));
    look(h);
    (void)host_unmount(h);
}

/* Half of the changes are among bytes that are not zero, where the metadata is. */
void scene_damage(const struct host *h, uint64_t seed, uint32_t count)
{
    uint8_t changes[5 * 24];

    srandom((unsigned)seed);
    for (uint32_t i = 0; i < count; i++) {
        size_t number = 1 + (size_t)random() % 24;

        for (size_t j = 0; j < number; j++) {
            uint32_t place = (uint32_t)random() % (uint32_t)h->image_bytes;

            for (unsigned k = 0; k < 100000 && j % 8 != 0 && h->image[place] == 0; k++)
                place = (place + 1) % (uint32_t)h->image_bytes;
            memcpy(changes + 5 * j, &place, 4);
            changes[5 * j + 4] = (uint8_t)random();
        }
        scene_damaged(h->image, h->image_bytes, changes, 5 * number);
    }
    printf("%u damaged images\n", count);
}

/* ---- Errors ---- */

void scene_fail(struct host *h, uint32_t writes)
{
    uint32_t made = 0;

    h->hostile = true;
    h->fail_after = writes;
    for (uint32_t i = 0; i < 1000 && !ext4_is_read_only(h->fs); i++) {
        char text[64];
        uint32_t bytes = name_of(text, i);

        HOST_RUN(h, ext4_create(&h->op, EXT4_ROOT, text, bytes, 0644, &made));
        if (h->status == MNOS_OK)
            use(h, made);
        (void)host_sync(h);
    }
    if (!ext4_is_read_only(h->fs))
        host_fail("it is not read-only");
    HOST_RUN(h, ext4_create(&h->op, EXT4_ROOT, "after", 5, 0644, &made));
    if (h->status != MNOS_ERR_DEVICE)
        host_fail("a change after the failure: %d", (int)h->status);
    if (ext4_work(h->fs) != MNOS_ERR_DEVICE || ext4_unmount(h->fs) != MNOS_ERR_DEVICE)
        host_fail("a commit after the failure");
    HOST_RUN(h, ext4_lookup(&h->op, EXT4_ROOT, "lost+found", 10, &made));
    must(h, "lookup after the failure", writes);
}

/* ---- What came late ---- */

#define CUT_PARTS                                                                                  \
    3000u /* blocks of 1 KiB with holes between them: an extent each, in more leaves than one operation takes */

static uint32_t make_holes(struct host *h, const char *name)
{
    static const uint8_t bytes[16] = {1};
    uint32_t inode = 0;

    HOST_RUN(h, ext4_create(&h->op, EXT4_ROOT, name, 1, 0644, &inode));
    must(h, "create", 0);
    for (uint32_t i = 0; i < CUT_PARTS; i++)
        if (host_write(h, inode, 2ull * i * ext4_block_bytes(h->fs), bytes, sizeof bytes) !=
            MNOS_OK)
            must(h, "write", i);
    return inode;
}

void scene_cut(struct host *h)
{
    uint32_t first = make_holes(h, "a"), second = make_holes(h, "b"), gone = 0, made = 0;
    bool done = false;

    HOST_RUN(h, ext4_truncate(&h->op, first, 0, &done));
    must(h, "truncate", 0);
    HOST_RUN(h, ext4_truncate(&h->op, second, 0, &done));
    must(h, "truncate", 1);
    if (done)
        host_fail("the file was cut in one operation");
    HOST_RUN(h, ext4_unlink(&h->op, EXT4_ROOT, "b", 1, &gone));
    must(h, "unlink", 0);
    if (gone != second)
        host_fail("inode %u is gone in place of %u", gone, second);
    h->status = host_release(h, second);
    must(h, "release", 0);
    for (done = false; !done;) {
        HOST_RUN(h, ext4_truncate(&h->op, first, 0, &done));
        must(h, "truncate", 2);
    }
    /* Whoever has the number of the deleted one now keeps it over the next mount. */
    made = make_holes(h, "c");
    if (made != second)
        host_fail("inode %u was made in place of %u", made, second);
}

void scene_magic(struct host *h, uint32_t count)
{
    static const char text[] = "\xC0\x3B\x39\x98 is how blocks of the journal begin, and more than "
                               "sixty bytes have a block of their own";
    uint32_t inode = 0;

    for (uint32_t i = 0; i < count; i++) {
        char name[64];
        uint32_t bytes = (uint32_t)snprintf(name, sizeof name, "magic%u", i);

        HOST_RUN(h, ext4_symlink(&h->op, EXT4_ROOT, name, bytes, text, sizeof text - 1, &inode));
        must(h, "symlink", i);
    }
    h->status = host_sync(h);
    must(h, "sync", 0);
}
