// SPDX-License-Identifier: MIT
/* scene - see scene.h. Methods are called as lib/server would; the disk is memory, and answers at once. */
#include "tests/fat_service/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/string.h"
#include "services/fs/fat/service.h"
#include "tests/models/clock.h"

#define PAGES 96u
#define DEPTH 4u
#define NAMES 40u
#define BLOCK 512u
#define BLOCKS_MAX (64u << 20 >> 9)

static struct fat_service service;
static struct file_server server;
static struct park park;
static struct fat_kept kept;
static uint8_t memory[PAGES * CACHE_PAGE_BYTES] __attribute__((aligned(4096)));
static uint8_t *disk;
static size_t disk_bytes;
static bool touched[BLOCKS_MAX];              /* blocks that differ from the image */
static uint32_t used[BLOCKS_MAX], used_count; /* blocks of the image that hold something */

/* Of lib/base/string.c, which has names of the C library as well. */
size_t string_copy(char *to, const char *from, size_t capacity)
{
    snprintf(to, capacity, "%s", from);
    return strlen(from);
}

static mnos_status_t transfer(void *, const struct disk_transfer *transfers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct disk_transfer *at = &transfers[i];
        uint8_t *page = memory + (size_t)at->page * CACHE_PAGE_BYTES + at->offset;

        if (at->position > disk_bytes || at->bytes > disk_bytes - at->position)
            abort();
        if (at->write) {
            memcpy(disk + at->position, page, at->bytes);
            for (uint64_t b = at->position / BLOCK; b <= (at->position + at->bytes - 1) / BLOCK;
                 b++)
                touched[b] = true;
        } else {
            memcpy(page, disk + at->position, at->bytes);
        }
    }
    return MNOS_OK;
}

static mnos_status_t flush(void *)
{
    return MNOS_OK;
}

struct found {
    char names[NAMES][FATFS_NAME_BYTES + 1];
    unsigned count;
};

static bool keep(void *context, const struct file_entry *entry)
{
    struct found *found = context;

    if (found->count == NAMES)
        return false;
    memcpy(found->names[found->count], entry->text, entry->bytes);
    found->names[found->count++][entry->bytes] = 0;
    return true;
}

static void must_hold(void)
{
    const char *wrong = fat_service_check(&service);

    if (wrong == NULL)
        return;
    fprintf(stderr, "%s\n", wrong);
    abort();
}

static uint32_t find(uint32_t directory, const char *name, struct file_place *place)
{
    *place =
        (struct file_place){.directory = directory, .text = name, .bytes = (uint32_t)strlen(name)};
    (void)fat_methods.ready(&service);
    return fat_methods.look(&service, place) == MNOS_OK ? place->inode : 0;
}

static void use_file(uint32_t inode)
{
    static uint8_t bytes[70000];
    struct file_attr attr;
    uint64_t count;

    (void)fat_methods.attr(&service, inode, &attr);
    for (uint64_t at = 0; at < attr.size && at < 3 * sizeof bytes; at += sizeof bytes)
        (void)fat_methods.read(&service, inode, at, bytes, sizeof bytes, &count);
    if (attr.size > sizeof bytes)
        (void)fat_methods.read(&service, inode, attr.size - 10, bytes, sizeof bytes, &count);
    (void)fat_methods.write(&service, inode, attr.size / 2, bytes, 3000, &count);
    (void)fat_methods.truncate(&service, inode, attr.size / 3);
    (void)fat_methods.truncate(&service, inode, attr.size / 3 + 5000);
    must_hold();
}

static void visit(uint32_t directory, unsigned depth)
{
    struct found *found = calloc(1, sizeof *found);
    struct file_place place, other;
    uint64_t next;
    bool end;

    (void)fat_methods.ready(&service);
    (void)fat_methods.names(&service, directory, 0, keep, found, &next, &end);
    for (unsigned i = 0; i < found->count; i++) {
        uint32_t inode = find(directory, found->names[i], &place);
        enum file_type type = FILE_TYPE_NONE;

        if (inode == 0)
            continue;
        fat_methods.hold(&service, inode);
        (void)fat_methods.type(&service, inode, &type);
        if (type == FILE_TYPE_FILE)
            use_file(inode);
        else if (depth != 0)
            visit(inode, depth - 1);
        if (i % 3 == 0 && find(directory, "a new and longer name", &other) == 0)
            (void)fat_methods.rename(&service, &place, &other, 1);
        else if (i % 3 == 1)
            (void)(type == FILE_TYPE_FILE ? fat_methods.unlink(&service, &place)
                                          : fat_methods.rmdir(&service, &place));
        fat_methods.drop(&service, inode);
        must_hold();
    }
    free(found);
}

static void change(void)
{
    struct file_place place;
    uint32_t inode;
    uint64_t ticket = 0;

    if (find(FAT_ROOT, "made here", &place) == 0)
        (void)fat_methods.create(&service, &place, FILE_TYPE_DIRECTORY, 1, &inode);
    if (find(FAT_ROOT, "a file of ours", &place) == 0 &&
        fat_methods.create(&service, &place, FILE_TYPE_FILE, 1, &inode) == MNOS_OK)
        use_file(inode);
    (void)fat_methods.sync(&service, 0, &ticket);
}

/* A disk with the image; from one image to the next call with the same only what was touched is copied. */
static void take_image(const uint8_t *image, size_t image_bytes)
{
    static const uint8_t nothing[BLOCK];
    static const uint8_t *last;

    if (last == image) {
        for (size_t i = 0; i < image_bytes / BLOCK; i++) {
            if (touched[i])
                memcpy(disk + i * BLOCK, image + i * BLOCK, BLOCK);
        }
    } else {
        free(disk);
        disk = malloc(image_bytes);
        memcpy(disk, image, image_bytes);
        used_count = 0;
        for (size_t i = 0; i < image_bytes / BLOCK; i++) {
            if (memcmp(image + i * BLOCK, nothing, BLOCK) != 0)
                used[used_count++] = (uint32_t)i;
        }
    }
    last = image;
    disk_bytes = image_bytes;
    memset(touched, 0, sizeof touched);
}

static void damage(const uint8_t *changes, size_t bytes)
{
    for (size_t i = 0; i + 5 <= bytes; i += 5) {
        uint32_t block = used[(changes[i] | changes[i + 1] << 8) % used_count];

        disk[block * BLOCK + (changes[i + 2] | changes[i + 3] << 8) % BLOCK] = changes[i + 4];
        touched[block] = true;
    }
}

void scene_damaged(const uint8_t *image, size_t image_bytes, const uint8_t *changes, size_t bytes)
{
    static const struct fat_disk port = {.transfer = transfer, .flush = flush};

    take_image(image, image_bytes);
    damage(changes, bytes);
    memset(&service, 0, sizeof service);
    server.loop.park = &park;
    service.memory = memory;
    service.pages = PAGES;
    service.table = calloc(1, volume_cache_table_bytes(PAGES));
    service.date_ns = date_of_tick;
    fat_service_init(&service, &server, &port, &kept);
    fat_service_mount(&service, 512, disk_bytes, false);
    fat_service_round(&service);
    if (service.state == FAT_MOUNTED) {
        visit(FAT_ROOT, DEPTH);
        change();
        fat_service_unmount(&service);
        fat_service_round(&service);
    }
    free(service.table);
}
