// SPDX-License-Identifier: MIT
/* test_tmpfs_model - files in memory do, by random operations, what a simple model does. */
#include "tests/models/tmpfs.h"

/* ---- The model: directories as lists, files as arrays ---- */

#define MODEL_INODES 48u
#define MODEL_NAMES 128u
#define MODEL_BYTES (5u * 4096u)

struct model_inode {
    uint32_t number; /* the real one; 0: free */
    enum file_type type;
    unsigned links, opens;
    uint64_t size;
    uint8_t bytes[MODEL_BYTES];
};

static struct model_inode model[MODEL_INODES]; /* 0 is the root */
static struct {
    unsigned directory, inode;
    const char *text; /* NULL: free */
} model_names[MODEL_NAMES];
static const char *const texts[] = {"a", "b", "c",
                                    "a name of more than thirty-six bytes, which goes on and on"};
static uint64_t random_state = 88172645463325252ull;

static unsigned pick(unsigned below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 20) % below;
}

/* A live inode of any type but the ones that have no place. */
static unsigned pick_inode(bool directory)
{
    for (;;) {
        unsigned at = pick(MODEL_INODES);

        if (model[at].number != 0 && (model[at].type == FILE_TYPE_DIRECTORY) == directory)
            return at;
        if (!directory && pick(64) == 0)
            return 0; /* there may be no file */
    }
}

static unsigned model_find(unsigned directory, const char *text)
{
    for (unsigned i = 0; i < MODEL_NAMES; i++) {
        if (model_names[i].text == text && model_names[i].directory == directory)
            return i;
    }
    return MODEL_NAMES;
}

static bool model_empty(unsigned directory)
{
    for (unsigned i = 0; i < MODEL_NAMES; i++) {
        if (model_names[i].text != NULL && model_names[i].directory == directory)
            return false;
    }
    return true;
}

static unsigned model_parent(unsigned directory)
{
    for (unsigned i = 0; i < MODEL_NAMES; i++) {
        if (model_names[i].text != NULL && model_names[i].inode == directory)
            return model_names[i].directory;
    }
    return MODEL_INODES; /* the root, or removed */
}

static void model_add(unsigned directory, const char *text, unsigned inode)
{
    unsigned i = 0;

    while (model_names[i].text != NULL)
        i++;
    model_names[i].directory = directory;
    model_names[i].inode = inode;
    model_names[i].text = text;
}

static void model_release(unsigned inode)
{
    if (model[inode].links == 0 && model[inode].opens == 0)
        memset(&model[inode], 0, sizeof model[inode]);
}

static void model_remove(unsigned name)
{
    model_names[name].text = NULL;
    model[model_names[name].inode].links--;
    model_release(model_names[name].inode);
}

static struct file_place place_of(struct tmpfs *fs, unsigned directory, const char *text)
{
    CHECK_EQ(walk_from(fs, model[directory].number, model[directory].number, text, true), MNOS_OK);
    return walked.place;
}

static void random_create(struct tmpfs *fs, unsigned directory, const char *text)
{
    enum file_type type = pick(3) == 0 ? FILE_TYPE_DIRECTORY : FILE_TYPE_FILE;
    struct file_place place = place_of(fs, directory, text);
    unsigned inode = 0;
    uint32_t number;
    mnos_status_t status;

    while (inode < MODEL_INODES && model[inode].number != 0)
        inode++;
    if (inode == MODEL_INODES)
        return;
    status = tmpfs_create(fs, &place, type, ACCOUNT, &number);
    if (model[directory].links == 0)
        CHECK_EQ(status, MNOS_ERR_NOT_FOUND);
    else if (model_find(directory, text) != MODEL_NAMES)
        CHECK_EQ(status, MNOS_ERR_EXISTS);
    else
        CHECK_EQ(status, MNOS_OK);
    if (status != MNOS_OK)
        return;
    model[inode].number = number;
    model[inode].type = type;
    model[inode].links = 1;
    model_add(directory, text, inode);
}

static void random_remove(struct tmpfs *fs, unsigned directory, const char *text)
{
    struct file_place place = place_of(fs, directory, text);
    unsigned name = model_find(directory, text);
    bool as_directory = pick(2), is_directory;
    mnos_status_t status = as_directory ? tmpfs_rmdir(fs, &place) : tmpfs_unlink(fs, &place);

    if (name == MODEL_NAMES) {
        CHECK_EQ(status, MNOS_ERR_NOT_FOUND);
        return;
    }
    is_directory = model[model_names[name].inode].type == FILE_TYPE_DIRECTORY;
    if (as_directory != is_directory)
        CHECK_EQ(status, as_directory ? MNOS_ERR_NOT_DIRECTORY : MNOS_ERR_DIRECTORY);
    else if (is_directory && !model_empty(model_names[name].inode))
        CHECK_EQ(status, MNOS_ERR_NOT_EMPTY);
    else
        CHECK_EQ(status, MNOS_OK);
    if (status == MNOS_OK)
        model_remove(name);
}

static void random_link(struct tmpfs *fs, unsigned directory, const char *text)
{
    struct file_place place = place_of(fs, directory, text);
    unsigned inode = pick_inode(false);
    mnos_status_t status;

    if (inode == 0)
        return;
    status = tmpfs_link(fs, model[inode].number, &place, ACCOUNT);
    if (model[directory].links == 0 ||
        (model[inode].links == 0 && model_find(directory, text) == MODEL_NAMES))
        CHECK_EQ(status, MNOS_ERR_NOT_FOUND);
    else
        CHECK_EQ(status, model_find(directory, text) != MODEL_NAMES ? MNOS_ERR_EXISTS : MNOS_OK);
    if (status != MNOS_OK)
        return;
    model[inode].links++;
    model_add(directory, text, inode);
}

static bool model_inside(unsigned moved, unsigned into)
{
    while (into != MODEL_INODES && into != moved)
        into = model_parent(into);
    return into == moved;
}

static mnos_status_t expected_rename(unsigned from, unsigned directory, unsigned to)
{
    unsigned moved = from == MODEL_NAMES ? 0 : model_names[from].inode;
    bool moves_directory = from != MODEL_NAMES && model[moved].type == FILE_TYPE_DIRECTORY;
    unsigned there;

    if (from == MODEL_NAMES || model[directory].links == 0)
        return MNOS_ERR_NOT_FOUND;
    if (moves_directory && model_inside(moved, directory))
        return MNOS_ERR_ARGUMENT;
    if (to == MODEL_NAMES)
        return MNOS_OK;
    there = model_names[to].inode;
    if (there == moved)
        return MNOS_OK;
    if (model[there].type != FILE_TYPE_DIRECTORY)
        return moves_directory ? MNOS_ERR_NOT_DIRECTORY : MNOS_OK;
    if (!moves_directory)
        return MNOS_ERR_DIRECTORY;
    return model_empty(there) ? MNOS_OK : MNOS_ERR_NOT_EMPTY;
}

static void random_rename(struct tmpfs *fs, unsigned directory, const char *text)
{
    unsigned into = pick_inode(true), from = model_find(directory, text), to, moved;
    const char *new_text = texts[pick(4)];
    struct file_place old_place = place_of(fs, directory, text),
                      new_place = place_of(fs, into, new_text);
    mnos_status_t status = tmpfs_rename(fs, &old_place, &new_place, ACCOUNT);

    to = model_find(into, new_text);
    CHECK_EQ(status, expected_rename(from, into, to));
    if (status != MNOS_OK ||
        (to != MODEL_NAMES && model_names[to].inode == model_names[from].inode))
        return;
    moved = model_names[from].inode;
    model_names[from].text = NULL;
    if (to != MODEL_NAMES)
        model_remove(to);
    model_add(into, new_text, moved);
}

static void random_write(struct tmpfs *fs, struct model_inode *inode)
{
    uint64_t offset = pick(MODEL_BYTES), length = pick(9000), count;
    uint8_t bytes[9000], value = (uint8_t)pick(256);

    if (length > MODEL_BYTES - offset)
        length = MODEL_BYTES - offset;
    memset(bytes, value, sizeof bytes);
    CHECK_EQ(tmpfs_write(fs, inode->number, offset, bytes, length, &count), MNOS_OK);
    CHECK_EQ(count, length);
    memset(inode->bytes + offset, value, length);
    if (length != 0 && offset + length > inode->size)
        inode->size = offset + length;
}

static void random_space(struct tmpfs *fs, struct model_inode *inode)
{
    uint64_t offset = pick(MODEL_BYTES), length = 1 + pick((unsigned)(MODEL_BYTES - offset)), done;
    bool keep_size = pick(2);

    if (pick(2)) {
        tmpfs_punch(fs, inode->number, offset, length, &done);
        memset(inode->bytes + offset, 0, length);
    } else {
        CHECK_EQ(tmpfs_allocate(fs, inode->number, offset, length, keep_size, &done), MNOS_OK);
        if (!keep_size && offset + length > inode->size)
            inode->size = offset + length;
    }
    CHECK_EQ(done, length);
}

/* What is a hole reads as zeros, data and holes take turns, and nothing is left out. */
static void walk_holes(struct tmpfs *fs, const struct model_inode *inode)
{
    uint64_t at = 0, data, hole;

    while ((data = tmpfs_seek(fs, inode->number, at, false)) < inode->size) {
        for (; at < data; at++)
            CHECK_EQ(inode->bytes[at], 0);
        CHECK_EQ(tmpfs_seek(fs, inode->number, data, false), data);
        hole = tmpfs_seek(fs, inode->number, data, true);
        CHECK(hole > data);
        CHECK_EQ(tmpfs_seek(fs, inode->number, hole, true), hole);
        at = hole;
    }
    for (; at < inode->size; at++)
        CHECK_EQ(inode->bytes[at], 0);
}

static void random_bytes(struct tmpfs *fs)
{
    static uint8_t bytes[MODEL_BYTES];
    unsigned at = pick_inode(false);
    struct model_inode *inode = &model[at];
    uint64_t size = pick(MODEL_BYTES);

    if (at == 0)
        return;
    if (pick(3) == 0) {
        random_space(fs, inode);
        walk_holes(fs, inode);
    } else if (pick(2) != 0) {
        random_write(fs, inode);
    } else {
        CHECK_EQ(tmpfs_truncate(fs, inode->number, size), MNOS_OK);
        if (size < inode->size)
            memset(inode->bytes + size, 0, MODEL_BYTES - size);
        inode->size = size;
    }
    CHECK_EQ(tmpfs_read(fs, inode->number, 0, bytes, MODEL_BYTES), inode->size);
    CHECK(memcmp(bytes, inode->bytes, inode->size) == 0);
}

static void random_open(struct tmpfs *fs)
{
    unsigned at = pick_inode(pick(3) == 0);

    if (at == 0)
        return;
    if (model[at].opens != 0 && pick(2)) {
        tmpfs_drop(fs, model[at].number);
        model[at].opens--;
        model_release(at);
    } else {
        tmpfs_hold(fs, model[at].number);
        model[at].opens++;
    }
}

/* Everything that the model has is there, and nothing else. */
static void compare(struct tmpfs *fs)
{
    for (unsigned i = 0; i < MODEL_INODES; i++) {
        struct file_attr attr;
        unsigned names = 0;

        if (model[i].number == 0)
            continue;
        tmpfs_attr(fs, model[i].number, &attr);
        CHECK_EQ(attr.type, model[i].type);
        CHECK_EQ(attr.links, model[i].links);
        CHECK_EQ(attr.size, model[i].size);
        for (unsigned t = 0; t < 4 && model[i].type == FILE_TYPE_DIRECTORY; t++) {
            unsigned name = model_find(i, texts[t]);
            uint32_t unit =
                tmpfs_name_find(fs, model[i].number, texts[t], (uint32_t)strlen(texts[t]));

            CHECK_EQ(unit != 0, name != MODEL_NAMES);
            if (unit != 0 && name != MODEL_NAMES)
                CHECK_EQ(tmpfs_unit(fs, unit)->inode, model[model_names[name].inode].number);
            names += unit != 0;
        }
        CHECK_EQ(tmpfs_inode(fs, model[i].number)->names, names);
    }
}

TEST(tmpfs, random_operations_do_what_a_simple_model_does)
{
    struct tmpfs *fs = make(BLOCK_PAGES);

    model[0] = (struct model_inode){.number = TMPFS_ROOT, .type = FILE_TYPE_DIRECTORY, .links = 1};
    for (unsigned i = 0; i < 3000; i++) {
        unsigned directory = pick_inode(true);
        const char *text = texts[pick(4)];

        fs->now_ns = i;
        switch (pick(8)) {
        case 0:
        case 1: random_create(fs, directory, text); break;
        case 2: random_remove(fs, directory, text); break;
        case 3: random_link(fs, directory, text); break;
        case 4: random_rename(fs, directory, text); break;
        case 5: random_open(fs); break;
        default: random_bytes(fs); break;
        }
        if (i % 8 == 0) {
            check_all(fs);
            compare(fs);
        }
    }
    check_all(fs);
    compare(fs);
}
