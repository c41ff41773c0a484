// SPDX-License-Identifier: MIT
/* disk - the image in memory: see host.h. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/fs/ext4/core/journal.h"
#include "tests/ext4/host.h"

_Noreturn void host_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

uint32_t host_random(struct host *h, uint32_t below)
{
    h->random ^= h->random << 13;
    h->random ^= h->random >> 7;
    h->random ^= h->random << 17;
    return (uint32_t)(h->random >> 20) % below;
}

/* ---- Requests ---- */

static bool is_in_log(const struct ext4_fs *fs, uint64_t block)
{
    const struct ext4_journal *journal = &fs->journal;

    for (uint32_t i = 0; i < journal->run_count; i++)
        if (block >= journal->runs[i].physical &&
            block < journal->runs[i].physical + journal->runs[i].count)
            return block != ext4_journal_block(fs, 0);
    return false;
}

static unsigned step_of(const struct host *h, enum host_event_kind kind, uint64_t offset)
{
    bool commits = h->fs->commit_step != COMMIT_IDLE && h->fs->checkpoint_step == CHECK_IDLE;

    if (kind == HOST_FLUSH)
        return commits ? HOST_STEP_FLUSH : HOST_STEP_AFTER;
    if (!is_in_log(h->fs, offset / ext4_block_bytes(h->fs)))
        return HOST_STEP_AFTER;
    return kind == HOST_DURABLE ? HOST_STEP_BLOCK : HOST_STEP_COPIES;
}

static void note(struct host *h, enum host_event_kind kind, uint64_t offset, const uint8_t *data,
                 uint32_t bytes)
{
    struct host_event *event;

    if (!h->logs)
        return;
    if (h->event_count == h->event_room) {
        h->event_room = h->event_room * 2 + 256;
        h->events = realloc(h->events, h->event_room * sizeof *h->events);
    }
    event = &h->events[h->event_count++];
    *event = (struct host_event){kind, step_of(h, kind, offset), offset, bytes, NULL};
    if (bytes != 0) {
        event->data = malloc(bytes);
        memcpy(event->data, data, bytes);
    }
}

static mnos_status_t put(struct host *h, uint64_t offset, const uint8_t *data, uint32_t bytes,
                         bool durable)
{
    if (h->fail_after != 0 && --h->fail_after == 0) {
        h->fail_after = 1; /* and all after it */
        return MNOS_ERR_DEVICE;
    }
    if (offset + bytes > h->image_bytes)
        host_fail("a write behind the end of the disk");
    note(h, durable ? HOST_DURABLE : HOST_WRITE, offset, data, bytes);
    memcpy(h->image + offset, data, bytes);
    return MNOS_OK;
}

static void look(struct host *h)
{
    if (h->moment != NULL)
        h->moment(h);
}

static uint8_t *slot_memory(const struct host *h, uint32_t slot)
{
    return h->memory.data + (size_t)ext4_slot_page(h->fs, slot) * EXT4_SLOT_BYTES;
}

static void carry_out(struct host *h, const struct host_request *request)
{
    uint32_t bytes = ext4_block_bytes(h->fs);
    uint64_t offset = request->block * bytes;
    uint8_t *memory = slot_memory(h, request->slot);
    mnos_status_t status = MNOS_OK;

    if (request->flush) {
        note(h, HOST_FLUSH, 0, NULL, 0);
        ext4_flushed(h->fs, MNOS_OK);
        return;
    }
    if (request->write)
        status = put(h, offset, memory, bytes, request->durable);
    else if (offset + bytes > h->image_bytes)
        status = MNOS_ERR_DEVICE;
    else
        memcpy(memory, h->image + offset, bytes);
    look(h);
    ext4_done(h->fs, request->slot, status);
    look(h);
}

static void ask(struct host *h, struct host_request request)
{
    look(h);
    if (!h->late) {
        carry_out(h, &request);
        return;
    }
    for (uint32_t i = 0; i < h->queued; i++)
        if (!request.flush && !h->queue[i].flush && h->queue[i].block == request.block &&
            (request.write || h->queue[i].write))
            host_fail("two requests for block %llu at once", (unsigned long long)request.block);
    if (h->queued == HOST_QUEUE_MAX)
        host_fail("the queue of the disk is full");
    h->queue[h->queued++] = request;
}

static void port_read(void *context, uint32_t slot, uint64_t block)
{
    ask(context, (struct host_request){.slot = slot, .block = block});
}

static void port_write(void *context, uint32_t slot, uint64_t block, bool durable)
{
    ask(context,
        (struct host_request){.write = true, .durable = durable, .slot = slot, .block = block});
}

static void port_flush(void *context)
{
    ask(context, (struct host_request){.flush = true});
}

void host_write_pages(struct host *h)
{
    for (uint32_t i = 0; i < h->page_count; i++) {
        if (put(h, h->pages[i].block * ext4_block_bytes(h->fs), h->pages[i].data,
                ext4_block_bytes(h->fs), false) == MNOS_OK &&
            h->logs)
            h->events[h->event_count - 1].step = HOST_STEP_DATA;
        free(h->pages[i].data);
    }
    h->page_count = 0;
}

static mnos_status_t port_data_written(void *context, uint32_t transaction)
{
    (void)transaction;
    look(context);
    host_write_pages(context);
    look(context);
    return MNOS_OK;
}

static uint64_t port_now(void *context)
{
    struct host *h = context;

    h->now_ns += 1000003;
    return h->now_ns;
}

static void port_say(void *context, const char *text)
{
    struct host *h = context;

    if (!h->quiet)
        printf("say: %s\n", text);
}

static struct ext4_port port_of(struct host *h)
{
    return (struct ext4_port){h,        port_read, port_write, port_flush, port_data_written,
                              port_now, port_say};
}

/* ---- The whole ---- */

#define LOG_MAGIC 0x54534F4834545845ull

/* Most of a large image is holes: it is mapped, and only what is changed takes memory. */
void host_load(struct host *h, const char *path, uint32_t slots)
{
    int file = open(path, O_RDONLY);
    struct stat about;
    void *image;

    if (file < 0 || fstat(file, &about) != 0)
        host_fail("cannot read %s", path);
    image = mmap(NULL, (size_t)about.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    close(file);
    if (image == MAP_FAILED)
        host_fail("cannot read %s", path);
    host_open(h, image, (uint64_t)about.st_size, slots);
    h->mapped = true;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0;
}

/* A new file, with holes where the image is empty: the old one may be what the image is mapped from. */
void host_save(const struct host *h, const char *path)
{
    enum { PIECE = 65536 };
    char name[1024];
    int file;

    snprintf(name, sizeof name, "%s.new", path);
    file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || ftruncate(file, (off_t)h->image_bytes) != 0)
        host_fail("cannot write %s", path);
    for (uint64_t at = 0; at < h->image_bytes; at += PIECE) {
        size_t here = h->image_bytes - at < PIECE ? (size_t)(h->image_bytes - at) : PIECE;

        if (!is_zero(h->image + at, here) &&
            pwrite(file, h->image + at, here, (off_t)at) != (ssize_t)here)
            host_fail("cannot write %s", path);
    }
    if (close(file) != 0 || rename(name, path) != 0)
        host_fail("cannot write %s", path);
}

/* There is memory for a chunk of slots more, which comes later and lies apart: host_grow(). */
static uint32_t later_chunk(const struct host *h)
{
    return h->memory.slots + EXT4_CHUNK_SLOTS;
}

static size_t data_bytes(const struct host *h)
{
    return (size_t)(later_chunk(h) + EXT4_CHUNK_SLOTS) * EXT4_SLOT_BYTES;
}

static void get_memory(struct host *h, uint32_t slots)
{
    uint32_t most = slots < EXT4_SLOTS_MAX ? slots + EXT4_CHUNK_SLOTS : slots;

    h->region_bytes = (state_overhead(EXT4_LOG_BYTES) + ext4_core_bytes(most) + 63) / 64 * 64;
    h->region = aligned_alloc(64, h->region_bytes);
    memset(h->region, 0, h->region_bytes);
    h->memory = (struct ext4_memory){.log = &h->log, .slots = slots, .slots_max = most};
    h->memory.data = calloc(1, data_bytes(h));
}

static enum state_found open_log(struct host *h)
{
    struct state_area areas[STATE_AREAS_MAX] = {[1] = {h->memory.data, data_bytes(h)}};
    enum state_found found =
        state_open(&h->log, h->region, h->region_bytes, LOG_MAGIC, 1, EXT4_LOG_BYTES, areas);

    /* moments.c looks at each record. */
    h->log.inline_ends[0] = h->log.inline_ends[1] = 0;
    h->memory.core = state_content(&h->log);
    return found;
}

void host_grow(struct host *h)
{
    bool added = ext4_add_slots(h->fs, later_chunk(h));

    state_done(&h->log);
    if (added != (h->memory.slots < h->memory.slots_max) || ext4_add_slots(h->fs, later_chunk(h)))
        host_fail("slots are not added once");
}

void host_open(struct host *h, uint8_t *image, uint64_t bytes, uint32_t slots)
{
    *h = (struct host){.image = image,
                       .image_bytes = bytes,
                       .random = 88172645463325252ull,
                       .now_ns = HOST_CLOCK_NS};
    get_memory(h, slots);
    if (open_log(h) != STATE_NONE)
        host_fail("memory that is new is not");
    state_ready(&h->log);
}

void host_take_over(struct host *h, const struct host *dead, uint64_t seed)
{
    struct ext4_port port = port_of(h);
    const char *wrong;

    *h = (struct host){.image = malloc(dead->image_bytes),
                       .image_bytes = dead->image_bytes,
                       .random = seed * 0x9E3779B97F4A7C15ull + 1,
                       .late = dead->late,
                       .now_ns = dead->now_ns,
                       .page_count = dead->page_count};
    get_memory(h, dead->memory.slots);
    memcpy(h->image, dead->image, h->image_bytes);
    memcpy(h->region, dead->region, h->region_bytes);
    memcpy(h->memory.data, dead->memory.data, data_bytes(h));
    h->fs = dead->fs;
    for (uint32_t i = 0; i < dead->queued; i++) {
        const struct host_request *request = &dead->queue[i];

        if (request->write && host_random(h, 2) == 0)
            (void)put(h, request->block * ext4_block_bytes(h->fs), slot_memory(h, request->slot),
                      ext4_block_bytes(h->fs), false);
    }
    for (uint32_t i = 0; i < h->page_count; i++) {
        h->pages[i] = (struct host_page){dead->pages[i].block, malloc(EXT4_SLOT_BYTES)};
        memcpy(h->pages[i].data, dead->pages[i].data, ext4_block_bytes(h->fs));
    }
    if (open_log(h) != STATE_WHOLE)
        host_fail("what was left is not whole");
    h->fs = h->memory.core;
    if (ext4_resume(&h->memory, &port, &h->fs, &wrong) != MNOS_OK)
        host_fail("it cannot go on: %s", wrong);
    ext4_write_again(h->fs);
}

void host_close(struct host *h)
{
    for (uint32_t i = 0; i < h->page_count; i++)
        free(h->pages[i].data);
    for (uint32_t i = 0; i < h->event_count; i++)
        free(h->events[i].data);
    free(h->events);
    free(h->region);
    free(h->memory.data);
    if (h->mapped)
        munmap(h->image, h->image_bytes);
    else
        free(h->image);
}

mnos_status_t host_mount(struct host *h, bool read_only)
{
    struct ext4_port port = port_of(h);
    struct ext4_options options = {512, h->image_bytes, read_only};
    mnos_status_t status;

    h->fs = ext4_init(&h->memory, &port, &options);
    while ((status = ext4_mount(h->fs)) == MNOS_ERR_AGAIN)
        host_step(h, EXT4_WAIT_NOTHING);
    return status;
}

/* Something happens: a request ends. */
void host_step(struct host *h, uint32_t waits_for)
{
    struct host_request request;
    uint32_t chosen;

    if (waits_for == EXT4_WAIT_COMMIT && ext4_work(h->fs) != MNOS_ERR_AGAIN)
        return;
    if (h->queued == 0)
        host_fail("it waits, and nothing is on its way");
    chosen = host_random(h, h->queued);
    request = h->queue[chosen];
    h->queue[chosen] = h->queue[--h->queued];
    carry_out(h, &request);
}

static mnos_status_t work(struct host *h)
{
    mnos_status_t status;

    while ((status = ext4_work(h->fs)) == MNOS_ERR_AGAIN)
        host_step(h, EXT4_WAIT_NOTHING);
    return status;
}

mnos_status_t host_sync(struct host *h)
{
    uint32_t transaction = ext4_transaction(h->fs);
    mnos_status_t status;

    if (!ext4_is_dirty(h->fs)) {
        host_write_pages(h);
        note(h, HOST_FLUSH, 0, NULL, 0);
        return MNOS_OK;
    }
    ext4_want_commit(h->fs);
    status = work(h);
    if (status == MNOS_OK && !ext4_is_committed(h->fs, transaction))
        host_fail("a commit ended, and the transaction is not committed");
    return status;
}

mnos_status_t host_unmount(struct host *h)
{
    mnos_status_t status;

    host_write_pages(h);
    host_visitors_leave(h);
    while ((status = ext4_unmount(h->fs)) == MNOS_ERR_AGAIN)
        host_step(h, EXT4_WAIT_NOTHING);
    return status;
}

void host_begin(struct host *h)
{
    memset(&h->op, 0, sizeof h->op);
    if (h->has_visitors && host_random(h, 4) == 0)
        host_visit(h);
    h->going = true;
    ext4_begin(&h->op, h->fs);
}

void host_end(struct host *h, mnos_status_t status)
{
    h->status = ext4_end(&h->op, status);
    state_done(&h->log);
    h->going = h->status == MNOS_ERR_AGAIN;
    if (!h->going)
        return;
    h->again++;
    if (h->has_visitors)
        host_visit(h);
    host_step(h, h->op.waits_for);
    ext4_begin(&h->op, h->fs);
}
