// SPDX-License-Identifier: MIT
/* disk - see disk.h. */
#include "tests/ext4_service/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t disk_pick(struct disk *disk, uint64_t below)
{
    disk->random ^= disk->random << 13;
    disk->random ^= disk->random >> 7;
    disk->random ^= disk->random << 17;
    return (disk->random >> 20) % below;
}

static bool submit(void *context, const struct queue_request *request)
{
    struct disk *disk = context;

    if (disk->count == DISK_ENTRIES)
        return false;
    disk->outstanding[disk->count++] =
        (struct disk_request){*request, queue_tag(request), disk->next_number};
    return true;
}

static void bell(void *)
{
}

struct queue_port disk_port(struct disk *disk)
{
    return (struct queue_port){.context = disk, .submit = submit, .bell = bell};
}

bool disk_open(struct disk *disk, const char *path, uint8_t *memory, uint64_t seed)
{
    FILE *file = fopen(path, "rb");
    bool ok;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return false;
    *disk = (struct disk){.bytes = (uint64_t)ftell(file),
                          .memory = memory,
                          .random = seed * 0x9E3779B97F4A7C15ull + 88172645463325252ull,
                          .dead_from = UINT64_MAX};
    rewind(file);
    disk->now = malloc(disk->bytes);
    disk->durable = malloc(disk->bytes);
    ok = fread(disk->now, 1, disk->bytes, file) == disk->bytes;
    fclose(file);
    memcpy(disk->durable, disk->now, disk->bytes);
    return ok;
}

static uint8_t *page_of(const struct disk *disk, const struct queue_request *request)
{
    return disk->memory + (uint64_t)request->page * 4096 + (uint64_t)request->part * 512;
}

static void remember(struct disk *disk, const struct queue_request *request)
{
    struct disk_write *write;

    if (disk->write_count == disk->write_room) {
        disk->write_room = disk->write_room * 2 + 64;
        disk->writes = realloc(disk->writes, disk->write_room * sizeof *disk->writes);
    }
    write = &disk->writes[disk->write_count++];
    *write = (struct disk_write){request->position, disk->next_number++, request->bytes,
                                 malloc(request->bytes)};
    memcpy(write->data, page_of(disk, request), request->bytes);
}

/* Makes durable what was done before `mark`. */
static void flush(struct disk *disk, uint64_t mark)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < disk->write_count; i++) {
        struct disk_write *write = &disk->writes[i];

        if (write->number >= mark) {
            disk->writes[kept++] = *write;
            continue;
        }
        memcpy(disk->durable + write->position, write->data, write->bytes);
        free(write->data);
    }
    disk->write_count = kept;
}

/* A durable write takes with it what was written to the same place before. */
static void make_durable(struct disk *disk, const struct queue_request *request)
{
    uint64_t end = request->position + request->bytes;

    for (uint32_t i = 0; i < disk->write_count; i++) {
        struct disk_write *write = &disk->writes[i];

        if (write->position < end && request->position < write->position + write->bytes)
            memcpy(disk->durable + write->position, write->data, write->bytes);
    }
    memcpy(disk->durable + request->position, page_of(disk, request), request->bytes);
    for (uint32_t i = 0; i < disk->write_count; i++) {
        struct disk_write *write = &disk->writes[i];

        if (write->position >= request->position && write->position + write->bytes <= end)
            memcpy(write->data, disk->durable + write->position, write->bytes);
    }
}

static mnos_status_t carry_out(struct disk *disk, const struct disk_request *entry)
{
    const struct queue_request *request = &entry->request;
    uint32_t odds = request->op == QUEUE_READ ? disk->fail_reads : disk->fail_writes;

    if (request->op == QUEUE_FLUSH) {
        flush(disk, entry->mark);
        return disk->dead_from == 0 ? MNOS_ERR_DEVICE : MNOS_OK;
    }
    if (request->position + request->bytes > disk->bytes)
        return MNOS_ERR_ARGUMENT;
    if (request->position >= disk->dead_from || (odds != 0 && disk_pick(disk, odds) == 0))
        return MNOS_ERR_DEVICE;
    if (request->op == QUEUE_READ) {
        memcpy(page_of(disk, request), disk->now + request->position, request->bytes);
        return MNOS_OK;
    }
    memcpy(disk->now + request->position, page_of(disk, request), request->bytes);
    if (request->durable)
        make_durable(disk, request);
    else
        remember(disk, request);
    return MNOS_OK;
}

bool disk_step(struct disk *disk, uint64_t *tag, mnos_status_t *status)
{
    struct disk_request entry;
    uint32_t chosen;

    if (disk->count == 0)
        return false;
    chosen = (uint32_t)disk_pick(disk, disk->count);
    entry = disk->outstanding[chosen];
    disk->outstanding[chosen] = disk->outstanding[--disk->count];
    *status = carry_out(disk, &entry);
    *tag = entry.tag;
    disk->done_count++;
    return true;
}

void disk_forget(struct disk *disk)
{
    while (disk->count != 0) {
        struct disk_request entry = disk->outstanding[--disk->count];

        if (entry.request.op == QUEUE_WRITE && disk_pick(disk, 2) == 0)
            (void)!carry_out(disk, &entry);
    }
}

/* Some sectors of a write have reached the medium. */
static void lose_some(struct disk *disk, uint64_t position, const uint8_t *data, uint32_t bytes)
{
    uint64_t how = disk_pick(disk, 3); /* none, all, or some */

    for (uint32_t at = 0; at < bytes; at += DISK_SECTOR) {
        if (how == 1 || (how == 2 && disk_pick(disk, 2) == 0))
            memcpy(disk->durable + position + at, data + at, DISK_SECTOR);
    }
}

bool disk_save(struct disk *disk, const char *path, bool orderly)
{
    FILE *file = fopen(path, "wb");
    bool ok;

    if (file == NULL)
        return false;
    for (uint32_t i = 0; !orderly && i < disk->write_count; i++)
        lose_some(disk, disk->writes[i].position, disk->writes[i].data, disk->writes[i].bytes);
    for (uint32_t i = 0; !orderly && i < disk->count; i++) {
        const struct queue_request *request = &disk->outstanding[i].request;

        if (request->op == QUEUE_WRITE)
            lose_some(disk, request->position, page_of(disk, request), request->bytes);
    }
    ok = fwrite(orderly ? disk->now : disk->durable, 1, disk->bytes, file) == disk->bytes;
    fclose(file);
    return ok;
}
