// SPDX-License-Identifier: MIT
/* files - bytes of files, and what a whole file system holds: see host.h. */
#define _GNU_SOURCE /* asprintf() */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ext4/host.h"

/* So much is read of what may be anything. */
enum { HOSTILE_BYTES = 65536, HOSTILE_NAMES = 500 };

uint32_t host_crc(uint32_t crc, const uint8_t *bytes, size_t count)
{
    crc = ~crc;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xEDB88320u & -(crc & 1));
    }
    return ~crc;
}

static struct host_page *page_of(struct host *h, uint64_t block)
{
    for (uint32_t i = 0; i < h->page_count; i++)
        if (h->pages[i].block == block)
            return &h->pages[i];
    return NULL;
}

static const uint8_t *block_bytes(struct host *h, uint64_t block)
{
    const struct host_page *page = page_of(h, block);

    if ((block + 1) * ext4_block_bytes(h->fs) > h->image_bytes)
        return NULL;
    return page != NULL ? page->data : h->image + block * ext4_block_bytes(h->fs);
}

mnos_status_t host_read(struct host *h, uint32_t inode, uint64_t offset, uint8_t *bytes,
                        uint64_t count)
{
    uint32_t size = ext4_block_bytes(h->fs);

    while (count > 0) {
        uint32_t within = (uint32_t)(offset % size);
        uint64_t here = size - within < count ? size - within : count;
        struct ext4_run run = {0};
        const uint8_t *from;

        HOST_RUN(h, ext4_map(&h->op, inode, (uint32_t)(offset / size), 1, &run));
        if (h->status != MNOS_OK)
            return h->status;
        from = block_bytes(h, run.physical);
        if (from == NULL)
            return MNOS_ERR_DEVICE;
        if (run.physical == 0)
            memset(bytes, 0, here);
        else
            memcpy(bytes, from + within, here);
        bytes += here;
        offset += here;
        count -= here;
    }
    return MNOS_OK;
}

static uint8_t *dirty_page(struct host *h, const struct ext4_run *run)
{
    uint32_t size = ext4_block_bytes(h->fs);
    struct host_page *page = page_of(h, run->physical);

    if (page != NULL)
        return page->data;
    if (h->page_count == HOST_PENDING_MAX)
        host_write_pages(h);
    page = &h->pages[h->page_count++];
    page->block = run->physical;
    page->data = malloc(size);
    if (run->is_new)
        memset(page->data, 0, size);
    else
        memcpy(page->data, h->image + run->physical * size, size);
    return page->data;
}

static mnos_status_t allocate(struct ext4_op *op, uint32_t inode, uint32_t logical, uint64_t end,
                              struct ext4_run *run)
{
    mnos_status_t status = ext4_allocate(op, inode, logical, 1, run);

    return status != MNOS_OK ? status : ext4_set_size(op, inode, end);
}

mnos_status_t host_write(struct host *h, uint32_t inode, uint64_t offset, const uint8_t *bytes,
                         uint64_t count)
{
    uint32_t size = ext4_block_bytes(h->fs);

    while (count > 0) {
        uint32_t within = (uint32_t)(offset % size);
        uint64_t here = size - within < count ? size - within : count;
        struct ext4_run run = {0};

        if (ext4_reserve(h->fs, 1) != MNOS_OK)
            return MNOS_ERR_FULL;
        HOST_RUN(h, allocate(&h->op, inode, (uint32_t)(offset / size), offset + here, &run));
        ext4_unreserve(h->fs, 1);
        if (h->status != MNOS_OK)
            return h->status;
        memcpy(dirty_page(h, &run) + within, bytes, here);
        bytes += here;
        offset += here;
        count -= here;
    }
    return MNOS_OK;
}

/* What is behind the end in the last block becomes zeros, as the service does it in its page. */
static mnos_status_t clear_tail(struct host *h, uint32_t inode, uint64_t size)
{
    uint32_t block = ext4_block_bytes(h->fs), within = (uint32_t)(size % block);
    struct ext4_run run = {0};

    if (within == 0)
        return MNOS_OK;
    HOST_RUN(h, ext4_map(&h->op, inode, (uint32_t)(size / block), 1, &run));
    if (h->status == MNOS_OK && run.physical != 0)
        memset(dirty_page(h, &run) + within, 0, block - within);
    return h->status;
}

mnos_status_t host_truncate(struct host *h, uint32_t inode, uint64_t size)
{
    struct ext4_attr attr;
    bool done = false;

    HOST_RUN(h, ext4_stat(&h->op, inode, &attr));
    if (h->status != MNOS_OK)
        return h->status;
    if (size < attr.size && clear_tail(h, inode, size) != MNOS_OK)
        return h->status;
    host_write_pages(h);
    while (!done) {
        HOST_RUN(h, ext4_truncate(&h->op, inode, size, &done));
        if (h->status != MNOS_OK)
            return h->status;
    }
    return MNOS_OK;
}

mnos_status_t host_release(struct host *h, uint32_t inode)
{
    bool done = false;

    host_write_pages(h);
    while (!done) {
        HOST_RUN(h, ext4_release(&h->op, inode, &done));
        if (h->status != MNOS_OK)
            return h->status;
    }
    return MNOS_OK;
}

mnos_status_t host_walk(struct host *h, const char *path, uint32_t *inode)
{
    *inode = EXT4_ROOT;
    while (*path != '\0') {
        uint32_t bytes = (uint32_t)strcspn(path, "/"), next = 0;

        if (bytes != 0) {
            HOST_RUN(h, ext4_lookup(&h->op, *inode, path, bytes, &next));
            if (h->status != MNOS_OK)
                return h->status;
            *inode = next;
        }
        path += bytes;
        path += *path == '/';
    }
    return MNOS_OK;
}

/* ---- The whole tree ---- */

void host_tree_add(struct host_tree *tree, uint32_t inode, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    if (tree->count == tree->room) {
        tree->room = tree->room * 2 + 64;
        tree->lines = realloc(tree->lines, tree->room * sizeof *tree->lines);
    }
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        host_fail("no memory");
    va_end(arguments);
    tree->lines[tree->count++] = (struct host_line){text, inode};
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct host_line *)a)->text, ((const struct host_line *)b)->text);
}

void host_tree_sort(struct host_tree *tree)
{
    if (tree->count != 0)
        qsort(tree->lines, tree->count, sizeof *tree->lines, by_text);
}

void host_tree_free(struct host_tree *tree)
{
    for (uint32_t i = 0; i < tree->count; i++)
        free(tree->lines[i].text);
    free(tree->lines);
    *tree = (struct host_tree){0};
}

struct names {
    struct host_tree list;
    uint32_t limit;
};

static bool collect(void *context, const struct ext4_name *name)
{
    struct names *names = context;

    if (names->limit == 0)
        return false;
    names->limit--;
    host_tree_add(&names->list, name->inode, "%.*s", (int)name->bytes, name->text);
    return true;
}

/* In pieces, as a client gets them. */
static mnos_status_t read_names(struct host *h, uint32_t directory, struct names *names)
{
    uint64_t cookie = 0;
    bool end = false;

    for (uint32_t i = 0; !end; i++) {
        uint32_t before = names->list.count;
        uint64_t next = cookie;

        if (i == 1000000 || (h->hostile && i == 1000))
            return h->hostile ? MNOS_ERR_FORMAT : MNOS_ERR_STATE;
        host_begin(h);
        while (h->going) {
            while (names->list.count > before)
                free(names->list.lines[--names->list.count].text);
            names->limit = 50;
            host_end(h, ext4_readdir(&h->op, directory, cookie, collect, names, &next, &end));
        }
        if (h->status != MNOS_OK)
            return h->status;
        cookie = next;
    }
    return MNOS_OK;
}

static mnos_status_t list_file(struct host *h, const char *path, const struct ext4_attr *attr,
                               struct host_tree *tree)
{
    uint32_t crc = 0, block = ext4_block_bytes(h->fs);
    uint64_t limit = h->hostile && attr->size > HOSTILE_BYTES ? HOSTILE_BYTES : attr->size;
    uint8_t bytes[EXT4_SLOT_BYTES];

    for (uint64_t at = 0; at < limit; at += block) {
        uint64_t here = attr->size - at < block ? attr->size - at : block;
        mnos_status_t status = host_read(h, attr->inode, at, bytes, here);

        if (status != MNOS_OK)
            return status;
        crc = host_crc(crc, bytes, here);
    }
    host_tree_add(tree, attr->inode, "%s file %llu %08x %u", path, (unsigned long long)attr->size,
                  crc, attr->links);
    return MNOS_OK;
}

static mnos_status_t list_directory(struct host *h, const char *path, uint32_t directory,
                                    struct host_tree *tree, unsigned depth);

static mnos_status_t list_entry(struct host *h, const char *path, uint32_t inode,
                                struct host_tree *tree, unsigned depth)
{
    char text[EXT4_SLOT_BYTES + 1];
    struct ext4_attr attr;
    uint32_t bytes = 0;

    HOST_RUN(h, ext4_stat(&h->op, inode, &attr));
    if (h->status != MNOS_OK)
        return h->status;
    if (attr.type == EXT4_TYPE_DIRECTORY) {
        host_tree_add(tree, inode, "%s dir", path);
        return list_directory(h, path, inode, tree, depth + 1);
    }
    if (attr.type == EXT4_TYPE_FILE)
        return list_file(h, path, &attr, tree);
    if (attr.type != EXT4_TYPE_SYMLINK) {
        host_tree_add(tree, inode, "%s other", path);
        return MNOS_OK;
    }
    HOST_RUN(h, ext4_readlink(&h->op, inode, text, EXT4_SLOT_BYTES, &bytes));
    if (h->status == MNOS_OK)
        host_tree_add(tree, inode, "%s link %.*s", path, (int)bytes, text);
    return h->status;
}

static mnos_status_t list_directory(struct host *h, const char *path, uint32_t directory,
                                    struct host_tree *tree, unsigned depth)
{
    struct names names = {0};
    mnos_status_t status = depth > 64 ? MNOS_ERR_LINKS : read_names(h, directory, &names);

    for (uint32_t i = 0; i < names.list.count && status == MNOS_OK; i++) {
        const struct host_line *name = &names.list.lines[i];
        uint32_t found = 0;
        char *below = NULL;

        if (asprintf(&below, "%s%s%s", path, *path == '\0' ? "" : "/", name->text) < 0)
            host_fail("no memory");
        HOST_RUN(h,
                 ext4_lookup(&h->op, directory, name->text, (uint32_t)strlen(name->text), &found));
        status = h->status;
        if (status == MNOS_OK && found != name->inode && !h->hostile)
            host_fail("%s: READDIR says %u, LOOKUP says %u", below, name->inode, found);
        if (status == MNOS_OK)
            status = list_entry(h, below, name->inode, tree, depth);
        if (h->hostile && tree->count < HOSTILE_NAMES)
            status = MNOS_OK;
        free(below);
    }
    host_tree_free(&names.list);
    return status;
}

mnos_status_t host_list(struct host *h, struct host_tree *tree)
{
    mnos_status_t status = list_directory(h, "", EXT4_ROOT, tree, 0);

    host_tree_sort(tree);
    return status;
}
